//! JSON as Flyball keeps it: strict, bounded, rewritten to compact text, so that both databases
//! give back the same value.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The most bytes that a job's args may have.
pub const MAX_ARGS_BYTES: usize = 1 << 20;
/// The most bytes that a job's metadata may have.
pub const MAX_METADATA_BYTES: usize = 8 << 10;
/// The most levels that arrays and objects may nest.
pub const MAX_DEPTH: usize = 128;
/// The most characters of one number.
const MAX_NUMBER: usize = 64;

/// Why a text is not taken as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// More bytes than allowed here.
    #[error("{bytes} bytes of JSON, {most} are allowed")]
    TooLarge {
        /// How many there were.
        bytes: usize,
        /// How many may be.
        most: usize,
    },
    /// Not JSON, or JSON that we refuse: duplicate keys, NUL, lone surrogates, too deep, a number that loses digits.
    #[error("{0}")]
    Refused(String),
}

/// A JSON value as compact text. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// Takes a user's JSON.
    ///
    /// # Errors
    /// [`JsonError`] when it is too large, not JSON, deeper than [`MAX_DEPTH`], or has duplicate keys,
    /// NUL, lone surrogates, or numbers that a 64-bit integer or float can't hold.
    pub fn parse(text: &str, most: usize) -> Result<Self, JsonError> {
        Self::rewrite(text, most, Nul::Refused)
    }

    /// Takes a worker's JSON: as [`Json::parse`], but NUL becomes U+FFFD, so that an outcome is never lost to it.
    ///
    /// # Errors
    /// As [`Json::parse`], but for NUL.
    pub fn parse_from_worker(text: &str, most: usize) -> Result<Self, JsonError> {
        Self::rewrite(text, most, Nul::Replaced)
    }

    /// Text that this program stored earlier, taken as it is.
    pub fn stored(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Whether it is JSON: what was stored may be anything.
    pub fn is_sound(&self) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(&self.0).is_ok()
    }

    /// The empty object.
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// Any serialisable value, checked as [`Json::parse`] checks.
    ///
    /// # Errors
    /// As [`Json::parse`], and when the value does not serialise.
    pub fn from_value(value: &impl Serialize, most: usize) -> Result<Self, JsonError> {
        let text = serde_json::to_string(value).map_err(|error| JsonError::Refused(error.to_string()))?;
        Self::parse(&text, most)
    }

    /// The compact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn rewrite(text: &str, most: usize, nul: Nul) -> Result<Self, JsonError> {
        let too_large = |bytes| JsonError::TooLarge { bytes, most };
        if text.len() > most.saturating_mul(4) {
            return Err(too_large(text.len()));
        }
        check_numbers(text)?;
        let mut out = String::with_capacity(text.len().min(most));
        let mut source = serde_json::Deserializer::from_str(text);
        let refused = |error: serde_json::Error| JsonError::Refused(error.to_string());
        Rewriter { out: &mut out, nul }.deserialize(&mut source).map_err(refused)?;
        source.end().map_err(refused)?;
        if out.len() > most {
            return Err(too_large(out.len()));
        }
        Ok(Self(out.into()))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match <&RawValue>::deserialize_from(&self.0) {
            Ok(raw) => raw.serialize(serializer),
            // Another program stored what is no JSON: a page of jobs does not fail for one of them.
            Err(_) => serializer.serialize_str(&self.0),
        }
    }
}

trait RawText<'a>: Sized {
    fn deserialize_from(text: &'a str) -> serde_json::Result<Self>;
}

impl<'a> RawText<'a> for &'a RawValue {
    fn deserialize_from(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}

#[derive(Clone, Copy)]
enum Nul {
    Refused,
    Replaced,
}

/// Integers beyond 64 bits would silently become floats in most languages: refused here, with advice.
fn check_numbers(text: &str) -> Result<(), JsonError> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let end = at + bytes[at..].iter().take_while(|b| is_number_byte(**b)).count();
                check_number(&text[at..end])?;
                at = end;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn is_number_byte(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

fn check_number(token: &str) -> Result<(), JsonError> {
    let integer = !token.contains(['.', 'e', 'E']);
    let fits = token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok();
    if token.len() > MAX_NUMBER || (integer && !fits) {
        let shown = super::text::cut(token, 24);
        let advice = "does not fit 64 bits and would lose digits; pass it as a string";
        return Err(JsonError::Refused(format!("the number {shown}… {advice}")));
    }
    Ok(())
}

struct Rewriter<'a> {
    out: &'a mut String,
    nul: Nul,
}

impl Rewriter<'_> {
    fn nested(&mut self) -> Rewriter<'_> {
        Rewriter { out: self.out, nul: self.nul }
    }

    fn string<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        let text = match (text.contains('\0'), self.nul) {
            (false, _) => text.into(),
            (true, Nul::Replaced) => std::borrow::Cow::Owned(text.replace('\0', "\u{fffd}")),
            (true, Nul::Refused) => return Err(E::custom("a string holds NUL, which PostgreSQL can't keep")),
        };
        self.out.push_str(&serde_json::to_string(&text).map_err(E::custom)?);
        Ok(())
    }

    fn number<E: serde::de::Error>(self, number: impl Serialize) -> Result<(), E> {
        self.out.push_str(&serde_json::to_string(&number).map_err(E::custom)?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Rewriter<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rewriter<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.push_str("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_str<E: serde::de::Error>(mut self, text: &str) -> Result<(), E> {
        self.string(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.out.push('[');
        let start = self.out.len();
        while items.next_element_seed(Separated(self.nested(), start))?.is_some() {}
        self.out.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        self.out.push('{');
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.is_empty() {
                self.out.push(',');
            }
            self.string(&key)?;
            self.out.push(':');
            if let Some(twice) = seen.replace(key) {
                return Err(A::Error::custom(format!("the key {twice:?} stands twice in one object")));
            }
            entries.next_value_seed(self.nested())?;
        }
        self.out.push('}');
        Ok(())
    }
}

/// An element of an array: a comma before all but the first.
struct Separated<'a>(Rewriter<'a>, usize);

impl<'de> DeserializeSeed<'de> for Separated<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.0.out.len() > self.1 {
            self.0.out.push(',');
        }
        self.0.deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<String, String> {
        Json::parse(text, MAX_ARGS_BYTES).map(|json| json.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn json_is_rewritten_compact_with_its_order_kept() {
        let text = " { \"b\" : [ 1 , -2.50, true ,null , { } ,[ ] ] , \"a\" : \"\\u00fc\\n\" } ";
        assert_eq!(parse(text).as_deref(), Ok(r#"{"b":[1,-2.5,true,null,{},[]],"a":"ü\n"}"#));
        assert_eq!(parse("18446744073709551615").as_deref(), Ok("18446744073709551615"));
    }

    #[test]
    fn what_one_of_the_databases_could_not_give_back_is_refused_with_its_reason() {
        let deep = "[".repeat(129) + &"]".repeat(129);
        let cases: [(&str, &str); 8] = [
            (r#"{"a":1,"a":2}"#, "stands twice"),
            (r#"{"a":"x\u0000y"}"#, "NUL"),
            (r#""\ud800""#, "hex escape"),
            ("123456789012345678901", "lose digits"),
            ("1e999", "out of range"),
            (&deep, "recursion limit"),
            ("{", "EOF"),
            ("1 2", "trailing"),
        ];
        for (text, reason) in cases {
            let error = parse(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(parse(&("[".repeat(127) + &"]".repeat(127))).is_ok());
    }

    #[test]
    fn a_nul_that_a_worker_returns_becomes_a_replacement_character() {
        let json = Json::parse_from_worker(r#"{"a\u0000":"\u0000"}"#, 100).expect("kept");
        assert_eq!(json.as_str(), "{\"a\u{fffd}\":\"\u{fffd}\"}");
    }

    #[test]
    fn json_over_its_size_is_refused_whether_or_not_white_space_made_it_so() {
        assert!(Json::parse("[1, 2]", 5).is_ok());
        let error = Json::parse("[1,23]", 5).expect_err("six bytes");
        assert_eq!(error, JsonError::TooLarge { bytes: 6, most: 5 });
    }

    proptest! {
        #[test]
        fn whatever_is_taken_reads_back_as_the_same_value(text in r#"(\{"k":)?[\[\]{}":,0-9.eE\\a-z -]{0,24}\}?"#) {
            if let Ok(json) = Json::parse(&text, 1000) {
                let before: serde_json::Value = serde_json::from_str(&text).expect("taken");
                let after: serde_json::Value = serde_json::from_str(json.as_str()).expect("rewritten");
                prop_assert_eq!(before, after);
                prop_assert_eq!(Json::parse(json.as_str(), 1000).expect("stable"), json);
            }
        }
    }
}
