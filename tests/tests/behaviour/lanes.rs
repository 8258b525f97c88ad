//! Who runs what: queues that share a node, nodes that serve some queues and classes only, and pauses that all heed.

use anyhow::{Context as _, Result};
use flyball::Client;
use flyball::job::{ExecutorClass, InsertOpts, JobId, JobState, Kind, NodeId, Queue, RunRecord};
use flyball_tests::{GENEROUS, Node, eventually};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    slots_that_are_freed_one_at_a_time_go_to_queues_by_their_weight,
    a_queue_whose_jobs_are_less_urgent_does_not_starve,
    a_node_runs_the_jobs_of_its_queues_and_classes_and_no_others,
);

/// So many jobs that do nothing, as `change` wants them.
async fn enqueue(client: &Client, count: usize, change: impl Fn(&mut InsertOpts)) -> Result<Vec<JobId>> {
    let mut jobs = Vec::with_capacity(count);
    for _ in 0..count {
        let mut opts = InsertOpts::new(Kind::new("noop")?, "{}");
        change(&mut opts);
        jobs.push((JobId::mint(client.clock().now()), opts));
    }
    Ok(client.enqueue_many(jobs).await?.into_iter().map(flyball::store::Inserted::id).collect())
}

fn in_queue(name: &str) -> impl Fn(&mut InsertOpts) {
    let queue = Queue::new(name);
    move |opts| opts.queue = queue.clone().expect("valid")
}

async fn ended(client: &Client, jobs: &[JobId]) -> Result<()> {
    let all = async || {
        for job in jobs {
            if !client.job(*job).await?.context("it is there")?.state.is_terminal() {
                return Ok(false);
            }
        }
        anyhow::Ok(true)
    };
    eventually(GENEROUS, "the jobs to end", all).await
}

/// The only run of a job.
async fn run(client: &Client, job: JobId) -> Result<RunRecord> {
    client.runs(job).await?.pop().context("it ran")
}

/// Which of two lists of jobs each of the first starts was of: true for the second.
async fn order(client: &Client, one: &[JobId], other: &[JobId]) -> Result<Vec<bool>> {
    let mut starts = Vec::new();
    for (jobs, second) in [(one, false), (other, true)] {
        for job in jobs {
            // Those that start in one microsecond were claimed together, in the order of their run ids.
            let run = run(client, *job).await?;
            starts.push((run.started_at, run.id, second));
        }
    }
    starts.sort_unstable();
    Ok(starts.into_iter().map(|(.., second)| second).collect())
}

async fn slots_that_are_freed_one_at_a_time_go_to_queues_by_their_weight(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    let client = Client::connect(world.home.database(), "test").await?;
    let slow = enqueue(&client, 40, in_queue("slow")).await?;
    let fast = enqueue(&client, 40, in_queue("fast")).await?;
    let mut node =
        Node::serve(&world.home, &["--concurrency", "1", "--queue", "slow", "--queue", "fast:3"]).await?;
    ended(&client, &[&slow[..], &fast].concat()).await?;
    node.drain().await?;
    // The fast ones are used up after 53 starts.
    let order = order(&client, &slow, &fast).await?;
    for many in 4..=48 {
        let of_fast = order.iter().take(many).filter(|fast| **fast).count();
        assert!((of_fast * 4).abs_diff(many * 3) <= 4, "{of_fast} of the first {many}: {order:?}");
    }
    Ok(())
}

async fn a_queue_whose_jobs_are_less_urgent_does_not_starve(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    let client = Client::connect(world.home.database(), "test").await?;
    let urgent = |opts: &mut InsertOpts| {
        in_queue("urgent")(opts);
        opts.priority = 0;
    };
    let urgent = enqueue(&client, 30, urgent).await?;
    let patient = enqueue(&client, 30, in_queue("patient")).await?;
    // It serves every queue: nobody has said anything of either.
    let mut node = Node::serve(&world.home, &["--concurrency", "1"]).await?;
    ended(&client, &[&urgent[..], &patient].concat()).await?;
    node.drain().await?;
    let order = order(&client, &urgent, &patient).await?;
    for many in 2..=58 {
        let of_patient = order.iter().take(many).filter(|patient| **patient).count();
        assert!((of_patient * 2).abs_diff(many) <= 2, "{of_patient} of the first {many}: {order:?}");
    }
    Ok(())
}

/// The flags of a node, what it runs, and what it leaves.
type Step<'s> = (&'s [&'s str], &'s [JobId], &'s [&'s [JobId]]);

async fn a_node_runs_the_jobs_of_its_queues_and_classes_and_no_others(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    let client = Client::connect(world.home.database(), "test").await?;
    let gpu = ExecutorClass::new("gpu")?;
    let of = |queue, class: &ExecutorClass| {
        let class = class.clone();
        move |opts: &mut InsertOpts| {
            in_queue(queue)(opts);
            opts.executor_class = class.clone();
        }
    };
    let plain = ExecutorClass::default();
    let mail_gpu = enqueue(&client, 3, of("mail", &gpu)).await?;
    let mail = enqueue(&client, 3, of("mail", &plain)).await?;
    let default_gpu = enqueue(&client, 3, of("default", &gpu)).await?;
    let default = enqueue(&client, 3, of("default", &plain)).await?;
    // Each of these runs one of the four lanes, and drains: it had its chance at the others.
    let steps: [Step<'_>; 4] = [
        (&["--queue", "mail", "--class", "gpu"], &mail_gpu, &[&mail, &default_gpu, &default]),
        (&["--queue", "default"], &default, &[&mail, &default_gpu]),
        (&["--class", "gpu"], &default_gpu, &[&mail]),
        (&["--class", "*"], &mail, &[]),
    ];
    for (flags, runs, waits) in steps {
        let mut node = Node::serve(&world.home, flags).await?;
        ended(&client, runs).await?;
        node.drain().await?;
        for job in waits.iter().copied().flatten() {
            let state = client.job(*job).await?.context("it is there")?.state;
            assert_eq!(state, JobState::Available, "{flags:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn two_nodes_run_each_what_it_serves_and_heed_a_pause_both() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["noop", "echo"])?;
    let client = Client::connect(world.home.database(), "test").await?;
    let flags = ["--concurrency", "4", "--poll-interval", "100ms"];
    let mut first =
        Node::serve(&world.home, &[&flags[..], &["--class", "", "--class", "left"]].concat()).await?;
    let mut second =
        Node::serve(&world.home, &[&flags[..], &["--class", "", "--class", "right"]].concat()).await?;
    let class = |name: &str| {
        let class = ExecutorClass::new(name).expect("valid");
        move |opts: &mut InsertOpts| opts.executor_class = class.clone()
    };
    let (left, right) =
        (enqueue(&client, 20, class("left")).await?, enqueue(&client, 20, class("right")).await?);
    ended(&client, &[&left[..], &right].concat()).await?;
    let on = async |jobs: &[JobId]| -> Result<NodeId> {
        let mut nodes = Vec::new();
        for job in jobs {
            nodes.push(run(&client, *job).await?.node_id);
        }
        nodes.dedup();
        anyhow::ensure!(nodes.len() == 1, "one lane ran on several nodes: {nodes:?}");
        nodes.pop().context("there are jobs")
    };
    assert_ne!(on(&left).await?, on(&right).await?);

    for what in ["queues", "kinds"] {
        let name = if what == "queues" { "mail" } else { "noop" };
        world.home.call(&[what, "pause", name]).await?;
        let paused = enqueue(&client, 40, in_queue("mail")).await?;
        // Each node has looked, and run what may run, after the pause.
        for class in ["left", "right"] {
            world.home.call(&["enqueue", "echo", "--class", class, "--wait"]).await?;
        }
        for job in &paused {
            assert_eq!(
                client.job(*job).await?.context("there")?.state,
                JobState::Available,
                "{name} is paused"
            );
        }
        world.home.call(&[what, "resume", name]).await?;
        ended(&client, &paused).await?;
    }
    first.drain().await?;
    second.drain().await?;
    Ok(())
}
