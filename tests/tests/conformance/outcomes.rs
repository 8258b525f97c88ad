//! Outcomes are stored: once, by whoever holds the lease.

use std::time::Duration;

use flyball::job::{
    Completion, ErrorClass, Failure, JobState, Json, Key, LogLevel, LogRecord, Meter, NewJob, Outcome,
    Release, SettledBy, Verdict, When,
};
use flyball::store::{Inserted, ProgressReport, Settled};

use crate::world::{World, completed, failed, promises};

promises! {
    a_completed_attempt_is_kept_with_all_that_is_known_of_it
    every_verdict_leaves_the_job_where_settle_says
    a_repeated_finalize_answers_what_it_did
    an_outcome_that_comes_too_late_changes_nothing_and_is_noted_once
    follow_ups_come_in_with_their_parent_or_not_at_all
    a_repeated_finalize_inserts_no_follow_up_twice
    a_batch_is_answered_in_its_order
    what_is_released_takes_its_old_place_in_the_line
    progress_is_kept_while_the_attempt_runs_and_not_after
}

async fn a_completed_attempt_is_kept_with_all_that_is_known_of_it(world: World) {
    let (_, claim) = world.running().await;
    let (job, run) = (claim.job, claim.run);
    world.advance(2);
    let mut settlement = world.settle(
        claim,
        Verdict::Completed(Completion {
            output: Some(Json::stored(r#"{"z":1,"a":"ü"}"#)),
            cost_micros: 12,
            ..Completion::default()
        }),
    );
    settlement.end.duration = Duration::from_millis(1234);
    settlement.end.component_digest = Some("sha256:abc".into());
    settlement.end.meter = Meter { fuel_used: u64::MAX, cpu_us: 1, log_dropped: 3, ..Meter::default() };
    let line = |seq, fields: Option<&str>| LogRecord {
        seq,
        at: world.now(),
        level: LogLevel::Warn,
        message: format!("line {seq}"),
        fields: fields.map(Json::stored),
    };
    settlement.log = vec![line(0, None), line(7, Some(r#"{"k":[1]}"#))];
    let settled = world.finalize(&settlement).await;
    let advanced =
        Settled::Advanced { state: JobState::Succeeded, outcome: Outcome::Success, follow_ups: Vec::new() };
    assert_eq!(settled, advanced);
    let read = world.read(job).await;
    assert_eq!((read.state, read.finalized_at), (JobState::Succeeded, Some(world.now())));
    assert_eq!((read.node_id, read.lease_token, read.deadline_at), (None, None, None));
    let kept = world.run(job).await;
    assert_eq!((kept.outcome, kept.settled_by), (Outcome::Success, Some(SettledBy::Owner)));
    assert_eq!((kept.finished_at, kept.duration_ms), (Some(world.now()), Some(1234)));
    assert_eq!(kept.output, settlement.end.output);
    assert_eq!((kept.cost_micros, kept.component_digest.as_deref()), (Some(12), Some("sha256:abc")));
    assert_eq!((kept.fuel_used, kept.cpu_us), (Some(i64::MAX.unsigned_abs()), Some(1)));
    assert_eq!(world.store.log(run, flyball::store::LogPart::ALL).await.unwrap(), settlement.log);
}

async fn every_verdict_leaves_the_job_where_settle_says(world: World) {
    let hour = Duration::from_secs(3600);
    let snooze = || Verdict::Snoozed { delay: hour };
    let verdicts = [
        completed(),
        snooze(),
        Verdict::Stopped,
        Verdict::Cancelled { reason: "enough".into() },
        failed(ErrorClass::Transient),
        failed(ErrorClass::Permanent),
        Verdict::Failed(Failure::fuel_spent("spent").with_detail("much")),
        Verdict::Released(Release::Drain),
        Verdict::Released(Release::Memory),
    ];
    let node = world.node().await;
    for verdict in verdicts {
        let line = format!("{verdict:?}");
        let job = world.insert(1).await[0];
        let claims = world.claim(node, 1).await;
        let claim = claims.into_iter().find(|claim| claim.job == job).expect("this job");
        let settlement = world.settle(claim, verdict);
        let settled = world.finalize(&settlement).await;
        let state = settlement.transition.state();
        assert!(matches!(settled, Settled::Advanced { state: s, .. } if s == state), "{line}: {settled:?}");
        let read = world.read(job).await;
        assert_eq!(read.state, state, "{line}");
        assert_eq!(read.finalized_at.is_some(), state.is_terminal(), "{line}");
        assert_eq!(
            (read.failures, read.snoozes),
            (settlement.tries.failures, settlement.tries.snoozes),
            "{line}"
        );
        assert_eq!((read.crashes, read.releases), (0, settlement.tries.releases), "{line}");
        if let Some(due) = settlement.transition.due() {
            assert_eq!(read.scheduled_at, due, "{line}");
        }
        let run = world.run(job).await;
        assert_eq!(Some(run.outcome), settlement.end.outcome, "{line}");
        assert_eq!(
            (run.error_class, &run.error_message),
            (settlement.end.error_class, &settlement.end.error_message)
        );
        if !state.is_terminal() {
            world.sql(&format!("UPDATE flyball.jobs SET state = 'paused' WHERE id = '{job}'")).await;
        }
    }
}

pub(crate) async fn a_repeated_finalize_answers_what_it_did(world: World) {
    let (_, claim) = world.running().await;
    let job = claim.job;
    let settlement = world.settle(claim, failed(ErrorClass::Transient));
    let first = world.finalize(&settlement).await;
    assert!(matches!(first, Settled::Advanced { state: JobState::Retryable, outcome: Outcome::Error, .. }));
    // Meanwhile the job goes on.
    world.advance(10);
    world.store.promote(9, world.now()).await.unwrap();
    let again = world.finalize(&settlement).await;
    assert_eq!(again, first, "a repeat answers the same");
    let read = world.read(job).await;
    assert_eq!((read.state, read.failures), (JobState::Available, 1), "and moves nothing");
    assert_eq!(world.run(job).await.late_outcome, None, "an owner's repeat is not late");
}

pub(crate) async fn an_outcome_that_comes_too_late_changes_nothing_and_is_noted_once(world: World) {
    let (node, claim) = world.running().await;
    let (job, run) = (claim.job, claim.run);
    let late = world.settle(claim, completed());
    // The node leaves; the job is run by another, which is at it when the outcome comes.
    world.store.leave(node, world.now()).await.unwrap();
    let second = world.claim(world.node().await, 1).await.pop().unwrap();
    assert_eq!((second.job, second.tries.attempt), (job, 2));
    world.advance(1);
    assert_eq!(world.finalize(&late).await, Settled::Superseded, "a stale token moves nothing");
    let noted_at = world.now();
    world.advance(1);
    let mut other = late.clone();
    other.end.outcome = Some(Outcome::Error);
    assert_eq!(world.finalize(&other).await, Settled::Superseded);
    let read = world.read(job).await;
    assert_eq!(
        (read.state, read.lease_token),
        (JobState::Running, Some(second.run)),
        "a stale token moves nothing"
    );
    let runs = world.store.runs(job).await.unwrap();
    assert_eq!((runs[0].outcome, runs[0].late_outcome), (Outcome::Started, None));
    assert_eq!((runs[1].id, runs[1].outcome), (run, Outcome::Released), "an outcome never changes");
    assert_eq!(
        (runs[1].late_outcome, runs[1].late_at),
        (Some(Outcome::Success), Some(noted_at)),
        "noted once"
    );
}

fn with_follow_ups(follow_ups: Vec<NewJob>) -> Verdict {
    Verdict::Completed(Completion { follow_ups, ..Completion::default() })
}

pub(crate) async fn follow_ups_come_in_with_their_parent_or_not_at_all(world: World) {
    let holder = world.insert_one(|opts| opts.unique_key = Some(Key::new("taken").unwrap())).await;
    let node = world.node().await;
    let parent = world.insert(1).await[0];
    let claim = world.claim(node, 2).await.into_iter().find(|claim| claim.job == parent).unwrap();
    let lineage = claim.child_lineage();
    let child = |key: Option<&str>, when| {
        world.job(|opts| {
            opts.unique_key = key.map(|key| Key::new(key).unwrap());
            opts.lineage = lineage;
            opts.when = when;
        })
    };
    let children = vec![
        child(None, When::Now),
        child(Some("taken"), When::Now),
        child(None, When::In(Duration::from_secs(9))),
    ];
    let settlement = world.settle(claim, with_follow_ups(children.clone()));
    // A stale attempt's follow-ups don't come in.
    let mut stale = settlement.clone();
    stale.run = flyball::job::RunId::mint(world.now());
    stale.follow_ups = vec![child(None, When::Now)];
    assert_eq!(world.finalize(&stale).await, Settled::Superseded);
    assert_eq!(
        world.store.job(stale.follow_ups[0].id).await.unwrap(),
        None,
        "a stale attempt's follow-up came in"
    );
    let settled = world.finalize(&settlement).await;
    let follow_ups =
        vec![Inserted::New(children[0].id), Inserted::Duplicate(holder), Inserted::New(children[2].id)];
    assert_eq!(
        settled,
        Settled::Advanced { state: JobState::Succeeded, outcome: Outcome::Success, follow_ups }
    );
    assert_eq!(world.run(parent).await.enqueued_children, 2);
    let read = world.read(children[2].id).await;
    assert_eq!((read.parent_id, read.root_id, read.depth), (Some(parent), Some(parent), 1));
    assert_eq!(read.state, JobState::Scheduled);
}

async fn a_repeated_finalize_inserts_no_follow_up_twice(world: World) {
    let (_, claim) = world.running().await;
    let parent = claim.job;
    let child = world.job(|opts| opts.lineage = claim.child_lineage());
    let settlement = world.settle(claim, with_follow_ups(vec![child.clone()]));
    let first = world.finalize(&settlement).await;
    assert_eq!(world.finalize(&settlement).await, first);
    let total: u64 = world.store.overview(world.now()).await.unwrap().states.values().sum();
    assert_eq!((total, world.run(parent).await.enqueued_children), (2, 1));
}

async fn a_batch_is_answered_in_its_order(world: World) {
    let node = world.node().await;
    world.insert(30).await;
    let mut settlements: Vec<_> =
        world.claim(node, 30).await.into_iter().map(|claim| world.settle(claim, completed())).collect();
    settlements.reverse();
    settlements[7].run = flyball::job::RunId::mint(world.now());
    let before = world.store.statements();
    let answers = world.store.finalize(&settlements, world.now()).await.unwrap();
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!(*answer == Settled::Superseded, at == 7, "{at}");
    }
    assert!(world.store.statements() - before <= 10, "one statement settles a batch");
}

async fn what_is_released_takes_its_old_place_in_the_line(world: World) {
    let node = world.node().await;
    let first = world.insert(1).await[0];
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.advance(5);
    world.insert(1).await;
    world.end(claim, Verdict::Released(Release::Drain)).await;
    let next = world.claim(node, 1).await.pop().unwrap();
    assert_eq!((next.job, next.tries.attempt, next.tries.failures), (first, 2, 0));
}

async fn progress_is_kept_while_the_attempt_runs_and_not_after(world: World) {
    let (_, claim) = world.running().await;
    let (job, run) = (claim.job, claim.run);
    let report = |fraction, note: &str| ProgressReport { run, fraction, note: Some(note.into()) };
    world.store.report_progress(&[report(0.5, "half\0way")], world.now()).await.unwrap();
    let half = world.run(job).await.progress.expect("kept");
    assert_eq!(half.as_str(), "{\"fraction\":0.5,\"note\":\"half\u{fffd}way\"}");
    world.end(claim, completed()).await;
    world.store.report_progress(&[report(f64::NAN, "late")], world.now()).await.unwrap();
    assert_eq!(world.run(job).await.progress, Some(half), "a stale report is ignored");
}
