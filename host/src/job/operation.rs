//! What an operator may order for a job, and in which states. The store carries it out in bulk; which states an order
//! moves is said here, and a test holds its statements to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::retry::spread;
use super::{JobId, JobState, Priority, Timestamp};

/// What is to be done to jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Set aside what waits.
    Pause,
    /// Let what was set aside go on: at once if it is due, else when it is.
    Resume,
    /// End what waits, and ask the nodes of what runs to stop it.
    Cancel(Barriers),
    /// Make available what waits for later or failed.
    Retry,
    /// Run again what has ended.
    Replay(Replay),
    /// Give what waits another place in its lane. It keeps its state, and what is due its time.
    Reprioritise(Priority),
    /// Make what waits due at another time. What waits for its next attempt, or was set aside, keeps its state.
    Reschedule(Due),
    /// Forget what has ended: its runs, its logs, its checkpoint, and its row. Its keys are free again.
    Delete,
}

/// When what is rescheduled is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// At an instant; at once, if it has passed.
    At(Timestamp),
    /// So long after the order is carried out.
    In(Duration),
}

impl Due {
    /// The instant, for an order that is carried out now.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::In(delay) => now.after(delay),
        }
    }
}

/// What a cancel of the children of a job does to the barriers of that job which have not fired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Barriers {
    /// They are dropped: what was to follow does not.
    #[default]
    Drop,
    /// They fire, when the last child has ended.
    Fire,
}

/// How ended jobs are run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Which of them.
    pub force: Force,
    /// Over how long a time their starts are spread; all at once if there is none.
    pub stagger: Option<Duration>,
}

/// Whether a replay may repeat what succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// No: what it did was done.
    #[default]
    Never,
    /// Yes.
    Succeeded,
}

impl Operation {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel(_) => "cancel",
            Self::Retry => "retry",
            Self::Replay(_) => "replay",
            Self::Reprioritise(_) => "reprioritise",
            Self::Reschedule(_) => "reschedule",
            Self::Delete => "delete",
        }
    }

    /// Whether it changes a job in this state. One that runs is changed by its node alone: a cancel asks for it.
    pub const fn moves(self, state: JobState) -> bool {
        use JobState::{Available, Cancelled, Discarded, Paused, Retryable, Running, Scheduled, Succeeded};
        match self {
            Self::Pause => matches!(state, Available | Scheduled | Retryable),
            Self::Resume => matches!(state, Paused),
            Self::Cancel(_) => matches!(state, Available | Scheduled | Retryable | Paused | Running),
            Self::Retry => matches!(state, Available | Scheduled | Retryable | Cancelled | Discarded),
            Self::Replay(Replay { force: Force::Never, .. }) => matches!(state, Cancelled | Discarded),
            Self::Replay(Replay { force: Force::Succeeded, .. }) => {
                matches!(state, Succeeded | Cancelled | Discarded)
            }
            Self::Reprioritise(_) | Self::Reschedule(_) => {
                matches!(state, Available | Scheduled | Retryable | Paused)
            }
            Self::Delete => state.is_terminal(),
        }
    }

    /// The states that it looks for where none is named: no surprise is among them.
    pub const fn usual(self) -> &'static [JobState] {
        use JobState::{Available, Cancelled, Discarded, Paused, Retryable, Running, Scheduled, Succeeded};
        match self {
            Self::Pause => &[Available, Scheduled, Retryable],
            Self::Resume => &[Paused],
            Self::Cancel(_) => &[Available, Scheduled, Running, Retryable, Paused],
            Self::Retry => &[Retryable, Discarded],
            Self::Replay(Replay { force: Force::Never, .. }) => &[Discarded],
            Self::Replay(Replay { force: Force::Succeeded, .. }) => &[Discarded, Succeeded],
            Self::Reprioritise(_) | Self::Reschedule(_) => &[Available, Scheduled, Retryable, Paused],
            Self::Delete => &[Succeeded, Cancelled, Discarded],
        }
    }
}

impl Replay {
    /// When a job is due that is replayed now. Hashed from the job, so that the same order has the same answer.
    pub fn due(self, job: JobId, now: Timestamp) -> Timestamp {
        let Some(stagger) = self.stagger else { return now };
        let share = spread(job, 0) >> 32;
        let micros = (stagger.as_micros() * u128::from(share)) >> 32;
        now.after(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }

    /// The state that a replayed job goes to.
    pub const fn state(self) -> JobState {
        match self.stagger {
            Some(_) => JobState::Scheduled,
            None => JobState::Available,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_looks_only_for_what_it_moves() {
        let operations = [
            Operation::Pause,
            Operation::Resume,
            Operation::Cancel(Barriers::Drop),
            Operation::Retry,
            Operation::Replay(Replay::default()),
            Operation::Reprioritise(Priority::default()),
            Operation::Reschedule(Due::In(Duration::from_secs(1))),
            Operation::Delete,
        ];
        for operation in operations {
            assert!(operation.usual().iter().all(|state| operation.moves(*state)), "{operation:?}");
            let runs = operation.moves(JobState::Running);
            assert_eq!(runs, matches!(operation, Operation::Cancel(_)), "{operation:?}");
        }
    }

    #[test]
    fn a_staggered_replay_spreads_its_jobs_over_the_whole_time() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let minute = Duration::from_secs(60);
        let replay = Replay { stagger: Some(minute), ..Replay::default() };
        let jobs: Vec<JobId> = (0..1000).map(|_| JobId::mint(now)).collect();
        let delays: Vec<_> = jobs.iter().map(|job| replay.due(*job, now).since(now)).collect();
        assert!(delays.iter().all(|delay| *delay < minute));
        for quarter in 0..4 {
            let within = delays.iter().filter(|delay| delay.as_secs() / 15 == quarter).count();
            assert!((150..350).contains(&within), "{within} of 1000 in quarter {quarter}");
        }
        assert_eq!(replay.due(jobs[0], now), replay.due(jobs[0], now));
        assert_eq!(Replay::default().due(jobs[0], now), now);
    }
}
