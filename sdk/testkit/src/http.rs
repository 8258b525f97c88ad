//! Stubs for the HTTP of a worker. Nothing here ever opens a connection.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flyball::sandbox::{HttpBody, HttpError, Outside};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, stream};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};

/// What a stub answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A response.
    Response {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: Vec<(String, String)>,
        /// What of its body arrives.
        body: Vec<u8>,
        /// How the body ends.
        end: BodyEnd,
    },
    /// No response: the connection was refused.
    Refused,
    /// No response: the time for it was over.
    TimedOut,
}

/// How the body of a response ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// In order.
    Whole,
    /// The connection is lost in the middle.
    BrokenOff,
}

impl Answer {
    /// Status 200 and a body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Response { status: 200, headers: Vec::new(), body: body.into(), end: BodyEnd::Whole }
    }

    /// A status, and an empty body.
    pub const fn status(status: u16) -> Self {
        Self::Response { status, headers: Vec::new(), body: Vec::new(), end: BodyEnd::Whole }
    }

    /// One more header. An answer that is no response has none.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Response { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The same response, with this body. An answer that is no response has none.
    #[must_use]
    pub fn body(mut self, text: impl Into<Vec<u8>>) -> Self {
        if let Self::Response { body, .. } = &mut self {
            *body = text.into();
        }
        self
    }

    /// The same response, whose body breaks off after what there is of it.
    #[must_use]
    pub const fn breaking_off(mut self) -> Self {
        if let Self::Response { end, .. } = &mut self {
            *end = BodyEnd::BrokenOff;
        }
        self
    }

    fn given(self) -> Result<Response<HttpBody>, HttpError> {
        let (status, headers, body, end) = match self {
            Self::Response { status, headers, body, end } => (status, headers, body, end),
            Self::Refused => return Err(HttpError::ConnectionRefused),
            Self::TimedOut => return Err(HttpError::ConnectionReadTimeout),
        };
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        let whole = stream::iter([Ok(http_body::Frame::data(Bytes::from(body)))]);
        let last = match end {
            BodyEnd::Whole => None,
            BodyEnd::BrokenOff => Some(Err(HttpError::ConnectionTerminated)),
        };
        let body = UnsyncBoxBody::new(StreamBody::new(whole.chain(stream::iter(last))));
        response.body(body).map_err(|error| HttpError::InternalError(Some(error.to_string())))
    }
}

/// A request that the worker sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// Its method, in capitals.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Its headers, names in small letters; one that was given twice is the last.
    pub headers: BTreeMap<String, String>,
    /// Its body, as far as the worker wrote it.
    pub body: Vec<u8>,
}

/// Where the HTTP requests of a worker go: to stubs, in whatever order they come.
#[derive(Clone, Debug)]
pub struct Http {
    stubs: Vec<(String, String, Answer)>,
    otherwise: Answer,
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Http {
    /// Without stubs: every request is answered as if nobody were there.
    pub const fn new() -> Self {
        Self { stubs: Vec::new(), otherwise: Answer::Refused }
    }

    /// An answer for a method and a whole URL.
    #[must_use]
    pub fn on(mut self, method: &str, url: &str, answer: Answer) -> Self {
        self.stubs.push((method.to_uppercase(), url.to_owned(), answer));
        self
    }

    /// The answer for everything else.
    #[must_use]
    pub fn otherwise(mut self, answer: Answer) -> Self {
        self.otherwise = answer;
        self
    }

    fn answer(&self, method: &str, url: &str) -> Answer {
        let stub = self.stubs.iter().rev().find(|(of, at, _)| of == method && at == url);
        stub.map_or(&self.otherwise, |(_, _, answer)| answer).clone()
    }
}

/// Stubs in use, and what was asked of them.
pub(crate) struct Stubs {
    http: Http,
    requested: Arc<Mutex<Vec<Requested>>>,
}

impl Stubs {
    pub(crate) fn new(http: Http) -> Self {
        Self { http, requested: Arc::default() }
    }

    pub(crate) fn requested(&self) -> Vec<Requested> {
        std::mem::take(&mut *self.requested.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Outside for Stubs {
    fn send(&self, request: Request<HttpBody>) -> BoxFuture<'static, Result<Response<HttpBody>, HttpError>> {
        let (parts, body) = request.into_parts();
        let (method, url) = (parts.method.as_str().to_uppercase(), parts.uri.to_string());
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let answer = self.http.answer(&method, &url);
        let requested = Arc::clone(&self.requested);
        async move {
            let body = body.collect().await?.to_bytes().to_vec();
            let told = Requested { method, url, headers, body };
            requested.lock().unwrap_or_else(PoisonError::into_inner).push(told);
            answer.given()
        }
        .boxed()
    }
}
