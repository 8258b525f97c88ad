//! Where processes are born: a thread of their own that lives as long as the test process.
//!
//! The kernel's death signal follows the *thread* that started a process, and the threads of tests come and go.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::{Context as _, Result};

type Order = (Command, SyncSender<io::Result<Child>>);

static NURSERY: OnceLock<SyncSender<Order>> = OnceLock::new();

/// Starts the command on the nursery's thread.
pub(super) fn spawn(command: Command) -> Result<Child> {
    let nursery = NURSERY.get_or_init(|| {
        // Full means that several tests start processes at once: they wait for their turn.
        let (orders, inbox) = sync_channel::<Order>(1);
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                // Nobody waits for the answer any more when the asking test has panicked.
                let _unheard = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, child) = sync_channel(1);
    nursery.send((command, answer)).ok().context("the nursery of processes is closed")?;
    child.recv().context("the nursery of processes gave no answer")?.map_err(Into::into)
}

/// The parent may die before it is asked for: then its child has another parent by now, and ends by itself.
const UNLESS_ORPHANED: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

/// A command that asks the kernel to kill it when its parent dies, and that reads nothing.
pub(super) fn leashed(program: &OsStr) -> Command {
    let setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].into_iter().find(|path| Path::new(path).exists());
    let mut command = match setpriv {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--", "sh", "-c", UNLESS_ORPHANED]);
            command.arg(std::process::id().to_string()).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.stdin(Stdio::null());
    command
}
