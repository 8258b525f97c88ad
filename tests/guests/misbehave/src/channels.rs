//! Too much of what is harmless in small amounts: output, log, progress, follow-ups.

use std::io::{Write, stderr, stdout};
use std::mem::ManuallyDrop;

use flyball_worker::bindings::flyball::worker::follow_ups::{FollowUp, Refusal, add};
use flyball_worker::bindings::flyball::worker::log::{Level, write};
use flyball_worker::bindings::flyball::worker::progress::report;
use flyball_worker::bindings::flyball::worker::types::ErrorClass;
use flyball_worker::bindings::{Failure, Outcome};

const CHUNK: [u8; 4096] = [b'a'; 4096];

/// Lines of 80 bytes on stdout, and one in ten on stderr.
pub(crate) fn shout(bytes: usize) -> Result<Outcome, Failure> {
    let line = [b"b".repeat(79), b"\n".to_vec()].concat();
    for n in 0..bytes / line.len() {
        let told = if n % 10 == 0 { stderr().write_all(&line) } else { stdout().write_all(&line) };
        told.map_err(closed)?;
    }
    crate::done("shouted")
}

/// One line on each of them that never ends, by turns.
pub(crate) fn shout_without_end(bytes: usize) -> Result<Outcome, Failure> {
    let mut out = stdout();
    for _ in 0..bytes / (2 * CHUNK.len()) {
        out.write_all(&CHUNK).and_then(|()| out.flush()).map_err(closed)?;
        stderr().write_all(&CHUNK).map_err(closed)?;
    }
    crate::done("shouted")
}

fn closed(error: std::io::Error) -> Failure {
    crate::failure(ErrorClass::Permanent, format!("the stream was closed: {error}"))
}

pub(crate) fn flood_log(lines: u32) -> Result<Outcome, Failure> {
    for n in 0..lines {
        write(Level::Error, &format!("line {n}"), &[("n".into(), n.to_string())]);
    }
    crate::done("logged")
}

pub(crate) fn log_at_length(bytes: usize) -> Result<Outcome, Failure> {
    write(Level::Info, &"é".repeat(bytes / 2), &[("k".repeat(bytes / 4), "v".repeat(bytes / 4))]);
    crate::done("logged")
}

/// A hundred thousand fields that are all the same megabyte: nothing here, 100 GB there.
#[expect(unsafe_code, reason = "strings that share their bytes are what this is about")]
pub(crate) fn log_one_megabyte_many_times() -> Result<Outcome, Failure> {
    let megabyte = ManuallyDrop::new("m".repeat(1 << 20));
    let alias = || {
        let (start, length) = (megabyte.as_ptr().cast_mut(), megabyte.len());
        // SAFETY: no alias is ever written to or dropped.
        unsafe { String::from_raw_parts(start, length, length) }
    };
    let fields: Vec<_> = (0..100_000).map(|_| (String::new(), alias())).collect();
    let fields = ManuallyDrop::new(fields);
    write(Level::Info, "many", &fields);
    crate::done("logged")
}

/// One call after another.
pub(crate) fn log_in_a_row(bytes: usize, times: usize) -> Result<Outcome, Failure> {
    let long = "l".repeat(bytes);
    for _ in 0..times {
        write(Level::Info, &long, &[]);
    }
    crate::done("logged")
}

/// One write of all of it, whatever the stream permits.
pub(crate) fn shout_at_once(bytes: usize) -> Result<Outcome, Failure> {
    let lines = b"a\n".repeat(bytes / 2);
    let written = wasip2::cli::stdout::get_stdout().write(&lines);
    crate::done(written.is_ok())
}

/// Lines on stderr of which nothing can be seen.
pub(crate) fn whisper_carriage_returns(lines: usize) -> Result<Outcome, Failure> {
    let chunk = b"\r\n".repeat(2048);
    for _ in 0..lines / 2048 {
        stderr().write_all(&chunk).map_err(closed)?;
    }
    crate::done("whispered")
}

pub(crate) fn flood_progress(reports: u32) -> Result<Outcome, Failure> {
    for n in 0..reports {
        report(f64::from(n) / f64::from(reports), Some("and on"));
    }
    crate::done("reported")
}

/// Due in an hour: whoever looks on has time to count.
pub(crate) fn follow_up(kind: &str, n: u32) -> FollowUp {
    FollowUp {
        kind: kind.into(),
        args: n.to_string(),
        queue: None,
        priority: None,
        delay_ms: Some(3_600_000),
        unique_key: None,
        unique_active_key: None,
        max_attempts: None,
        executor_class: None,
        tags: Vec::new(),
    }
}

/// Fails by the first refusal.
pub(crate) fn ask_until_refused(kind: String, count: u32) -> Result<Outcome, Failure> {
    for n in 0..count {
        add(&follow_up(&kind, n)).map_err(|refusal| {
            let why = format!("after {n}: {}", word(&refusal));
            crate::failure(ErrorClass::Permanent, why)
        })?;
    }
    crate::done("asked")
}

/// Completes whatever the host says: `[taken, refused]`.
pub(crate) fn ask_and_go_on(kind: String, count: u32) -> Result<Outcome, Failure> {
    let refused = (0..count).filter(|&n| add(&follow_up(&kind, n)).is_err()).count();
    crate::done([count as usize - refused, refused])
}

/// Every field wrong once. Completes with the numbers of those that were taken.
pub(crate) fn ask_for_rubbish(kind: &str) -> Result<Outcome, Failure> {
    let good = follow_up(kind, 0);
    let rubbish = [
        FollowUp { kind: "../etc/passwd".into(), ..good.clone() },
        FollowUp { kind: String::new(), ..good.clone() },
        FollowUp { args: "{ this is no JSON".into(), ..good.clone() },
        FollowUp { args: "[".repeat(200) + &"]".repeat(200), ..good.clone() },
        FollowUp { args: format!("\"{}\"", "x".repeat(2 << 20)), ..good.clone() },
        FollowUp { priority: Some(u16::MAX), ..good.clone() },
        FollowUp { unique_key: Some("k".repeat(513)), ..good.clone() },
        FollowUp { tags: vec!["t".repeat(65)], ..good.clone() },
        FollowUp { tags: vec!["t".into(); 33], ..good.clone() },
        FollowUp { max_attempts: Some(0), ..good },
    ];
    let taken: Vec<_> = (0..rubbish.len()).filter(|&n| add(&rubbish[n]).is_ok()).collect();
    crate::done(taken)
}

pub(crate) fn word(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotGranted(_) => "not-granted",
        Refusal::TooMany(_) => "too-many",
        Refusal::Invalid(_) => "invalid",
    }
}
