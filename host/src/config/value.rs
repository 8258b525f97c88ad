//! Values of settings that are more than a word or a quantity: how each is written, in a file, a variable or a flag.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::job::{Backoff, ExecutorClass, MAX_DELAY, Queue, Weight};
use crate::quantity::Span;
use crate::sandbox::Allocator;

/// Where HTTP is answered: an address, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// There.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

impl FromStr for Listen {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::Off),
            text => text.parse().map(Self::At).map_err(|_| {
                format!("{text:?} is not an address: write it as 127.0.0.1:8484, [::1]:8484, or none")
            }),
        }
    }
}

/// An executor class, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassName {
    /// `*`.
    Every,
    /// This one; the empty name is the jobs without a class.
    Only(ExecutorClass),
}

impl FromStr for ClassName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "*" => Ok(Self::Every),
            text => ExecutorClass::new(text)
                .map(Self::Only)
                .map_err(|error| format!("{error}, or * for every class")),
        }
    }
}

/// Delays that double, from a base up to a cap: `1s..1m`, or `100ms` with the usual cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays(pub(super) Backoff);

impl Delays {
    fn new(base: Duration, cap: Option<Duration>) -> Result<Self, String> {
        let cap = cap.unwrap_or_else(|| Backoff::default().cap.max(base));
        if base < Duration::from_millis(1) || base > cap || cap > MAX_DELAY {
            let (base, cap) = (Span(base), Span(cap));
            return Err(format!(
                "delays from {base} up to {cap}: must be 1ms to 30d, the base at most the cap"
            ));
        }
        Ok(Self(Backoff { base, cap }))
    }
}

impl FromStr for Delays {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (base, cap) = text.split_once("..").map_or((text, None), |(base, cap)| (base, Some(cap)));
        let read = |text: &str| text.parse().map(|Span(delay)| delay).map_err(|error| error.to_string());
        Self::new(read(base)?, cap.map(read).transpose()?)
    }
}

/// Where the memory of sandboxes comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllocatorName {
    /// A pool that is mapped once.
    Pooling,
    /// Mapped for every attempt.
    OnDemand,
}

impl From<AllocatorName> for Allocator {
    fn from(name: AllocatorName) -> Self {
        match name {
            AllocatorName::Pooling => Self::Pooling,
            AllocatorName::OnDemand => Self::OnDemand,
        }
    }
}

/// What is said of a queue that a node takes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QueueTerms {
    pub(super) concurrency: Option<NonZeroU16>,
    pub(super) weight: Weight,
}

/// A queue that a node takes from: `NAME`, `NAME=N` with the most attempts of it at once, or either with `:W`, its weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueChoice {
    pub(super) queue: Queue,
    pub(super) terms: QueueTerms,
}

impl FromStr for QueueChoice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (text, share) = text.split_once(':').map_or((text, None), |(text, share)| (text, Some(share)));
        let (name, number) = text.split_once('=').map_or((text, None), |(name, number)| (name, Some(number)));
        let queue = Queue::new(name).map_err(|error| error.to_string())?;
        let number = number.map(|number| {
            number.parse().map_err(|_| format!("{number:?} is not a number of attempts: 1 to 65535"))
        });
        let weight = share.map(|share| {
            let weight = share.parse().ok().and_then(Weight::new);
            weight.ok_or_else(|| format!("{share:?} is not a weight: 1 to {}", Weight::MOST))
        });
        let terms =
            QueueTerms { concurrency: number.transpose()?, weight: weight.transpose()?.unwrap_or_default() };
        Ok(Self { queue, terms })
    }
}

/// In a file: a number of attempts, or a table.
impl<'de> Deserialize<'de> for QueueTerms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QueueVisitor)
    }
}

struct QueueVisitor;

impl<'de> Visitor<'de> for QueueVisitor {
    type Value = QueueTerms;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of attempts, or { concurrency = N, weight = N }")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<QueueTerms, E> {
        let number = u16::try_from(number).ok().and_then(NonZeroU16::new);
        number
            .map(|number| QueueTerms { concurrency: Some(number), ..QueueTerms::default() })
            .ok_or_else(|| E::custom("a number of attempts is 1 to 65535"))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<QueueTerms, A::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            concurrency: Option<NonZeroU16>,
            #[serde(default, deserialize_with = "weight")]
            weight: Weight,
        }
        let Table { concurrency, weight } =
            Table::deserialize(de::value::MapAccessDeserializer::new(entries))?;
        Ok(QueueTerms { concurrency, weight })
    }
}

fn weight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weight, D::Error> {
    let number = i64::deserialize(deserializer)?;
    let weight = u16::try_from(number).ok().and_then(Weight::new);
    weight.ok_or_else(|| de::Error::custom(format!("{number} is not a weight: 1 to {}", Weight::MOST)))
}

/// Reads what is written as text everywhere.
macro_rules! written_as_text {
    ($($name:ident),+) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )+};
}

written_as_text!(Listen, ClassName);

impl<'de> Deserialize<'de> for Delays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DelaysVisitor)
    }
}

struct DelaysVisitor;

impl<'de> Visitor<'de> for DelaysVisitor {
    type Value = Delays;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("delays, such as \"1s..1m\" or { base = \"1s\", cap = \"1m\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Delays, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Delays, A::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            base: Span,
            cap: Option<Span>,
        }
        let Table { base, cap } = Table::deserialize(de::value::MapAccessDeserializer::new(entries))?;
        Delays::new(base.0, cap.map(|Span(cap)| cap)).map_err(de::Error::custom)
    }
}
