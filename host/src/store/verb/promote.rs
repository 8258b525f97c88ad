//! The promoter: what has become due is made available, and lines of limits are looked at that nobody else looks at.

use crate::job::Timestamp;
use crate::store::dialect::{Dialect, Outcome as Done, Ring};
use crate::store::sql_store::SqlStore;
use crate::store::{Database, Promoted, Result};

use super::turn::Turned;

const DOING: &str = "promoting due jobs";

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn promote_due(&self, limit: u32, now: Timestamp) -> Result<Promoted> {
        self.check_time(now).await?;
        self.promote_in_steps(limit, now).await.map_err(|fault| fault.told(DOING))
    }

    async fn promote_in_steps(&self, limit: u32, now: Timestamp) -> Done<Promoted> {
        let (promote, turnstile) = (self.db.statements().promote, self.turnstile(now));
        let work = self.db.alone(move |s| {
            Box::pin(async move {
                let promoted = s.run(promote, vec![now.into(), limit.into()]).await?;
                // Where this is a transaction, lines are looked at in it.
                let turned = match D::DATABASE {
                    Database::Sqlite => turnstile.turn(s).await?,
                    Database::Postgres => Turned::default(),
                };
                Ok((promoted, turned, std::mem::take(s.turns())))
            })
        });
        let (promoted, turned, turns) = work.await?;
        self.ring_for_turned(turned);
        let mut count: u32 = 0;
        for mut row in promoted {
            count += row.int::<u32>("n")?;
        }
        if count > 0 {
            self.ring(Ring::Work);
        }
        self.turn_apart(turns, now).await?;
        let more = self.turn_due(now).await? || count > 0 && count >= limit;
        let next = self.db.read(self.db.statements().next_due, vec![now.into()]).await?;
        let next = next.into_iter().next().map(|mut row| row.time("scheduled_at")).transpose()?;
        let next_due = if more { Some(now) } else { next };
        self.next_due(next_due);
        Ok(Promoted { count, next_due })
    }
}
