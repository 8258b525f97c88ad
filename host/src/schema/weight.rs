//! What the keywords of one subschema weigh by themselves: how much of a value, and how much of the schema, they may
//! look at. Counted in *looks*: a byte, a part or a step of a pattern that is looked at once.

use serde_json::{Map, Value};

use super::pattern::states_of;

/// A name that is looked up in an object, or among the names of a schema.
const LOOKUP: u64 = 8;
/// A number that is divided by one with which it has no power of ten in common: that takes arithmetic without limits.
const LONG_DIVISION: u64 = 1 << 10;
/// So many whole numbers are the same float, at the most.
const SAME_FLOAT: u64 = 2048;
/// What a text is read as, or decoded from, takes so many looks for each of its bytes.
const READ: u64 = 8;
/// Up to so many items are compared each with each.
const COMPARED: usize = 15;
/// Keywords that are lists or maps of names to look up.
const NAMES: [&str; 5] = ["required", "properties", "dependentRequired", "dependentSchemas", "dependencies"];

/// The weight of one subschema, without those that it puts to others.
#[derive(Clone, Debug, Default)]
pub(super) struct Weight {
    /// `enum` and `const`: all that a value is compared with.
    compared: u64,
    /// Names that are looked up in an object.
    names: u64,
    /// The states of `pattern`, and what else looks at each byte of a text.
    pattern: u64,
    /// The states of all of `patternProperties`, which are put to each name.
    name_patterns: u64,
    unique: Unique,
    /// `multipleOf` a number that is no ordinary one.
    divides: Divides,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Unique {
    #[default]
    NotAsked,
    Asked,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Divides {
    #[default]
    Nothing,
    /// By a whole number that a float holds exactly: one division.
    Shortly,
    /// By a fraction: one division, if neither is extreme.
    Decimally,
    /// By anything else.
    Long,
}

impl Weight {
    /// Weighs the keywords of a schema, or says why it is not taken.
    pub(super) fn of(schema: &Map<String, Value>) -> Result<Self, String> {
        let pattern = schema.get("pattern").and_then(Value::as_str).map(states_of).transpose()?;
        let by_pattern = schema.get("patternProperties").and_then(Value::as_object);
        let name_patterns = by_pattern.into_iter().flat_map(Map::keys).map(|pattern| states_of(pattern));
        let content = ["contentMediaType", "contentEncoding"].map(|keyword| schema.contains_key(keyword));
        let content = content.into_iter().filter(|there| *there).map(|_| READ).sum::<u64>();
        Ok(Self {
            compared: ["enum", "const"]
                .into_iter()
                .filter_map(|keyword| schema.get(keyword))
                .map(all_of)
                .sum(),
            names: NAMES.into_iter().filter_map(|keyword| schema.get(keyword)).map(names_in).sum(),
            pattern: pattern.unwrap_or(0) + content,
            name_patterns: name_patterns.sum::<Result<u64, String>>()?,
            unique: match schema.get("uniqueItems") {
                Some(Value::Bool(true)) => Unique::Asked,
                Some(_) | None => Unique::NotAsked,
            },
            divides: schema.get("multipleOf").and_then(Value::as_f64).map_or(Divides::Nothing, Divides::by),
        })
    }

    /// The looks that it takes to put these keywords to the value.
    pub(super) fn looks(&self, value: &Value) -> u64 {
        let own = match value {
            Value::Null | Value::Bool(_) => 0,
            Value::Number(number) => self.divides.looks(number.as_f64().unwrap_or(f64::INFINITY)),
            Value::String(text) => (text.len() as u64).saturating_mul(self.pattern.saturating_add(1)),
            Value::Array(items) => match self.unique {
                Unique::NotAsked => items.len() as u64,
                Unique::Asked => uniqueness(items),
            },
            Value::Object(entries) => {
                let names = self.names.saturating_add(entries.len() as u64).saturating_mul(LOOKUP);
                let bytes: u64 = match self.name_patterns {
                    0 => 0,
                    _ => entries.keys().map(|name| 1 + name.len() as u64).sum(),
                };
                names.saturating_add(bytes.saturating_mul(self.name_patterns))
            }
        };
        own.saturating_add(self.compared)
    }
}

impl Divides {
    fn by(divisor: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match divisor {
            divisor if divisor.fract() == 0.0 && divisor.abs() <= EXACT => Self::Shortly,
            divisor if divisor >= 1e-6 => Self::Decimally,
            _ => Self::Long,
        }
    }

    fn looks(self, number: f64) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Shortly => 1,
            Self::Decimally if number.abs() <= 1e15 => LOOKUP * 4,
            Self::Decimally | Self::Long => LONG_DIVISION,
        }
    }
}

/// Items are told apart by a hash, which many that are not the same can share if they hold lists (how these nest is not
/// part of it) or numbers that no float holds. Those may all be compared with each other.
fn uniqueness(items: &[Value]) -> u64 {
    let all: u64 = items.iter().map(all_of).sum();
    let (mut numbers, mut others, mut size) = (0_u64, 0_u64, 0_u64);
    for item in items.iter().filter(|item| shares_its_hash(item)) {
        if item.is_number() {
            numbers += 1;
        } else {
            others += 1;
            size += all_of(item);
        }
    }
    let each_with_each = if items.len() <= COMPARED { all.saturating_mul(items.len() as u64) } else { 0 };
    let of_numbers = numbers * numbers.min(SAME_FLOAT);
    all.saturating_mul(2)
        .saturating_add(each_with_each)
        .saturating_add(of_numbers)
        .saturating_add(others.saturating_mul(size))
}

fn shares_its_hash(value: &Value) -> bool {
    const EXACT: u64 = 1 << 53;
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => false,
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number > EXACT,
            (None, Some(number)) => number.unsigned_abs() > EXACT,
            (None, None) => false,
        },
        Value::Array(_) => true,
        Value::Object(entries) => entries.values().any(shares_its_hash),
    }
}

fn names_in(names: &Value) -> u64 {
    match names {
        Value::Array(names) => names.len() as u64,
        Value::Object(lists) => {
            lists.values().map(|list| 1 + list.as_array().map_or(0, Vec::len) as u64).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The looks that it takes to see all of a value.
fn all_of(value: &Value) -> u64 {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len() as u64,
        Value::Array(parts) => parts.iter().map(all_of).sum(),
        Value::Object(entries) => {
            entries.iter().map(|(name, part)| LOOKUP + name.len() as u64 + all_of(part)).sum()
        }
    };
    1 + inside
}
