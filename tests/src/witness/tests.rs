//! The witness sees what overlaps and nothing else, shown with made-up logs.

use super::*;

fn line(text: &str) -> Line {
    Line { read_at: Moment(999), text: text.into() }
}

/// A line of the JSON format, its moment in microseconds of the year 1970.
fn event(micros: u32, word: &str, run: &str, job: &str) -> Line {
    line(&format!(
        r#"{{"timestamp":"1970-01-01T00:00:00.{micros:06}Z","level":"DEBUG","fields":{{"message":"guest {word}","run_id":"{run}","job_id":"{job}","attempt":1}},"target":"flyball"}}"#
    ))
}

fn hear(logs: &[(u32, &[Line], Option<i64>)]) -> Witness {
    let mut witness = Witness::default();
    for (pid, log, waited) in logs {
        witness.hear(*pid, *log, waited.map(Moment));
    }
    witness
}

#[test]
fn runs_one_after_the_other_are_apart_and_two_jobs_may_run_at_once() {
    let log = [
        event(10, "started", "r1", "a"),
        event(11, "started", "r2", "b"),
        event(20, "ended", "r1", "a"),
        event(20, "started", "r3", "a"),
        event(30, "ended", "r3", "a"),
        event(40, "ended", "r2", "b"),
    ];
    let witness = hear(&[(1, &log, None)]);
    witness.assert_apart();
    assert_eq!((witness.count(), witness.jobs().count(), witness.most_at_once()), (3, 2, 2));
    let expected =
        Interval { run: "r3".into(), attempt: Some(1), pid: 1, from: Moment(20), to: Some(Moment(30)) };
    assert_eq!(witness.runs("a")[1], expected);
}

#[test]
fn two_processes_that_run_one_job_at_once_are_seen() {
    let one = [event(10, "started", "r1", "a"), event(30, "ended", "r1", "a")];
    let two = [event(29, "started", "r2", "a"), event(40, "ended", "r2", "a")];
    let overlaps = hear(&[(2, &two, None), (1, &one, None)]).overlaps();
    assert_eq!(overlaps.len(), 1);
    assert_eq!((overlaps[0].first.pid, overlaps[0].second.pid), (1, 2));
}

#[test]
fn a_killed_run_ends_with_the_wait_for_its_process() {
    let killed = [event(10, "started", "r1", "a")];
    let next = [event(50, "started", "r2", "a"), event(60, "ended", "r2", "a")];
    hear(&[(1, &killed, Some(50)), (2, &next, None)]).assert_apart();
    assert_eq!(hear(&[(1, &killed, Some(51)), (2, &next, None)]).overlaps().len(), 1);
    assert_eq!(hear(&[(1, &killed, None), (2, &next, None)]).overlaps().len(), 1, "it still runs");
}

#[test]
fn a_short_run_inside_a_long_one_does_not_hide_the_next() {
    let long = [event(10, "started", "r1", "a"), event(90, "ended", "r1", "a")];
    let short = [event(20, "started", "r2", "a"), event(30, "ended", "r2", "a")];
    let late = [event(80, "started", "r3", "a"), event(95, "ended", "r3", "a")];
    let overlaps = hear(&[(1, &long, None), (2, &short, None), (3, &late, None)]).overlaps();
    let pairs: Vec<(&str, &str)> =
        overlaps.iter().map(|overlap| (overlap.first.run.as_str(), overlap.second.run.as_str())).collect();
    assert_eq!(pairs, [("r1", "r2"), ("r1", "r3")]);
}

#[test]
fn ids_are_found_in_fields_on_the_line_and_in_spans() {
    let stamp = r#""timestamp":"1970-01-01T00:00:00.000010Z""#;
    let flat = format!(r#"{{{stamp},"message":"guest started","run_id":"r1","job_id":"a"}}"#);
    let span = format!(
        r#"{{{stamp},"fields":{{"message":"guest started"}},"span":{{"name":"attempt","run_id":"r2","job_id":"b","attempt":"3"}},"spans":[{{"name":"node"}}]}}"#
    );
    let spans = format!(
        r#"{{{stamp},"fields":{{"message":"guest started"}},"spans":[{{"run_id":"outer","job_id":"c"}},{{"run_id":"r3"}}]}}"#
    );
    let witness = hear(&[(1, &[line(&flat), line(&span), line(&spans)], Some(20))]);
    let runs = |job| witness.runs(job).into_iter().map(|run| (run.run, run.attempt)).collect::<Vec<_>>();
    assert_eq!(runs("a"), [("r1".to_owned(), None)]);
    assert_eq!(runs("b"), [("r2".to_owned(), Some(3))]);
    assert_eq!(runs("c"), [("r3".to_owned(), None)]);
}

#[test]
fn other_lines_are_no_evidence_and_a_line_without_a_time_has_the_time_of_its_reading() {
    let bare = r#"{"fields":{"message":"guest started","run_id":"r1","job_id":"a"}}"#;
    let noise =
        ["", "panicked at guest started", "{\"fields\":{\"message\":\"guest log\"}}", "[\"guest started\"]"];
    let mut log: Vec<Line> = noise.iter().map(|text| line(text)).collect();
    log.push(line(bare));
    let witness = hear(&[(1, &log, None)]);
    assert_eq!((witness.count(), witness.runs("a")[0].from), (1, Moment(999)));
}

#[test]
fn logs_that_cannot_be_true_are_faults() {
    let log = [
        event(10, "started", "r1", "a"),
        event(11, "started", "r1", "a"),
        event(12, "ended", "r1", "a"),
        event(13, "ended", "r1", "a"),
    ];
    assert_eq!(hear(&[(1, &log, None)]).faults().len(), 2);
    let silent = std::panic::catch_unwind(|| Witness::default().assert_apart());
    assert!(silent.is_err(), "no evidence is no proof");
}

#[test]
fn a_process_whose_wall_clock_is_whole_hours_off_is_heard_by_everybodys_clock() {
    let hour = 3_600_000_000;
    for (stamp, read_at) in [(hour + 10, 12), (10 - hour, 700_000_012), (10, 12)] {
        let at = unstepped(Moment(stamp), Moment(read_at));
        assert_eq!(at, Moment(10), "stamped {stamp}, read at {read_at}");
    }
}
