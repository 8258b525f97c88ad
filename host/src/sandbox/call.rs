//! One call into a guest, ended by the guest, by a trap, by the host, or by a fault of the host: whatever comes first.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures_util::FutureExt;

use super::watch::{Cut, Watch};

/// How a call ended that did not return.
#[derive(Debug)]
pub(super) enum Unreturned {
    /// It failed: a trap, a limit, a value that is none, or an end that the store's data tells of.
    Failed(wasmtime::Error),
    /// The host ended it while it waited.
    Cut(Cut),
    /// A host function panicked.
    HostFault(String),
}

/// Drives a call to its end. When this returns, nothing of the guest runs any more; its store must be dropped.
pub(super) async fn drive<T>(
    watch: &Watch,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, Unreturned> {
    let mut call = pin!(AssertUnwindSafe(call).catch_unwind());
    let call = poll_fn(|context| {
        watch.turn().begin(watch.now());
        call.as_mut().poll(context)
    });
    tokio::select! {
        // A guest that returned in time keeps its outcome.
        biased;
        ended = call => match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Unreturned::Failed(error)),
            Err(panic) => Err(Unreturned::HostFault(message_of(&*panic))),
        },
        cut = watch.until_over() => Err(Unreturned::Cut(cut)),
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it does not say why".into())
}
