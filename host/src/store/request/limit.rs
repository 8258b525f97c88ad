//! What is asked of limits, and answered.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::job::{Field, Kind, Limit, LimitError, LimitName, Queue, Rate};
use crate::timing::Origin;

/// A limit as it is remembered, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct LimitRecord {
    pub name: LimitName,
    pub queue: Option<Queue>,
    pub kind: Option<Kind>,
    /// The field of the args that has the key; none, if it is about the whole of a queue or a kind.
    pub field: Option<String>,
    pub concurrency: Option<u32>,
    pub permits: Option<u32>,
    pub per_ms: Option<u64>,
    pub burst: Option<u32>,
    pub origin: Origin,
}

impl LimitRecord {
    /// The record of a definition.
    pub fn new(limit: &Limit, origin: Origin) -> Self {
        Self {
            name: limit.name.clone(),
            queue: limit.queue.clone(),
            kind: limit.kind.clone(),
            field: limit.key.as_ref().map(|field| field.as_str().to_owned()),
            concurrency: limit.concurrency,
            permits: limit.rate.map(|rate| rate.permits),
            per_ms: limit.rate.map(|rate| u64::try_from(rate.per.as_millis()).unwrap_or(u64::MAX)),
            burst: limit.rate.map(|rate| rate.burst),
            origin,
        }
    }

    /// The definition that it records.
    ///
    /// # Errors
    /// [`LimitError`] if another program wrote what is none.
    pub fn limit(&self) -> Result<Limit, LimitError> {
        let rate = match (self.permits, self.per_ms, self.burst) {
            (Some(permits), Some(per_ms), Some(burst)) => {
                Some(Rate { permits, per: Duration::from_millis(per_ms), burst })
            }
            _ => None,
        };
        let limit = Limit {
            name: self.name.clone(),
            queue: self.queue.clone(),
            kind: self.kind.clone(),
            key: self.field.as_deref().map(Field::new).transpose()?,
            concurrency: self.concurrency,
            rate,
        };
        limit.check().map(|()| limit)
    }
}

/// What became of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKept {
    /// It is new.
    Added,
    /// There was one of this name: it is like this now.
    Changed,
    /// It was like this before.
    Unchanged,
    /// A configuration has it, which alone changes it.
    OfConfig,
    /// This limit puts the same jobs into lines by key, and a job can be in one only.
    Rival(LimitName),
}

/// What became of an order to remove a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitRemoved {
    /// It is gone; this is who made it.
    Removed(Origin),
    /// There is no such limit.
    NotFound,
}

/// What became of the limits of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitsReconciled {
    /// New ones.
    pub added: Vec<LimitName>,
    /// Those that are different from what they were.
    pub changed: Vec<LimitName>,
    /// Those that no configuration has any more: they are gone.
    pub removed: Vec<LimitName>,
    /// Those that an operator has made under the same name, which are left alone.
    pub of_operators: Vec<LimitName>,
    /// Those that are not kept, because another limit puts the same jobs into lines by key.
    pub rivals: Vec<(LimitName, LimitName)>,
}

/// A key of a limit, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitLine {
    /// The limit's name, a colon, and the key.
    pub limit_key: String,
    /// Jobs that run, or may run as soon as somebody claims them.
    pub permits: u64,
    /// Jobs that wait for a permit.
    pub blocked: u64,
}
