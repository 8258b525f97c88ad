//! Outcomes and failures that are none.

use flyball_worker::bindings::flyball::worker::types::ErrorClass;
use flyball_worker::bindings::flyball::worker::{cost, progress};
use flyball_worker::bindings::{Failure, Outcome};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rubbish {
    NotJson,
    Nothing,
    TwoValues,
    Deep,
    VeryDeep,
    RawNul,
    EscapedNul,
    LoneSurrogate,
    DuplicateKeys,
    HugeNumber,
    NotUtf8,
}

pub(crate) fn rubbish(what: Rubbish) -> Result<Outcome, Failure> {
    let text = match what {
        Rubbish::NotJson => "{ this is no JSON".into(),
        Rubbish::Nothing => String::new(),
        Rubbish::TwoValues => "1 2".into(),
        Rubbish::Deep => nested(200),
        Rubbish::VeryDeep => nested(250_000),
        Rubbish::RawNul => "\"a\0b\"".into(),
        Rubbish::EscapedNul => r#""a\u0000b""#.into(),
        Rubbish::LoneSurrogate => r#""\ud800""#.into(),
        Rubbish::DuplicateKeys => r#"{"a":1,"a":2}"#.into(),
        Rubbish::HugeNumber => "1e999".into(),
        Rubbish::NotUtf8 => not_utf8(),
    };
    Ok(Outcome::Complete(Some(text)))
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[expect(unsafe_code, reason = "only a string that breaks its promise shows what the host does")]
fn not_utf8() -> String {
    // SAFETY: there is none. The bytes go to the host, and nothing here reads them as text.
    unsafe { String::from_utf8_unchecked(vec![b'"', 0xff, 0xfe, b'"']) }
}

/// A JSON string of exactly so many bytes.
pub(crate) fn bytes(bytes: usize) -> Result<Outcome, Failure> {
    let mut text = vec![b'x'; bytes.max(2)];
    text[0] = b'"';
    text[bytes.max(2) - 1] = b'"';
    let text = String::from_utf8(text).expect("it is ASCII");
    Ok(Outcome::Complete(Some(text)))
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Complaint {
    /// What would clear a terminal, forge a line, and turn the text around.
    Rude,
    /// A megabyte of message and one of detail.
    Long,
    /// More than may cross at once.
    Endless,
    /// A delay that no clock can hold.
    FarFuture,
}

pub(crate) fn complaint(what: Complaint) -> Failure {
    let permanent = |message| crate::failure(ErrorClass::Permanent, message);
    match what {
        Complaint::Rude => permanent("\x1b[2J\x1b[31mred\r\nERROR forged line\0\u{202e}drawkcab\u{7}".into()),
        Complaint::Long => Failure { detail: Some("é".repeat(1 << 19)), ..permanent("ü".repeat(1 << 19)) },
        Complaint::Endless => permanent("x".repeat(10 << 20)),
        Complaint::FarFuture => Failure {
            retry_after_ms: Some(u64::MAX),
            ..crate::failure(ErrorClass::Transient, "not before the end of time".into())
        },
    }
}

pub(crate) fn absurd_numbers() -> Result<Outcome, Failure> {
    for fraction in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
        progress::report(fraction, Some("absurd"));
    }
    cost::add(u64::MAX);
    cost::add(u64::MAX);
    Ok(Outcome::Complete(None))
}
