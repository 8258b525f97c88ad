//! The promoter: what has become due is made available.

use crate::job::Timestamp;
use crate::store::dialect::{Dialect, Ring};
use crate::store::sql_store::SqlStore;
use crate::store::{Promoted, Result};

const DOING: &str = "promoting due jobs";

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn promote_due(&self, limit: u32, now: Timestamp) -> Result<Promoted> {
        self.check_time(now).await?;
        let (promote, next) = (self.db.statements().promote, self.db.statements().next_due);
        let work = self.db.alone(move |s| {
            Box::pin(async move {
                let promoted = s.run(promote, vec![now.into(), limit.into()]).await?;
                Ok((promoted, s.run(next, vec![now.into()]).await?))
            })
        });
        let (promoted, next) = work.await.map_err(|fault| fault.told(DOING))?;
        let mut count: u32 = 0;
        for mut row in promoted {
            count += row.int::<u32>("n")?;
        }
        let mut next_due = None;
        if count > 0 && count >= limit {
            // More may be due already.
            next_due = Some(now);
        } else if let Some(mut row) = next.into_iter().next() {
            next_due = Some(row.time("scheduled_at")?);
        }
        self.next_due(next_due);
        if count > 0 {
            self.ring(Ring::Work);
        }
        Ok(Promoted { count, next_due })
    }
}
