//! Limits by key: never more than so many at once, or in a time; and nobody waits for a permit that nobody has.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flyball::job::{
    ActionId, Barriers, Due, ErrorClass, Field, JobId, JobState, Key, Limit, LimitName, Operation, Queue,
    QueueSet, Rate, Release, Remains, Timestamp, Verdict, Walk, When,
};
use flyball::store::{Database, Doom, LimitKept, LimitRemoved, PruneStep, SingleOrder};

use sqlx::Connection as _;

use crate::world::{World, completed, failed, kind, order, promises};

promises! {
    a_key_with_a_concurrency_of_one_is_an_ordered_queue
    no_more_than_so_many_of_a_key_run_and_those_that_wait_are_neither_leased_nor_audited
    whatever_ends_an_attempt_frees_its_permit_in_the_same_transaction
    a_crash_frees_permits
    whatever_makes_a_job_available_puts_it_into_its_line
    a_key_is_the_field_of_the_args_unless_the_job_names_it
    a_limit_of_the_kind_goes_before_one_of_the_queue
    a_token_bucket_lets_no_more_start_in_any_time_than_it_holds_and_gets
    a_limit_that_is_set_or_changed_or_removed_is_kept_for_jobs_that_are_there
    two_limits_by_key_for_the_same_jobs_are_refused
    claims_and_ends_at_once_never_let_more_run_than_a_limit_allows
    jobs_of_a_callers_transaction_wait_in_their_lines_and_are_let_through
    keys_that_no_job_has_are_forgotten_once_their_buckets_are_full
    an_order_about_a_limit_that_is_repeated_is_answered_what_was_recorded
}

pub(crate) fn limit(name: &str) -> Limit {
    Limit {
        name: LimitName::new(name).expect("valid"),
        queue: None,
        kind: Some(kind("work")),
        key: Some(Field::new("tenant").expect("valid")),
        concurrency: Some(1),
        rate: None,
    }
}

pub(crate) async fn set(world: &World, limit: &Limit) -> LimitKept {
    let order = SingleOrder { action: ActionId::mint(world.now()), who: "test".into() };
    world.store.keep_limit(&order, limit, world.now()).await.expect("set")
}

/// Promotes until nothing is due, as promoters do.
async fn promote(world: &World) {
    for _ in 0..100 {
        let promoted = world.store.promote(1000, world.now()).await.expect("promoted");
        if promoted.next_due.is_none_or(|due| due > world.now()) {
            return;
        }
    }
    panic!("promoting does not end");
}

pub(crate) async fn of_tenant(world: &World, tenant: &str) -> JobId {
    world.insert_one(|opts| opts.args = format!(r#"{{"tenant":"{tenant}"}}"#)).await
}

/// Which jobs a claim takes.
async fn claimed(world: &World, node: flyball::job::NodeId) -> Vec<JobId> {
    world.claim(node, 100).await.iter().map(|claim| claim.job).collect()
}

async fn a_key_with_a_concurrency_of_one_is_an_ordered_queue(world: World) {
    set(&world, &limit("tenant")).await;
    let node = world.node().await;
    let first = of_tenant(&world, "a").await;
    let (mut late, mut line) = (Vec::new(), Vec::new());
    for priority in [100, 50, 100, 50] {
        world.advance(1);
        let args = r#"{"tenant":"a"}"#;
        let job = world.insert_one(|opts| (opts.args, opts.priority) = (args.into(), priority)).await;
        if priority == 50 { &mut line } else { &mut late }.push(job);
    }
    let neighbour = of_tenant(&world, "b").await;
    let mut claims = world.claim(node, 100).await;
    let mut got: Vec<JobId> = claims.iter().map(|claim| claim.job).collect();
    got.sort_unstable();
    assert_eq!(got, [first, neighbour]);
    claims.retain(|claim| claim.job == first);
    line.append(&mut late);
    for next in line {
        let claim = claims.pop().expect("one at a time");
        world.end(claim, completed()).await;
        claims = world.claim(node, 100).await;
        assert_eq!(claims.iter().map(|claim| claim.job).collect::<Vec<_>>(), [next]);
    }
}

async fn no_more_than_so_many_of_a_key_run_and_those_that_wait_are_neither_leased_nor_audited(world: World) {
    set(&world, &Limit { concurrency: Some(3), ..limit("tenant") }).await;
    let node = world.node().await;
    let mut jobs = Vec::new();
    for _ in 0..10 {
        world.advance(1);
        jobs.push(of_tenant(&world, "a").await);
    }
    let claims = world.claim(node, 100).await;
    assert_eq!(claims.iter().map(|claim| claim.job).collect::<Vec<_>>(), jobs[..3]);
    assert!(claims.iter().all(|claim| claim.limited));
    for job in &jobs[3..] {
        let read = world.read(*job).await;
        assert_eq!((read.state, read.attempt), (JobState::Available, 0));
        assert_eq!((read.blocked_by, read.lease_token), (Some("tenant:a".into()), None));
        assert!(world.store.runs(*job).await.unwrap().is_empty());
    }
    let lines = world.store.limit_lines(&limit("tenant").name, 10).await.unwrap();
    let told: Vec<_> =
        lines.iter().map(|line| (line.limit_key.as_str(), line.permits, line.blocked)).collect();
    assert_eq!(told, [("tenant:a", 3, 7)]);
    assert!(world.store.limit_lines(&"tenan".parse().unwrap(), 10).await.unwrap().is_empty());
}

pub(crate) async fn whatever_ends_an_attempt_frees_its_permit_in_the_same_transaction(world: World) {
    set(&world, &limit("tenant")).await;
    let node = world.node().await;
    let ends: [(&str, Verdict); 6] = [
        ("completed", completed()),
        ("transient", failed(ErrorClass::Transient)),
        ("permanent", failed(ErrorClass::Permanent)),
        ("snoozed", Verdict::Snoozed { delay: Duration::from_secs(60) }),
        ("cancelled", Verdict::Cancelled { reason: "enough".into() }),
        ("full", Verdict::Released(Release::Memory)),
    ];
    for (tenant, verdict) in ends {
        of_tenant(&world, tenant).await;
        let second = of_tenant(&world, tenant).await;
        let claim = world.claim(node, 100).await.pop().expect("the first");
        assert!(world.claim(node, 100).await.is_empty(), "{tenant}: the second waits");
        world.end(claim, verdict).await;
        assert_eq!(claimed(&world, node).await, [second], "{tenant}");
    }
    // Given back, it goes into its line again: the first of it.
    let released = of_tenant(&world, "released").await;
    world.advance(1);
    of_tenant(&world, "released").await;
    let claim = world.claim(node, 100).await.pop().expect("the first");
    world.end(claim, Verdict::Released(Release::Drain)).await;
    assert_eq!(claimed(&world, node).await, [released]);
    // Operators end what waits, too: of two that wait, the first may run.
    let tomorrow = Due::In(Duration::from_secs(86_400));
    for operation in [Operation::Cancel(Barriers::Drop), Operation::Pause, Operation::Reschedule(tomorrow)] {
        let tenant = operation.name();
        let first = of_tenant(&world, tenant).await;
        world.advance(1);
        let second = of_tenant(&world, tenant).await;
        world.store.order(&order(operation, world.now()), &[first], world.now()).await.unwrap();
        assert_eq!(claimed(&world, node).await, [second], "{tenant}");
    }
}

async fn a_crash_frees_permits(world: World) {
    set(&world, &limit("tenant")).await;
    let node = world.node().await;
    of_tenant(&world, "a").await;
    let second = of_tenant(&world, "a").await;
    assert_eq!(world.claim(node, 100).await.len(), 1);
    let other = flyball::job::NodeId::mint(world.now());
    match world.database {
        // What is running when a node starts belonged to a dead process.
        Database::Sqlite => {
            world.register(other).await;
        }
        Database::Postgres => {
            world.register(other).await;
            world.live(7, &[(other, &[])]).await;
            world.store.sweep(&world.sweep(other), world.now()).await.expect("swept");
        }
    }
    assert_eq!(claimed(&world, other).await, [second]);
}

pub(crate) async fn whatever_makes_a_job_available_puts_it_into_its_line(world: World) {
    set(&world, &limit("tenant")).await;
    let node = world.node().await;
    let holder = of_tenant(&world, "a").await;
    let claim = world.claim(node, 100).await.pop().expect("claimed");
    let args = || r#"{"tenant":"a"}"#.to_owned();
    let later = world.insert_one(|o| (o.args, o.when) = (args(), When::In(Duration::from_secs(5)))).await;
    let sooner = world.insert_one(|o| (o.args, o.when) = (args(), When::In(Duration::from_secs(500)))).await;
    let paused = of_tenant(&world, "a").await;
    let cancelled = of_tenant(&world, "a").await;
    let orders = async |operation: Operation, job: JobId| {
        world.store.order(&order(operation, world.now()), &[job], world.now()).await.expect("ordered");
    };
    orders(Operation::Pause, paused).await;
    orders(Operation::Cancel(Barriers::Drop), cancelled).await;
    assert_eq!(world.read(paused).await.blocked_by, None);
    world.advance(5);
    promote(&world).await;
    orders(Operation::Resume, paused).await;
    orders(Operation::Retry, cancelled).await;
    orders(Operation::Reschedule(Due::At(world.now())), sooner).await;
    assert!(claimed(&world, node).await.is_empty(), "all of them wait for {holder}");
    for job in [later, paused, cancelled, sooner] {
        let read = world.read(job).await;
        assert_eq!((read.state, read.blocked_by.as_deref()), (JobState::Available, Some("tenant:a")));
    }
    world.end(claim, completed()).await;
    let mut rest = Vec::new();
    while let Some(claim) = world.claim(node, 100).await.pop() {
        rest.push(claim.job);
        world.end(claim, completed()).await;
    }
    rest.sort_unstable();
    let mut all = [later, paused, cancelled, sooner];
    all.sort_unstable();
    assert_eq!(rest, all);
}

async fn a_key_is_the_field_of_the_args_unless_the_job_names_it(world: World) {
    set(&world, &Limit { key: Some(Field::new("user.tenant").unwrap()), ..limit("tenant") }).await;
    let long = "x".repeat(600);
    let cases = [
        (r#"{"user":{"tenant":"a"}}"#.to_owned(), None, "tenant:a".to_owned()),
        (r#"{"user":{"tenant":7}}"#.to_owned(), None, "tenant:7".to_owned()),
        (r#"{"user":{"tenant":"a"}}"#.to_owned(), Some("own"), "tenant:own".to_owned()),
        (r#"{"tenant":"a"}"#.to_owned(), None, "tenant:".to_owned()),
        ("[1]".to_owned(), None, "tenant:".to_owned()),
        (format!(r#"{{"user":{{"tenant":"{long}"}}}}"#), None, format!("tenant:{}", &long[..128])),
    ];
    for (args, key, expected) in cases {
        let key = key.map(|key| Key::new(key).unwrap());
        let job = world.insert_one(|opts| (opts.args, opts.limit_key) = (args.clone(), key)).await;
        assert_eq!(world.read(job).await.limit_key, Some(expected), "{args}");
    }
    let other = world.insert_one(|opts| opts.kind = kind("other")).await;
    assert_eq!(world.read(other).await.limit_key, None);
}

async fn a_limit_of_the_kind_goes_before_one_of_the_queue(world: World) {
    let mail = Queue::new("mail").unwrap();
    set(&world, &Limit { queue: Some(mail.clone()), kind: None, ..limit("of-queue") }).await;
    set(&world, &limit("of-kind")).await;
    set(&world, &Limit { queue: Some(mail.clone()), ..limit("of-both") }).await;
    let line = async |queue: &Queue, name: &str| {
        let job = world.insert_one(|opts| (opts.queue, opts.kind) = (queue.clone(), kind(name))).await;
        world.read(job).await.limit_key
    };
    assert_eq!(line(&mail, "work").await.as_deref(), Some("of-both:"));
    assert_eq!(line(&mail, "other").await.as_deref(), Some("of-queue:"));
    assert_eq!(line(&Queue::default(), "work").await.as_deref(), Some("of-kind:"));
    assert_eq!(line(&Queue::default(), "other").await, None);
}

/// Starts are written down over ten minutes of steps of any length, while more waits than may start, with a pause in between
/// in which nobody claims.
pub(crate) async fn a_token_bucket_lets_no_more_start_in_any_time_than_it_holds_and_gets(world: World) {
    let rate = Rate { permits: 2, per: Duration::from_secs(3), burst: 5 };
    set(&world, &Limit { concurrency: None, rate: Some(rate), ..limit("tenant") }).await;
    let node = world.node().await;
    let jobs: Vec<_> = (0..500).map(|_| world.job(|opts| opts.args = r#"{"tenant":"a"}"#.into())).collect();
    world.store.insert(&jobs).await.expect("inserted");
    let mut starts: Vec<Timestamp> = Vec::new();
    let mut claims = Vec::new();
    let steps = [10_u64, 250, 1490, 1500, 1510, 40, 3000, 7, 900].into_iter().cycle().take(300);
    for (at, step) in steps.enumerate() {
        world.clock.advance(Duration::from_millis(if at == 150 { 120_000 } else { step }));
        promote(&world).await;
        if at % 50 != 49 {
            let new = world.claim(node, 100).await;
            starts.extend(new.iter().map(|_| world.now()));
            claims.extend(new);
        }
    }
    let allowed = |time: Duration| 5.0 + time.as_secs_f64() * 2.0 / 3.0;
    for (at, start) in starts.iter().enumerate() {
        for (more, end) in starts[at..].iter().enumerate() {
            let allowed = allowed(end.since(*start));
            let so_many = u32::try_from(more + 1).unwrap();
            assert!(f64::from(so_many) <= allowed + 1e-3, "{so_many} starts from {start} to {end}");
        }
    }
    // And no fewer: what came into the bucket was used, but for what it did not hold while nobody claimed.
    let time = starts.last().unwrap().since(starts[0]) - Duration::from_secs(120);
    let lost = 0.9;
    assert!(
        f64::from(u32::try_from(starts.len()).unwrap()) >= allowed(time) * lost,
        "{} starts",
        starts.len()
    );
}

async fn a_limit_that_is_set_or_changed_or_removed_is_kept_for_jobs_that_are_there(world: World) {
    let node = world.node().await;
    let jobs: Vec<_> = (0..2500).map(|_| world.job(|opts| opts.args = r#"{"tenant":"a"}"#.into())).collect();
    world.store.insert(&jobs).await.expect("inserted");
    let running = world.claim(node, 2).await;
    assert_eq!(set(&world, &Limit { concurrency: Some(3), ..limit("tenant") }).await, LimitKept::Added);
    promote(&world).await;
    assert_eq!(world.claim(node, 100).await.len(), 1, "two are running, of before the limit");
    for claim in running {
        assert!(!claim.limited);
        world.end(claim, completed()).await;
    }
    assert_eq!(world.claim(node, 100).await.len(), 2, "whose ends freed permits");
    assert_eq!(set(&world, &Limit { concurrency: Some(5), ..limit("tenant") }).await, LimitKept::Changed);
    promote(&world).await;
    assert_eq!(world.claim(node, 100).await.len(), 2);
    let order = SingleOrder { action: ActionId::mint(world.now()), who: "test".into() };
    let removed = world.store.remove_limit(&order, &limit("tenant").name, world.now()).await.unwrap();
    assert_eq!(removed, LimitRemoved::Removed(flyball::timing::Origin::Operator));
    promote(&world).await;
    let mut left = 0;
    loop {
        let claims = world.claim(node, 500).await;
        assert!(claims.iter().all(|claim| !claim.limited));
        left += claims.len();
        if claims.is_empty() {
            break;
        }
    }
    assert_eq!(left, 2500 - 7, "nobody is left behind");
}

async fn two_limits_by_key_for_the_same_jobs_are_refused(world: World) {
    assert_eq!(set(&world, &limit("one")).await, LimitKept::Added);
    assert_eq!(set(&world, &limit("one")).await, LimitKept::Unchanged);
    assert_eq!(set(&world, &limit("two")).await, LimitKept::Rival(limit("one").name));
    let reconciled = world.store.reconcile_limits(&[limit("three")], world.now()).await.unwrap();
    assert_eq!(reconciled.rivals, [(limit("three").name, limit("one").name)]);
    let queue = Queue::default();
    let own = Limit { queue: Some(queue), ..limit("four") };
    let reconciled = world.store.reconcile_limits(std::slice::from_ref(&own), world.now()).await.unwrap();
    assert_eq!(reconciled.added, std::slice::from_ref(&own.name));
    assert_eq!(set(&world, &own).await, LimitKept::OfConfig);
    let reconciled = world.store.reconcile_limits(&[limit("one")], world.now()).await.unwrap();
    assert_eq!((reconciled.of_operators, reconciled.removed), (vec![limit("one").name], vec![own.name]));
}

async fn claims_and_ends_at_once_never_let_more_run_than_a_limit_allows(world: World) {
    const MOST: u32 = 3;
    set(&world, &Limit { concurrency: Some(MOST), ..limit("tenant") }).await;
    let node = world.node().await;
    let world = Arc::new(world);
    let tenants = ["a", "b", "c"];
    let jobs: Vec<_> = (0..300)
        .map(|at| world.job(|opts| opts.args = format!(r#"{{"tenant":"{}"}}"#, tenants[at % 3])))
        .collect();
    let lines: HashMap<JobId, usize> = jobs.iter().enumerate().map(|(at, job)| (job.id, at % 3)).collect();
    let lines = Arc::new(lines);
    let running = Arc::new(Mutex::new(BTreeMap::<usize, u32>::new()));
    let done = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for part in jobs.chunks(100) {
        let (world, part) = (world.clone(), part.to_vec());
        workers.spawn(async move {
            for job in part {
                world.store.insert(&[job]).await.expect("inserted");
            }
        });
    }
    for _ in 0..4 {
        let (world, lines, running, done) = (world.clone(), lines.clone(), running.clone(), done.clone());
        workers.spawn(async move {
            while done.load(std::sync::atomic::Ordering::SeqCst) < 300 {
                let claims = world.claim(node, 5).await;
                for claim in &claims {
                    let mut running = running.lock().unwrap();
                    let count = running.entry(lines[&claim.job]).or_default();
                    *count += 1;
                    assert!(*count <= MOST, "{count} run at once");
                }
                for claim in claims {
                    tokio::task::yield_now().await;
                    *running.lock().unwrap().get_mut(&lines[&claim.job]).unwrap() -= 1;
                    world.end(claim, completed()).await;
                    done.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                }
                tokio::task::yield_now().await;
            }
        });
    }
    let all = async { while workers.join_next().await.transpose().expect("no worker fails").is_some() {} };
    tokio::time::timeout(Duration::from_secs(120), all).await.expect("nobody waits for ever");
}

async fn jobs_of_a_callers_transaction_wait_in_their_lines_and_are_let_through(world: World) {
    set(&world, &limit("tenant")).await;
    let node = world.node().await;
    let jobs: Vec<_> = (0..2).map(|_| world.job(|opts| opts.args = r#"{"tenant":"a"}"#.into())).collect();
    match world.database {
        Database::Sqlite => {
            let mut connection = world.sqlite().await;
            sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
            world.store.insert_in((&mut connection).into(), &jobs).await.unwrap();
            sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
        }
        Database::Postgres => {
            let mut connection = sqlx::PgConnection::connect(&world.url).await.unwrap();
            sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
            world.store.insert_in((&mut connection).into(), &jobs).await.unwrap();
            // While it is open, nobody waits for it.
            let other = of_tenant(&world, "a").await;
            let claim = world.claim(node, 100).await.pop().expect("claimed");
            assert_eq!(claim.job, other);
            world.end(claim, completed()).await;
            sqlx::query("SELECT flyball.enqueue('work', '{\"tenant\":\"a\"}')")
                .execute(&mut connection)
                .await
                .unwrap();
            sqlx::query("SELECT flyball.enqueue('work', limit_key => 'a')")
                .execute(&mut connection)
                .await
                .unwrap();
            sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
        }
    }
    world.store.ring_for_inserted(&[(JobState::Available, world.now())]);
    promote(&world).await;
    let mut ran = 0;
    loop {
        let mut claims = world.claim(node, 100).await;
        let Some(claim) = claims.pop() else { break };
        assert!(claims.is_empty(), "one at a time");
        world.end(claim, completed()).await;
        ran += 1;
    }
    assert_eq!(ran, if world.database == Database::Postgres { 4 } else { 2 });
}

async fn keys_that_no_job_has_are_forgotten_once_their_buckets_are_full(world: World) {
    let rate = Rate { permits: 1, per: Duration::from_secs(3600), burst: 2 };
    set(&world, &Limit { rate: Some(rate), ..limit("tenant") }).await;
    let node = world.node().await;
    for tenant in ["a", "b"] {
        of_tenant(&world, tenant).await;
    }
    let keys = async || {
        let count = "SELECT count(*) FROM flyball.limit_keys";
        match world.database {
            Database::Sqlite => {
                let mut connection = world.sqlite().await;
                let count = count.replace("flyball.", "");
                sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut connection).await.unwrap()
            }
            Database::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&world.url).await.unwrap();
                sqlx::query_scalar::<_, i64>(count).fetch_one(&mut connection).await.unwrap()
            }
        }
    };
    let forget = async || {
        let (remains, queues) = (Remains::Nodes, QueueSet::Except(Vec::new()));
        let step = PruneStep::of(Walk { remains, queues, keep: Duration::from_secs(3600) }, Doom::Delete);
        world.store.prune(&step, world.now()).await.unwrap();
    };
    forget().await;
    assert_eq!(keys().await, 2, "both have a job that waits");
    for claim in world.claim(node, 100).await {
        world.end(claim, completed()).await;
    }
    forget().await;
    assert_eq!(keys().await, 2, "a token is missing in both");
    world.advance(3600);
    forget().await;
    assert_eq!(keys().await, 0);
}

async fn an_order_about_a_limit_that_is_repeated_is_answered_what_was_recorded(world: World) {
    let order = SingleOrder { action: ActionId::mint(world.now()), who: "test".into() };
    for _ in 0..2 {
        let kept = world.store.keep_limit(&order, &limit("one"), world.now()).await.unwrap();
        assert_eq!(kept, LimitKept::Added);
    }
}
