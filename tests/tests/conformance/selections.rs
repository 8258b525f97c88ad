//! Which jobs a selection finds, and that pages of it neither repeat nor skip.

use std::collections::BTreeSet;
use std::time::Duration;

use flyball::job::{ErrorClass, JobId, JobState, Key, Queue, Tag, Timestamp};
use flyball::store::{Between, Database, JobFilter, Selection};

use crate::world::{World, completed, failed, kind, promises};

promises! {
    a_selection_finds_what_it_describes_and_nothing_else
    pages_neither_repeat_nor_skip_while_jobs_come_in
    a_needle_is_found_among_many_jobs_in_bounded_steps
}

async fn found(world: &World, selection: Selection) -> BTreeSet<JobId> {
    let filter = JobFilter { selection, before: None, limit: 100 };
    world.client().list(&filter).await.expect("listed").into_iter().map(|job| job.id).collect()
}

/// One that was given up, one that succeeded ten seconds later, and ten seconds later two that wait: one that is unlike
/// the others, and its child.
async fn four(world: &World) -> [JobId; 4] {
    let node = world.node().await;
    let discarded = world.insert(1).await[0];
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.end(claim, failed(ErrorClass::Permanent)).await;
    world.advance(10);
    let succeeded = world.insert_one(|opts| opts.unique_key = Some(Key::new("once").unwrap())).await;
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.end(claim, completed()).await;
    world.advance(10);
    let other = world
        .insert_one(|opts| {
            opts.kind = kind("other");
            opts.queue = Queue::new("mail").unwrap();
            opts.executor_class = "gpu".parse().unwrap();
            opts.tags = vec![Tag::new("red").unwrap()];
            opts.unique_active_key = Some(Key::new("one").unwrap());
        })
        .await;
    let child = world.insert(1).await[0];
    world
        .sql(&format!(
            "UPDATE flyball.jobs SET parent_id = '{other}', root_id = '{discarded}', schedule_slug = 'nightly' \
             WHERE id = '{child}'"
        ))
        .await;
    [discarded, succeeded, other, child]
}

async fn a_selection_finds_what_it_describes_and_nothing_else(world: World) {
    let [discarded, succeeded, other, child] = four(&world).await;
    let all = Selection::default;
    let since = |seconds| world.now().before(Duration::from_secs(seconds));
    let from = |at| Between { from: Some(at), before: None };
    let before = |at| Between { from: None, before: Some(at) };
    let key = |key| Selection { key: Some(Key::new(key).unwrap()), ..all() };
    let cases: Vec<(&str, Selection, Vec<JobId>)> = vec![
        ("all", all(), vec![discarded, succeeded, other, child]),
        ("ids", Selection::ids([other, child, JobId::mint(world.now())]), vec![other, child]),
        ("kind", Selection::kind(kind("other")), vec![other]),
        ("queue", Selection { queue: Some(Queue::new("mail").unwrap()), ..all() }, vec![other]),
        ("class", Selection { executor_class: Some("gpu".parse().unwrap()), ..all() }, vec![other]),
        (
            "no class",
            Selection { executor_class: Some("".parse().unwrap()), ..all() },
            vec![discarded, succeeded, child],
        ),
        ("tag", Selection { tag: Some(Tag::new("red").unwrap()), ..all() }, vec![other]),
        ("parent", Selection::children(other), vec![child]),
        ("root", Selection { root_id: Some(discarded), ..all() }, vec![child]),
        ("schedule", Selection { schedule_slug: Some("nightly".into()), ..all() }, vec![child]),
        ("key", key("once"), vec![succeeded]),
        ("active key", key("one"), vec![other]),
        ("no key", key("none"), vec![]),
        ("class of error", Selection { error_class: Some(ErrorClass::Permanent), ..all() }, vec![discarded]),
        ("other class of error", Selection { error_class: Some(ErrorClass::Timeout), ..all() }, vec![]),
        ("created from", Selection { created: from(since(10)), ..all() }, vec![succeeded, other, child]),
        ("created before", Selection { created: before(since(10)), ..all() }, vec![discarded]),
        ("ended from", Selection { finalized: from(since(10)), ..all() }, vec![succeeded]),
        ("ended before", Selection { finalized: before(since(10)), ..all() }, vec![discarded]),
        (
            "states",
            all().in_states([JobState::Discarded, JobState::Available]),
            vec![discarded, other, child],
        ),
        ("state and kind", Selection::kind(kind("other")).in_states([JobState::Discarded]), vec![]),
        ("parent and state", Selection::children(other).in_states([JobState::Succeeded]), vec![]),
        (
            "state and time",
            Selection { finalized: from(since(15)), ..all() }.in_states([JobState::Discarded]),
            vec![],
        ),
    ];
    for (name, selection, expected) in cases {
        assert_eq!(found(&world, selection).await, expected.into_iter().collect(), "{name}");
    }
}

async fn pages_neither_repeat_nor_skip_while_jobs_come_in(world: World) {
    let mut there = BTreeSet::new();
    for _ in 0..20 {
        world.clock.advance(Duration::from_millis(1));
        there.extend(world.insert(3).await);
    }
    let parent = JobId::mint(Timestamp::EPOCH);
    world.sql(&format!("UPDATE flyball.jobs SET parent_id = '{parent}'")).await;
    let ids: Vec<JobId> = there.iter().copied().collect();
    let roads = [
        Selection::kind(kind("work")),
        Selection::kind(kind("work")).in_states([JobState::Available]),
        Selection::children(parent),
        Selection::ids(ids),
    ];
    for selection in roads {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let filter = JobFilter { selection: selection.clone(), before, limit: 7 };
            let page = world.store.page(&filter).await.unwrap();
            seen.extend(page.jobs.iter().map(|job| job.id).filter(|id| there.contains(id)));
            // More comes in, and it is newer.
            world.clock.advance(Duration::from_millis(1));
            world.insert(5).await;
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first, none twice: {selection:?}");
        assert_eq!(seen.len(), there.len(), "none is skipped: {selection:?}");
    }
}

async fn a_needle_is_found_among_many_jobs_in_bounded_steps(world: World) {
    let needle = world
        .insert_one(|opts| {
            opts.kind = kind("needle");
            opts.tags = vec![Tag::new("needle").unwrap()];
        })
        .await;
    world.advance(1);
    fill(&world, 130_000).await;
    let tagged = Selection { tag: Some(Tag::new("needle").unwrap()), ..Selection::default() };
    for selection in [Selection::kind(kind("needle")), tagged] {
        let filter = JobFilter { selection: selection.clone(), before: None, limit: 10 };
        let page = world.store.page(&filter).await.unwrap();
        assert!(
            page.jobs.is_empty() && page.next.is_some(),
            "a page costs no more than a hundred thousand jobs"
        );
        let rest = world.store.page(&JobFilter { before: page.next, ..filter.clone() }).await.unwrap();
        let rest: Vec<_> = rest.jobs.iter().map(|job| job.id).collect();
        assert_eq!(rest, [needle]);
        assert_eq!(found(&world, selection).await, BTreeSet::from([needle]), "the client goes on by itself");
    }
    // What is rare by its state is found at once, whatever lies before it.
    let statements = world.store.statements();
    let available = Selection::default().in_states([JobState::Available]);
    assert_eq!(found(&world, available).await, BTreeSet::from([needle]));
    assert!(world.store.statements() - statements <= 2, "by the index of its state");
}

/// So many jobs that have ended, newer than all others.
async fn fill(world: &World, count: usize) {
    let first = JobId::mint(world.now()).to_string();
    let prefix = &first[..23];
    let at = world.time(world.now());
    let columns = "INSERT INTO flyball.jobs \
        (id, kind, queue, args, priority, state, created_at, scheduled_at, finalized_at)";
    let sql = match world.database {
        Database::Sqlite => format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) {columns}
             SELECT printf('{prefix}-%012x', n), 'k', 'q', '{{}}', 0, 'succeeded', {at}, {at}, {at} FROM n"
        ),
        Database::Postgres => format!(
            "{columns} SELECT ('{prefix}-' || lpad(to_hex(n), 12, '0'))::uuid, 'k', 'q', '{{}}', 0, 'succeeded', {at}, {at}, {at}
             FROM generate_series(1, {count}) n"
        ),
    };
    world.sql(&sql).await;
}
