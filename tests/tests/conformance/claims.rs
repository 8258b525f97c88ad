//! Nodes take jobs.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use flyball::job::{Claim, ExecutorClass, InsertOpts, JobId, JobState, NodeId, Outcome, Queue, Weight};
use flyball::store::{Classes, Flag, Flagged, QueueRoom, QueueShare, Queues, StoreError};

use crate::flags::flag;
use crate::world::{World, kind, promises, served};

promises! {
    a_claim_makes_the_job_running_and_writes_its_run_row
    a_repeated_claim_answers_the_same_jobs
    what_comes_first_is_claimed_first_over_all_lanes_of_a_queue
    queues_take_turns_by_their_weight_and_what_they_had
    an_answer_that_is_cut_short_leaves_every_queue_its_turn
    a_queue_of_many_has_its_turn_beside_one_of_high_priority
    a_node_claims_only_the_kinds_and_classes_that_it_serves
    the_room_of_each_queue_is_honoured
    a_paused_queue_or_kind_is_left_alone
    a_deadline_is_a_second_and_the_timeout_after_the_claim
    a_node_that_is_not_entered_or_is_lost_claims_nothing
    two_nodes_that_claim_at_once_share_no_job
    an_empty_request_claims_nothing
    an_answer_carries_no_more_args_than_it_can_in_time
}

fn ids(claims: &[Claim]) -> Vec<JobId> {
    claims.iter().map(|claim| claim.job).collect()
}

fn queue(name: &str) -> Queue {
    Queue::new(name).unwrap()
}

async fn a_claim_makes_the_job_running_and_writes_its_run_row(world: World) {
    let node = world.node().await;
    let job = world.insert(1).await[0];
    let request = world.request(node, 3);
    let claims = world.take(&request).await;
    let [claim] = claims.as_slice() else { panic!("{claims:?}") };
    assert_eq!((claim.job, claim.run, claim.tries.attempt), (job, request.runs[0], 1));
    let read = world.read(job).await;
    assert_eq!((read.state, read.attempt), (JobState::Running, 1));
    assert_eq!((read.node_id, read.lease_token), (Some(node), Some(claim.run)));
    assert_eq!(read.deadline_at, Some(claim.deadline_at));
    let run = world.run(job).await;
    assert_eq!((run.id, run.attempt, run.node_id), (claim.run, 1, node));
    assert_eq!((run.outcome, run.started_at, run.finished_at), (Outcome::Started, world.now(), None));
    assert_eq!(run.component_digest.as_deref(), Some("digest of work"));
}

pub(crate) async fn a_repeated_claim_answers_the_same_jobs(world: World) {
    let node = world.node().await;
    world.insert(3).await;
    let request = world.request(node, 2);
    let first = world.take(&request).await;
    let again = world.take(&request).await;
    let pairs = |claims: &[Claim]| claims.iter().map(|c| (c.run, c.job, c.tries)).collect::<Vec<_>>();
    assert_eq!(first.len(), 2);
    assert_eq!(pairs(&again), pairs(&first), "a repeat answers the same");
    let overview = world.store.overview(world.now()).await.unwrap();
    assert_eq!(overview.states[&JobState::Running], 2, "and takes nothing more");
}

async fn what_comes_first_is_claimed_first_over_all_lanes_of_a_queue(world: World) {
    let mut expected = Vec::new();
    for (priority, kind_name, later) in [(9, "b", 0), (9, "a", 1), (5, "z", 2), (9, "b", 3), (5, "a", 4)] {
        world.clock.advance(Duration::from_millis(later));
        let job = world.job(|opts| {
            opts.priority = priority;
            opts.kind = kind(kind_name);
        });
        world.store.insert(std::slice::from_ref(&job)).await.unwrap();
        expected.push((priority, job.scheduled_at, job.id));
    }
    expected.sort_unstable();
    let node = world.node().await;
    let take = async |most| {
        let mut request = world.request(node, most);
        request.kinds = ["a", "b", "z"].map(served).into();
        world.take(&request).await
    };
    let (first, rest) = (take(2).await, take(9).await);
    let order: Vec<_> = expected.into_iter().map(|(.., id)| id).collect();
    assert_eq!(ids(&first), order[..2]);
    assert_eq!(ids(&rest), order[2..]);
}

/// So many jobs for each of these queues, with this priority.
async fn fill(world: &World, queues: &[(&str, u16)], jobs: usize) {
    for (name, priority) in queues {
        let change = |opts: &mut InsertOpts| (opts.queue, opts.priority) = (queue(name), *priority);
        let jobs: Vec<_> = (0..jobs).map(|_| world.job(change)).collect();
        world.store.insert(&jobs).await.unwrap();
    }
}

fn share(name: &str, weight: u16, ahead: u64) -> QueueShare {
    QueueShare { queue: queue(name), weight: Weight::new(weight).unwrap(), ahead }
}

/// How many of so many slots each queue gets, by name.
async fn shared(world: &World, node: NodeId, most: usize, shares: &[QueueShare]) -> Vec<(String, usize)> {
    let mut request = world.request(node, most);
    request.shares = shares.to_vec();
    let mut got: BTreeMap<String, usize> = BTreeMap::new();
    for claim in world.take(&request).await {
        *got.entry(claim.queue.to_string()).or_default() += 1;
    }
    got.into_iter().collect()
}

fn counts<const N: usize>(got: &[(String, usize)]) -> [(&str, usize); N] {
    let counts: Vec<_> = got.iter().map(|(name, jobs)| (name.as_str(), *jobs)).collect();
    counts.try_into().unwrap_or_else(|counts| panic!("{counts:?}"))
}

pub(crate) async fn queues_take_turns_by_their_weight_and_what_they_had(world: World) {
    // What is urgent in one queue is not so for another.
    fill(&world, &[("a", 1), ("b", 100), ("c", 100)], 30).await;
    let node = world.node().await;
    let even = shared(&world, node, 9, &[]).await;
    assert_eq!(counts(&even), [("a", 3), ("b", 3), ("c", 3)], "queues that are not named weigh 1");
    let weighted = shared(&world, node, 10, &[share("b", 3, 0)]).await;
    assert_eq!(counts(&weighted), [("a", 2), ("b", 6), ("c", 2)], "by weight");
    let ahead = [share("a", 1, Weight::TURN), share("b", 3, Weight::TURN / 3)];
    assert_eq!(counts(&shared(&world, node, 1, &ahead).await), [("c", 1)], "who had none is next");
    assert_eq!(counts(&shared(&world, node, 2, &ahead).await), [("b", 1), ("c", 1)]);
    let mut request = world.request(node, 8);
    let room = |name, room| QueueRoom { queue: queue(name), room };
    request.queues = Queues::Only(vec![room("a", 9), room("b", 1)]);
    request.shares = vec![share("b", 1000, 0)];
    let claims = world.take(&request).await;
    let of_b = claims.iter().filter(|claim| claim.queue == queue("b")).count();
    assert_eq!((claims.len(), of_b), (8, 1), "what a queue has no room for goes to the others");
}

async fn an_answer_that_is_cut_short_leaves_every_queue_its_turn(world: World) {
    let megabyte = format!("\"{}\"", "x".repeat((1 << 20) - 2));
    for (name, priority) in [("a", 1), ("b", 100)] {
        let change = |opts: &mut InsertOpts| {
            (opts.queue, opts.priority) = (queue(name), priority);
            opts.args.clone_from(&megabyte);
        };
        let jobs: Vec<_> = (0..9).map(|_| world.job(change)).collect();
        world.store.insert(&jobs).await.unwrap();
    }
    let node = world.node().await;
    assert_eq!(counts(&shared(&world, node, 12, &[]).await), [("a", 4), ("b", 4)]);
}

async fn a_queue_of_many_has_its_turn_beside_one_of_high_priority(world: World) {
    // More queues than are compared one by one.
    let names: Vec<String> = (0..150).map(|number| format!("q{number:03}")).collect();
    let queues: Vec<(&str, u16)> = names.iter().map(|name| (name.as_str(), 100)).collect();
    fill(&world, &queues, 2).await;
    fill(&world, &[("z", 0)], 50).await;
    let node = world.node().await;
    let had: Vec<QueueShare> = names[..100].iter().map(|name| share(name, 1, Weight::TURN)).collect();
    let got = shared(&world, node, 51, &[&had[..], &[share("z", 1, Weight::TURN)]].concat()).await;
    assert_eq!(got.len(), 51, "one each");
    let not_yet = got.iter().filter(|(name, _)| names[100..].contains(name)).count();
    assert_eq!(not_yet, 50, "first those that had none");
}

async fn a_node_claims_only_the_kinds_and_classes_that_it_serves(world: World) {
    let node = world.node().await;
    let foreign = world.insert_one(|opts| opts.kind = kind("foreign")).await;
    let gpu = world.insert_one(|opts| opts.executor_class = ExecutorClass::new("gpu").unwrap()).await;
    let plain = world.insert(1).await[0];
    assert_eq!(ids(&world.claim(node, 9).await), [plain]);
    let mut request = world.request(node, 9);
    request.classes = Classes::Every;
    assert_eq!(ids(&world.take(&request).await), [gpu]);
    let mut request = world.request(node, 9);
    request.kinds = vec![served("foreign"), served("work")];
    assert_eq!(ids(&world.take(&request).await), [foreign]);
}

async fn the_room_of_each_queue_is_honoured(world: World) {
    for name in ["a", "a", "a", "b", "b", "c"] {
        world.insert_one(|opts| opts.queue = queue(name)).await;
    }
    // Kinds of one queue share its room.
    world.insert_one(|opts| (opts.queue, opts.kind) = (queue("a"), kind("other"))).await;
    let node = world.node().await;
    let mut request = world.request(node, 9);
    request.kinds = vec![served("work"), served("other")];
    let room = |name, room| QueueRoom { queue: queue(name), room };
    request.queues = Queues::Only(vec![room("a", 2), room("b", 9), room("d", 9), room("c", 0)]);
    let claims = world.take(&request).await;
    let of = |name: &str| claims.iter().filter(|claim| claim.queue.as_str() == name).count();
    assert_eq!((of("a"), of("b"), of("c"), claims.len()), (2, 2, 0, 4));
    let mut request = world.request(node, 1);
    request.queues = Queues::Only(vec![room("a", 5), room("c", 5)]);
    assert_eq!(world.take(&request).await.len(), 1, "never more than there are run ids");
}

async fn a_paused_queue_or_kind_is_left_alone(world: World) {
    let node = world.node().await;
    let jobs = world.insert(1).await;
    for flagged in [Flagged::Queue(Queue::default()), Flagged::Kind(kind("work"))] {
        flag(&world, &flagged, Flag::Pause).await;
        assert!(world.claim(node, 1).await.is_empty(), "{flagged} is paused");
        assert_eq!(world.state(jobs[0]).await, JobState::Available, "and its job as it was");
        flag(&world, &flagged, Flag::Resume).await;
    }
    assert_eq!(ids(&world.claim(node, 1).await), jobs);
}

async fn a_deadline_is_a_second_and_the_timeout_after_the_claim(world: World) {
    let own = world.insert_one(|opts| opts.overrides.timeout = Some(Duration::from_millis(1500))).await;
    let node = world.node().await;
    world.advance(1);
    world.insert(1).await;
    for claim in world.claim(node, 2).await {
        let timeout = if claim.job == own { 1500 } else { 60_000 };
        let expected = world.now().after(Duration::from_millis(1000 + timeout));
        assert_eq!(claim.deadline_at, expected, "{timeout} ms");
    }
}

pub(crate) async fn a_node_that_is_not_entered_or_is_lost_claims_nothing(world: World) {
    let job = world.insert(1).await[0];
    let stranger = world.request(NodeId::mint(world.now()), 1);
    let refused = world.store.claim(&stranger, world.now()).await;
    assert!(matches!(refused, Err(StoreError::NodeLost)), "{refused:?}");
    let node = world.node().await;
    world.store.leave(node, world.now()).await.unwrap();
    let refused = world.store.claim(&world.request(node, 1), world.now()).await;
    assert!(matches!(refused, Err(StoreError::NodeLost)), "a lost node claims nothing: {refused:?}");
    assert_eq!(world.state(job).await, JobState::Available);
}

async fn two_nodes_that_claim_at_once_share_no_job(world: World) {
    let jobs: HashSet<_> = world.insert(400).await.into_iter().collect();
    let node = world.node().await;
    // Nobody is late because its connection has yet to be made.
    futures::future::join_all((0..4).map(|_| world.store.ping())).await;
    let claimers = (0..4).map(|_| async {
        let mut claimed = Vec::new();
        loop {
            let claims = world.claim(node, 7).await;
            if claims.is_empty() {
                return claimed;
            }
            claimed.extend(claims.into_iter().map(|claim| (claim.job, claim.run)));
        }
    });
    let claimed = futures::future::join_all(claimers).await;
    let all: Vec<_> = claimed.iter().flatten().copied().collect();
    let distinct: HashSet<_> = all.iter().map(|(job, _)| *job).collect();
    assert_eq!((all.len(), &distinct), (400, &jobs), "each job exactly once");
    assert!(claimed.iter().all(|some| !some.is_empty()), "nobody starves");
    let runs: HashSet<_> = all.iter().map(|(_, run)| *run).collect();
    assert_eq!(runs.len(), 400);
}

async fn an_empty_request_claims_nothing(world: World) {
    let node = world.node().await;
    world.insert(1).await;
    assert!(world.claim(node, 0).await.is_empty());
    let mut nothing = world.request(node, 1);
    nothing.kinds.clear();
    assert!(world.take(&nothing).await.is_empty());
    nothing.kinds = vec![served("work")];
    nothing.queues = Queues::Only(Vec::new());
    assert!(world.take(&nothing).await.is_empty());
}

pub(crate) async fn an_answer_carries_no_more_args_than_it_can_in_time(world: World) {
    let node = world.node().await;
    let megabyte = format!("\"{}\"", "x".repeat((1 << 20) - 2));
    let large: Vec<_> = (0..11).map(|_| world.job(|opts| opts.args.clone_from(&megabyte))).collect();
    world.store.insert(&large).await.unwrap();
    let plain = world.insert_one(|opts| opts.priority = 101).await;
    let request = world.request(node, 20);
    let first = world.store.claim(&request, world.now()).await.unwrap();
    assert_eq!((first.claims.len(), first.more), (8, true), "more than eight megabytes in one answer");
    let again = world.store.claim(&request, world.now()).await.unwrap();
    assert_eq!(ids(&again.claims), ids(&first.claims), "a repeat answers the same");
    let rest = world.store.claim(&world.request(node, 20), world.now()).await.unwrap();
    assert_eq!((rest.claims.len(), rest.more, rest.claims[3].job), (4, false, plain));
    // What is larger by itself is claimed by itself.
    let (huge, next) = (world.insert(1).await[0], world.insert_one(|opts| opts.priority = 101).await);
    let args = "x".repeat(9 << 20);
    world.sql(&format!("UPDATE flyball.jobs SET args = '\"{args}\"' WHERE id = '{huge}'")).await;
    assert_eq!(ids(&world.claim(node, 2).await), [huge]);
    assert_eq!(ids(&world.claim(node, 2).await), [next]);
}
