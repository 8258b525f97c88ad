//! The stable words of the wire: states, outcomes, error classes.

/// A word that none of ours is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no {what}; one of {known}")]
pub struct UnknownWord {
    pub(crate) what: &'static str,
    pub(crate) given: String,
    pub(crate) known: String,
}

/// An enum whose variants are stable words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every one of them, in the order of the lifecycle.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable word for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::job::UnknownWord;
            fn from_str(text: &str) -> Result<Self, $crate::job::UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err($crate::job::UnknownWord {
                        what: $what,
                        given: $crate::job::cut(other, 80).to_owned(),
                        known: [$($word),+].join(", "),
                    }),
                }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// Where a job stands.
    JobState, "job state" {
        /// Due, and waiting for a slot.
        Available = "available",
        /// For later: enqueued ahead, snoozed, or released for want of memory.
        Scheduled = "scheduled",
        /// Claimed by a node.
        Running = "running",
        /// Failed or lost, and waiting for its next attempt.
        Retryable = "retryable",
        /// Set aside by an operator.
        Paused = "paused",
        /// Ended well.
        Succeeded = "succeeded",
        /// Ended because somebody asked.
        Cancelled = "cancelled",
        /// Given up.
        Discarded = "discarded",
    }
}

impl JobState {
    /// Those of jobs that have not ended.
    pub const UNFINISHED: [Self; 5] =
        [Self::Available, Self::Scheduled, Self::Running, Self::Retryable, Self::Paused];

    /// Whether the job has ended.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Succeeded | Self::Cancelled | Self::Discarded => true,
            Self::Available | Self::Scheduled | Self::Running | Self::Retryable | Self::Paused => false,
        }
    }
}

words! {
    /// How an attempt ended; `started` while it has not.
    Outcome, "outcome" {
        /// Under way.
        Started = "started",
        /// The worker completed.
        Success = "success",
        /// The worker failed, or what it returned could not be taken.
        Error = "error",
        /// The worker asked to be called again later.
        Snooze = "snooze",
        /// The worker asked for it, or an operator's request was carried out.
        Cancelled = "cancelled",
        /// The deadline passed, or the fuel was spent.
        Timeout = "timeout",
        /// The node was lost while it ran.
        Crashed = "crashed",
        /// Given back without charge.
        Released = "released",
    }
}

words! {
    /// What sort of failure it was; decides whether the job is tried again.
    ErrorClass, "error class" {
        /// May pass: tried again.
        Transient = "transient",
        /// Will not pass: discarded.
        Permanent = "permanent",
        /// The args are wrong: discarded.
        Validation = "validation",
        /// Took too long: tried again.
        Timeout = "timeout",
        /// Needed more than its budget: discarded, unless the manifest says otherwise.
        Resource = "resource",
    }
}

words! {
    /// Who set the outcome of a run.
    SettledBy, "settler" {
        /// The node that held the lease.
        Owner = "owner",
        /// A sweep that found the node dead.
        Sweep = "sweep",
        /// A renewal that found the run in nobody's hands.
        Renewal = "renewal",
        /// The start of a node on SQLite.
        Start = "start",
    }
}

words! {
    /// How much a line of a worker's log matters.
    LogLevel, "log level" {
        /// Every step.
        Trace = "trace",
        /// For whoever looks for a fault.
        Debug = "debug",
        /// Worth knowing.
        Info = "info",
        /// Something is off.
        Warn = "warn",
        /// Something failed.
        Error = "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_stable_wire_form() {
        let states: Vec<_> = JobState::ALL.iter().map(|s| s.as_str()).collect();
        assert_eq!(
            states.join(" "),
            "available scheduled running retryable paused succeeded cancelled discarded"
        );
        let outcomes: Vec<_> = Outcome::ALL.iter().map(|o| o.as_str()).collect();
        assert_eq!(outcomes.join(" "), "started success error snooze cancelled timeout crashed released");
        let classes: Vec<_> = ErrorClass::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(classes.join(" "), "transient permanent validation timeout resource");
    }

    #[test]
    fn a_word_reads_back_and_an_unknown_one_names_the_known() {
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse::<JobState>(), Ok(*state));
        }
        let error = "done".parse::<SettledBy>().expect_err("unknown");
        assert_eq!(error.to_string(), r#""done" is no settler; one of owner, sweep, renewal, start"#);
    }
}
