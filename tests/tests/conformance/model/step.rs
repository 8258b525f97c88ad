//! What may happen next.

use std::time::Duration;

use flyball::job::{Barriers, Due, ErrorClass, Force, Operation, Priority, Replay};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One thing that happens. An index is taken among whatever is there then.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Enqueue {
        delay: u64,
        key: Option<u8>,
        on_discard: OnDiscard,
    },
    Claim {
        node: Index,
        count: usize,
    },
    ClaimLastChance {
        node: Index,
    },
    End {
        claim: Index,
        how: End,
    },
    /// A node is never heard of again, and what it ran is taken back.
    Crash {
        node: Index,
    },
    Promote,
    /// To one job.
    Order {
        job: Index,
        operation: Operation,
    },
    /// To all of them.
    OrderAll {
        operation: Operation,
    },
    /// Time passes, or somebody sets the clock.
    Pass {
        seconds: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDiscard {
    Nothing,
    Tell,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Complete,
    /// With so many follow-ups, and a continuation behind them or none.
    FanOut {
        count: usize,
        behind: Behind,
    },
    Fail(ErrorClass),
    Snooze {
        seconds: u64,
    },
    Cancel,
    Stopped,
    Release(flyball::job::Release),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    Nothing,
    Continuation,
}

pub(super) fn any() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => enqueue(),
        6 => (index(), 1..5_usize).prop_map(|(node, count)| Step::Claim { node, count }),
        1 => index().prop_map(|node| Step::ClaimLastChance { node }),
        8 => (index(), end()).prop_map(|(claim, how)| Step::End { claim, how }),
        2 => index().prop_map(|node| Step::Crash { node }),
        3 => Just(Step::Promote),
        4 => (index(), operation()).prop_map(|(job, operation)| Step::Order { job, operation }),
        1 => select(vec![Operation::Pause, Operation::Resume, Operation::Cancel(Barriers::Fire), Operation::Delete])
            .prop_map(|operation| Step::OrderAll { operation }),
        3 => select(vec![1, 2, 9, 70, 4000]).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

fn index() -> impl Strategy<Value = Index> {
    any_index()
}

fn any_index() -> impl Strategy<Value = Index> {
    proptest::arbitrary::any::<Index>()
}

fn enqueue() -> impl Strategy<Value = Step> {
    let delay = select(vec![0, 0, 0, 3, 60]);
    let key = proptest::option::weighted(0.3, 0..3_u8);
    let on_discard = select(vec![OnDiscard::Nothing, OnDiscard::Nothing, OnDiscard::Tell]);
    (delay, key, on_discard).prop_map(|(delay, key, on_discard)| Step::Enqueue { delay, key, on_discard })
}

fn end() -> impl Strategy<Value = End> {
    use flyball::job::Release;
    let behind = select(vec![Behind::Nothing, Behind::Continuation, Behind::Continuation]);
    let release = vec![Release::Drain, Release::NotStarted, Release::Memory];
    prop_oneof![
        4 => Just(End::Complete),
        3 => (0..4_usize, behind).prop_map(|(count, behind)| End::FanOut { count, behind }),
        3 => select(ErrorClass::ALL.to_vec()).prop_map(End::Fail),
        1 => select(vec![1, 30]).prop_map(|seconds| End::Snooze { seconds }),
        1 => Just(End::Cancel),
        1 => Just(End::Stopped),
        1 => select(release).prop_map(End::Release),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let replay = |force| Operation::Replay(Replay { force, stagger: None });
    select(vec![
        Operation::Cancel(Barriers::Drop),
        Operation::Retry,
        Operation::Pause,
        Operation::Resume,
        replay(Force::Never),
        replay(Force::Succeeded),
        Operation::Reprioritise(Priority::default()),
        Operation::Reschedule(Due::In(Duration::ZERO)),
        Operation::Reschedule(Due::In(Duration::from_secs(5))),
        Operation::Delete,
    ])
}
