//! The fields of a cron expression: names, ranges, steps and lists, read into sets of numbers. Sunday is 0 or 7.

use std::ops::RangeInclusive;

/// The numbers that a field allows, and how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    bits: u64,
    /// It began with a star: as a day, it then does not count as restricted, as Vixie's cron has it.
    pub(super) starred: bool,
}

/// What a field is about.
pub(super) struct Kind {
    name: &'static str,
    range: RangeInclusive<u32>,
    names: &'static [&'static str],
    /// The number of the first name.
    first: u32,
}

pub(super) const SECOND: Kind = Kind { name: "second", range: 0..=59, names: &[], first: 0 };
pub(super) const MINUTE: Kind = Kind { name: "minute", range: 0..=59, names: &[], first: 0 };
pub(super) const HOUR: Kind = Kind { name: "hour", range: 0..=23, names: &[], first: 0 };
pub(super) const DAY: Kind = Kind { name: "day of the month", range: 1..=31, names: &[], first: 1 };
pub(super) const MONTH: Kind = Kind {
    name: "month",
    range: 1..=12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    first: 1,
};
pub(super) const WEEKDAY: Kind = Kind {
    name: "day of the week",
    range: 0..=7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    first: 0,
};

/// The days of a week, each once.
pub(super) const WEEK: Kind = Kind { range: 0..=6, ..WEEKDAY };

impl Field {
    /// Reads a list of stars, numbers, ranges and steps.
    pub(super) fn read(text: &str, kind: &Kind) -> Result<Self, String> {
        let mut bits = 0;
        for part in text.split(',') {
            bits |= part_of(part, kind).map_err(|what| format!("{what} in {text:?}, the {}", kind.name))?;
        }
        Ok(Self { bits, starred: text.starts_with('*') })
    }

    /// Just this number.
    pub(super) fn only(number: u32) -> Self {
        Self { bits: 1 << number, starred: false }
    }

    /// Whether it allows all that there is, up to `last`.
    pub(super) fn allows_all(self, kind: &Kind) -> bool {
        kind.range.clone().all(|number| self.bits & (1 << number) != 0)
    }

    /// The numbers, each plus `shift`, as a list; or a star.
    pub(super) fn list(self, kind: &Kind, shift: u32) -> String {
        if self.allows_all(kind) {
            return "*".into();
        }
        let numbers = (0..64).filter(|number| self.bits & (1 << number) != 0);
        numbers.map(|number| (number + shift).to_string()).collect::<Vec<_>>().join(",")
    }

    /// A weekday's: 7 is Sunday like 0.
    pub(super) fn with_one_sunday(self) -> Self {
        let sunday = self.bits >> 7 & 1;
        Self { bits: (self.bits | sunday) & 0x7f, ..self }
    }
}

fn part_of(part: &str, kind: &Kind) -> Result<u64, String> {
    let (span, step) = match part.split_once('/') {
        None => (part, None),
        Some((span, step)) => {
            let step: u32 = step.parse().map_err(|_| format!("{step:?} is no step"))?;
            (span, Some(step))
        }
    };
    let last = *kind.range.end();
    let (from, to) = match span.split_once('-') {
        _ if span == "*" => (*kind.range.start(), if last == 7 { 6 } else { last }),
        Some((from, to)) => (number(from, kind)?, number(to, kind)?),
        None => {
            let from = number(span, kind)?;
            // `5/10` is from 5 on in steps of 10.
            (from, if step.is_some() { if last == 7 { 6.max(from) } else { last } } else { from })
        }
    };
    if from > to {
        return Err(format!("{span:?} goes from high to low"));
    }
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err("a step of 0".into());
    }
    Ok((from..=to).step_by(step as usize).fold(0, |bits, number| bits | 1 << number))
}

fn number(text: &str, kind: &Kind) -> Result<u32, String> {
    let lower = text.to_ascii_lowercase();
    if let Some(place) = kind.names.iter().position(|name| *name == lower) {
        return Ok(kind.first + u32::try_from(place).unwrap_or(0));
    }
    let (first, last) = (kind.range.start(), kind.range.end());
    let is_number = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if is_number && kind.range.contains(&number) => Ok(number),
        _ => Err(format!("{text:?} is not one of {first} to {last}")),
    }
}
