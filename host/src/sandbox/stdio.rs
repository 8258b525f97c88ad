//! stdout and stderr of a guest: always ready, never failing, all of it into the attempt's log.

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::log::{SharedLog, Source};

/// What a guest may write at once; also what the host may have to allocate for it.
const PERMIT: usize = 64 << 10;

/// One of the two streams. A guest may open it as often as it likes; all that it writes is one text.
#[derive(Clone)]
pub(super) struct Stdio {
    pub(super) source: Source,
    pub(super) log: SharedLog,
}

impl IsTerminal for Stdio {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stdio {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this, and it is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Stdio {
    async fn ready(&mut self) {}
}

impl OutputStream for Stdio {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > PERMIT {
            // The contract of streams: a write without a permit is a fault of the caller.
            return Err(StreamError::trap("more was written to a stream at once than it permits"));
        }
        self.log.write(self.source, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}
