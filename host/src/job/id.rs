//! Ids: UUIDv7, minted by whoever asks, so that a repeated request is the same thing.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

use super::{Timestamp, cut};

/// A text that is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id: an id is a UUID, such as 019a0e7c-5b1f-7c3e-9d42-0f6b8f0c5a11")]
pub struct InvalidId(String);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id whose time part is `now` (millisecond precision) and whose rest is random.
            pub fn mint(now: Timestamp) -> Self {
                let (seconds, nanos) = now.unix_parts();
                Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)))
            }

            /// An id that is before all that are minted from `at` on, and after those minted earlier.
            pub fn floor(at: Timestamp) -> Self {
                let millis = u128::from(at.micros().unsigned_abs() / 1000);
                Self(Uuid::from_u128(millis << 80))
            }

            /// The id as the UUID that crosses the wire.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId(cut(text, 64).to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id! {
    /// Names a job; stable over attempts, so it is the idempotency key for external effects.
    JobId
}
id! {
    /// Names one attempt at a job. It is also the lease token that every later write carries.
    RunId
}
id! {
    /// Names one life of a host process; never reused.
    NodeId
}
id! {
    /// Names one change that an operator asked for, so that a repeat answers what was recorded.
    ActionId
}

/// Mints job ids that only grow, whatever the clock does: jobs that are asked for one after the other keep their order.
#[derive(Debug)]
pub struct JobIds(Mutex<ContextV7>);

impl Default for JobIds {
    fn default() -> Self {
        Self(Mutex::new(ContextV7::new()))
    }
}

impl JobIds {
    /// As [`JobId::mint`], and greater than every one before it.
    pub fn mint(&self, now: Timestamp) -> JobId {
        let (seconds, nanos) = now.unix_parts();
        let ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        JobId(Uuid::new_v7(uuid::Timestamp::from_unix(&*ids, seconds, nanos)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_the_time_it_was_minted() {
        let now = Timestamp::from_micros(1_700_000_000_123_456);
        let id = JobId::mint(now).uuid();
        assert_eq!(id.get_version_num(), 7);
        let (seconds, nanos) = id.get_timestamp().expect("a v7 id has a time").to_unix();
        assert_eq!((seconds, nanos / 1_000_000), (1_700_000_000, 123));
    }

    #[test]
    fn job_ids_of_one_minter_keep_the_order_in_which_they_were_minted() {
        let ids = JobIds::default();
        let at = |n: u64| Timestamp::from_micros(i64::try_from(n / 3000 * 100).expect("small"));
        let minted: Vec<_> = (0..20_000).map(|n| ids.mint(at(n))).collect();
        assert!(minted.is_sorted());
        assert!(ids.mint(Timestamp::EPOCH) > minted[minted.len() - 1], "also when the clock goes back");
    }

    #[test]
    fn two_ids_of_one_instant_differ_and_read_back() {
        let now = Timestamp::from_micros(0);
        let (a, b) = (RunId::mint(now), RunId::mint(now));
        assert_ne!(a, b);
        assert_eq!(a.to_string().parse::<RunId>().expect("reads back"), a);
        insta::assert_snapshot!("12".parse::<RunId>().expect_err("none"), @r#""12" is no id: an id is a UUID, such as 019a0e7c-5b1f-7c3e-9d42-0f6b8f0c5a11"#);
    }
}
