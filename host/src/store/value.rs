//! What crosses the wire between a verb and a database, in neither's own types.
//!
//! A verb hands [`Value`]s to a statement and reads [`Row`]s of [`Cell`]s. How each is bound and decoded is the
//! dialect's business; what a cell means is the codec's.

use std::sync::Arc;

use uuid::Uuid;

use crate::job::{ActionId, JobId, LimitName, NodeId, RunId, Slug, Timestamp};

/// A parameter of a statement.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Int(i64),
    Flag(bool),
    Text(Option<Arc<str>>),
    Id(Option<Uuid>),
    /// An array on PostgreSQL, JSON text on SQLite.
    Ids(Vec<Uuid>),
    Time(Option<Timestamp>),
    Bytes(Arc<[u8]>),
}

/// One column of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell {
    #[default]
    Null,
    Int(i64),
    Flag(bool),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
    Id(Uuid),
    Time(Timestamp),
}

/// A row of an answer; its columns are found by their names.
#[derive(Clone, Debug)]
pub(super) struct Row {
    columns: Arc<[Box<str>]>,
    cells: Vec<Cell>,
}

impl Row {
    pub(super) fn new(columns: Arc<[Box<str>]>, cells: Vec<Cell>) -> Self {
        Self { columns, cells }
    }

    /// Whether the column has a value.
    pub(super) fn has(&self, column: &str) -> bool {
        let at = self.columns.iter().position(|name| **name == *column);
        at.and_then(|at| self.cells.get(at)).is_some_and(|cell| *cell != Cell::Null)
    }

    /// Takes the cell out: each is read once.
    pub(super) fn take(&mut self, column: &str) -> Option<Cell> {
        let at = self.columns.iter().position(|name| **name == *column)?;
        self.cells.get_mut(at).map(|cell| std::mem::replace(cell, Cell::Null))
    }
}

/// Takes the lines of limits that an answer names.
pub(super) fn gather_turns(rows: &mut [Row], turns: &mut std::collections::BTreeSet<String>) {
    let named = |row: &Row| row.columns.iter().position(|name| **name == *"turn");
    let Some(at) = rows.first().and_then(named) else { return };
    for row in rows {
        if let Some(Cell::Text(key)) = row.cells.get_mut(at).map(std::mem::take) {
            turns.insert(key);
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.into()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text.into()))
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::Text(Some(text))
    }
}

impl From<&Slug> for Value {
    fn from(slug: &Slug) -> Self {
        slug.as_str().into()
    }
}

impl From<&LimitName> for Value {
    fn from(name: &LimitName) -> Self {
        name.as_str().into()
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(Into::into))
    }
}

impl From<Arc<[u8]>> for Value {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Time(Some(at))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Time(at)
    }
}

macro_rules! ids {
    ($($id:ident)+) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Id(Some(id.uuid()))
            }
        }

        impl From<Option<$id>> for Value {
            fn from(id: Option<$id>) -> Self {
                Self::Id(id.map(|id| id.uuid()))
            }
        }

        impl From<&[$id]> for Value {
            fn from(ids: &[$id]) -> Self {
                Self::Ids(ids.iter().map(|id| id.uuid()).collect())
            }
        }
    )+};
}

ids!(JobId RunId NodeId ActionId);
