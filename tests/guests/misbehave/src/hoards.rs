//! Requests that are never sent: what they hold is the host's memory. Each completes with how often the host went along.

use std::mem::forget;

use flyball_worker::bindings::{Failure, Outcome};
use wasip2::http::types::{Fields, Method, OutgoingRequest};

const MANY: usize = 1_000;

fn request() -> OutgoingRequest {
    OutgoingRequest::new(Fields::new())
}

pub(crate) fn requests(bytes: usize) -> Result<Outcome, Failure> {
    let long = "A".repeat(bytes);
    let mut taken = [0, 0, 0];
    for _ in 0..MANY {
        let request = request();
        taken[0] += usize::from(request.set_method(&Method::Other(long.clone())).is_ok());
        taken[1] += usize::from(request.set_authority(Some(&long)).is_ok());
        taken[2] += usize::from(request.set_path_with_query(Some(&long)).is_ok());
        forget(request);
    }
    crate::done(taken)
}

/// Writes as much into each body as its stream takes.
pub(crate) fn bodies() -> Result<Outcome, Failure> {
    let mut written = 0;
    for _ in 0..MANY / 2 {
        let request = request();
        let body = request.body().expect("a first body");
        let stream = body.write().expect("a first stream");
        while let Ok(permit @ 1..) = stream.check_write() {
            let chunk = vec![b'b'; permit as usize];
            if stream.write(&chunk).is_err() {
                break;
            }
            written += chunk.len();
        }
        forget((stream, body, request));
    }
    crate::done(usize::from(written > 16 << 20))
}

/// Adds to one set of header fields as long as it is let.
pub(crate) fn fields() -> Result<Outcome, Failure> {
    let fields = Fields::new();
    let value = vec![b'v'; 1024];
    let kept = (0..MANY).take_while(|_| fields.append("name", &value).is_ok()).count();
    crate::done(kept)
}
