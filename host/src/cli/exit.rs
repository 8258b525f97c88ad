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

impl Exit {
    /// The number that the caller sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::IncompleteDrain => 3,
            Self::NotFound => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
