//! The schema of a database is compared with what the migrations make, object by object and by definition.

use flyball::store::probe;
use flyball::store::{Database, Departure, Difference, compare_schema};
use flyball_tests::{ambient, house};

use crate::world::{World, promises};

promises! {
    what_the_migrations_make_differs_in_nothing
    a_missing_index_a_missing_column_and_a_changed_index_are_told
    what_nobody_knows_is_told
    the_comparison_writes_nothing
}

/// Where the program keeps what it compares PostgreSQL with.
const EXPECTED: &str = "host/src/store/postgres/schema.txt";

async fn differences(world: &World) -> Vec<Difference> {
    compare_schema(&world.url).await.expect("compared")
}

fn departure<'d>(differences: &'d [Difference], object: &str) -> &'d Departure {
    let found = differences.iter().find(|difference| difference.object == object);
    &found.unwrap_or_else(|| panic!("nothing is told of the {object}: {differences:?}")).departure
}

async fn what_the_migrations_make_differs_in_nothing(world: World) {
    assert_eq!(differences(&world).await, []);
}

async fn a_missing_index_a_missing_column_and_a_changed_index_are_told(world: World) {
    world.sql("DROP INDEX flyball.jobs_due").await;
    world.sql("ALTER TABLE flyball.nodes DROP COLUMN in_flight").await;
    world.sql("DROP INDEX flyball.jobs_parent").await;
    let table = if world.database == Database::Sqlite { "jobs" } else { "flyball.jobs" };
    world.sql(&format!("CREATE INDEX jobs_parent ON {table} (parent_id)")).await;
    let told = differences(&world).await;
    assert!(matches!(departure(&told, "index jobs_due"), Departure::Missing { .. }));
    assert!(matches!(departure(&told, "column nodes.in_flight"), Departure::Missing { .. }));
    let Departure::Changed { expected, found } = departure(&told, "index jobs_parent") else {
        panic!("{told:?}")
    };
    assert!(expected.contains("IS NOT NULL") && !found.contains("IS NOT NULL"), "{expected}, {found}");
}

async fn what_nobody_knows_is_told(world: World) {
    let table = if world.database == Database::Sqlite { "jobs" } else { "flyball.jobs" };
    world.sql(&format!("CREATE INDEX mine ON {table} (priority)")).await;
    let told = differences(&world).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(matches!(departure(&told, "index mine"), Departure::Unknown { .. }));
}

async fn the_comparison_writes_nothing(world: World) {
    world.insert(3).await;
    match world.database {
        Database::Sqlite => {
            let file = world.url.strip_prefix("sqlite:").unwrap();
            let before = std::fs::read(file).unwrap();
            assert_eq!(differences(&world).await, []);
            assert_eq!(std::fs::read(file).unwrap(), before);
        }
        Database::Postgres => {
            let name = world.url.rsplit('/').next().unwrap().split('?').next().unwrap();
            let only = format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on");
            world.sql(&only).await;
            assert_eq!(differences(&world).await, []);
        }
    }
}

#[tokio::test]
async fn a_dropped_check_an_invalid_index_and_a_changed_function_are_told() {
    let Some(world) = World::new(Database::Postgres).await else { return };
    world.sql("ALTER TABLE flyball.jobs DROP CONSTRAINT jobs_lease").await;
    world
        .sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'flyball.jobs_claim'::regclass")
        .await;
    world
        .sql(
            "CREATE OR REPLACE FUNCTION flyball.mint_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
             SET search_path = pg_catalog, pg_temp AS 'SELECT gen_random_uuid()'",
        )
        .await;
    let told = differences(&world).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(matches!(departure(&told, "constraint jobs.jobs_lease"), Departure::Missing { .. }));
    assert_eq!(*departure(&told, "index jobs_claim"), Departure::Unsound);
    assert!(matches!(departure(&told, "function mint_id()"), Departure::Changed { .. }));
}

#[tokio::test]
async fn what_the_program_compares_with_is_what_its_migrations_make() {
    let Some(world) = World::new(Database::Postgres).await else { return };
    let made = probe::schema(&world.url).await.unwrap();
    let file = house::root().join(EXPECTED);
    if ambient::switched_on("FLYBALL_TESTS_WRITE") {
        std::fs::write(&file, &made).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap();
    let first = made.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "{EXPECTED} is not what the migrations make, first at {first:?}; `FLYBALL_TESTS_WRITE=1 cargo test --workspace \
         --test conformance what_the_program_compares_with` writes it"
    );
}
