//! How the program ends, as its caller sees it.

use std::process::ExitCode;

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed; standard error says why.
    Failed,
    /// Asked wrongly.
    Usage,
    /// A node that was told to stop had to interrupt work.
    IncompleteDrain,
    /// What was asked for is not there.
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
