//! The lifecycle's tables, line by line, and what must hold of every settlement.

use proptest::prelude::*;

use super::super::{ExecutorClass, Lineage, Overrides, Release};
use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);

fn claim(tries: Tries) -> Claim {
    Claim {
        run: RunId::mint(NOW),
        job: JobId::mint(NOW),
        kind: Kind::new("work").expect("valid"),
        queue: Queue::default(),
        executor_class: ExecutorClass::default(),
        args: Json::empty_object(),
        priority: 100,
        tries,
        last_chance: false,
        on_discard: false,
        limited: false,
        checkpoint: false,
        overrides: Overrides::default(),
        lineage: Lineage::default(),
        created_at: NOW,
        scheduled_at: NOW,
        deadline_at: NOW,
        tags: Vec::new(),
        metadata: Json::empty_object(),
    }
}

fn settle(tries: Tries, verdict: Verdict, policy: &RetryPolicy) -> Settlement {
    claim(tries).settle(verdict, Evidence::default(), policy, NOW)
}

fn failed(class: ErrorClass) -> Verdict {
    Verdict::Failed(Failure::new(class, "no"))
}

#[test]
fn each_verdict_leads_to_the_state_and_outcome_of_the_table() {
    use {ErrorClass as C, JobState as S, Outcome as O};
    let fresh = Tries { attempt: 1, ..Tries::default() };
    let spent = Tries { attempt: 25, failures: 24, ..Tries::default() };
    let table = [
        (fresh, Verdict::Completed(Completion::default()), S::Succeeded, O::Success, None, 0),
        (spent, Verdict::Completed(Completion::default()), S::Succeeded, O::Success, None, 24),
        (spent, Verdict::Snoozed { delay: HOUR }, S::Scheduled, O::Snooze, None, 24),
        (fresh, Verdict::Cancelled { reason: "enough".into() }, S::Cancelled, O::Cancelled, None, 0),
        (fresh, Verdict::Stopped, S::Cancelled, O::Cancelled, None, 0),
        (fresh, failed(C::Transient), S::Retryable, O::Error, Some(C::Transient), 1),
        (fresh, failed(C::Timeout), S::Retryable, O::Timeout, Some(C::Timeout), 1),
        (fresh, failed(C::Permanent), S::Discarded, O::Error, Some(C::Permanent), 1),
        (fresh, failed(C::Validation), S::Discarded, O::Error, Some(C::Validation), 1),
        (fresh, failed(C::Resource), S::Discarded, O::Error, Some(C::Resource), 1),
        (fresh, Verdict::Failed(Failure::fuel_spent("f")), S::Discarded, O::Timeout, Some(C::Resource), 1),
        (spent, failed(C::Transient), S::Discarded, O::Error, Some(C::Transient), 25),
        (spent, Verdict::Released(Release::Drain), S::Available, O::Released, None, 24),
        (spent, Verdict::Released(Release::LeaseLost), S::Available, O::Released, None, 24),
        (spent, Verdict::Released(Release::KindGone), S::Available, O::Released, None, 24),
        (spent, Verdict::Released(Release::NotStarted), S::Available, O::Released, None, 24),
        (spent, Verdict::Released(Release::Memory), S::Scheduled, O::Released, None, 24),
        (spent, Verdict::Released(Release::Pool), S::Scheduled, O::Released, None, 24),
    ];
    for (tries, verdict, state, outcome, class, failures) in table {
        let line = format!("{verdict:?} with {} failures", tries.failures);
        let settlement = settle(tries, verdict, &RetryPolicy::default());
        let got = (settlement.transition.state(), settlement.end.outcome, settlement.end.error_class);
        assert_eq!(got, (state, Some(outcome), class), "{line}");
        assert_eq!(settlement.tries.failures, failures, "{line}");
    }
}

#[test]
fn a_resource_failure_is_tried_again_only_if_the_manifest_says_so() {
    let policy = RetryPolicy { retry_resource: true, ..RetryPolicy::default() };
    let settlement = settle(Tries::default(), failed(ErrorClass::Resource), &policy);
    assert_eq!(settlement.transition.state(), JobState::Retryable);
}

#[test]
fn a_failure_may_carry_its_own_delay_within_one_second_and_thirty_days() {
    for (asked, got) in [(Duration::ZERO, MIN_DELAY), (HOUR, HOUR), (HOUR * 10_000, MAX_DELAY)] {
        let failure = Failure::new(ErrorClass::Transient, "later").retry_after(asked);
        let settlement = settle(Tries::default(), Verdict::Failed(failure), &RetryPolicy::default());
        assert_eq!(settlement.transition, Transition::Retry { at: NOW.after(got) });
    }
}

#[test]
fn a_job_that_snoozes_for_ever_is_discarded_at_ten_thousand() {
    let nearly = Tries { snoozes: MAX_SNOOZES - 1, ..Tries::default() };
    let snooze = || Verdict::Snoozed { delay: HOUR };
    let last = settle(nearly, snooze(), &RetryPolicy::default());
    assert_eq!((last.transition.state(), last.tries.snoozes), (JobState::Scheduled, MAX_SNOOZES));
    let over = settle(last.tries, snooze(), &RetryPolicy::default());
    assert_eq!((over.transition, over.end.error_class), (Transition::Discard, Some(ErrorClass::Permanent)));
}

#[test]
fn releases_in_a_row_wait_longer_and_are_forgotten_when_an_attempt_ends() {
    let full = || Verdict::Released(Release::Memory);
    let third = settle(Tries { releases: 2, ..Tries::default() }, full(), &RetryPolicy::default());
    let Transition::ReleaseUntil { at } = third.transition else { panic!("{:?}", third.transition) };
    assert_eq!(third.tries.releases, 3);
    assert!((3.0..5.0).contains(&at.since(NOW).as_secs_f64()), "4 s give or take a quarter");
    let drained = settle(third.tries, Verdict::Released(Release::Drain), &RetryPolicy::default());
    assert_eq!(drained.tries.releases, 3);
    assert_eq!(settle(third.tries, failed(ErrorClass::Transient), &RetryPolicy::default()).tries.releases, 0);
}

#[test]
fn an_outcome_that_cannot_be_stored_becomes_a_permanent_failure_that_says_why() {
    let settlement =
        settle(Tries::default(), Verdict::Completed(Completion::default()), &RetryPolicy::default());
    let (job, run) = (settlement.job, settlement.run);
    let kept = settlement.unstorable("invalid byte sequence");
    assert_eq!((kept.job, kept.run, kept.transition), (job, run, Transition::Discard));
    assert_eq!((kept.end.outcome, kept.end.error_class), (Some(Outcome::Error), Some(ErrorClass::Permanent)));
    assert_eq!(kept.end.error_message.as_deref(), Some("invalid byte sequence"));
}

fn loss(crashes: u32, last_chance: bool, cancel_requested: bool) -> LossSettlement {
    let tries = Tries { attempt: 1, crashes, failures: 7, ..Tries::default() };
    let (job, run) = (JobId::mint(NOW), RunId::mint(NOW));
    Loss { job, run, tries, last_chance, cancel_requested }.settle(&LossPolicy::default(), NOW)
}

#[test]
fn a_lost_job_is_tried_again_twice_the_last_time_alone_and_then_discarded() {
    let steps = [(0, false, false), (1, false, true), (2, true, true)];
    for (crashes, last_chance, next_is_last) in steps {
        let settlement = loss(crashes, last_chance, false);
        assert_eq!(settlement.crashes, crashes + 1);
        assert_eq!(settlement.last_chance, next_is_last, "after {} losses", crashes + 1);
        let discarded = settlement.transition == Transition::Discard;
        assert_eq!(discarded, crashes == 2, "after {} losses: {:?}", crashes + 1, settlement.transition);
    }
}

#[test]
fn a_job_that_shared_its_node_is_never_discarded_for_a_loss() {
    for crashes in 0..10 {
        assert_ne!(loss(crashes, false, false).transition, Transition::Discard, "{crashes}");
    }
}

#[test]
fn a_lost_job_that_was_to_be_cancelled_is_cancelled() {
    for (crashes, last_chance) in [(0, false), (1, false), (2, true)] {
        let settlement = loss(crashes, last_chance, true);
        assert_eq!(settlement.transition, Transition::Cancel);
        assert_eq!(settlement.last_chance, last_chance, "there is no chance to come");
    }
}

fn any_class() -> impl Strategy<Value = ErrorClass> {
    proptest::sample::select(ErrorClass::ALL)
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    use Release::{Drain, KindGone, LeaseLost, Memory, NotStarted, Pool};
    let delay = any::<u32>().prop_map(|ms| Duration::from_millis(ms.into()));
    prop_oneof![
        Just(Verdict::Completed(Completion::default())),
        Just(Verdict::Stopped),
        Just(Verdict::Cancelled { reason: "x".into() }),
        delay.clone().prop_map(|delay| Verdict::Snoozed { delay }),
        any_class().prop_map(failed),
        (any_class(), delay).prop_map(|(c, d)| Verdict::Failed(Failure::new(c, "x").retry_after(d))),
        proptest::sample::select(vec![Drain, LeaseLost, KindGone, NotStarted, Memory, Pool])
            .prop_map(Verdict::Released),
    ]
}

proptest! {
    #[test]
    fn every_settlement_keeps_the_rules_of_the_lifecycle(
        verdict in any_verdict(), attempt in 1_u32..1000, failures in 0_u32..50, crashes in 0_u32..5,
        releases in 0_u32..9, snoozes in 0_u32..=MAX_SNOOZES, max_attempts in 1_u32..50, retry_resource: bool,
    ) {
        let tries = Tries { attempt, failures, crashes, releases, snoozes };
        let policy = RetryPolicy { max_attempts, retry_resource, ..RetryPolicy::default() };
        let released = matches!(verdict, Verdict::Released(_));
        let s = settle(tries, verdict, &policy);
        let outcome = s.end.outcome.expect("settled");
        prop_assert_ne!(outcome, Outcome::Started);
        prop_assert_eq!(s.tries.attempt, attempt, "the attempt is never rewound");
        prop_assert_eq!(s.tries.failures - failures, u32::from(s.end.error_class.is_some()), "charged if it failed");
        prop_assert_eq!(released, outcome == Outcome::Released);
        if released {
            prop_assert_eq!(s.tries.crashes, crashes);
            prop_assert!(!s.transition.state().is_terminal(), "a release costs nothing");
        } else {
            prop_assert_eq!(s.tries.crashes, 0);
        }
        if let Some(at) = s.transition.due() {
            let delay = at.since(NOW);
            prop_assert!(delay >= MIN_DELAY && delay <= MAX_DELAY, "{delay:?}");
        }
        if let Transition::Retry { .. } = s.transition {
            prop_assert!(s.tries.failures < max_attempts);
        }
    }
}
