//! Jobs in a caller's own transaction.

use flyball::job::{InsertOpts, JobId, Key, Lineage};
use flyball::store::{Database, Inserted, StoreError};
use flyball::wake::Line;
use flyball::{Client, ClientError, Wake};
use flyball_tests::{GENEROUS, eventually};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::enqueueing::client;
use crate::world::{World, kind, promises};

promises! {
    a_job_exists_if_and_only_if_the_callers_transaction_commits
    a_key_that_is_taken_is_told_inside_the_callers_transaction
    a_parent_may_come_with_the_same_transaction
    a_commit_wakes_who_sleeps_in_another_process
    a_ring_after_the_commit_wakes_who_sleeps_here
    a_connection_that_leads_elsewhere_is_refused
}

fn work() -> InsertOpts {
    InsertOpts::new(kind("work"), "{}")
}

enum End {
    Commit,
    Rollback,
}

/// Writes something of the caller's own and enqueues, in one transaction.
async fn write_and_enqueue(
    world: &World,
    client: &Client,
    jobs: Vec<(JobId, InsertOpts)>,
    end: End,
) -> (Vec<Inserted>, Wake) {
    macro_rules! inside {
        ($connection:ident, $table:literal) => {{
            let mut connection = $connection::connect(&world.url).await.unwrap();
            let mut transaction = connection.begin().await.unwrap();
            let statement = concat!("INSERT INTO ", $table, " (queue, paused) VALUES ('own', true)");
            sqlx::query(statement).execute(&mut *transaction).await.unwrap();
            let enqueued = client.enqueue_many_in(&mut *transaction, jobs).await.unwrap();
            match end {
                End::Commit => transaction.commit().await.unwrap(),
                End::Rollback => transaction.rollback().await.unwrap(),
            }
            connection.close().await.unwrap();
            enqueued
        }};
    }
    match world.database {
        Database::Sqlite => inside!(SqliteConnection, "queues"),
        Database::Postgres => inside!(PgConnection, "flyball.queues"),
    }
}

async fn a_job_exists_if_and_only_if_the_callers_transaction_commits(world: World) {
    let client = client(&world);
    let id = || JobId::mint(world.now());
    let (given_up, kept) = (id(), id());
    let (inserted, _dropped) =
        write_and_enqueue(&world, &client, vec![(given_up, work())], End::Rollback).await;
    assert_eq!(inserted, [Inserted::New(given_up)]);
    assert_eq!(world.store.job(given_up).await.unwrap(), None);
    let (inserted, wake) = write_and_enqueue(&world, &client, vec![(kept, work())], End::Commit).await;
    wake.ring();
    assert_eq!(inserted, [Inserted::New(kept)]);
    let node = world.node().await;
    assert_eq!(world.claim(node, 5).await.iter().map(|claim| claim.job).collect::<Vec<_>>(), [kept]);
}

async fn a_key_that_is_taken_is_told_inside_the_callers_transaction(world: World) {
    let client = client(&world);
    let keyed = || InsertOpts { unique_key: Some(Key::new("k").unwrap()), ..work() };
    let first = client.enqueue(keyed()).await.unwrap().id();
    let jobs = vec![(JobId::mint(world.now()), keyed()), (JobId::mint(world.now()), work())];
    let (inserted, wake) = write_and_enqueue(&world, &client, jobs.clone(), End::Commit).await;
    wake.ring();
    assert_eq!(inserted, [Inserted::Duplicate(first), Inserted::New(jobs[1].0)]);
}

async fn a_parent_may_come_with_the_same_transaction(world: World) {
    let (parent, child) = (JobId::mint(world.now()), JobId::mint(world.now()));
    let client = client(&world);
    macro_rules! inside {
        ($connection:ident) => {{
            let mut connection = $connection::connect(&world.url).await.unwrap();
            let mut transaction = connection.begin().await.unwrap();
            let parents = vec![(parent, work())];
            let (_, first) = client.enqueue_many_in(&mut *transaction, parents).await.unwrap();
            let children = vec![(child, InsertOpts { lineage: Lineage::child_of(parent), ..work() })];
            let (_, second) = client.enqueue_many_in(&mut *transaction, children).await.unwrap();
            transaction.commit().await.unwrap();
            first.ring();
            second.ring();
        }};
    }
    match world.database {
        Database::Sqlite => inside!(SqliteConnection),
        Database::Postgres => inside!(PgConnection),
    }
    let read = world.read(child).await;
    assert_eq!((read.root_id, read.depth), (Some(parent), 1));
}

async fn a_commit_wakes_who_sleeps_in_another_process(world: World) {
    let other = world.other().await;
    eventually(GENEROUS, "the other to hear", async || other.hears_others()).await.unwrap();
    let mut work_line = other.bell().listen(Line::Work);
    let jobs = vec![(JobId::mint(world.now()), work())];
    // Nobody rings after the commit.
    let (_, _forgotten) = write_and_enqueue(&world, &client(&world), jobs, End::Commit).await;
    tokio::time::timeout(GENEROUS, work_line.heard()).await.expect("the commit rings by itself");
    other.close().await;
}

async fn a_ring_after_the_commit_wakes_who_sleeps_here(world: World) {
    let jobs = vec![(JobId::mint(world.now()), work())];
    let (_, wake) = write_and_enqueue(&world, &client(&world), jobs, End::Commit).await;
    let mut work_line = world.store.bell().listen(Line::Work);
    wake.ring();
    tokio::time::timeout(GENEROUS, work_line.heard()).await.expect("rung");
}

async fn a_connection_that_leads_elsewhere_is_refused(world: World) {
    let client = client(&world);
    let refused = match world.database {
        Database::Sqlite => return,
        Database::Postgres => {
            let mut elsewhere = SqliteConnection::connect("sqlite::memory:").await.unwrap();
            client.enqueue_in(&mut elsewhere, work()).await.err().expect("refused")
        }
    };
    assert!(matches!(&refused, ClientError::Store(StoreError::Address(_))), "{refused}");
}
