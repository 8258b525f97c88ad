//! A claim on SQLite: one transaction of a few statements, since one statement can't both find and take.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Own, Sqlite};
use crate::job::{JobId, Kind, RunId, Timestamp, Weight};
use crate::store::batch::{Wire, join};
use crate::store::claimed::{Ask, Taken};
use crate::store::dialect::{Outcome, Session};
use crate::store::records::readable;
use crate::store::value::{Row, Value};
use crate::store::{QueueShare, Result, Turn};

/// So many queues are compared by what comes first in each. Of more, those are passed over that could not go before
/// what was found, but at its side.
const COMPARED: usize = 64;

/// A job that a walk found, with what it is ordered by.
struct Found {
    /// Where it begins, by the share of its queue.
    begins: u64,
    order: (i64, Timestamp, JobId),
    kind: Kind,
    args_bytes: usize,
}

/// A queue that has jobs, its room, and its share of the slots.
struct Line {
    queue: String,
    room: usize,
    ahead: u64,
    cost: u64,
}

pub(super) async fn claim(sqlite: &Sqlite, ask: &Ask) -> Outcome<Taken> {
    let (ask, own) = (ask.clone(), sqlite.own.clone());
    sqlite
        .writer
        .order(move |session| Box::pin(async move { in_transaction(session, &own, &ask).await }))
        .await
}

pub(super) async fn in_transaction(session: &mut dyn Session, own: &Own, ask: &Ask) -> Outcome<Taken> {
    let kinds = || Value::from(Arc::clone(&ask.kinds));
    let queues = ask.rooms.as_ref().map(|rooms| crate::store::batch::texts(rooms.iter().map(|r| &r.queue)));
    let values = vec![ask.node.into(), ask.runs.as_slice().into(), kinds(), queues.into(), ask.classes()];
    let mut look = session.run(own.claim_look, values).await?;
    let (mut alive, mut waiting, mut lines) = (false, 0_u32, Vec::new());
    if let Some(first) = look.first_mut() {
        (alive, waiting) = (first.flag("alive")?, first.int("last_chances")?);
        lines = first.names("queues", str::to_owned)?;
    }
    let prior: Vec<Row> = look.into_iter().filter(|row| row.has("id")).collect();
    let (taken, cut) =
        if alive && prior.is_empty() { take(session, own, ask, lines).await? } else { (prior, false) };
    let used = match ask.turn {
        Turn::Fresh => 0,
        Turn::LastChance => u32::try_from(taken.len()).unwrap_or(u32::MAX),
    };
    Ok(Taken { alive, contended: false, cut, last_chances: waiting > used, rows: taken })
}

async fn take(
    session: &mut dyn Session,
    own: &Own,
    ask: &Ask,
    queues: Vec<String>,
) -> Outcome<(Vec<Row>, bool)> {
    let mut found = match ask.turn {
        Turn::Fresh => in_turns(session, own, ask, lines(ask, queues)).await?,
        Turn::LastChance => last_chance(session, own, ask).await?,
    };
    let carried = carried(&found, ask.bytes);
    let cut = carried < found.len();
    found.truncate(carried);
    if found.is_empty() {
        return Ok((Vec::new(), cut));
    }
    let grants: Vec<String> =
        found.iter().zip(&ask.runs).map(|(found, run)| grant(ask, found, *run)).collect();
    let grants: Arc<str> = join(&grants).into();
    let values = vec![ask.node.into(), ask.now.into(), Arc::clone(&grants).into()];
    let mut rows = session.run(own.claim_take, values).await?;
    charge(session, own, &mut rows, ask.now).await?;
    session.run(own.claim_begin, vec![ask.now.into(), grants.into()]).await?;
    Ok((rows, cut))
}

/// Takes tokens for those that are limited by key.
async fn charge(session: &mut dyn Session, own: &Own, rows: &mut [Row], now: Timestamp) -> Outcome<()> {
    let mut starts = BTreeMap::<String, u32>::new();
    for row in rows {
        if let Some(key) = row.opt_text("limit_key")? {
            *starts.entry(key).or_default() += 1;
        }
    }
    if starts.is_empty() {
        return Ok(());
    }
    let item = |(key, starts): (&String, &u32)| {
        Wire::Micros.item(|fields| {
            fields.text("key", key);
            fields.number("starts", *starts);
        })
    };
    session.run(own.claim_charge, vec![join(starts.iter().map(item)).into(), now.into()]).await.map(drop)
}

/// Of the queues that have jobs, those that are asked; the one that is due first first.
fn lines(ask: &Ask, queues: Vec<String>) -> Vec<Line> {
    let room = |queue: &str| match &ask.rooms {
        None => ask.runs.len(),
        Some(rooms) => {
            let room = rooms.iter().find(|room| room.queue.as_str() == queue).map_or(0, |room| room.room);
            ask.runs.len().min(usize::try_from(room).unwrap_or(usize::MAX))
        }
    };
    let shares: HashMap<&str, &QueueShare> = ask.shares.iter().map(|s| (s.queue.as_str(), s)).collect();
    let line = |queue: String| {
        let share = shares.get(queue.as_str());
        let (ahead, weight) = share.map_or((0, Weight::default()), |share| (share.ahead, share.weight));
        Line { room: room(&queue), queue, ahead, cost: weight.cost() }
    };
    let mut lines: Vec<Line> = queues.into_iter().map(line).filter(|line| line.room > 0).collect();
    lines.sort_by_key(|line| line.ahead);
    lines
}

/// What the queues give by their shares; in each, by the order over all its lanes.
async fn in_turns(session: &mut dyn Session, own: &Own, ask: &Ask, lines: Vec<Line>) -> Outcome<Vec<Found>> {
    let most = ask.runs.len();
    let mut first: Vec<Found> = Vec::new();
    for (compared, line) in lines.into_iter().enumerate() {
        let last = first.last().filter(|_| first.len() == most).map(|last| last.begins);
        // Neither this queue nor those behind it have anything that goes before what was found.
        if last.is_some_and(|last| last < line.ahead || (last == line.ahead && compared >= COMPARED)) {
            break;
        }
        let mut found = walk(session, own, ask, Some(line.queue), line.room).await?;
        for (found, place) in found.iter_mut().zip(0..) {
            found.begins = line.ahead + place * line.cost;
        }
        first.append(&mut found);
        first.sort_unstable_by_key(|found| (found.begins, found.order));
        first.truncate(most);
    }
    Ok(first)
}

async fn last_chance(session: &mut dyn Session, own: &Own, ask: &Ask) -> Outcome<Vec<Found>> {
    let Some(rooms) = &ask.rooms else { return walk(session, own, ask, None, ask.runs.len()).await };
    let mut found = Vec::new();
    for room in rooms.iter().filter(|room| room.room > 0) {
        found.extend(walk(session, own, ask, Some(room.queue.as_str().to_owned()), ask.runs.len()).await?);
    }
    found.sort_unstable_by_key(|found| found.order);
    found.truncate(ask.runs.len());
    Ok(found)
}

/// How many of them, in their order, one answer carries; the first always.
fn carried(found: &[Found], most: usize) -> usize {
    let mut bytes = 0;
    let fits = |found: &&Found| {
        bytes += found.args_bytes;
        bytes <= most
    };
    found.iter().take_while(fits).count().max(1).min(found.len())
}

async fn walk(
    session: &mut dyn Session,
    own: &Own,
    ask: &Ask,
    queue: Option<String>,
    most: usize,
) -> Outcome<Vec<Found>> {
    let statement = match ask.turn {
        Turn::Fresh => own.claim_walk,
        Turn::LastChance => own.claim_walk_last_chance,
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let values = vec![queue.into(), Arc::clone(&ask.kinds).into(), ask.classes(), most.into()];
    let rows = session.run(statement, values).await?.into_iter();
    Ok(rows.filter_map(|row| readable(found(row))).collect())
}

fn found(mut row: Row) -> Result<Found> {
    let order = (row.int("priority")?, row.time("scheduled_at")?, row.id("id")?);
    Ok(Found { begins: 0, order, kind: row.name("kind", Kind::stored)?, args_bytes: row.int("args_bytes")? })
}

fn grant(ask: &Ask, found: &Found, run: RunId) -> String {
    let served = ask.served.iter().find(|served| served.kind == found.kind);
    Wire::Micros.item(|fields| {
        fields.id("job", found.order.2.uuid());
        fields.id("run", run.uuid());
        fields.opt_number("timeout_ms", served.map(|served| served.timeout.as_millis()));
        fields.opt_text("digest", served.map(|served| &served.digest));
    })
}
