//! Whether the schema is what the migrations of this program make, object by object and by definition: a version that
//! says so is no proof. It only reads.

use std::collections::BTreeMap;

use super::{Database, Result, database_of, postgres, sqlite};

/// The objects of a schema, and how each is defined.
pub(super) type Objects = BTreeMap<String, Object>;

/// An object as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) definition: String,
    /// An index that is not valid is there, and does nothing.
    pub(super) sound: bool,
}

/// An object of the schema that is not as the migrations make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its sort and name, such as `index jobs_claim` or `column jobs.kind`.
    pub object: String,
    /// What is wrong with it.
    pub departure: Departure,
}

/// What is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It is not there.
    Missing {
        /// As it should be.
        expected: String,
    },
    /// It is another one.
    Changed {
        /// As it should be.
        expected: String,
        /// As it is.
        found: String,
    },
    /// It is as it should be, and does not do its work.
    Unsound,
    /// No migration makes it.
    Unknown {
        /// As it is.
        found: String,
    },
}

/// Compares the schema of a database that is up to date with what the migrations make.
///
/// # Errors
/// When the database can't be reached or refuses.
pub async fn compare_schema(url: &str) -> Result<Vec<Difference>> {
    Ok(match database_of(url)? {
        Database::Sqlite => differences(&sqlite::expected_schema().await?, &sqlite::found_schema(url).await?),
        Database::Postgres => differences(&postgres::expected_schema(), &postgres::found_schema(url).await?),
    })
}

fn differences(expected: &Objects, found: &Objects) -> Vec<Difference> {
    let known = expected.iter().filter_map(|(object, expected)| {
        let departure = match found.get(object) {
            None => Departure::Missing { expected: expected.definition.clone() },
            Some(found) if found.definition != expected.definition => {
                Departure::Changed { expected: expected.definition.clone(), found: found.definition.clone() }
            }
            Some(Object { sound: false, .. }) => Departure::Unsound,
            Some(_) => return None,
        };
        Some(Difference { object: object.clone(), departure })
    });
    let unknown = found.iter().filter(|(object, _)| !expected.contains_key(*object));
    let unknown = unknown.map(|(object, found)| Difference {
        object: object.clone(),
        departure: Departure::Unknown { found: found.definition.clone() },
    });
    // What goes with a table that is not there is not told one by one, and the same for one that nobody knows.
    let all: Vec<Difference> = known.chain(unknown).collect();
    let whole = |difference: &Difference| match &difference.departure {
        Departure::Missing { .. } | Departure::Unknown { .. } => {
            difference.object.strip_prefix("table ").map(str::to_owned)
        }
        Departure::Changed { .. } | Departure::Unsound => None,
    };
    let tables: Vec<String> = all.iter().filter_map(whole).collect();
    let part = |difference: &Difference| {
        let name = difference.object.split_once(' ').map_or("", |(_, name)| name);
        let table = name.split_once('.').map(|(table, _)| table);
        table.is_some_and(|table| tables.iter().any(|gone| gone == table))
    };
    all.into_iter().filter(|difference| !part(difference)).collect()
}

/// A definition on one line, without comments: those may be reworded.
pub(super) fn plain(sql: &str) -> String {
    let (mut text, mut quoted) = (String::with_capacity(sql.len()), None::<char>);
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (Some(quote), _) => {
                quoted = (c != quote).then_some(quote);
                text.push(c);
            }
            (None, '\'' | '"') => {
                quoted = Some(c);
                text.push(c);
            }
            (None, '-') if chars.peek() == Some(&'-') => while chars.next_if(|c| *c != '\n').is_some() {},
            (None, _) if c.is_whitespace() => {
                if !text.ends_with([' ', '(']) {
                    text.push(' ');
                }
            }
            (None, ')' | ',') => {
                text.truncate(text.trim_end().len());
                text.push(c);
            }
            (None, _) => text.push(c),
        }
    }
    text.trim().to_owned()
}

/// The objects as lines, to be kept in a file and compared.
pub(super) fn written(objects: &Objects) -> String {
    objects.iter().map(|(object, Object { definition, .. })| format!("{object} = {definition}\n")).collect()
}

/// The objects of such lines.
pub(super) fn read(text: &str) -> Objects {
    let object = |line: &str| {
        let (object, definition) = line.split_once(" = ")?;
        Some((object.to_owned(), Object { definition: definition.to_owned(), sound: true }))
    };
    text.lines().filter_map(object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_changed_unsound_or_unknown_is_told() {
        let expected = read("column a.x = text\nindex i = ON a (x)\nindex j = ON a (y)\ntable a = a table\n");
        assert!(differences(&expected, &expected).is_empty());
        let mut found =
            read("column a.x = integer\nindex j = ON a (y)\nindex k = ON a (z)\ntable a = a table\n");
        found.get_mut("index j").expect("an index").sound = false;
        let told = |object: &str, departure| Difference { object: object.into(), departure };
        let (text, integer) = ("text".to_owned(), "integer".to_owned());
        assert_eq!(
            differences(&expected, &found),
            [
                told("column a.x", Departure::Changed { expected: text, found: integer }),
                told("index i", Departure::Missing { expected: "ON a (x)".into() }),
                told("index j", Departure::Unsound),
                told("index k", Departure::Unknown { found: "ON a (z)".into() }),
            ]
        );
    }

    #[test]
    fn what_belongs_to_a_table_that_is_not_there_is_not_told_one_by_one() {
        let expected = read("column a.x = text\nconstraint a.c = CHECK\ntable a = a table\n");
        let told = differences(&expected, &Objects::new());
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].object, "table a");
    }

    #[test]
    fn a_definition_is_compared_without_comments_and_spaces() {
        let sql = "CREATE TABLE a (\n    x  text, -- why\n    y text DEFAULT '--  x'\n) STRICT";
        assert_eq!(plain(sql), "CREATE TABLE a (x text, y text DEFAULT '--  x') STRICT");
    }
}
