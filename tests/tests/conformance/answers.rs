//! Answers are lost, late, or not waited for: on PostgreSQL, where there is a network to lose them.

use std::time::Duration;

use flyball::job::{Completion, JobState, LossPolicy, NodeId, RunId, Verdict, When};
use flyball::store::{
    Activity, Database, Inserted, NewNode, Notes, OpenOptions, Result, Settled, SharedStore, StoreError, open,
};
use flyball::wake::Line;
use flyball_tests::postgres::Url;
use flyball_tests::proxy::{Pattern, Proxy};
use flyball_tests::{GENEROUS, eventually};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::world::{AVAILABLE, CANCELLED, LEASE, World, cancelling, options, retrying};

/// A world, and a store that reaches its database by way of a proxy.
struct Scene {
    world: World,
    proxy: Proxy,
    store: SharedStore,
}

impl Scene {
    async fn new(lease: Duration) -> Option<Self> {
        let world = World::new(Database::Postgres).await?;
        let url: Url = world.url.parse().unwrap();
        let proxy = Proxy::start(url.host()).unwrap();
        let options = OpenOptions { lease, ..options(&world.clock) };
        let store = open(&url.through(proxy.address()).to_string(), &options).await.unwrap();
        Some(Self { world, proxy, store })
    }

    /// Asks twice: the first answer is lost on its way, though the work was done; answers the second.
    async fn twice<T: std::fmt::Debug>(&self, statement: &str, ask: impl AsyncFn() -> Result<T>) -> T {
        let swallow = self.proxy.swallow_next(Pattern::statement(statement));
        let lost = ask().await;
        assert!(matches!(&lost, Err(error) if error.is_passing()), "{statement}: {lost:?}");
        swallow.struck(GENEROUS).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        ask().await.unwrap_or_else(|error| panic!("{statement}, asked again: {error}"))
    }
}

fn new_node(id: NodeId) -> NewNode {
    NewNode {
        id,
        name: "n".into(),
        pid: 1,
        version: "0".into(),
        concurrency: 1,
        serves: flyball::job::Json::empty_object(),
        lease: LEASE,
        retention: None,
    }
}

#[tokio::test]
async fn jobs_whose_answers_are_lost_are_neither_lost_nor_doubled() {
    let Some(scene) = Scene::new(LEASE).await else { return };
    let (world, store) = (&scene.world, &scene.store);
    let now = world.now();
    let jobs = [world.job(|_| ()), world.job(|_| ())];
    let inserted = scene.twice("Inserts jobs", async || store.insert(&jobs).await).await;
    assert_eq!(inserted, jobs.iter().map(|job| Inserted::New(job.id)).collect::<Vec<_>>());

    let node = NodeId::mint(now);
    let losses = LossPolicy::default();
    scene.twice("COMMIT", async || store.register(&new_node(node), &losses, now).await).await;
    let request = world.request(node, 2);
    let claimed = scene.twice("Claims due jobs", async || store.claim(&request, now).await).await;
    assert_eq!(claimed.claims.iter().map(|claim| claim.run).collect::<Vec<_>>(), request.runs);
    assert!(claimed.claims.iter().all(|claim| claim.tries.attempt == 1), "claimed once");

    let mut settlements = Vec::new();
    for (at, claim) in claimed.claims.into_iter().enumerate() {
        let child = (at == 1).then(|| world.job(|opts| opts.lineage = claim.child_lineage()));
        let completion = Completion { follow_ups: child.into_iter().collect(), ..Completion::default() };
        settlements.push(world.settle(claim, Verdict::Completed(completion)));
    }
    for (settlement, statement) in settlements.iter().zip(["Moves running jobs on", "COMMIT"]) {
        let batch = std::slice::from_ref(settlement);
        let settled = scene.twice(statement, async || store.finalize(batch, now).await).await;
        let told = matches!(&settled[0], Settled::Advanced { state: JobState::Succeeded, follow_ups, .. }
            if follow_ups.len() == settlement.follow_ups.len());
        assert!(told, "{settled:?}");
    }
    let states = world.store.overview(now).await.unwrap().states;
    assert_eq!((states[&JobState::Succeeded], states[&JobState::Available]), (2, 1), "one follow-up");
    scene.store.close().await;
}

#[tokio::test]
async fn orders_and_leases_whose_answers_are_lost_are_carried_out_once() {
    let Some(scene) = Scene::new(LEASE).await else { return };
    let (world, store) = (&scene.world, &scene.store);
    let (node, job) = (world.node().await, world.insert(1).await[0]);
    let now = world.now();
    let cancel = cancelling(now);
    let answers = scene.twice("COMMIT", async || store.order(&cancel, &[job], now).await).await;
    assert_eq!(answers, [CANCELLED], "and not: ended before");
    let retry = retrying(now);
    let answers = scene.twice("COMMIT", async || store.order(&retry, &[job], now).await).await;
    assert_eq!(answers, [AVAILABLE]);

    let claim = world.claim(node, 1).await.pop().unwrap();
    world.advance(5);
    let (now, renewal) = (world.now(), world.renewal(node, &[]));
    scene.twice("Renews a node's lease", async || store.renew(&renewal, now).await).await;
    assert_eq!(world.state(claim.job).await, JobState::Available);
    let activity = Activity { name: "sweep", node, lease: LEASE };
    assert!(scene.twice("Takes or renews the lease", async || store.hold(&activity, now).await).await);
    world.insert_one(|opts| opts.when = When::In(Duration::from_secs(5))).await;
    world.advance(5);
    let promote = async || store.promote(9, world.now()).await;
    assert_eq!(scene.twice("Makes due jobs available", promote).await.count, 0, "at the first try");
    assert_eq!(world.claim(node, 9).await.len(), 2);
    scene.twice("COMMIT", async || store.leave(node, world.now()).await).await;
    assert_eq!(world.store.overview(now).await.unwrap().states[&JobState::Available], 2);
    scene.store.close().await;
}

#[tokio::test]
async fn a_renewal_waits_for_its_answer_no_longer_than_a_third_of_the_lease() {
    let Some(scene) = Scene::new(Duration::from_millis(900)).await else { return };
    let node = scene.world.node().await;
    let renewal = scene.world.renewal(node, &[]);
    let renew = async || scene.store.renew(&renewal, scene.world.now()).await;
    renew().await.expect("the road is open");
    scene.proxy.go_deaf();
    let begun = flyball_tests::ambient::instant();
    let late = renew().await;
    assert!(
        matches!(late, Err(StoreError::TimedOut { after, .. }) if after == Duration::from_millis(300)),
        "{late:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // What was held up is passed on; the connection that it belongs to is not used again.
    scene.proxy.pass();
    renew().await.expect("on another connection");
    scene.store.close().await;
}

/// The database's clock goes forward by an hour, and the answer of the renewal that finds it so is lost.
#[tokio::test]
async fn a_step_of_the_clock_is_given_to_deadlines_once_though_the_answer_is_lost() {
    let Some(scene) = Scene::new(LEASE).await else { return };
    let (node, claim) = scene.world.running().await;
    scene.world.clock.advance(Duration::from_secs(3600));
    let renewal = scene.world.renewal(node, &[claim.run]);
    let renew = async || scene.store.renew(&renewal, scene.world.now()).await;
    scene.twice("Renews a node's lease", renew).await;
    let stepped = claim.deadline_at.after(Duration::from_secs(3600) - LEASE / 3);
    let deadline = scene.world.read(claim.job).await.deadline_at;
    assert_eq!(deadline, Some(stepped), "the step went with the answer");
    scene.store.close().await;
}

/// The lease is renewed, and then the connection is lost: the node must not stop for that.
#[tokio::test]
async fn a_renewal_that_was_carried_out_is_told_though_its_comparison_is_lost() {
    let Some(scene) = Scene::new(LEASE).await else { return };
    let (node, claim) = scene.world.running().await;
    scene.world.advance(5);
    let renewal = scene.world.renewal(node, &[]);
    for statement in ["Compares what a node believes", "Moves running jobs on"] {
        let swallow = scene.proxy.swallow_next(Pattern::statement(statement));
        let renewed = scene.store.renew(&renewal, scene.world.now()).await;
        let renewed = renewed.unwrap_or_else(|error| panic!("{statement}: {error}"));
        assert_eq!(renewed.notes == Notes::Missing, statement.starts_with("Compares"), "{statement}");
        swallow.struck(GENEROUS).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    // What was given up with its connection is given back by the next renewal.
    scene.store.renew(&renewal, scene.world.now()).await.expect("renewed");
    assert_eq!(scene.world.state(claim.job).await, JobState::Available);
    scene.store.close().await;
}

/// The caller goes away while a transaction waits for a lock. What it began must not be committed by whoever has the
/// connection next.
#[tokio::test]
async fn a_call_that_is_given_up_leaves_nothing_behind() {
    let Some(world) = World::new(Database::Postgres).await else { return };
    let job = world.insert(1).await[0];
    let mut holder = PgConnection::connect(&world.url).await.unwrap();
    let hold = format!("BEGIN; SELECT FROM flyball.jobs WHERE id = '{job}' FOR UPDATE");
    holder.execute(sqlx::raw_sql(AssertSqlSafe(hold))).await.unwrap();
    let jobs = [job];
    let (given_up, now) = (cancelling(world.now()), world.now());
    let cancel = world.store.order(&given_up, &jobs, now);
    assert!(tokio::time::timeout(Duration::from_millis(200), cancel).await.is_err(), "it waits for the lock");
    holder.execute("ROLLBACK").await.unwrap();
    // More work than there are connections.
    let work = (0..8).map(|_| world.insert(1));
    futures::future::join_all(work).await;
    assert_eq!(world.state(job).await, JobState::Available);
    let answers = world.store.order(&given_up, &jobs, now).await.unwrap();
    assert_eq!(answers, [CANCELLED], "nothing was recorded either");
}

#[tokio::test]
async fn a_listener_that_was_cut_off_says_so_and_hears_again() {
    let Some(scene) = Scene::new(LEASE).await else { return };
    let hears = async |expected: bool| {
        let what = if expected { "others to be heard" } else { "the deafness to show" };
        eventually(GENEROUS, what, async || (scene.store.hears_others() == expected).then_some(()))
            .await
            .unwrap();
    };
    hears(true).await;
    let mut work = scene.store.bell().listen(Line::Work);
    scene.proxy.cut_all();
    // Its first ring is for whatever it may have missed.
    tokio::time::timeout(GENEROUS, work.heard()).await.expect("rung on coming back");
    hears(true).await;
    // It hears nothing of what was rung before.
    let mut work = scene.store.bell().listen(Line::Work);
    scene.world.insert(1).await;
    tokio::time::timeout(GENEROUS, work.heard()).await.expect("others are heard again");
    let nobody = scene.store.cancels(NodeId::mint(scene.world.now())).await.unwrap();
    assert_eq!(nobody, Vec::<RunId>::new());
    scene.store.close().await;
}
