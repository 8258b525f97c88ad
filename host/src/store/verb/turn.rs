//! The turnstile of limits by key: whoever moves jobs of a line looks, before its transaction ends, how many permits the
//! line has to give, and lets through the next of those that wait.
//!
//! A job comes into its line as one that waits, and is let through by whoever looks at the line last; there is no other
//! way. So whoever looks holds the key, and counts by a statement that begins when it is held: permits are never
//! remembered, but those who have them are counted. Keys are held after jobs, in their order; jobs that wait are taken only
//! if nobody holds them. So nobody waits in a circle.

use std::collections::HashMap;
use std::time::Duration;

use crate::job::{Permits, Rate, Timestamp};
use crate::store::Result;
use crate::store::batch::{Wire, join, texts};
use crate::store::dialect::{Dialect, Outcome as Done, Ring, Session, Turns};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::value::Row;

/// Keys of one statement at most.
const KEYS: usize = 500;
/// Jobs of one key that are let through at once, at most: a limit may go away before a line of any length.
const MOST: u32 = 1000;
/// When jobs were passed over that somebody held, the line is looked at again after this.
const PASSED_OVER: Duration = Duration::from_millis(100);
/// Keys that are looked at together which somebody else wants looked at.
const DUE: u32 = 200;

/// What came of looking at lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turned {
    /// Jobs were let through: they can be claimed.
    admitted: bool,
    /// When somebody has to look again.
    next: Option<Timestamp>,
}

impl Turned {
    fn and(self, other: Self) -> Self {
        Self {
            admitted: self.admitted || other.admitted,
            next: self.next.into_iter().chain(other.next).min(),
        }
    }
}

/// A transaction that looks at lines.
#[derive(Clone, Debug)]
pub(super) struct Turnstile {
    wire: Wire,
    statements: Statements,
    now: Timestamp,
}

/// A line that was looked at.
struct Line {
    key: String,
    /// `None` if its limit is gone.
    permits: Option<Permits>,
}

impl Turnstile {
    pub(super) fn of<D: Dialect>(db: &D, now: Timestamp) -> Self {
        Self { wire: D::WIRE, statements: db.statements().clone(), now }
    }

    /// Looks at the lines that this transaction has changed. To be called when all that it moves has moved.
    pub(super) async fn turn(&self, session: &mut dyn Session) -> Done<Turned> {
        let keys: Vec<String> = std::mem::take(session.turns()).into_iter().collect();
        let mut turned = Turned::default();
        for keys in keys.chunks(KEYS) {
            turned = turned.and(self.look(session, keys).await?);
        }
        Ok(turned)
    }

    async fn look(&self, session: &mut dyn Session, keys: &[String]) -> Done<Turned> {
        let names = texts(keys);
        session.run(self.statements.turn_hold, vec![names.clone().into(), self.now.into()]).await?;
        let rows = session.run(self.statements.turn_count, vec![names.into()]).await?;
        let lines = rows.into_iter().map(line).collect::<Result<Vec<_>>>()?;
        let admitted = self.admit(session, &lines).await?;
        let next = self.note(session, &lines, &admitted).await?;
        Ok(Turned { admitted: !admitted.is_empty(), next })
    }

    fn room(&self, line: &Line) -> u32 {
        line.permits.map_or(MOST, |permits| permits.room(self.now).min(MOST))
    }

    /// Lets jobs through; answers how many of each key.
    async fn admit(&self, session: &mut dyn Session, lines: &[Line]) -> Done<HashMap<String, u32>> {
        let open = lines.iter().map(|line| (line, self.room(line))).filter(|(_, room)| *room > 0);
        let items: Vec<String> = open
            .map(|(line, room)| {
                self.wire.item(|fields| {
                    fields.text("key", &line.key);
                    fields.number("room", room);
                })
            })
            .collect();
        let mut admitted = HashMap::new();
        if !items.is_empty() {
            for mut row in session.run(self.statements.turn_admit, vec![join(items).into()]).await? {
                *admitted.entry(row.text("key")?).or_default() += 1;
            }
        }
        Ok(admitted)
    }

    /// Notes when somebody has to look at these lines again, if a job still waits; answers the first of these times.
    async fn note(
        &self,
        session: &mut dyn Session,
        lines: &[Line],
        admitted: &HashMap<String, u32>,
    ) -> Done<Option<Timestamp>> {
        let item = |line: &Line| {
            let through = admitted.get(&line.key).copied().unwrap_or(0);
            let next = self.next(line, through);
            if next.is_none() && line.permits.is_some_and(|permits| permits.rate.is_none()) {
                return None;
            }
            Some(self.wire.item(|fields| {
                fields.text("key", &line.key);
                fields.time("next_at", next);
            }))
        };
        let items: Vec<String> = lines.iter().filter_map(item).collect();
        if items.is_empty() {
            return Ok(None);
        }
        let rows = session.run(self.statements.turn_note, vec![join(items).into()]).await?;
        let times = rows.into_iter().map(|mut row| row.opt_time("next_at")).collect::<Result<Vec<_>>>()?;
        Ok(times.into_iter().flatten().min())
    }

    /// When the line is to be looked at again, though nobody ends a job of it.
    fn next(&self, line: &Line, through: u32) -> Option<Timestamp> {
        let room = self.room(line);
        if through < room {
            // Somebody holds those that were passed over, and looks when he is through; unless he never is.
            return Some(self.now.after(PASSED_OVER));
        }
        if room == MOST {
            return Some(self.now);
        }
        line.permits.and_then(|permits| permits.next_token(through, self.now))
    }
}

fn line(mut row: Row) -> Result<Line> {
    let row = &mut row;
    let key = row.text("key")?;
    if !row.has("name") {
        return Ok(Line { key, permits: None });
    }
    let rate = match (row.opt_int("permits")?, row.opt_int("per_ms")?, row.opt_int("burst")?) {
        (Some(permits), Some(per), Some(burst)) => {
            Some(Rate { permits, per: Duration::from_millis(per), burst })
        }
        _ => None,
    };
    let permits = Permits {
        concurrency: row.opt_int("concurrency")?,
        rate,
        running: row.int("running")?,
        waiting: row.int("waiting")?,
        level: row.real("level")?,
        filled_at: row.opt_time("filled_at")?.unwrap_or(Timestamp::EPOCH),
    };
    Ok(Line { key, permits: Some(permits) })
}

impl<D: Dialect> SqlStore<D> {
    pub(super) fn turnstile(&self, now: Timestamp) -> Turnstile {
        Turnstile::of(&*self.db, now)
    }

    /// Rings for what was let through, once that is durable.
    pub(super) fn ring_for_turned(&self, turned: Turned) {
        if turned.admitted {
            self.ring(Ring::Work);
        }
        if let Some(at) = turned.next {
            self.ring(Ring::Due(at));
        }
    }

    /// Looks at lines in a transaction of its own, after the one that changed them: that somebody has to is noted by it.
    pub(super) async fn turn_apart(&self, turns: Turns, now: Timestamp) -> Done<()> {
        if turns.is_empty() {
            return Ok(());
        }
        let turnstile = self.turnstile(now);
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                s.turns().extend(turns);
                turnstile.turn(s).await
            })
        });
        self.ring_for_turned(work.await?);
        Ok(())
    }

    /// Looks at the lines that are due, and takes a step of the walk if there is one; answers whether there may be more to do.
    pub(super) async fn turn_due(&self, now: Timestamp) -> Done<bool> {
        let (mut keys, mut walks) = (Turns::new(), false);
        let values = vec![now.into(), DUE.into()];
        for mut row in self.db.read(self.db.statements().turns_due, values).await? {
            walks = row.flag("walks")?;
            keys.extend(row.opt_text("key")?);
        }
        let more = keys.len() >= DUE as usize;
        self.turn_apart(keys, now).await?;
        Ok(walks && self.walk_for_limits(now).await? || more)
    }
}
