//! `flyball enqueue --lines`: a job for every line, with no more in memory than a chunk of them.

use std::io::{BufRead, BufReader, Read as _};

use anyhow::{Context as _, bail};

use crate::cli::Exit;
use crate::client::Client;
use crate::job::{InsertOpts, JobId, MAX_ARGS_BYTES};

/// Jobs of one chunk, which is a transaction.
const CHUNK: usize = 5000;
/// And no more once their lines have so many bytes.
const CHUNK_BYTES: usize = 2 << 20;
/// A longer line is no args, however it were rewritten.
const LINE: u64 = 4 * MAX_ARGS_BYTES as u64;

/// Where the lines come from.
pub(super) fn open(given: &str) -> anyhow::Result<Box<dyn BufRead>> {
    match given.strip_prefix('@') {
        Some(file) => {
            let file = std::fs::File::open(file).with_context(|| format!("opening {file}"))?;
            Ok(Box::new(BufReader::new(file)))
        }
        None if given == "-" => Ok(Box::new(std::io::stdin().lock())),
        None => bail!("--lines reads `@FILE` or `-`, not args on the command line"),
    }
}

/// Enqueues a job for every line but empty ones, each like `opts`, and prints the ids.
pub(super) async fn enqueue(
    client: &Client,
    opts: &InsertOpts,
    mut source: Box<dyn BufRead>,
) -> anyhow::Result<Exit> {
    let (mut read, mut enqueued) = (0, 0);
    loop {
        let before = read;
        let chunk = chunk(&mut source, &mut read)?;
        if chunk.is_empty() && before == read {
            return Ok(Exit::Done);
        }
        let now = client.clock().now();
        let jobs = chunk.into_iter().map(|args| (JobId::mint(now), InsertOpts { args, ..opts.clone() }));
        let inserted = client.enqueue_many(jobs.collect()).await.with_context(|| {
            format!("lines {} to {read}; the {enqueued} jobs of the lines before are enqueued", before + 1)
        })?;
        enqueued += inserted.len();
        for job in inserted {
            say!("{}", job.id());
        }
    }
}

/// The next lines; `read` counts all that were read.
fn chunk(source: &mut dyn BufRead, read: &mut usize) -> anyhow::Result<Vec<String>> {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    while chunk.len() < CHUNK && bytes < CHUNK_BYTES {
        let mut line = String::new();
        if source.take(LINE).read_line(&mut line).with_context(|| format!("reading line {}", *read + 1))? == 0
        {
            break;
        }
        *read += 1;
        bytes += line.len();
        if !line.trim().is_empty() {
            chunk.push(line);
        }
    }
    Ok(chunk)
}
