//! Queues and kinds are paused and resumed for all nodes: a flag that claims honour.

use std::collections::BTreeSet;

use crate::job::{Queue, Timestamp};
use crate::store::dialect::{Dialect, Ring};
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::{Flag, FlagSet, Flagged, Result, SingleOrder};

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn set_flag(
        &self,
        order: &SingleOrder,
        flagged: &Flagged,
        flag: Flag,
        now: Timestamp,
    ) -> Result<FlagSet> {
        let (what, flagged) = (format!("{} {flagged}", flag.name()), flagged.clone());
        let answer = self.carry_out_one(order, what, now, move |s, texts| {
            let (statement, name) = match (&flagged, flag) {
                (Flagged::Queue(queue), Flag::Pause) => (texts.queue_pause, queue.as_str().into()),
                (Flagged::Queue(queue), Flag::Resume) => (texts.queue_resume, queue.as_str().into()),
                (Flagged::Kind(kind), Flag::Pause) => (texts.kind_pause, kind.as_str().into()),
                (Flagged::Kind(kind), Flag::Resume) => (texts.kind_resume, kind.as_str().into()),
            };
            Box::pin(async move {
                let set = s.run(statement, vec![name]).await?;
                Ok(if set.is_empty() { FlagSet::AsItWas } else { FlagSet::Set })
            })
        });
        let answer = answer.await.map_err(|fault| fault.told("setting a flag"))?;
        if flag == Flag::Resume {
            self.ring(Ring::Work);
        }
        Ok(answer)
    }

    pub(in crate::store) async fn read_paused_queues(&self) -> Result<BTreeSet<Queue>> {
        let rows = self.ask(self.db.statements().queues_paused, Vec::new(), "reading the queues").await?;
        Ok(rows.into_iter().filter_map(|mut row| readable(row.name("queue", Queue::stored))).collect())
    }
}
