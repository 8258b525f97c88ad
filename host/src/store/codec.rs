//! What the cells of a row mean: ids, instants, words and names of `job/`, whichever database they come from.

use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

use super::value::{Cell, Row};
use super::{Result, StoreError};
use crate::job::{Backoff, Json, Overrides, Timestamp, Tries, cut};

impl Row {
    fn wrong(column: &'static str, found: &Cell) -> StoreError {
        StoreError::Unreadable { what: column, found: format!("{found:?}") }
    }

    fn cell(&mut self, column: &'static str) -> Result<Cell> {
        self.take(column)
            .ok_or_else(|| StoreError::Unreadable { what: column, found: "no such column".into() })
    }

    /// A whole number, if there is one.
    pub(super) fn opt_int<T: TryFrom<i64>>(&mut self, column: &'static str) -> Result<Option<T>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Int(number) => {
                T::try_from(number).map(Some).map_err(|_| Self::wrong(column, &Cell::Int(number)))
            }
            other => Err(Self::wrong(column, &other)),
        }
    }

    /// A whole number.
    pub(super) fn int<T: TryFrom<i64>>(&mut self, column: &'static str) -> Result<T> {
        self.opt_int(column)?.ok_or_else(|| Self::wrong(column, &Cell::Null))
    }

    /// A number that need not be whole.
    pub(super) fn real(&mut self, column: &'static str) -> Result<f64> {
        match self.cell(column)? {
            Cell::Real(number) => Ok(number),
            other => Err(Self::wrong(column, &other)),
        }
    }

    /// A flag.
    pub(super) fn flag(&mut self, column: &'static str) -> Result<bool> {
        match self.cell(column)? {
            Cell::Flag(flag) => Ok(flag),
            Cell::Int(number) => Ok(number != 0),
            other => Err(Self::wrong(column, &other)),
        }
    }

    /// Text, if there is any.
    pub(super) fn opt_text(&mut self, column: &'static str) -> Result<Option<String>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            other => Err(Self::wrong(column, &other)),
        }
    }

    /// Text.
    pub(super) fn text(&mut self, column: &'static str) -> Result<String> {
        self.opt_text(column)?.ok_or_else(|| Self::wrong(column, &Cell::Null))
    }

    /// Bytes.
    pub(super) fn bytes(&mut self, column: &'static str) -> Result<Vec<u8>> {
        match self.cell(column)? {
            Cell::Bytes(bytes) => Ok(bytes),
            other => Err(Self::wrong(column, &other)),
        }
    }

    /// A word or a name, if there is one.
    pub(super) fn opt_word<T: FromStr>(&mut self, column: &'static str) -> Result<Option<T>> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| StoreError::Unreadable { what: column, found: text })
    }

    /// A word or a name.
    pub(super) fn word<T: FromStr>(&mut self, column: &'static str) -> Result<T> {
        self.opt_word(column)?.ok_or_else(|| Self::wrong(column, &Cell::Null))
    }

    /// An id, if there is one.
    pub(super) fn opt_id<T: From<Uuid>>(&mut self, column: &'static str) -> Result<Option<T>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Id(id) => Ok(Some(id.into())),
            Cell::Text(text) => Uuid::parse_str(&text)
                .map(|id| Some(id.into()))
                .map_err(|_| StoreError::Unreadable { what: column, found: text }),
            other => Err(Self::wrong(column, &other)),
        }
    }

    /// An id.
    pub(super) fn id<T: From<Uuid>>(&mut self, column: &'static str) -> Result<T> {
        self.opt_id(column)?.ok_or_else(|| Self::wrong(column, &Cell::Null))
    }

    /// An instant, if there is one.
    pub(super) fn opt_time(&mut self, column: &'static str) -> Result<Option<Timestamp>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Time(at) => Ok(Some(at)),
            Cell::Int(micros) => Ok(Some(Timestamp::from_micros(micros))),
            other => Err(Self::wrong(column, &other)),
        }
    }

    /// An instant.
    pub(super) fn time(&mut self, column: &'static str) -> Result<Timestamp> {
        self.opt_time(column)?.ok_or_else(|| Self::wrong(column, &Cell::Null))
    }

    /// JSON, if there is any.
    pub(super) fn opt_json(&mut self, column: &'static str) -> Result<Option<Json>> {
        Ok(self.opt_text(column)?.map(Json::stored))
    }

    /// JSON.
    pub(super) fn json(&mut self, column: &'static str) -> Result<Json> {
        self.text(column).map(Json::stored)
    }

    /// JSON that somebody is going to read, so that it must be some.
    pub(super) fn sound_json(&mut self, column: &'static str) -> Result<Json> {
        let json = self.json(column)?;
        if json.is_sound() {
            return Ok(json);
        }
        let found = format!("{} …", cut(json.as_str(), 80));
        Err(StoreError::Unreadable { what: column, found })
    }

    /// A name that is only carried, and so taken as it stands: another program may have written it, or a newer binary.
    pub(super) fn name<T>(&mut self, column: &'static str, stored: fn(&str) -> T) -> Result<T> {
        self.text(column).map(|text| stored(&text))
    }

    /// A list of names that are only carried, kept as a JSON array; what is no list of texts is one name.
    pub(super) fn names<T>(&mut self, column: &'static str, stored: fn(&str) -> T) -> Result<Vec<T>> {
        let text = self.text(column)?;
        match serde_json::from_str::<Vec<String>>(&text) {
            Ok(names) => Ok(names.iter().map(|name| stored(name)).collect()),
            Err(_) => Ok(vec![stored(&text)]),
        }
    }

    /// The job's counts.
    pub(super) fn tries(&mut self) -> Result<Tries> {
        Ok(Tries {
            attempt: self.int("attempt")?,
            failures: self.int("failures")?,
            crashes: self.int("crashes")?,
            releases: self.int("releases")?,
            snoozes: self.int("snoozes")?,
        })
    }

    /// The job's own delays, if it has any.
    pub(super) fn backoff(&mut self) -> Result<Option<Backoff>> {
        let base = self.opt_int("backoff_base_ms")?.map(Duration::from_millis);
        let cap = self.opt_int("backoff_cap_ms")?.map(Duration::from_millis);
        Ok(base.zip(cap).map(|(base, cap)| Backoff { base, cap }))
    }

    /// What the job asks for itself.
    pub(super) fn overrides(&mut self) -> Result<Overrides> {
        Ok(Overrides {
            max_attempts: self.opt_int("max_attempts")?,
            timeout: self.opt_int("timeout_ms")?.map(Duration::from_millis),
            fuel: self.opt_int("fuel")?,
            backoff: self.backoff()?,
        })
    }
}
