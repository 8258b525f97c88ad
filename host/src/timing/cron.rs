//! A cron expression: five fields, or six with seconds first, or a name. What times of the wall clock it means is asked
//! of the crate `cron`, which counts Sunday as 1, wants seconds, and needs both day fields to match: so each expression
//! is handed to it as plain lists, and twice if either day may match.

use std::str::FromStr as _;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::fields::{DAY, Field, HOUR, MINUTE, MONTH, SECOND, WEEK, WEEKDAY};

/// The times of a wall clock that an expression means.
#[derive(Clone, Debug)]
pub(super) struct Cron {
    either: Vec<cron::Schedule>,
    /// It names no hours: it goes by the time that passes, and what the clock on the wall does is nothing to it.
    pub(super) every_hour: bool,
}

const NAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Cron {
    /// Reads an expression, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let text = named.map_or(text, |(_, fields)| *fields);
        if text.starts_with('@') {
            return Err("the names are @hourly, @daily, @weekly, @monthly, @yearly and @every".into());
        }
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        let (second, fields) = match fields.as_slice() {
            [second, rest @ ..] if rest.len() == 5 => (Field::read(second, &SECOND)?, rest),
            rest if rest.len() == 5 => (Field::only(0), rest),
            other => {
                return Err(format!(
                    "it has {} fields: minute, hour, day of the month, month, day of the week are needed, and seconds \
                     may stand before them",
                    other.len()
                ));
            }
        };
        let (minute, hour) = (Field::read(fields[0], &MINUTE)?, Field::read(fields[1], &HOUR)?);
        let (day, month) = (Field::read(fields[2], &DAY)?, Field::read(fields[3], &MONTH)?);
        let weekday = Field::read(fields[4], &WEEKDAY)?.with_one_sunday();
        let time = format!("{} {} {}", second.list(&SECOND, 0), minute.list(&MINUTE, 0), hour.list(&HOUR, 0));
        let (month, day_list, weekday_list) =
            (month.list(&MONTH, 0), day.list(&DAY, 0), weekday.list(&WEEK, 1));
        let texts = if day.starred || weekday.starred {
            vec![format!("{time} {day_list} {month} {weekday_list}")]
        } else {
            vec![format!("{time} {day_list} {month} *"), format!("{time} * {month} {weekday_list}")]
        };
        let read = texts.iter().map(|text| cron::Schedule::from_str(text));
        let either = read.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        let cron = Self { either, every_hour: hour.allows_all(&HOUR) };
        // The Gregorian calendar repeats itself within 28 years of this century.
        match cron.next_after(DateTime::UNIX_EPOCH.naive_utc() + chrono::Days::new(365 * 50)) {
            Some(_) => Ok(cron),
            None => Err("there is no such day".into()),
        }
    }

    /// The first time of the wall clock after this one.
    pub(super) fn next_after(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let after: DateTime<Utc> = after.and_utc();
        let next = self.either.iter().filter_map(|schedule| schedule.after(&after).next()).min();
        next.map(|next| next.naive_utc())
    }
}
