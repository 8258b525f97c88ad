//! Names that users choose: kinds, queues, executor classes, tags, keys. Valid by construction.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ActionId, Timestamp};

/// A name that is not one, and what it should have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {shown:?} is not valid: {rule}")]
pub struct NameError {
    what: &'static str,
    shown: String,
    rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text against the rule of this name.
            ///
            /// # Errors
            /// [`NameError`] says what was given and what the rule is.
            pub fn new(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    return Ok(Self(text.into()));
                }
                let shown = super::text::cut(text, 80).to_owned();
                Err(NameError { what: $what, shown, rule: $rule })
            }

            /// A name as it was stored, to be carried on: another program may have written what no rule allows.
            pub fn stored(text: &str) -> Self {
                Self(text.into())
            }

            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// The name of a sort of job; also the file name of its component.
    Kind, "kind", "1 to 64 of a-z, 0-9, _ and -, beginning with a letter", is_word
}
name! {
    /// A named line of jobs, with its own concurrency on a node.
    Queue, "queue", "1 to 64 of a-z, 0-9, _ and -, beginning with a letter", is_word
}
name! {
    /// A free label that routes jobs to nodes; the empty one is where jobs go that name none.
    ExecutorClass, "executor class", "empty, or 1 to 64 of a-z, 0-9, _ and -, beginning with a letter",
    |text| text.is_empty() || is_word(text)
}
name! {
    /// A word that a job is found by.
    Tag, "tag", "1 to 64 bytes without control characters", |text| is_printable(text, 64)
}
name! {
    /// The name of a schedule.
    Slug, "schedule", "1 to 64 of a-z, 0-9, _ and -, beginning with a letter", is_word
}
name! {
    /// The name of a limit.
    LimitName, "limit", "1 to 64 of a-z, 0-9, _ and -, beginning with a letter", is_word
}
name! {
    /// A key: one that makes a job unique, or puts it into the line of its limit.
    Key, "key", "1 to 512 bytes without control characters", |text| is_printable(text, 512)
}

impl Key {
    /// A key as a worker of the kind gives it. Such keys live in a space of their own for each kind: they hold a
    /// control character, which no other key may.
    ///
    /// # Errors
    /// [`NameError`] if the worker's part is no key.
    pub fn of_worker(kind: &Kind, text: &str) -> Result<Self, NameError> {
        Self::new(text).map(|key| Self(format!("\u{1f}{kind}\u{1f}{key}").into()))
    }

    /// The key of the job that a schedule enqueues for one bucket: `slug@unix`, in the space of keys that no kind has.
    /// Neither a user nor a worker can take it before the schedule does.
    pub fn of_bucket(slug: &Slug, bucket: Timestamp) -> Self {
        Self(format!("\u{1f}\u{1f}{slug}@{}", bucket.unix_parts().0).into())
    }

    /// The key of the job that an operator had a schedule enqueue: it is of no bucket.
    pub fn of_order(slug: &Slug, order: ActionId) -> Self {
        Self(format!("\u{1f}\u{1f}{slug}@{order}").into())
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self("default".into())
    }
}

impl Default for ExecutorClass {
    fn default() -> Self {
        Self("".into())
    }
}

fn is_word(text: &str) -> bool {
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(rest)
}

fn is_printable(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_a_lower_case_word_of_at_most_64() {
        for good in ["a", "word-count", "x_9", &"k".repeat(64)] {
            assert!(Kind::new(good).is_ok(), "{good}");
        }
        for bad in ["", "9a", "-a", "Word", "a.b", "a/b", "ä", "a b", &"k".repeat(65)] {
            assert!(Kind::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refused_name_says_what_was_given_and_what_the_rule_is() {
        let error = Kind::new("Word Count").expect_err("capitals");
        insta::assert_snapshot!(error, @r#"kind "Word Count" is not valid: 1 to 64 of a-z, 0-9, _ and -, beginning with a letter"#);
    }

    #[test]
    fn keys_and_tags_refuse_control_characters_and_count_bytes() {
        assert!(Key::new("tenant:42/ü").is_ok());
        assert!(Key::new("a\0b").is_err());
        assert!(Tag::new(&"ü".repeat(33)).is_err());
        assert!(ExecutorClass::new("").is_ok());
    }

    #[test]
    fn no_key_that_a_user_can_give_meets_one_of_a_worker() {
        let kind = Kind::new("mail").expect("valid");
        let key = Key::of_worker(&kind, "today").expect("valid");
        assert!(Key::new(key.as_str()).is_err());
        assert_ne!(key, Key::of_worker(&Kind::new("post").expect("valid"), "today").expect("valid"));
        assert!(Key::of_worker(&kind, "a\u{1f}b").is_err());
    }

    #[test]
    fn no_key_that_a_user_or_a_worker_can_give_meets_one_of_a_schedule() {
        let slug = Slug::new("nightly").expect("valid");
        let bucket = Key::of_bucket(&slug, Timestamp::from_micros(1_700_000_000_000_000));
        assert_eq!(bucket.as_str(), "\u{1f}\u{1f}nightly@1700000000");
        assert!(Key::new(bucket.as_str()).is_err());
        // A kind has at least one character.
        assert!(Kind::new("").is_err());
        assert_ne!(Key::of_order(&slug, ActionId::mint(Timestamp::EPOCH)), bucket);
    }
}
