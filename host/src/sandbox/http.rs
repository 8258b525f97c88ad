//! HTTP of a guest: linked, because the usual builds import it, and denied at the call.

use std::future::{Future, ready};

use axum::http::uri::Scheme;
use axum::http::{Request, Response};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::log::{SharedLog, harmless};
use crate::job::LogLevel;

/// Denials that the log tells one by one.
const TOLD: u32 = 10;
/// What the stream of a body takes before it is read: memory of the host that nobody counts.
const BODY_CHUNK: usize = 4 << 10;

/// Denies every request, and says so in the attempt's log.
pub(super) struct NoHttp {
    log: SharedLog,
    denied: u32,
}

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl NoHttp {
    pub(super) fn new(log: SharedLog) -> Self {
        Self { log, denied: 0 }
    }
}

impl WasiHttpHooks for NoHttp {
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
        self.denied = self.denied.saturating_add(1);
        if self.denied <= TOLD {
            let method = request.method().as_str();
            let host = request.uri().authority().map_or("", |authority| authority.as_str());
            let what = harmless(&format!("{method} to {host}"), 512);
            self.log.record(LogLevel::Warn, &format!("denied: {what}: this kind has no grant for HTTP"), &[]);
        }
        Box::new(ready(Err(Error::HttpRequestDenied)))
    }
}
