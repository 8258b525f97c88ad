//! A claim on PostgreSQL: one statement.

use std::sync::Arc;

use super::Postgres;
use crate::job::Weight;
use crate::store::batch::join;
use crate::store::claimed::{Ask, Taken};
use crate::store::dialect::{Dialect as _, Outcome};
use crate::store::fault::Fault;
use crate::store::value::Value;
use crate::store::{QueueShare, Turn};

pub(super) async fn claim(postgres: &Postgres, ask: &Ask) -> Outcome<Taken> {
    let statement = match ask.turn {
        Turn::Fresh => postgres.own.claim,
        Turn::LastChance => postgres.own.claim_last_chance,
    };
    let mut rows = postgres.road.run(statement, values(ask)).await?;
    let first = rows.first_mut().ok_or(Fault::Database(sqlx::Error::RowNotFound))?;
    let (alive, contended, cut) = (first.flag("alive")?, first.flag("contended")?, first.flag("cut")?);
    let last_chances = first.flag("last_chances")?;
    rows.retain(|row| row.has("id"));
    Ok(Taken { alive, contended, cut, last_chances, rows })
}

/// What both claims are given.
pub(super) fn values(ask: &Ask) -> Vec<Value> {
    vec![
        ask.node.into(),
        ask.runs.as_slice().into(),
        ask.now.into(),
        Arc::clone(&ask.kinds).into(),
        rooms(ask),
        ask.classes(),
        i64::try_from(ask.bytes).unwrap_or(i64::MAX).into(),
        shares(ask),
        number(Weight::TURN),
    ]
}

fn number(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

/// Of the queues that differ from others; null for none, which is the usual thing on a node with one.
fn shares(ask: &Ask) -> Value {
    let share = |share: &QueueShare| {
        Postgres::WIRE.item(|fields| {
            fields.text("queue", &share.queue);
            fields.number("ahead", share.ahead);
            fields.number("cost", share.weight.cost());
        })
    };
    (!ask.shares.is_empty()).then(|| join(ask.shares.iter().map(share))).into()
}

fn rooms(ask: &Ask) -> Value {
    let rooms = ask.rooms.as_ref().map(|rooms| {
        let room = |room: &crate::store::QueueRoom| {
            Postgres::WIRE.item(|fields| {
                fields.text("queue", &room.queue);
                fields.number("room", room.room);
            })
        };
        join(rooms.iter().map(room))
    });
    rooms.into()
}
