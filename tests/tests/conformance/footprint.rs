//! How large the tables are when jobs come and go.

use std::time::Duration;

use flyball::job::RetentionPolicy;
use flyball::store::{Database, Doom, PruneStep};

use crate::retention::ended;
use crate::world::{World, promises};

promises! {
    what_is_deleted_makes_room_for_what_comes
}

const JOBS: usize = 100;
const ROUND: u64 = 10;
const ROUNDS: usize = 30;

/// Six rounds of jobs are kept, and as many come as go. What `flyball bench retention` measures under load and for
/// minutes is here the same each time; the vacuum is not left to PostgreSQL's timer.
async fn what_is_deleted_makes_room_for_what_comes(world: World) {
    let policy = RetentionPolicy::older_than(Duration::from_secs(6 * ROUND));
    let mut sizes = Vec::new();
    for _ in 0..ROUNDS {
        ended(&world, JOBS).await;
        world.advance(ROUND);
        for walk in policy.walks() {
            let step = PruneStep { limit: 10_000, ..PruneStep::of(walk, Doom::Delete) };
            world.store.prune(&step, world.now()).await.unwrap();
        }
        if world.database == Database::Postgres {
            world.sql("VACUUM flyball.jobs, flyball.job_runs").await;
        }
        sizes.push(world.client().footprint().await.unwrap().bytes);
    }
    println!("{sizes:?}");
    assert!(sizes[ROUNDS - 1] * 4 <= sizes[ROUNDS / 3 - 1] * 5, "{sizes:?}");
}
