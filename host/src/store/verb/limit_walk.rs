//! The walk over all jobs after a limit by key was set, changed or removed: each job that has not ended is put into the line
//! that it belongs to now. A step at a time, each in a transaction of its own, by whichever promoter comes by.

use crate::job::{JobId, Timestamp};
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;

use super::find::newest;
use super::turn::{Turned, Turnstile};

/// Jobs of one step.
const STEP: u32 = 1000;

impl<D: Dialect> SqlStore<D> {
    /// Takes a step; answers whether there is another.
    pub(super) async fn walk_for_limits(&self, now: Timestamp) -> Done<bool> {
        let (statements, turnstile) = (self.db.statements().clone(), self.turnstile(now));
        let work = self.db.transact(move |s| Box::pin(async move { step(s, &statements, &turnstile).await }));
        let stepped = work.await?;
        self.ring_for_turned(stepped.unwrap_or_default());
        Ok(stepped.is_some())
    }
}

async fn step(
    session: &mut dyn Session,
    statements: &Statements,
    turnstile: &Turnstile,
) -> Done<Option<Turned>> {
    let rows = session.run(statements.limit_walk_take, Vec::new()).await?;
    // Somebody else is on it.
    let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
    let (from, rounds): (JobId, u32) = (row.id("before")?, row.int("rounds")?);
    let seen = session.run(statements.limit_walk_see, vec![from.into(), STEP.into()]).await?;
    let mut first = seen.into_iter().next();
    let to: Option<JobId> = first.as_mut().map(|row| row.opt_id("before")).transpose()?.flatten();
    let (before, rounds) = match (to, rounds.saturating_sub(1)) {
        (Some(to), _) => {
            session.run(statements.limit_walk_put, vec![to.into(), from.into()]).await?;
            (Some(to), rounds)
        }
        (None, 0) => (None, 0),
        (None, rounds) => (Some(newest()), rounds),
    };
    session.run(statements.limit_walk_go, vec![before.into(), rounds.into()]).await?;
    turnstile.turn(session).await.map(Some)
}
