//! Limits come, change and go: by an operator's order, or as the configuration of a node has them.

use crate::job::{Limit, LimitName, Timestamp};
use crate::store::batch::{Wire, join, texts};
use crate::store::dialect::{Dialect, Outcome as Done, Ring, Session};
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::value::Row;
use crate::store::{LimitKept, LimitLine, LimitRecord, LimitRemoved, LimitsReconciled, Result, SingleOrder};
use crate::timing::Origin;

use super::find::newest;

/// How often the jobs are walked after a change. In the second walk a line is looked at that lost a job in the first,
/// after those that wait in it were met; and jobs that came in meanwhile by transactions that began before.
const ROUNDS: u32 = 2;

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn read_limits(&self) -> Result<Vec<LimitRecord>> {
        let rows = self.ask(self.db.statements().limits, Vec::new(), "reading the limits").await?;
        Ok(rows.into_iter().filter_map(|row| readable(record(row))).collect())
    }

    pub(in crate::store) async fn read_limit_lines(
        &self,
        name: &LimitName,
        most: u32,
    ) -> Result<Vec<LimitLine>> {
        // After the colon comes the semicolon.
        let values = vec![format!("{name}:").into(), format!("{name};").into(), most.into()];
        let rows = self.ask(self.db.statements().limit_lines, values, "reading the lines of a limit").await?;
        let line = |mut row: Row| {
            Ok(LimitLine {
                limit_key: row.text("limit_key")?,
                permits: row.int("permits")?,
                blocked: row.int("blocked")?,
            })
        };
        rows.into_iter().map(line).collect()
    }

    pub(in crate::store) async fn put_limit(
        &self,
        order: &SingleOrder,
        limit: &Limit,
        now: Timestamp,
    ) -> Result<LimitKept> {
        let (limit, what) = (limit.clone(), format!("limits set {}", limit.name));
        let answer = self.carry_out_one(order, what, now, move |s, statements| {
            let limit = limit.clone();
            Box::pin(async move {
                let mut book = Book::open(s, statements, D::WIRE, now).await?;
                let kept = book.keep(s, &limit, Origin::Operator).await?;
                book.close(s).await?;
                Ok(kept)
            })
        });
        self.limits_changed(answer.await.map_err(|fault| fault.told("setting a limit"))?)
    }

    pub(in crate::store) async fn drop_limit(
        &self,
        order: &SingleOrder,
        name: &LimitName,
        now: Timestamp,
    ) -> Result<LimitRemoved> {
        let (name, what) = (name.clone(), format!("limits remove {name}"));
        let answer = self.carry_out_one(order, what, now, move |s, statements| {
            let name = name.clone();
            Box::pin(async move {
                let mut book = Book::open(s, statements, D::WIRE, now).await?;
                let removed = book.remove(s, &name).await?;
                book.close(s).await?;
                Ok(removed.map_or(LimitRemoved::NotFound, LimitRemoved::Removed))
            })
        });
        self.limits_changed(answer.await.map_err(|fault| fault.told("removing a limit"))?)
    }

    pub(in crate::store) async fn compare_limits(
        &self,
        limits: &[Limit],
        now: Timestamp,
    ) -> Result<LimitsReconciled> {
        let (wanted, statements) = (limits.to_vec(), self.db.statements().clone());
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                let mut book = Book::open(s, statements, D::WIRE, now).await?;
                let reconciled = book.reconcile(s, &wanted).await?;
                book.close(s).await?;
                Ok(reconciled)
            })
        });
        self.limits_changed(work.await.map_err(|fault| fault.told("comparing the limits"))?)
    }

    /// Whoever walks the jobs is told, and whoever claims: there may be more room now.
    fn limits_changed<T>(&self, answer: T) -> Result<T> {
        self.ring(Ring::Lines);
        self.ring(Ring::Work);
        Ok(answer)
    }
}

/// The definitions, held against other changes until the transaction ends.
struct Book {
    statements: Statements,
    wire: Wire,
    now: Timestamp,
    records: Vec<LimitRecord>,
    /// Jobs may be in other lines now, or lines have other permits.
    walks: bool,
}

impl Book {
    async fn open(
        session: &mut dyn Session,
        statements: Statements,
        wire: Wire,
        now: Timestamp,
    ) -> Done<Self> {
        session.run(statements.limits_hold, Vec::new()).await?;
        let rows = session.run(statements.limits, Vec::new()).await?;
        let records = rows.into_iter().filter_map(|row| readable(record(row))).collect();
        Ok(Self { statements, wire, now, records, walks: false })
    }

    fn named(&self, name: &LimitName) -> Option<&LimitRecord> {
        self.records.iter().find(|record| record.name == *name)
    }

    async fn keep(&mut self, session: &mut dyn Session, limit: &Limit, origin: Origin) -> Done<LimitKept> {
        let record = LimitRecord::new(limit, origin);
        let had = self.named(&limit.name);
        if had.is_some_and(|had| had.origin == Origin::Config && origin == Origin::Operator) {
            return Ok(LimitKept::OfConfig);
        }
        if had == Some(&record) {
            return Ok(LimitKept::Unchanged);
        }
        let others = self.records.iter().filter_map(|record| record.limit().ok());
        if let Some(rival) = others.into_iter().find(|other| limit.rivals(other)) {
            return Ok(LimitKept::Rival(rival.name));
        }
        let kept = if had.is_some() { LimitKept::Changed } else { LimitKept::Added };
        self.walks |= record.field.is_some() || had.is_some_and(|had| had.field.is_some());
        let values = vec![join([encode(self.wire, &record, limit)]).into(), self.now.into()];
        session.run(self.statements.limit_put, values).await?;
        self.records.retain(|had| had.name != record.name);
        self.records.push(record);
        Ok(kept)
    }

    async fn remove(&mut self, session: &mut dyn Session, name: &LimitName) -> Done<Option<Origin>> {
        let rows = session.run(self.statements.limit_remove, vec![name.into()]).await?;
        let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
        // One that can't be read may have had lines.
        self.walks |= self.named(name).is_none_or(|had| had.field.is_some());
        self.records.retain(|had| had.name != *name);
        Ok(Some(row.word("origin")?))
    }

    async fn reconcile(&mut self, session: &mut dyn Session, wanted: &[Limit]) -> Done<LimitsReconciled> {
        let mut answer = LimitsReconciled::default();
        let of_config = self.records.iter().filter(|record| record.origin == Origin::Config);
        let gone: Vec<LimitName> = of_config
            .map(|record| record.name.clone())
            .filter(|name| wanted.iter().all(|limit| limit.name != *name))
            .collect();
        for name in gone {
            self.remove(session, &name).await?;
            answer.removed.push(name);
        }
        for limit in wanted {
            let name = limit.name.clone();
            if self.named(&name).is_some_and(|had| had.origin == Origin::Operator) {
                answer.of_operators.push(name);
                continue;
            }
            match self.keep(session, limit, Origin::Config).await? {
                LimitKept::Added => answer.added.push(name),
                LimitKept::Changed => answer.changed.push(name),
                LimitKept::Unchanged | LimitKept::OfConfig => {}
                LimitKept::Rival(rival) => answer.rivals.push((name, rival)),
            }
        }
        Ok(answer)
    }

    /// Has the jobs walked, if that is needed: first those that run, so that whoever lets others through counts them.
    async fn close(self, session: &mut dyn Session) -> Done<()> {
        if self.walks {
            session.run(self.statements.limit_put_running, Vec::new()).await?;
            // The walk looks at their lines.
            session.turns().clear();
            let values = vec![newest().into(), ROUNDS.into()];
            session.run(self.statements.limit_walk_go, values).await?;
        }
        Ok(())
    }
}

fn record(mut row: Row) -> Result<LimitRecord> {
    let row = &mut row;
    Ok(LimitRecord {
        name: row.name("name", LimitName::stored)?,
        queue: row.opt_text("queue")?.as_deref().map(crate::job::Queue::stored),
        kind: row.opt_text("kind")?.as_deref().map(crate::job::Kind::stored),
        field: row.opt_text("field")?,
        concurrency: row.opt_int("concurrency")?,
        permits: row.opt_int("permits")?,
        per_ms: row.opt_int("per_ms")?,
        burst: row.opt_int("burst")?,
        origin: row.word("origin")?,
    })
}

fn encode(wire: Wire, record: &LimitRecord, limit: &Limit) -> String {
    wire.item(|fields| {
        fields.text("name", &record.name);
        fields.opt_text("queue", record.queue.as_ref());
        fields.opt_text("kind", record.kind.as_ref());
        fields.opt_text("field", record.field.as_ref());
        if let Some(key) = &limit.key {
            fields.json("path", &texts(key.steps()));
        }
        fields.opt_number("concurrency", record.concurrency);
        fields.opt_number("permits", record.permits);
        fields.opt_number("per_ms", record.per_ms);
        fields.opt_number("burst", record.burst);
        fields.text("origin", record.origin.as_str());
    })
}
