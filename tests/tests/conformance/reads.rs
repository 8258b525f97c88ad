//! What is read of how things stand.

use std::time::Duration;

use flyball::job::{ErrorClass, JobState, Queue, Tag, When};
use flyball::store::{FailureFilter, JobFilter, LogPart, Selection};

use crate::world::{World, completed, failed, kind, promises};

promises! {
    a_list_is_newest_first_paged_and_filtered
    an_overview_names_every_state_and_the_lanes_that_wait
    what_is_not_there_is_not_found
    queues_are_counted_by_state_with_what_is_ready_and_since_when
    a_batch_tells_how_far_its_children_have_come
    recent_failures_are_told_newest_first_with_class_and_message
    a_kind_waits_that_no_living_node_has
    a_log_is_read_in_parts_and_from_its_end
    unfinished_jobs_of_a_kind_are_read_with_their_args
}

async fn a_list_is_newest_first_paged_and_filtered(world: World) {
    let mut jobs = Vec::new();
    for at in 0..5 {
        world.clock.advance(Duration::from_millis(5));
        jobs.push(
            world
                .insert_one(|opts| {
                    opts.kind = kind(if at % 2 == 0 { "even" } else { "odd" });
                    opts.queue = Queue::new(if at < 2 { "low" } else { "high" }).unwrap();
                    opts.tags = vec![Tag::new(&format!("t{at}")).unwrap(), Tag::new("all").unwrap()];
                    opts.when = if at == 4 { When::In(Duration::from_secs(9)) } else { When::Now };
                })
                .await,
        );
    }
    let list = async |filter: JobFilter| -> Vec<usize> {
        let listed = world.store.page(&filter).await.expect("listed").jobs;
        listed.iter().map(|job| jobs.iter().position(|id| *id == job.id).expect("one of them")).collect()
    };
    let all = JobFilter { limit: 100, ..JobFilter::default() };
    assert_eq!(list(all.clone()).await, [4, 3, 2, 1, 0]);
    assert_eq!(list(JobFilter { limit: 2, ..all.clone() }).await, [4, 3]);
    assert_eq!(list(JobFilter { limit: 2, before: Some(jobs[3]), ..all.clone() }).await, [2, 1]);
    let of = |selection| list(JobFilter { selection, limit: 100, before: None });
    let every = Selection::default;
    let tagged = |tag| Selection { tag: Some(Tag::new(tag).unwrap()), ..every() };
    assert_eq!(of(Selection::kind(kind("odd"))).await, [3, 1]);
    assert_eq!(of(Selection { queue: Some(Queue::new("low").unwrap()), ..every() }).await, [1, 0]);
    assert_eq!(of(tagged("t2")).await, [2]);
    assert_eq!(of(tagged("all")).await.len(), 5);
    assert_eq!(of(every().in_states([JobState::Scheduled, JobState::Paused])).await, [4]);
}

async fn an_overview_names_every_state_and_the_lanes_that_wait(world: World) {
    let first = world.now();
    world.insert(3).await;
    world.advance(1);
    world.insert_one(|opts| opts.kind = kind("other")).await;
    world.insert_one(|opts| opts.when = When::In(Duration::from_secs(9))).await;
    let node = world.node().await;
    for claim in world.claim(node, 2).await.into_iter().take(1) {
        world.end(claim, completed()).await;
    }
    let overview = world.store.overview(world.now()).await.unwrap();
    assert_eq!(overview.states.len(), JobState::ALL.len());
    let count = |state| overview.states[&state];
    assert_eq!((count(JobState::Available), count(JobState::Scheduled)), (2, 1));
    assert_eq!((count(JobState::Running), count(JobState::Succeeded)), (1, 1));
    assert_eq!(count(JobState::Discarded), 0);
    let lanes: Vec<_> =
        overview.lanes.iter().map(|lane| (lane.kind.as_str(), lane.available, lane.oldest_due)).collect();
    assert_eq!(lanes, [("other", 1, world.now()), ("work", 1, first)]);
}

async fn what_is_not_there_is_not_found(world: World) {
    let nobody = flyball::job::JobId::mint(world.now());
    assert_eq!(world.store.job(nobody).await.unwrap(), None);
    assert!(world.store.runs(nobody).await.unwrap().is_empty());
    world.store.ping().await.unwrap();
    let claim = world.running().await.1;
    assert!(world.store.log(claim.run, LogPart::ALL).await.unwrap().is_empty());
}

async fn queues_are_counted_by_state_with_what_is_ready_and_since_when(world: World) {
    let mail = Queue::new("mail").unwrap();
    let node = world.node().await;
    world.insert(2).await;
    world.claim(node, 1).await;
    world.advance(7);
    let set_aside = world.insert_one(|opts| opts.queue = mail.clone()).await;
    world.put(&[set_aside], JobState::Paused).await;
    let given_up = world.insert_one(|opts| opts.queue = mail.clone()).await;
    world.put(&[given_up], JobState::Discarded).await;
    world.insert_one(|opts| opts.when = When::In(Duration::from_secs(9))).await;
    let blocked = world.insert(1).await[0];
    world.sql(&format!("UPDATE flyball.jobs SET blocked_by = 'limit' WHERE id = '{blocked}'")).await;
    let health = world.store.health(world.now()).await.unwrap();
    assert_eq!(health.sampled_at, world.now());
    let queues: Vec<_> = health.queues.keys().map(Queue::as_str).collect();
    assert_eq!(queues, ["default", "mail"]);
    let default = &health.queues[&Queue::new("default").unwrap()];
    assert_eq!((default.ready, default.in_flight, default.scheduled_ahead, default.blocked), (1, 1, 1, 1));
    assert_eq!(default.oldest_ready_age, Some(Duration::from_secs(7)));
    assert_eq!(default.states[&JobState::Available], 2, "blocked ones are available");
    let mail = &health.queues[&mail];
    assert_eq!((mail.states[&JobState::Paused], mail.states[&JobState::Discarded]), (1, 1));
    assert_eq!((mail.ready, mail.oldest_ready_age), (0, None));
    assert_eq!((health.overall.ready, health.overall.in_flight, health.overall.scheduled_ahead), (1, 1, 1));
    assert_eq!(health.overall.states.len(), flyball::store::QueueHealth::STATES.len(), "zeros are said");
    let json = serde_json::to_value(&health).unwrap();
    assert_eq!(json["overall"]["oldest_ready_age_ms"], 7000);
    // What is due and not promoted yet is not ahead.
    world.advance(60);
    assert_eq!(world.store.health(world.now()).await.unwrap().overall.scheduled_ahead, 0);
}

async fn a_batch_tells_how_far_its_children_have_come(world: World) {
    let node = world.node().await;
    let parent = world.insert(1).await[0];
    let run = world.claim(node, 1).await.pop().unwrap().run;
    let first = world.insert(2).await;
    world.advance(5);
    let second = world.insert(3).await;
    let ids: Vec<_> = [first.clone(), second.clone()].concat().iter().map(|id| format!("'{id}'")).collect();
    let ids = ids.join(", ");
    world.sql(&format!("UPDATE flyball.jobs SET parent_id = '{parent}' WHERE id IN ({ids})")).await;
    let of_run = format!("UPDATE flyball.jobs SET parent_run_id = '{run}' WHERE id = '{}'", second[0]);
    world.sql(&of_run).await;
    world.put(&first[..1], JobState::Succeeded).await;
    world.put(&second[..1], JobState::Discarded).await;
    world.advance(5);
    let all = world.store.batch(parent, None, world.now()).await.unwrap();
    assert_eq!((all.total, all.terminal, all.pending), (5, 2, 3));
    assert_eq!((all.states[&JobState::Available], all.states[&JobState::Paused]), (3, 0));
    assert_eq!(all.oldest_pending_age, Some(Duration::from_secs(10)));
    let asked = world.store.batch(parent, Some(run), world.now()).await.unwrap();
    assert_eq!((asked.total, asked.terminal, asked.oldest_pending_age), (1, 1, None));
    let nobody = world.store.batch(first[0], None, world.now()).await.unwrap();
    assert_eq!((nobody.total, nobody.oldest_pending_age), (0, None));
    let children = world.client().children(parent, 3).await.unwrap();
    assert_eq!(children.len(), 3, "the newest");
    assert!(children.iter().all(|child| second.contains(&child.id)));
}

async fn recent_failures_are_told_newest_first_with_class_and_message(world: World) {
    let node = world.node().await;
    let mut failed_jobs = Vec::new();
    for class in [ErrorClass::Permanent, ErrorClass::Validation, ErrorClass::Transient] {
        world.insert(1).await;
        let claim = world.claim(node, 1).await.pop().unwrap();
        failed_jobs.push(claim.job);
        world.end(claim, failed(class)).await;
        world.advance(1);
    }
    world.insert(1).await;
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.end(claim, completed()).await;
    let failures = async |since, kind| {
        let since = world.now().before(Duration::from_secs(since));
        let filter = FailureFilter { since, kind, limit: 10 };
        world.store.failures(&filter).await.unwrap()
    };
    let told = failures(3600, None).await;
    failed_jobs.reverse();
    assert_eq!(told.iter().map(|failure| failure.job_id).collect::<Vec<_>>(), failed_jobs);
    let states: Vec<_> = told.iter().map(|failure| failure.state).collect();
    assert_eq!(states, [JobState::Retryable, JobState::Discarded, JobState::Discarded]);
    assert_eq!(told[1].error_class, Some(ErrorClass::Validation));
    assert_eq!(told[1].error_message.as_deref(), Some("no"));
    assert_eq!(told[0].run_id, world.run(failed_jobs[0]).await.id);
    assert_eq!(failures(2, None).await.len(), 2, "since then");
    assert!(failures(3600, Some(kind("other"))).await.is_empty());
    assert_eq!(failures(3600, Some(kind("work"))).await.len(), 3);
}

async fn a_kind_waits_that_no_living_node_has(world: World) {
    let node = world.node().await;
    world.insert(1).await;
    world.insert_one(|opts| opts.kind = kind("other")).await;
    let waiting = async || {
        let waiting = world.client().kinds_waiting().await.unwrap();
        waiting.into_iter().map(|kind| (kind.kind.to_string(), kind.available)).collect::<Vec<_>>()
    };
    assert_eq!(waiting().await, [("other".into(), 1), ("work".into(), 1)]);
    world
        .sql(&format!("UPDATE flyball.nodes SET kinds = '{{\"work\": \"digest\"}}' WHERE id = '{node}'"))
        .await;
    assert_eq!(waiting().await, [("other".into(), 1)]);
    world.store.leave(node, world.now()).await.unwrap();
    assert_eq!(waiting().await, [("other".into(), 1), ("work".into(), 1)], "who has left serves nothing");
}

async fn a_log_is_read_in_parts_and_from_its_end(world: World) {
    let run = world.running().await.1.run;
    for seq in [0, 1, 2, 5, 6] {
        let at = world.time(world.now());
        let columns = "INSERT INTO flyball.run_logs (run_id, seq, at, level, message)";
        world.sql(&format!("{columns} VALUES ('{run}', {seq}, {at}, 'info', 'line')")).await;
    }
    let read = async |part| -> Vec<u32> {
        world.store.log(run, part).await.unwrap().iter().map(|line| line.seq).collect()
    };
    assert_eq!(read(LogPart::ALL).await, [0, 1, 2, 5, 6]);
    assert_eq!(read(LogPart::After { seq: None, limit: 2 }).await, [0, 1]);
    assert_eq!(read(LogPart::After { seq: Some(1), limit: 2 }).await, [2, 5]);
    assert_eq!(read(LogPart::Last(2)).await, [5, 6], "in order");
    let found = world.store.run(run).await.unwrap().map(|run| run.id);
    assert_eq!(found, Some(run));
}

async fn unfinished_jobs_of_a_kind_are_read_with_their_args(world: World) {
    let job = world
        .insert_one(|opts| {
            opts.kind = kind("other");
            opts.args = r#"{"n":1}"#.into();
        })
        .await;
    let ended = world.insert_one(|opts| opts.kind = kind("other")).await;
    world.put(&[ended], JobState::Succeeded).await;
    world.insert(1).await;
    let unfinished = world.client().unfinished(&kind("other"), 10).await.unwrap();
    let unfinished: Vec<_> = unfinished.iter().map(|job| (job.id, job.args.as_str())).collect();
    assert_eq!(unfinished, [(job, r#"{"n":1}"#)]);
}
