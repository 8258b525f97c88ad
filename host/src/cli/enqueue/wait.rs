//! `flyball enqueue --wait`.

use crate::cli::Exit;
use crate::client::Client;
use crate::job::{JobId, JobState, visible};
use crate::quantity::Span;

/// Waits for the end of a job and says on standard error how it ended, unless well.
pub(super) async fn until_ended(client: &Client, job: JobId, bound: Option<Span>) -> anyhow::Result<Exit> {
    let ended = match bound {
        None => client.wait(job).await?,
        Some(bound) => match tokio::time::timeout(bound.0, client.wait(job)).await {
            Ok(ended) => ended?,
            Err(_) => {
                eprintln!("error: job {job} has not ended within {bound}; it goes on");
                return Ok(Exit::Failed);
            }
        },
    };
    let Some(ended) = ended else {
        eprintln!("error: job {job} is not on record any more");
        return Ok(Exit::NotFound);
    };
    if ended.job.state == JobState::Succeeded {
        return Ok(Exit::Done);
    }
    let why = ended.run.and_then(|run| run.error_message).map(|why| format!(": {}", visible(&why)));
    eprintln!("error: job {job} was {}{}", ended.job.state, why.unwrap_or_default());
    Ok(Exit::Failed)
}
