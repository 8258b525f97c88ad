//! When schedules fire: against a table of instants that are known, and against `croner` as an oracle.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;

fn timing(text: &str) -> Timing {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
}

/// The first buckets after an instant, as the clock of UTC shows them.
fn fires(text: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
    let (timing, mut last) = (timing(text), at(after));
    let next = || {
        last = timing.next_after(last, last, zone)?;
        Some(last.datetime().format("%FT%T").to_string())
    };
    std::iter::from_fn(next).take(count).collect()
}

#[test]
fn the_fields_are_read_as_vixies_cron_reads_them() {
    let from = "2026-01-01T00:00:00Z";
    let cases: [(&str, &[&str]); 12] = [
        ("*/15 * * * *", &["2026-01-01T00:15:00", "2026-01-01T00:30:00"]),
        (
            "0 9-17/4 * * mon-fri",
            &["2026-01-01T09:00:00", "2026-01-01T13:00:00", "2026-01-01T17:00:00", "2026-01-02T09:00:00"],
        ),
        ("0 0 * * 0", &["2026-01-04T00:00:00", "2026-01-11T00:00:00"]),
        ("0 0 * * 7", &["2026-01-04T00:00:00", "2026-01-11T00:00:00"]),
        (
            "0 0 * * 5-7",
            &["2026-01-02T00:00:00", "2026-01-03T00:00:00", "2026-01-04T00:00:00", "2026-01-09T00:00:00"],
        ),
        // Both days are restricted: either may match.
        ("0 0 13 * fri", &["2026-01-02T00:00:00", "2026-01-09T00:00:00", "2026-01-13T00:00:00"]),
        // A day that begins with a star is not restricted.
        ("0 0 */2 * sat", &["2026-01-03T00:00:00", "2026-01-17T00:00:00", "2026-01-31T00:00:00"]),
        ("30 5 10 0 0 1 jan *", &[]),
        ("20 30 4 29 FEB *", &["2028-02-29T04:30:20", "2032-02-29T04:30:20"]),
        ("@hourly", &["2026-01-01T01:00:00", "2026-01-01T02:00:00"]),
        ("@weekly", &["2026-01-04T00:00:00"]),
        ("@every 90s", &["2026-01-01T00:01:30", "2026-01-01T00:03:00"]),
    ];
    for (text, expected) in cases {
        if expected.is_empty() {
            assert!(text.parse::<Timing>().is_err(), "{text}");
        } else {
            assert_eq!(fires(text, Tz::UTC, from, expected.len()), expected, "{text}");
        }
    }
}

#[test]
fn an_expression_that_is_none_says_what_is_wrong_with_it() {
    let cases = [
        ("", "it has 0 fields"),
        ("* * * *", "it has 4 fields"),
        ("60 * * * *", "\"60\" is not one of 0 to 59 in \"60\", the minute"),
        ("* * 0 * *", "\"0\" is not one of 1 to 31"),
        ("* * * foo *", "\"foo\" is not one of 1 to 12 in \"foo\", the month"),
        ("* 9-5 * * *", "goes from high to low"),
        ("*/0 * * * *", "a step of 0"),
        ("*/x * * * *", "\"x\" is no step"),
        ("0 0 30 2 *", "there is no such day"),
        ("@fortnightly", "the names are @hourly"),
        ("@every 500ms", "whole seconds, at least one"),
        ("@every soon", "is not a duration"),
        ("+1 * * * *", "is not one of"),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Timing>().expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

/// The instants are those of the IANA database, checked by hand.
#[test]
fn a_time_that_does_not_exist_fires_when_the_clock_is_put_forward_and_one_that_is_there_twice_fires_once() {
    let (berlin, york) = (chrono_tz::Europe::Berlin, chrono_tz::America::New_York);
    let cases: [(&str, Tz, &str, &[&str]); 13] = [
        // Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
        ("30 2 * * *", berlin, "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00", "2026-03-30T00:30:00"]),
        ("0 2 * * *", berlin, "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00", "2026-03-30T00:00:00"]),
        // Three times that do not exist and one that does are one moment.
        ("*/20 2,3 * * *", berlin, "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00", "2026-03-29T01:20:00"]),
        ("15 * * * *", berlin, "2026-03-28T23:30:00Z", &["2026-03-29T00:15:00", "2026-03-29T01:15:00"]),
        // Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
        ("30 2 * * *", berlin, "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00", "2026-10-26T01:30:00"]),
        ("30 2 * * *", berlin, "2026-10-25T01:10:00Z", &["2026-10-26T01:30:00"]),
        ("0 3 * * *", berlin, "2026-10-24T12:00:00Z", &["2026-10-25T02:00:00", "2026-10-26T02:00:00"]),
        (
            "30 * * * *",
            berlin,
            "2026-10-24T23:45:00Z",
            &["2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-10-25T02:30:00"],
        ),
        // New York, 8 March and 1 November 2026.
        ("30 2 * * *", york, "2026-03-08T00:00:00Z", &["2026-03-08T07:00:00", "2026-03-09T06:30:00"]),
        ("30 1 * * *", york, "2026-11-01T00:00:00Z", &["2026-11-01T05:30:00", "2026-11-02T06:30:00"]),
        // Lord Howe's clock is put forward by half an hour: 4 October 2026, 02:00 becomes 02:30.
        (
            "15 2 * * *",
            chrono_tz::Australia::Lord_Howe,
            "2026-10-03T00:00:00Z",
            &["2026-10-03T15:30:00", "2026-10-04T15:15:00"],
        ),
        // Samoa had no 30 December 2011.
        (
            "0 12 30 12 *",
            chrono_tz::Pacific::Apia,
            "2011-12-29T00:00:00Z",
            &["2011-12-30T10:00:00", "2012-12-29T22:00:00"],
        ),
        // Cairo's day begins at 01:00 on 24 April 2026.
        (
            "0 0 * * *",
            chrono_tz::Africa::Cairo,
            "2026-04-23T12:00:00Z",
            &["2026-04-23T22:00:00", "2026-04-24T21:00:00"],
        ),
    ];
    for (text, zone, after, expected) in cases {
        assert_eq!(fires(text, zone, after, expected.len()), expected, "{text} in {zone} after {after}");
    }
}

#[test]
fn of_what_was_missed_the_last_few_fire_and_what_is_on_time_always_does() {
    let minutely = timing("* * * * *");
    let cursor = at("2026-01-01T00:00:00Z");
    let due = |now: &str, cap| minutely.due(cursor, at(now), cap, Tz::UTC);
    let minutes =
        |due: &Due| due.fire.iter().map(|at| at.datetime().format("%H:%M").to_string()).collect::<Vec<_>>();
    let missed = due("2026-01-01T02:00:30Z", 3);
    assert_eq!(minutes(&missed), ["01:57", "01:58", "01:59", "02:00"]);
    assert_eq!(missed.next, Some(at("2026-01-01T02:01:00Z")));
    assert_eq!(minutes(&due("2026-01-01T02:00:30Z", 0)), ["02:00"]);
    assert_eq!(minutes(&due("2026-01-01T00:00:10Z", 0)), ["00:00"], "the first is on time");
    assert_eq!(minutes(&due("2026-01-01T00:01:30Z", 9)), ["00:00", "00:01"]);
    let none = minutely.due(at("2026-01-01T00:05:00Z"), cursor, 1, Tz::UTC);
    assert_eq!((none.fire.len(), none.next), (0, Some(at("2026-01-01T00:05:00Z"))));
    // Ten years of seconds.
    let years = timing("@every 1s").due(cursor, at("2036-01-01T00:00:00Z"), 2, Tz::UTC);
    assert_eq!(years.fire.len(), 2 + 61, "two that were missed, and those of a minute");
}

#[test]
fn an_interval_keeps_to_the_buckets_that_it_began_with() {
    let every = Timing::every(Duration::from_secs(300)).expect("valid");
    let first = at("2026-01-01T00:00:07Z");
    assert_eq!(every.next_after(at("2025-01-01T00:00:00Z"), first, Tz::UTC), Some(first));
    assert_eq!(every.next_after(first, first, Tz::UTC), Some(at("2026-01-01T00:05:07Z")));
    assert_eq!(
        every.next_after(at("2026-03-01T00:00:00Z"), first, Tz::UTC),
        Some(at("2026-03-01T00:00:07Z"))
    );
    assert_eq!(every.to_string(), "@every 5m");
}

fn field(low: u32, high: u32) -> impl Strategy<Value = String> {
    let one = move || {
        prop_oneof![
            3 => Just("*".to_owned()),
            2 => (low..=high).prop_map(|n| n.to_string()),
            1 => (low..=high, low..=high).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
            1 => (2..=7_u32).prop_map(|step| format!("*/{step}")),
            1 => (low..=high, low..=high, 1..=5_u32).prop_map(|(a, b, s)| format!("{}-{}/{s}", a.min(b), a.max(b))),
        ]
    };
    prop_oneof![
        4 => one(),
        1 => prop::collection::vec((low..=high).prop_map(|n| n.to_string()), 2..5).prop_map(|parts| parts.join(",")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    /// Where the clock is never changed; what happens where it is stands in the table above.
    #[test]
    fn thousands_of_expressions_fire_when_croner_says(
        minute in field(0, 59), hour in field(0, 23), day in field(1, 28), month in field(1, 12), weekday in field(0, 7),
        after in 1_600_000_000_i64..2_000_000_000,
    ) {
        // A stepped star counts as restricted for croner, and as not restricted for Vixie's cron and for us.
        prop_assume!(!(day.starts_with("*/") || weekday.starts_with("*/")));
        let text = format!("{minute} {hour} {day} {month} {weekday}");
        let oracle = croner::parser::CronParser::builder().build().parse(&text).expect("croner reads it");
        let (ours, mut last) = (timing(&text), DateTime::from_timestamp(after, 0).expect("valid"));
        for _ in 0..3 {
            let expected: DateTime<Utc> = oracle.find_next_occurrence(&last, false).expect("there is one");
            let found = ours.next_after(last.into(), last.into(), Tz::UTC).map(Timestamp::datetime);
            prop_assert_eq!(found, Some(expected), "{} after {}", &text, last);
            last = expected;
        }
    }
}
