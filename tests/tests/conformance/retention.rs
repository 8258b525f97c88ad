//! Retention: what has been kept for long enough goes, whole, and nothing else.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use flyball::job::{
    ErrorClass, JobId, JobState, Keep, Operation, Queue, QueueSet, Remains, Replay, RetentionPolicy, RunId,
    Walk,
};
use flyball::store::{Database, Doom, FleetPolicy, LogPart, PruneStep, Pruned};

use crate::world::{World, cancelling, completed, failed, kind, order, promises};

promises! {
    what_was_kept_for_long_enough_goes_with_its_runs_logs_and_checkpoints
    what_is_counted_stays
    a_queue_may_keep_its_jobs_for_longer
    a_step_is_bounded_and_the_next_goes_on_behind_it
    more_logs_than_one_step_deletes_go_before_their_job
    a_job_whose_barrier_has_not_fired_stays_with_its_children
    the_children_of_a_continuation_stay_until_it_has_ended
    logs_may_go_before_their_jobs
    old_orders_and_dead_nodes_go
    what_any_living_node_keeps_is_kept
    what_a_node_keeps_that_enters_while_others_are_pruned_is_kept
}

const DAY: u64 = 24 * 3600;

pub(crate) fn walk(remains: Remains, keep: u64) -> Walk {
    Walk { remains, queues: QueueSet::Except(vec![]), keep: Duration::from_secs(keep) }
}

/// All steps of a walk.
async fn prune(world: &World, walk: &Walk, limit: u32, doom: Doom) -> Pruned {
    let mut sum = Pruned::default();
    let mut step = PruneStep { limit, ..PruneStep::of(walk.clone(), doom) };
    for _ in 0..100 {
        let pruned = world.store.prune(&step, world.now()).await.expect("pruned");
        sum.add(&pruned);
        step.behind = pruned.next;
        if step.behind.is_none() {
            return sum;
        }
    }
    panic!("a walk without an end")
}

pub(crate) async fn ended(world: &World, count: usize) -> Vec<JobId> {
    let node = world.node().await;
    world.insert(count).await;
    let mut jobs = Vec::new();
    for claim in world.claim(node, count).await {
        jobs.push(claim.job);
        world.end(claim, completed()).await;
    }
    jobs
}

pub(crate) async fn is_there(world: &World, job: JobId) -> bool {
    world.store.job(job).await.expect("read").is_some()
}

/// So many lines that a run logged.
pub(crate) async fn log(world: &World, run: RunId, lines: u32) {
    let values = match world.database {
        Database::Sqlite => format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {lines})
             INSERT INTO run_logs (run_id, seq, at, level, message) SELECT '{run}', n, 1, 'info', '' FROM n"
        ),
        Database::Postgres => format!(
            "INSERT INTO flyball.run_logs (run_id, seq, at, level, message)
             SELECT '{run}', n, now(), 'info', '' FROM generate_series(1, {lines}) n"
        ),
    };
    world.sql(&values).await;
}

async fn what_was_kept_for_long_enough_goes_with_its_runs_logs_and_checkpoints(world: World) {
    let old = ended(&world, 3).await;
    let run = world.run(old[0]).await.id;
    log(&world, run, 5).await;
    let (data, at) = match world.database {
        Database::Sqlite => ("x'00'", "1"),
        Database::Postgres => ("'\\x00'", "now()"),
    };
    let job = old[0];
    world.sql(&format!("INSERT INTO flyball.checkpoints VALUES ('{job}', '{run}', 1, {data}, {at})")).await;
    let waits = world.insert(1).await[0];
    world.advance(3600);
    let young = ended(&world, 1).await[0];
    let pruned = prune(&world, &walk(Remains::Succeeded, 3000), 100, Doom::Delete).await;
    assert_eq!((pruned.jobs, pruned.runs, pruned.logs, pruned.checkpoints), (3, 3, 5, 1));
    for job in old {
        assert!(!is_there(&world, job).await);
        assert!(world.store.runs(job).await.unwrap().is_empty());
    }
    assert!(world.store.log(run, LogPart::ALL).await.unwrap().is_empty());
    assert!(is_there(&world, waits).await || is_there(&world, young).await);
    assert_eq!(prune(&world, &walk(Remains::Succeeded, 3000), 100, Doom::Delete).await, Pruned::default());
    assert_eq!(prune(&world, &walk(Remains::Discarded, 0), 100, Doom::Delete).await, Pruned::default());
}

async fn what_is_counted_stays(world: World) {
    let jobs = ended(&world, 3).await;
    log(&world, world.run(jobs[1]).await.id, 4).await;
    world.advance(10);
    let counted = prune(&world, &walk(Remains::Succeeded, 5), 2, Doom::Count).await;
    assert_eq!((counted.jobs, counted.runs, counted.logs), (3, 3, 4));
    for job in &jobs {
        assert!(is_there(&world, *job).await && !world.store.runs(*job).await.unwrap().is_empty());
    }
    let deleted = prune(&world, &walk(Remains::Succeeded, 5), 2, Doom::Delete).await;
    assert_eq!((deleted.jobs, deleted.runs, deleted.logs), (3, 3, 4), "what was said is what goes");
}

async fn a_queue_may_keep_its_jobs_for_longer(world: World) {
    let mail: Queue = "mail".parse().unwrap();
    let kept = world.insert_one(|opts| opts.queue = mail.clone()).await;
    let gone = world.insert_one(|_| ()).await;
    world.store.order(&cancelling(world.now()), &[kept, gone], world.now()).await.unwrap();
    let day = Some(Duration::from_secs(DAY));
    let policy = RetentionPolicy {
        keep: Keep { cancelled: day, ..Keep::default() },
        queues: [(mail, Keep { cancelled: day.map(|day| 2 * day), ..Keep::default() })].into(),
        ..RetentionPolicy::default()
    };
    let mut there = Vec::new();
    for _ in 0..3 {
        for walk in policy.walks() {
            prune(&world, &walk, 100, Doom::Delete).await;
        }
        there.push((is_there(&world, kept).await, is_there(&world, gone).await));
        world.advance(DAY + 1);
    }
    assert_eq!(there, [(true, true), (true, false), (false, false)]);
}

async fn a_step_is_bounded_and_the_next_goes_on_behind_it(world: World) {
    let jobs = ended(&world, 7).await;
    world.advance(10);
    let mut step = PruneStep { limit: 3, ..PruneStep::of(walk(Remains::Succeeded, 5), Doom::Delete) };
    let mut counts = Vec::new();
    loop {
        let pruned = world.store.prune(&step, world.now()).await.unwrap();
        counts.push(pruned.jobs);
        step.behind = pruned.next;
        if step.behind.is_none() {
            break;
        }
    }
    assert_eq!(counts, [3, 3, 1]);
    assert!(!is_there(&world, jobs[6]).await);
}

async fn more_logs_than_one_step_deletes_go_before_their_job(world: World) {
    let job = ended(&world, 1).await[0];
    log(&world, world.run(job).await.id, 12_000).await;
    world.advance(10);
    let step = PruneStep { limit: 10, ..PruneStep::of(walk(Remains::Succeeded, 5), Doom::Delete) };
    let first = world.store.prune(&step, world.now()).await.unwrap();
    assert_eq!((first.jobs, first.logs), (0, 5000));
    assert!(first.next.is_some() && is_there(&world, job).await);
    let rest = prune(&world, &step.walk, 10, Doom::Delete).await;
    assert_eq!((rest.jobs, rest.runs, rest.logs), (1, 1, 7000));
}

/// Two children of a run of `parent`, as ended as it is itself.
pub(crate) async fn family(world: &World) -> (JobId, Vec<JobId>, RunId) {
    let jobs = ended(world, 3).await;
    let run = world.run(jobs[0]).await.id;
    let (parent, children) = (jobs[0], jobs[1..].to_vec());
    for child in &children {
        let sql = "UPDATE flyball.jobs SET awaited = TRUE, parent_id";
        world.sql(&format!("{sql} = '{parent}', parent_run_id = '{run}' WHERE id = '{child}'")).await;
    }
    (parent, children, run)
}

pub(crate) async fn a_job_whose_barrier_has_not_fired_stays_with_its_children(world: World) {
    let (parent, children, run) = family(&world).await;
    let other = ended(&world, 1).await[0];
    let at = if world.database == Database::Sqlite { "1" } else { "now()" };
    world.sql(&format!("INSERT INTO flyball.barriers VALUES ('{run}', '{parent}', '{{}}', {at})")).await;
    world.advance(10);
    let all = walk(Remains::Succeeded, 5);
    assert_eq!(prune(&world, &all, 100, Doom::Count).await.jobs, 1, "a job of a barrier went");
    assert_eq!(prune(&world, &all, 100, Doom::Delete).await.jobs, 1, "a job of a barrier went");
    assert!(!is_there(&world, other).await);
    world.sql("DELETE FROM flyball.barriers").await;
    assert_eq!(prune(&world, &all, 100, Doom::Delete).await.jobs, 3);
    assert!(!is_there(&world, parent).await && !is_there(&world, children[0]).await);
}

pub(crate) async fn the_children_of_a_continuation_stay_until_it_has_ended(world: World) {
    let (parent, children, run) = family(&world).await;
    let continuation = world.insert_one(|opts| opts.kind = kind("other")).await;
    let sql = "UPDATE flyball.jobs SET continues_run_id";
    world.sql(&format!("{sql} = '{run}' WHERE id = '{continuation}'")).await;
    world.advance(10);
    let all = walk(Remains::Succeeded, 5);
    assert_eq!(prune(&world, &all, 100, Doom::Delete).await.jobs, 1, "a child of a continuation went");
    assert!(!is_there(&world, parent).await && is_there(&world, children[0]).await);
    world.store.order(&cancelling(world.now()), &[continuation], world.now()).await.unwrap();
    assert_eq!(prune(&world, &all, 100, Doom::Delete).await.jobs, 2);
}

async fn logs_may_go_before_their_jobs(world: World) {
    let job = ended(&world, 1).await[0];
    let old = world.run(job).await.id;
    log(&world, old, 25).await;
    world.advance(100);
    let young = world.run(ended(&world, 1).await[0]).await.id;
    log(&world, young, 5).await;
    let logs = walk(Remains::Logs, 50);
    assert_eq!(prune(&world, &logs, 10, Doom::Count).await.logs, 25);
    assert_eq!(prune(&world, &logs, 10, Doom::Delete).await.logs, 25);
    assert!(is_there(&world, job).await && world.store.log(old, LogPart::ALL).await.unwrap().is_empty());
    assert_eq!(world.store.log(young, LogPart::ALL).await.unwrap().len(), 5);
    world.advance(100);
    let elsewhere = Walk { queues: QueueSet::Only("mail".parse().unwrap()), ..logs.clone() };
    assert_eq!(prune(&world, &elsewhere, 10, Doom::Delete).await.logs, 0, "they are of another queue");
    let default = Walk { queues: QueueSet::Only(Queue::default()), ..logs };
    assert_eq!(prune(&world, &default, 10, Doom::Delete).await.logs, 5);
}

async fn old_orders_and_dead_nodes_go(world: World) {
    let gone = world.node().await;
    let (_, claim) = world.running().await;
    let job = claim.job;
    world.end(claim, failed(ErrorClass::Permanent)).await;
    let replay = order(Operation::Replay(Replay::default()), world.now());
    world.store.order(&replay, &[job], world.now()).await.unwrap();
    assert_eq!(world.state(job).await, JobState::Available);
    world.store.leave(gone, world.now()).await.unwrap();
    world.advance(DAY);
    for (remains, doom) in [Doom::Count, Doom::Delete, Doom::Delete]
        .into_iter()
        .flat_map(|doom| [(Remains::Actions, doom), (Remains::Nodes, doom)])
    {
        let keep = prune(&world, &walk(remains, 2 * DAY), 10, doom).await;
        assert!(keep.is_nothing(), "{keep:?}");
    }
    assert_eq!(prune(&world, &walk(Remains::Actions, DAY / 2), 10, Doom::Delete).await.actions, 1);
    let nodes = prune(&world, &walk(Remains::Nodes, DAY / 2), 10, Doom::Delete).await.nodes;
    assert!(world.store.nodes().await.unwrap().iter().all(|node| node.id != gone) && nodes >= 1);
}

async fn what_a_node_keeps_that_enters_while_others_are_pruned_is_kept(world: World) {
    let old = ended(&world, 3).await;
    world.advance(10);
    let own = RetentionPolicy::older_than(Duration::from_secs(5));
    let mut keeps = own.clone();
    keeps.keep.succeeded = None;
    world.node_keeping(&keeps).await;
    for doom in [Doom::Count, Doom::Delete] {
        // The node is not there yet when the walks are made.
        let asked = AtomicU32::new(0);
        let policy = |fleet: &FleetPolicy| match asked.fetch_add(1, Ordering::Relaxed) {
            0 => own.clone(),
            _ => fleet.policy.clone(),
        };
        let pruned = world.client().prune_fleet(&own, policy, doom).await.unwrap();
        assert_eq!(pruned.jobs, 0, "what the node keeps");
    }
    for job in old {
        assert!(is_there(&world, job).await);
    }
}

pub(crate) async fn what_any_living_node_keeps_is_kept(world: World) {
    let own = RetentionPolicy::default();
    let client = world.client();
    let fleet = async || client.fleet_policy(&own).await.expect("read");
    assert_eq!(
        fleet().await,
        FleetPolicy { policy: own.clone(), disagreement: None },
        "nobody else is there"
    );
    world.node().await;
    assert_eq!(fleet().await.disagreement, None, "one without maintenance has no say");
    let mut longer = own.clone();
    longer.keep.succeeded = Some(Duration::from_secs(30 * DAY));
    longer.keep.logs = Some(Duration::from_secs(1));
    longer.queues.insert("audit".parse().unwrap(), Keep { discarded: None, ..longer.keep });
    let keeps = world.node_keeping(&longer).await;
    let together = fleet().await;
    assert_eq!(together.policy.keep.succeeded, longer.keep.succeeded, "the longest counts");
    assert_eq!(together.policy.keep.logs, own.keep.logs, "the longest counts");
    assert_eq!(together.policy.queues[&"audit".parse::<Queue>().unwrap()].discarded, None);
    let told = "here (succeeded, logs, queues.audit.succeeded, queues.audit.discarded, queues.audit.logs)";
    assert_eq!(together.disagreement.as_deref(), Some(told));
    let shown = world.store.nodes().await.unwrap().into_iter().find(|node| node.id == keeps).unwrap();
    assert!(shown.retention.unwrap().as_str().contains(r#""succeeded":"30d""#));
    world.store.leave(keeps, world.now()).await.unwrap();
    assert_eq!(fleet().await, together, "one that is gone may come back");
    world.advance(DAY - 1);
    assert_eq!(fleet().await, together, "for a day");
    world.advance(1);
    assert_eq!(fleet().await.policy, own, "one that is gone for good has no say");
    let again = world.node_keeping(&longer).await;
    world.store.leave(again, world.now()).await.unwrap();
    world.advance(1);
    let back = world.node_keeping(&own).await;
    assert_eq!(fleet().await.policy, own, "what it keeps when it is back is what counts");
    world.store.leave(back, world.now()).await.unwrap();
    world.advance(DAY);
    // What can't be read may keep what is about to go.
    world.node_keeping(&longer).await;
    world.sql("UPDATE flyball.nodes SET retention = '{}' WHERE retention IS NOT NULL").await;
    let refused = client.fleet_policy(&own).await.unwrap_err().to_string();
    assert!(refused.contains("retention"), "{refused}");
}
