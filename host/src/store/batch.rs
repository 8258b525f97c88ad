//! Batches as one parameter: JSON text, an object for each item.

use std::iter::Peekable;
use std::ops::Range;

use serde::Serialize;
use uuid::Uuid;

use crate::job::Timestamp;

/// A statement's parameter grows no larger than this, but for a single item that is.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// How a dialect writes instants inside JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// Microseconds since the epoch.
    Micros,
    /// RFC 3339 text.
    Rfc3339,
}

impl Wire {
    /// One item of a batch.
    pub(super) fn item(self, write: impl FnOnce(&mut Fields)) -> String {
        let mut fields = Fields { text: String::from("{"), wire: self };
        write(&mut fields);
        fields.text.push('}');
        fields.text
    }
}

/// The batch of these items.
pub(super) fn join<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(item.as_ref());
    }
    text.push(']');
    text
}

/// Where to cut a list so that no part weighs more than any of the limits, but for a single item that does.
pub(super) fn cuts<const N: usize>(
    weights: impl IntoIterator<Item = [usize; N]>,
    limits: [usize; N],
) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut sum = [0; N];
    for (at, weight) in weights.into_iter().enumerate() {
        let with: [usize; N] = std::array::from_fn(|n| sum[n] + weight[n]);
        match ranges.last_mut() {
            Some(part) if with.iter().zip(limits).all(|(weight, limit)| *weight <= limit) => {
                (part.end, sum) = (at + 1, with);
            }
            _ => {
                ranges.push(at..at + 1);
                sum = weight;
            }
        }
    }
    ranges
}

/// How large a batch may grow, but for a single item that is larger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) items: usize,
    pub(super) bytes: usize,
}

/// Items, joined to batches of a size; each is made when it is asked for, so that no more than one is in memory.
pub(super) struct Batches<I: Iterator<Item = String>> {
    items: Peekable<I>,
    size: Size,
}

impl<I: Iterator<Item = String>> Batches<I> {
    pub(super) fn new(items: I, size: Size) -> Self {
        Self { items: items.peekable(), size }
    }
}

impl<I: Iterator<Item = String>> Iterator for Batches<I> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut text = format!("[{}", self.items.next()?);
        let mut count = 1;
        let Size { items, bytes } = self.size;
        while let Some(item) = self.items.next_if(|item| count < items && text.len() + item.len() < bytes) {
            text.push(',');
            text.push_str(&item);
            count += 1;
        }
        text.push(']');
        Some(text)
    }
}

/// A JSON array of texts.
pub(super) fn texts<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        push(&mut text, item.as_ref());
    }
    text.push(']');
    text
}

/// The fields of one item, as they are written. Absent values are left out, which both databases read as null.
pub(super) struct Fields {
    text: String,
    wire: Wire,
}

impl Fields {
    pub(super) fn text(&mut self, name: &str, value: impl AsRef<str>) {
        self.put(name, value.as_ref());
    }

    pub(super) fn opt_text(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub(super) fn id(&mut self, name: &str, value: impl Into<Option<Uuid>>) {
        if let Some(value) = value.into() {
            self.put(name, value);
        }
    }

    pub(super) fn time(&mut self, name: &str, value: impl Into<Option<Timestamp>>) {
        match (value.into(), self.wire) {
            (Some(at), Wire::Micros) => self.put(name, at.micros()),
            (Some(at), Wire::Rfc3339) => self.put(name, at),
            (None, _) => {}
        }
    }

    /// A number; one beyond what a database keeps becomes the largest that it does.
    pub(super) fn number(&mut self, name: &str, value: impl TryInto<i64>) {
        self.put(name, value.try_into().unwrap_or(i64::MAX));
    }

    pub(super) fn opt_number(&mut self, name: &str, value: Option<impl TryInto<i64>>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) {
        self.put(name, value);
    }

    /// JSON as it is.
    pub(super) fn json(&mut self, name: &str, json: &str) {
        self.name(name);
        self.text.push_str(json);
    }

    fn put(&mut self, name: &str, value: impl Serialize) {
        self.name(name);
        push(&mut self.text, value);
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }
}

fn push(text: &mut String, value: impl Serialize) {
    // Texts, numbers, flags and ids always serialise.
    text.push_str(&serde_json::to_string(&value).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_leaves_out_what_is_absent_and_escapes_what_is_there() {
        let at = Timestamp::from_micros(1_000_000);
        let write = |f: &mut Fields| {
            f.text("a", "x\"\0");
            f.opt_text("b", None::<&str>);
            f.number("c", u64::MAX);
            f.time("d", at);
        };
        let micros = r#"{"a":"x\"\u0000","c":9223372036854775807,"d":1000000}"#;
        assert_eq!(Wire::Micros.item(write), micros);
        assert!(Wire::Rfc3339.item(write).ends_with(r#""d":"1970-01-01T00:00:01.000000Z"}"#));
    }

    #[test]
    fn a_list_is_cut_by_every_limit_and_what_exceeds_one_stands_alone() {
        let weights = [[1, 1], [1, 1], [1, 99], [1, 1], [1, 1], [1, 1], [1, 9], [1, 2]];
        assert_eq!(cuts(weights, [2, 10]), [0..2, 2..3, 3..5, 5..7, 7..8]);
        assert!(cuts([[1]; 0], [2]).is_empty());
    }

    #[test]
    fn batches_are_joined_up_to_a_size_and_a_large_item_stands_alone() {
        let items = ["1", "2", "3", "a large item", "4"].map(str::to_owned);
        let batches = Batches::new(items.into_iter(), Size { items: 2, bytes: 10 });
        assert_eq!(batches.collect::<Vec<_>>(), ["[1,2]", "[3]", "[a large item]", "[4]"]);
    }
}
