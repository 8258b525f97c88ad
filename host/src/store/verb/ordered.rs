//! An order about one thing that is no job: carried out once, and its answer recorded in the same transaction.

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::job::Timestamp;
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::fault::{Blame, Fault};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::{SingleOrder, StoreError};

/// How often an order is begun anew that lost a race.
const ROUNDS: usize = 3;

/// What is done for an order, inside its transaction; it may have to be done more than once.
pub(super) trait Deed<A>:
    for<'s> Fn(&'s mut dyn Session, Statements) -> BoxFuture<'s, Done<A>> + Clone + Send + Sync + 'static
{
}

impl<A, F> Deed<A> for F where
    F: for<'s> Fn(&'s mut dyn Session, Statements) -> BoxFuture<'s, Done<A>> + Clone + Send + Sync + 'static
{
}

impl<D: Dialect> SqlStore<D> {
    /// Carries out an order, or answers what was recorded of it. `what` says what it is about, its object included.
    pub(super) async fn carry_out_one<A>(
        &self,
        order: &SingleOrder,
        what: String,
        now: Timestamp,
        deed: impl Deed<A>,
    ) -> Done<A>
    where
        A: Send + Serialize + DeserializeOwned + 'static,
    {
        let mut round = 1;
        loop {
            let (order, what, deed) = (order.clone(), what.clone(), deed.clone());
            let statements = self.db.statements().clone();
            let transaction = self.db.transact(move |s| {
                Box::pin(async move {
                    // An order about one thing has one batch, which has the order's own id.
                    let (action, batch) = (order.action, order.action);
                    let begin =
                        vec![action.into(), batch.into(), order.who.into(), now.into(), what.clone().into()];
                    if s.run(statements.action_begin, begin).await?.is_empty() {
                        let rows = s.run(statements.action_read, vec![action.into(), batch.into()]).await?;
                        return recorded(rows, &what);
                    }
                    let answer = deed(&mut *s, statements.clone()).await?;
                    let text = serde_json::to_string(&answer).unwrap_or_default();
                    // It is about no job.
                    let (none, about) = (0_u32, None::<String>);
                    let values = vec![
                        action.into(),
                        batch.into(),
                        text.into(),
                        none.into(),
                        none.into(),
                        about.into(),
                    ];
                    s.run(statements.action_answer, values).await?;
                    Ok(answer)
                })
            });
            match transaction.await {
                Err(fault) if round < ROUNDS && (fault.is_duplicate() || fault.blame() == Blame::Race) => {
                    round += 1;
                }
                answer => return answer,
            }
        }
    }
}

fn recorded<A: DeserializeOwned>(rows: Vec<crate::store::value::Row>, what: &str) -> Done<A> {
    let mut row = rows.into_iter().next().ok_or(Fault::Database(sqlx::Error::RowNotFound))?;
    let (ordered, answer) = (row.text("what")?, row.text("answer")?);
    match serde_json::from_str(&answer) {
        Ok(answer) if ordered == what => Ok(answer),
        Ok(_) | Err(_) => {
            let found = format!("{ordered} {answer}");
            Err(StoreError::Unreadable { what: "the answer of an order", found }.into())
        }
    }
}
