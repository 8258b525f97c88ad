//! HTTP of a guest: linked, because the usual builds import it, and denied at the call, unless whoever runs the attempt
//! leads it somewhere.

use std::future::{Future, ready};
use std::sync::Arc;

use axum::http::uri::Scheme;
use axum::http::{Request, Response};
use futures_util::future::BoxFuture;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::log::{SharedLog, harmless};
use crate::job::LogLevel;

/// Denials that the log tells one by one.
const TOLD: u32 = 10;
/// What the stream of a body takes before it is read: memory of the host that nobody counts.
const BODY_CHUNK: usize = 4 << 10;

/// The body of a request or a response.
pub type HttpBody = WasiBody;
/// Why a request came to nothing, as the guest is told.
pub type HttpError = Error;

/// Where the HTTP requests of a guest go.
pub trait Outside: Send + Sync {
    /// Sends a request. It is dropped, and with it what it holds, when the attempt ends.
    fn send(&self, request: Request<HttpBody>) -> BoxFuture<'static, Result<Response<HttpBody>, HttpError>>;
}

/// The HTTP of one attempt. What is denied is said in the attempt's log.
pub(super) struct Http {
    log: SharedLog,
    denied: u32,
    outside: Option<Arc<dyn Outside>>,
}

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl Http {
    pub(super) fn new(log: SharedLog, outside: Option<Arc<dyn Outside>>) -> Self {
        Self { log, denied: 0, outside }
    }

    fn deny(&mut self, request: &Request<WasiBody>) {
        self.denied = self.denied.saturating_add(1);
        if self.denied <= TOLD {
            let method = request.method().as_str();
            let host = request.uri().authority().map_or("", |authority| authority.as_str());
            let what = harmless(&format!("{method} to {host}"), 512);
            self.log.record(LogLevel::Warn, &format!("denied: {what}: this kind has no grant for HTTP"), &[]);
        }
    }
}

impl WasiHttpHooks for Http {
    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        1
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK
    }

    /// Of whatever scheme, it is denied below, and told.
    fn is_supported_scheme(&mut self, _: &Scheme) -> bool {
        true
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        match &self.outside {
            Some(outside) => {
                let answer = outside.send(request);
                let nothing_more = || Box::new(ready(Ok(()))) as Box<dyn Future<Output = _> + Send>;
                Box::new(async move { answer.await.map(|response| (response, nothing_more())) })
            }
            None => {
                self.deny(&request);
                Box::new(ready(Err(Error::HttpRequestDenied)))
            }
        }
    }
}
