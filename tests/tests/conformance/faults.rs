//! What a database refuses: one item's fault costs that item, the infrastructure's costs nobody.

use flyball::job::{Completion, ErrorClass, JobState, LogLevel, LogRecord, Outcome, Settlement, Verdict};
use flyball::store::{Database, Settled, StoreError};

use crate::world::{World, completed, promises};

promises! {
    an_item_that_cannot_be_stored_is_kept_as_a_failure_and_costs_no_other
    a_follow_up_that_cannot_be_stored_fails_its_attempt_and_no_other
    what_the_infrastructure_refuses_is_repeated_and_nobody_is_charged
    an_insert_that_cannot_be_stored_is_refused_whole
}

/// What no database keeps: an error message longer than there is room for; and for PostgreSQL, a NUL.
fn spoil(settlement: &mut Settlement, database: Database) {
    match database {
        Database::Sqlite => settlement.end.error_message = Some("x".repeat(5000)),
        Database::Postgres => settlement.log.push(LogRecord {
            seq: 0,
            at: crate::world::START,
            level: LogLevel::Info,
            message: "a\0b".into(),
            fields: None,
        }),
    }
}

async fn an_item_that_cannot_be_stored_is_kept_as_a_failure_and_costs_no_other(world: World) {
    let node = world.node().await;
    world.insert(40).await;
    let mut settlements: Vec<_> =
        world.claim(node, 40).await.into_iter().map(|claim| world.settle(claim, completed())).collect();
    for at in [11, 38] {
        spoil(&mut settlements[at], world.database);
    }
    // Even what was measured may be beyond a database; then the failure alone is kept.
    settlements[38].end.component_digest = match world.database {
        Database::Sqlite => Some("d".into()),
        Database::Postgres => Some("\0".into()),
    };
    let answers = world.store.finalize(&settlements, world.now()).await.unwrap();
    for (at, (settlement, answer)) in settlements.iter().zip(&answers).enumerate() {
        let spoiled = at == 11 || at == 38;
        let (state, outcome) = if spoiled {
            (JobState::Discarded, Outcome::Error)
        } else {
            (JobState::Succeeded, Outcome::Success)
        };
        assert_eq!(*answer, Settled::Advanced { state, outcome, follow_ups: Vec::new() }, "{at}");
        assert_eq!(world.state(settlement.job).await, state, "{at}");
        if spoiled {
            let run = world.run(settlement.job).await;
            assert_eq!((run.outcome, run.error_class), (Outcome::Error, Some(ErrorClass::Permanent)));
            let message = run.error_message.expect("it says why");
            assert!(message.starts_with("the outcome could not be stored: "), "{message}");
        }
    }
}

async fn a_follow_up_that_cannot_be_stored_fails_its_attempt_and_no_other(world: World) {
    let node = world.node().await;
    world.insert(2).await;
    let claims = world.claim(node, 2).await;
    let mut settlements = Vec::new();
    for (at, claim) in claims.into_iter().enumerate() {
        let mut child = world.job(|opts| opts.lineage = claim.child_lineage());
        if at == 1 {
            spoil_job(&mut child);
        }
        let follow_ups = vec![child];
        settlements.push(
            world.settle(claim, Verdict::Completed(Completion { follow_ups, ..Completion::default() })),
        );
    }
    let answers = world.store.finalize(&settlements, world.now()).await.unwrap();
    assert!(matches!(answers[0], Settled::Advanced { state: JobState::Succeeded, .. }), "{answers:?}");
    assert!(matches!(answers[1], Settled::Advanced { state: JobState::Discarded, .. }), "{answers:?}");
    assert!(world.store.job(settlements[0].follow_ups[0].id).await.unwrap().is_some());
    assert!(world.store.job(settlements[1].follow_ups[0].id).await.unwrap().is_none());
}

/// A job that `admit` would not let through, and no table takes.
fn spoil_job(job: &mut flyball::job::NewJob) {
    job.overrides.timeout = Some(std::time::Duration::ZERO);
}

async fn what_the_infrastructure_refuses_is_repeated_and_nobody_is_charged(world: World) {
    let (_, claim) = world.running().await;
    let job = claim.job;
    let settlement = world.settle(claim, completed());
    // The table is gone: no item can be at fault for that.
    world.sql("ALTER TABLE flyball.run_logs RENAME TO away").await;
    let refused = world.store.finalize(std::slice::from_ref(&settlement), world.now()).await;
    assert!(matches!(&refused, Err(error) if error.is_passing()), "{refused:?}");
    assert_eq!(world.state(job).await, JobState::Running);
    let back = match world.database {
        Database::Sqlite => "ALTER TABLE away RENAME TO run_logs",
        Database::Postgres => "ALTER TABLE flyball.away RENAME TO run_logs",
    };
    world.sql(back).await;
    assert!(matches!(
        world.finalize(&settlement).await,
        Settled::Advanced { state: JobState::Succeeded, .. }
    ));
}

async fn an_insert_that_cannot_be_stored_is_refused_whole(world: World) {
    let (good, mut bad) = (world.job(|_| ()), world.job(|_| ()));
    spoil_job(&mut bad);
    let refused = world.store.insert(&[good.clone(), bad]).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    assert!(world.store.job(good.id).await.unwrap().is_none());
}
