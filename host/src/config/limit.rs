//! `[[limits]]`: what a file says of a limit.

use serde::Deserialize as _;

use super::rate::Written;
use crate::job::{Field, Kind, Limit, LimitName, Queue, Rate};

/// A limit of a file, checked.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(try_from = "LimitTable")]
pub(super) struct FileLimit(pub(super) Limit);

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitTable {
    name: LimitName,
    queue: Option<Queue>,
    kind: Option<Kind>,
    key: Option<String>,
    concurrency: Option<u32>,
    #[serde(default, deserialize_with = "rate")]
    rate: Option<Rate>,
    burst: Option<u32>,
}

fn rate<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Rate>, D::Error> {
    let Written(rate) = String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)?;
    Ok(Some(rate))
}

impl TryFrom<LimitTable> for FileLimit {
    type Error = String;

    fn try_from(table: LimitTable) -> Result<Self, String> {
        let LimitTable { name, queue, kind, key, concurrency, rate, burst } = table;
        let told = |error: String| format!("limit {name}: {error}");
        if burst.is_some() && rate.is_none() {
            return Err(told("`burst` says nothing without `rate`".into()));
        }
        let key = key.as_deref().map(Field::new).transpose().map_err(|error| told(error.to_string()))?;
        let rate = rate.map(|rate| Rate { burst: burst.unwrap_or(rate.burst), ..rate });
        let limit = Limit { name: name.clone(), queue, kind, key, concurrency, rate };
        limit.check().map_err(|error| told(error.to_string()))?;
        Ok(Self(limit))
    }
}
