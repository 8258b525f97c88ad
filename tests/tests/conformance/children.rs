//! What a continuation reads of the jobs that it continues.

use std::str::FromStr as _;
use std::sync::atomic::{AtomicU32, Ordering};

use flyball::job::{ChildRecord, Completion, ErrorClass, JobState, Json, Verdict};
use flyball::store::{ChildrenPage, Database};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::barriers::{Family, cancel};
use crate::world::{World, completed, failed, promises};

promises! {
    children_are_read_in_the_order_in_which_they_were_asked_for_with_what_they_came_to
    a_page_of_children_is_bounded_in_number_and_in_bytes
    only_outputs_that_are_answered_are_read
    a_page_of_no_children_does_not_ask_the_database
    a_run_without_a_barrier_has_no_children_to_read
}

async fn read(world: &World, family: &Family, offset: u32, limit: u32) -> Vec<ChildRecord> {
    let page = ChildrenPage { parent: family.parent, run: family.run, offset, limit };
    world.store.children(&page).await.unwrap()
}

fn returns(text: &str) -> Verdict {
    let output = Some(Json::parse(text, 2 << 20).unwrap());
    Verdict::Completed(Completion { output, ..Completion::default() })
}

async fn children_are_read_in_the_order_in_which_they_were_asked_for_with_what_they_came_to(world: World) {
    let family = Family::of(&world, 4).await;
    let mut claims = world.claim(family.node, 3).await;
    claims.sort_by_key(|claim| claim.job);
    for (claim, end) in claims.into_iter().zip([
        returns(r#"{"b":1.50}"#),
        failed(ErrorClass::Permanent),
        Verdict::Completed(Completion::default()),
    ]) {
        world.end(claim, end).await;
    }
    cancel(&world, family.children[3]).await;
    let read = read(&world, &family, 0, 9).await;
    let ids: Vec<_> = read.iter().map(|child| child.id).collect();
    assert_eq!(ids, family.children);
    let told: Vec<_> = read
        .iter()
        .map(|child| {
            let output = child.output.as_ref().map(|output| output.as_str());
            (child.state, child.attempt, output, child.error_class, child.error_message.as_deref())
        })
        .collect();
    assert_eq!(
        told,
        [
            (JobState::Succeeded, 1, Some(r#"{"b":1.5}"#), None, None),
            (JobState::Discarded, 1, None, Some(ErrorClass::Permanent), Some("no")),
            (JobState::Succeeded, 1, None, None, None),
            (JobState::Cancelled, 0, None, None, None),
        ]
    );
}

async fn a_page_of_children_is_bounded_in_number_and_in_bytes(world: World) {
    let family = Family::of(&world, 250).await;
    let large = format!("\"{}\"", "x".repeat(700_000));
    let mut claims = world.claim(family.node, 250).await;
    claims.sort_by_key(|claim| claim.job);
    let settlements: Vec<_> = claims
        .into_iter()
        .enumerate()
        .map(|(n, claim)| world.settle(claim, returns(if n < 3 { &large } else { "1" })))
        .collect();
    world.store.finalize(&settlements, world.now()).await.unwrap();
    let (mut pages, mut all) = (Vec::new(), Vec::new());
    loop {
        let offset = u32::try_from(all.len()).unwrap();
        let page = read(&world, &family, offset, u32::MAX).await;
        if page.is_empty() {
            break;
        }
        pages.push(page.len());
        all.extend(page.into_iter().map(|child| child.id));
    }
    assert_eq!(pages, [1, 1, 100, 100, 48]);
    assert_eq!(all, family.children);
    assert_eq!(read(&world, &family, 3, 2).await.len(), 2);
    assert_eq!(read(&world, &family, u32::MAX, u32::MAX).await, []);
    assert_eq!(read(&world, &family, 0, 0).await, []);
}

const LARGE: usize = 400_000;
const MANY: usize = 40;

/// Sixteen megabytes of outputs, two of which fit into an answer.
pub(crate) async fn only_outputs_that_are_answered_are_read(world: World) {
    let family = Family::of(&world, MANY).await;
    for claim in world.claim(family.node, MANY).await {
        world.end(claim, completed()).await;
    }
    // No two letters in a row that a database could make less of.
    let mut state = 1_u32;
    let mut letter = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'0' + u8::try_from(state >> 24).unwrap() % 75)
    };
    let output: String = (0..LARGE).map(|_| letter()).filter(|c| c.is_ascii_alphanumeric()).collect();
    let outputs =
        format!("UPDATE flyball.job_runs SET output = '\"{output}\"' WHERE job_id <> '{}'", family.parent);
    world.sql(&outputs).await;
    let answered = read(&world, &family, 0, 100).await;
    let bytes: usize = answered.iter().map(|child| child.output.as_ref().unwrap().as_str().len()).sum();
    assert!((2..MANY / 4).contains(&answered.len()) && bytes <= 1 << 20, "{} of {bytes}", answered.len());
    let bytes_read = match world.database {
        Database::Sqlite => read_by_sqlite(&world, &family).await,
        Database::Postgres => weighed_by_postgres(&world, &family).await,
    };
    let all = MANY * output.len();
    println!("{bytes_read} bytes read for {bytes} of {all}");
    assert!(bytes_read < all / 3, "outputs were read that are not answered: {bytes_read} bytes of {all}");
}

/// What goes through the thread of a new connection, whose memory is empty.
async fn read_by_sqlite(world: &World, family: &Family) -> usize {
    static WORLDS: AtomicU32 = AtomicU32::new(0);
    let name = format!("reads {}", WORLDS.fetch_add(1, Ordering::Relaxed));
    let options = SqliteConnectOptions::from_str(&world.url).unwrap();
    let thread = name.clone();
    let mut connection = options.thread_name(move |_| thread.clone()).connect().await.unwrap();
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let is_it = |task: &std::path::PathBuf| {
        std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    };
    let task = tasks.into_iter().find(is_it).expect("the thread of the connection");
    let count = || {
        let io = std::fs::read_to_string(task.join("io")).unwrap();
        let count = io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
        count.parse::<usize>().unwrap()
    };
    let before = count();
    let rows = sqlx::query(AssertSqlSafe(world.statement("continued")))
        .bind(family.parent.to_string())
        .bind(family.run.to_string())
        .bind(0)
        .bind(100)
        .bind(1 << 20)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(rows.len() >= 2);
    let read = count() - before;
    connection.close().await.unwrap();
    read
}

/// What is touched to find out what fits: the answer itself is not unpacked.
async fn weighed_by_postgres(world: &World, family: &Family) -> usize {
    let mut connection = crate::leases::connect(world).await;
    let text = world.statement("continued");
    let settings = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off";
    crate::leases::run(&mut connection, format!("{settings}; PREPARE plan AS {text}")).await;
    let explain = format!(
        "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE plan('{}', '{}', 0, 100, {})",
        family.parent,
        family.run,
        1 << 20
    );
    let row = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(&mut connection).await.unwrap();
    let plan: serde_json::Value = row.get(0);
    let pages = |name: &str| plan[0]["Plan"][name].as_u64().unwrap();
    usize::try_from(pages("Shared Hit Blocks") + pages("Shared Read Blocks")).unwrap() * 8192
}

async fn a_page_of_no_children_does_not_ask_the_database(world: World) {
    let family = Family::of(&world, 1).await;
    world.store.close().await;
    assert_eq!(read(&world, &family, 0, 0).await, []);
    let one = ChildrenPage { parent: family.parent, run: family.run, offset: 0, limit: 1 };
    world.store.children(&one).await.expect_err("the database would have been asked");
}

async fn a_run_without_a_barrier_has_no_children_to_read(world: World) {
    let (_, claim) = world.running().await;
    let follow_ups = vec![world.job(|opts| opts.lineage = claim.child_lineage())];
    let page = ChildrenPage { parent: claim.job, run: claim.run, offset: 0, limit: 9 };
    world.end(claim, Verdict::Completed(Completion { follow_ups, ..Completion::default() })).await;
    assert_eq!(world.store.children(&page).await.unwrap(), []);
}
