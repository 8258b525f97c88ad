//! What a client asks for is done once, though the answer is lost.

use anyhow::Result;
use flyball::Client;
use flyball::job::{ActionId, Barriers, InsertOpts, JobId, JobState, Kind, Operation};
use flyball::store::{Answer, Inserted, JobFilter};
use flyball_tests::GENEROUS;
use flyball_tests::proxy::Pattern;

use crate::worlds::{World, on_both_databases};

const CANCELLED: Answer = Answer::Moved { state: JobState::Cancelled };
const AVAILABLE: Answer = Answer::Moved { state: JobState::Available };

on_both_databases!(a_job_enqueued_twice_under_one_id_is_one_job_and_an_order_is_carried_out_once);

#[tokio::test]
async fn a_job_whose_answer_was_lost_is_enqueued_once_by_the_command_line_and_the_library() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let (through, proxy) = world.behind_a_proxy()?;
    let lost = proxy.swallow_next(Pattern::statement("Inserts jobs"));
    let told = through.call(&["enqueue", "echo"]).await?;
    lost.struck(GENEROUS).await?;

    let client = Client::connect(through.database(), "test").await?;
    let lost = proxy.swallow_next(Pattern::statement("Inserts jobs"));
    let inserted = client.enqueue(InsertOpts::new(Kind::new("echo")?, "{}".to_owned())).await?;
    lost.struck(GENEROUS).await?;
    let lost = proxy.swallow_next(Pattern::statement("COMMIT"));
    assert_eq!(client.cancel(&[inserted.id()]).await?, [CANCELLED], "and not: ended before");
    lost.struck(GENEROUS).await?;

    let jobs = client.list(&JobFilter { limit: 10, ..JobFilter::default() }).await?;
    let mut ids: Vec<String> = jobs.iter().map(|job| job.id.to_string()).collect();
    ids.sort();
    assert_eq!(ids, [told.trim_end().to_owned(), inserted.id().to_string()]);
    client.close().await;
    Ok(())
}

async fn a_job_enqueued_twice_under_one_id_is_one_job_and_an_order_is_carried_out_once(
    world: World,
) -> Result<()> {
    let client = Client::connect(world.home.database(), "test").await?;
    let now = client.clock().now();
    let id = JobId::mint(now);
    let opts = || InsertOpts::new(Kind::new("echo").expect("valid"), "{}".to_owned());
    for _ in 0..2 {
        assert_eq!(client.enqueue_as(id, opts()).await?, Inserted::New(id));
        let by_command = world.home.call(&["enqueue", "echo", "--id", &id.to_string()]).await?;
        assert_eq!(by_command.trim_end(), id.to_string());
    }
    let (cancel, retry) = (ActionId::mint(now), ActionId::mint(now));
    for _ in 0..2 {
        assert_eq!(client.operate_as(cancel, Operation::Cancel(Barriers::Drop), &[id]).await?, [CANCELLED]);
    }
    for _ in 0..2 {
        assert_eq!(client.operate_as(retry, Operation::Retry, &[id]).await?, [AVAILABLE]);
    }
    let jobs = client.list(&JobFilter { limit: 10, ..JobFilter::default() }).await?;
    assert_eq!(jobs.iter().map(|job| job.state).collect::<Vec<_>>(), [JobState::Available]);
    client.close().await;
    Ok(())
}
