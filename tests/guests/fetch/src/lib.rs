//! Sends one HTTP request and says what came of it, and what time it is here.

use std::time::{SystemTime, UNIX_EPOCH};

use flyball_worker::{Failure, Job, Result, worker};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// `https://`, a host and a path.
    url: String,
    /// Posted, if it is there; without it the request is a GET.
    body: Option<String>,
}

#[derive(Serialize)]
struct Fetched {
    status: u16,
    kind: Option<String>,
    body: String,
    /// Seconds since 1970.
    now: u64,
}

fn run(args: Args, _job: &Job) -> Result<Fetched> {
    let response = send(&args)?;
    let headers = response.headers().get("content-type");
    let kind = headers.first().map(|value| String::from_utf8_lossy(value).into_owned());
    let status = response.status();
    let body = read(&response)?;
    Ok(Fetched { status, kind, body, now: now() })
}

#[expect(clippy::disallowed_methods, reason = "it is asked what the clock of a worker says")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn wrong(what: &str) -> Failure {
    Failure::permanent(format!("not a URL: {what}"))
}

fn lost(error: &ErrorCode) -> Failure {
    Failure::transient(format!("no response: {error:?}"))
}

fn send(args: &Args) -> Result<IncomingResponse> {
    let rest = args.url.strip_prefix("https://").ok_or_else(|| wrong(&args.url))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let headers = Fields::new();
    headers.append("x-asked-by", b"fetch").map_err(|_| wrong("a header was refused"))?;
    let request = OutgoingRequest::new(headers);
    let method = if args.body.is_some() { Method::Post } else { Method::Get };
    request
        .set_scheme(Some(&Scheme::Https))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .and_then(|()| request.set_method(&method))
        .map_err(|()| wrong(&args.url))?;
    let body = request.body().map_err(|()| wrong("it has no body"))?;
    let response = handle(request, None).map_err(|error| lost(&error))?;
    if let Some(text) = &args.body {
        let stream = body.write().map_err(|()| wrong("its body has no stream"))?;
        for chunk in text.as_bytes().chunks(1024) {
            stream
                .blocking_write_and_flush(chunk)
                .map_err(|error| Failure::transient(format!("the body was not sent: {error:?}")))?;
        }
    }
    OutgoingBody::finish(body, None).map_err(|error| lost(&error))?;
    response.subscribe().block();
    match response.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(error))) => Err(lost(&error)),
        Some(Err(())) | None => Err(Failure::transient("no response")),
    }
}

fn read(response: &IncomingResponse) -> Result<String> {
    let body = response.consume().map_err(|()| Failure::transient("the body was taken"))?;
    let stream = body.stream().map_err(|()| Failure::transient("the body has no stream"))?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(Failure::transient(format!("the body broke off after {} bytes", bytes.len())));
            }
        }
    }
}

worker! { run, summary: "Sends one HTTP request and says what came of it" }
