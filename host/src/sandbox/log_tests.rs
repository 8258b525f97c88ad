//! What is kept of a log.

use std::sync::Mutex;

use super::*;
use crate::job::{ChildRecord, NewJob, Timestamp};
use crate::sandbox::{FollowUpRequest, Refusal, Unread};

#[derive(Default)]
struct Heard(Mutex<Vec<u32>>);

#[async_trait::async_trait]
impl Ports for Heard {
    fn holds_lease(&self) -> bool {
        true
    }
    fn follow_up(&self, _: FollowUpRequest) -> Result<NewJob, Refusal> {
        Err(Refusal::NotGranted("a log asks for nothing".into()))
    }
    fn progress(&self, _: f64, _: Option<&str>) {}
    fn save_checkpoint(&self, _: Arc<[u8]>) {}
    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, Unread> {
        Ok(None)
    }
    async fn children(&self, _: u32, _: u32) -> Result<Vec<ChildRecord>, Unread> {
        Ok(Vec::new())
    }
    fn log(&self, line: &LogRecord) {
        self.0.lock().expect("nobody panicked").push(line.seq);
    }
}

fn log() -> (SharedLog, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let clock = Clock::manual(Timestamp::EPOCH);
    (SharedLog::new(LogBounds::default(), clock, heard.clone()), heard)
}

fn messages(kept: &Kept) -> Vec<&str> {
    kept.lines.iter().map(|line| line.message.as_str()).collect()
}

#[test]
fn lines_of_stdout_and_stderr_are_told_apart_and_an_unended_one_is_kept() {
    let (log, _) = log();
    log.write(Source::Stdout, b"on");
    log.write(Source::Stderr, b"oh\n");
    log.write(Source::Stdout, b"e\r\n\ntwo");
    let kept = log.finish();
    assert_eq!(messages(&kept), ["oh", "one", "two"]);
    let levels: Vec<_> = kept.lines.iter().map(|line| line.level).collect();
    assert_eq!(levels, [LogLevel::Warn, LogLevel::Info, LogLevel::Info]);
    assert_eq!((kept.dropped, kept.bytes, log.last_words().as_str()), (0, 8, "oh"));
}

#[test]
fn of_a_flood_the_beginning_and_the_end_are_kept_and_the_rest_is_counted() {
    let (log, heard) = log();
    for n in 0..10_000 {
        log.write(Source::Stdout, format!("{n}\n").as_bytes());
    }
    let kept = log.finish();
    let messages = messages(&kept);
    assert_eq!((messages.len(), messages[0], messages[999], messages[1000]), (2000, "0", "999", "9000"));
    assert_eq!((kept.dropped, kept.lines[1000].seq), (8000, 9000));
    let heard = heard.0.lock().expect("nobody panicked");
    assert_eq!(heard.len(), 2000 + 100, "a hundred of the ring at once, those that are left at the end");
    assert!(kept.lines.iter().all(|line| heard.contains(&line.seq)));
}

#[test]
fn a_line_without_an_end_is_cut_on_characters_and_stays_within_the_bytes() {
    let (log, _) = log();
    let chunk = "aé".repeat(1 << 20);
    for part in chunk.as_bytes().chunks(1001) {
        log.write(Source::Stderr, part);
    }
    let kept = log.finish();
    assert!(kept.bytes <= 256 << 10 && kept.dropped > 300, "{} bytes, {} dropped", kept.bytes, kept.dropped);
    assert!(
        kept.lines.iter().all(|line| line.message.len() <= 8 << 10 && !line.message.contains('\u{fffd}'))
    );
    assert!(log.last_words().len() <= 8 << 10);
}

#[test]
fn bytes_that_are_no_text_do_not_stop_the_log() {
    let (log, _) = log();
    log.write(Source::Stdout, &[0xff; 100_000]);
    log.write(Source::Stdout, b"\n\x1b[31mred\0\n");
    let kept = log.finish();
    assert_eq!(kept.lines.last().map(|line| line.message.as_str()), Some("\\u{1b}[31mred\u{fffd}"));
}

#[test]
fn message_and_fields_of_a_record_share_the_bound_of_a_line() {
    let (log, _) = log();
    log.record(LogLevel::Error, "plain", &[("k".into(), "v\"\u{1b}".into()), ("k".into(), "twice".into())]);
    let fields: Vec<_> = (0..1000).map(|n| (format!("key {n}"), "\"\\\n\0".repeat(50))).collect();
    log.record(LogLevel::Error, &"m".repeat(1000), &fields);
    log.record(LogLevel::Error, &"é".repeat(1 << 20), &fields);
    let kept = log.finish();
    assert_eq!(kept.lines[0].fields.as_ref().map(Json::as_str), Some(r#"{"k":"v\"\\u{1b}"}"#));
    assert!(kept.lines.iter().all(|line| size(line) <= 8 << 10));
    assert!(kept.lines[1].fields.as_ref().is_some_and(|fields| fields.as_str().len() > 2000));
    assert_eq!(kept.lines[2].fields, None);
}

#[test]
fn lines_that_show_nothing_take_room_all_the_same() {
    let (log, _) = log();
    let whispers = b"\r\n".repeat(1_000_000);
    log.write(Source::Stderr, &whispers);
    let kept = log.lock().last_words.len();
    assert!(kept <= LAST_WORDS, "{kept} lines are kept as last words");
    assert!(log.last_words().len() <= LAST_WORDS);
}
