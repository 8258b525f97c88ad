//! The exit codes of the program.

use std::process::ExitCode;

/// How a command ended, for whoever called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed.
    Failed,
    /// 2: bad usage.
    Usage,
    /// 3: a drain that had to interrupt work.
    IncompleteDrain,
    /// 4: what was named does not exist.
    NotFound,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::IncompleteDrain => 3,
            Exit::NotFound => 4,
        })
    }
}
