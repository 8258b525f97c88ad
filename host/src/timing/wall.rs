//! From the clock on the wall to instants. A time that does not exist, because the clock is put forward, fires once, at
//! the moment when it is; a time that happens twice fires once, the first time. A schedule that names no hours goes by
//! the time that passes: it skips what does not exist, and fires in both of the hours that look alike.

use chrono::{DateTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::cron::Cron;
use crate::job::Timestamp;

/// No two changes of a zone's clock are nearer to each other: it is looked for them in steps of this.
const STEP: TimeDelta = TimeDelta::hours(6);
/// Changes of the clock that are looked at before a schedule is said to have ended.
const CHANGES: usize = 1000;

/// The first instant after this one at which the expression fires in the zone.
pub(super) fn next_after(cron: &Cron, after: Timestamp, zone: Tz) -> Option<Timestamp> {
    let after = after.datetime();
    let mut from = after;
    let mut wall = beginning(cron, from, zone);
    for _ in 0..CHANGES {
        let offset = offset_at(zone, from);
        let next = cron.next_after(wall)?;
        let instant = (next - offset).and_utc();
        let Some(change) = change_between(zone, from, instant) else {
            return Some(Timestamp::from(instant));
        };
        // What the clock would have shown, and what it shows.
        let (before, then) = (change.naive_utc() + offset, change.naive_utc() + offset_at(zone, change));
        if then > before && next < then && !cron.every_hour {
            return Some(Timestamp::from(change));
        }
        from = change;
        let shown = if cron.every_hour { then } else { then.max(before) };
        wall = shown - TimeDelta::nanoseconds(1);
    }
    None
}

/// The time on the wall after which to look. In an hour that is there for the second time, a schedule that names hours
/// has fired all of them.
fn beginning(cron: &Cron, after: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    let wall = after.naive_utc() + offset_at(zone, after);
    if cron.every_hour {
        return wall;
    }
    match zone.from_local_datetime(&wall) {
        chrono::LocalResult::Ambiguous(first, second)
            if first.to_utc() != after && second.to_utc() == after =>
        {
            // The end of the second hour is the first time that is not there twice.
            let change = last_change_before(zone, after);
            change.map_or(wall, |change| {
                let shown_before = change.naive_utc() + offset_at(zone, change - TimeDelta::nanoseconds(1));
                shown_before - TimeDelta::nanoseconds(1)
            })
        }
        _ => wall,
    }
}

fn offset_at(zone: Tz, at: DateTime<Utc>) -> TimeDelta {
    let seconds = zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    TimeDelta::seconds(seconds.into())
}

/// The first instant in (from, to] with another offset than the one before it.
fn change_between(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let offset = offset_at(zone, from);
    let mut low = from;
    while low < to {
        let high = (low + STEP).min(to);
        if offset_at(zone, high) != offset {
            return Some(narrow(zone, low, high));
        }
        low = high;
    }
    None
}

/// The last change at or before this instant, within a day.
fn last_change_before(zone: Tz, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let offset = offset_at(zone, at);
    let mut high = at;
    for _ in 0..4 {
        let low = high - STEP;
        if offset_at(zone, low) != offset {
            return Some(narrow(zone, low, high));
        }
        high = low;
    }
    None
}

/// The second in (low, high] at which the offset changes.
fn narrow(zone: Tz, low: DateTime<Utc>, high: DateTime<Utc>) -> DateTime<Utc> {
    let offset = offset_at(zone, low);
    let (mut low, mut high) = (low.timestamp(), high.timestamp());
    let instant = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset_at(zone, instant(middle)) == offset { low = middle } else { high = middle }
    }
    instant(high)
}
