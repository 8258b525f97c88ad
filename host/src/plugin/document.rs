//! A TOML file that people wrote: read whole, with errors that say where and what to do.

use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// The most bytes that a manifest or a configuration may have.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 256 << 10;

/// A file's text and the name by which its owner knows it.
#[derive(Clone, Debug)]
pub(crate) struct Document<'a> {
    file: &'a str,
    text: &'a str,
}

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct DocumentError {
    file: String,
    at: Option<Place>,
    problem: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
}

/// A key of the contract that this version does not act on yet: refused, so that nobody relies on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Later {
    /// Its dotted path; `*` stands for any key.
    pub(crate) key: &'static str,
    /// What to know about it.
    pub(crate) advice: &'static str,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(Place { line, column }) => {
                write!(f, "{}, line {line}, column {column}: {}", self.file, self.problem)
            }
            None => write!(f, "{}: {}", self.file, self.problem),
        }
    }
}

impl<'a> Document<'a> {
    /// A text and the name of its file.
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text }
    }

    /// Reads it; a key of `later` is refused with its advice, any other unknown one by `T` itself.
    pub(crate) fn read<T: DeserializeOwned>(&self, later: &[Later]) -> Result<T, DocumentError> {
        if self.text.len() > MAX_DOCUMENT_BYTES {
            let problem = format!("{} bytes, {MAX_DOCUMENT_BYTES} are allowed", self.text.len());
            return Err(DocumentError { file: self.file.into(), at: None, problem });
        }
        let root = DeTable::parse(self.text).map_err(|error| self.explain(&error))?;
        for Later { key, advice } in later {
            if let Some(span) = find(root.get_ref(), key) {
                return Err(self.error(Some(span), &format!("`{key}` is not supported yet: {advice}")));
            }
        }
        toml::from_str(self.text).map_err(|error| self.explain(&error))
    }

    /// An error about a key, by its dotted path.
    pub(crate) fn error_at(&self, key: &str, problem: &str) -> DocumentError {
        let root = DeTable::parse(self.text).ok();
        let span = root.and_then(|root| find(root.get_ref(), key));
        self.error(span, problem)
    }

    fn explain(&self, error: &toml::de::Error) -> DocumentError {
        // The parser says what it met on lines of their own.
        let problem = error.message().trim().replace('\n', "; ");
        self.error(error.span(), &problem)
    }

    fn error(&self, span: Option<Range<usize>>, problem: &str) -> DocumentError {
        let at = span.map(|span| self.place(span.start));
        let problem = crate::job::visible(crate::job::cut(problem, 1000)).into_owned();
        DocumentError { file: self.file.into(), at, problem }
    }

    fn place(&self, offset: usize) -> Place {
        let before = crate::job::cut(self.text, offset);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        Place { line, column }
    }
}

/// Where the key of a dotted path stands.
fn find(table: &DeTable<'_>, path: &str) -> Option<Range<usize>> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let named = table.iter().filter(|(key, _)| head == "*" || key.get_ref() == head);
    let inside = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| match (rest, value.get_ref())
    {
        (None, _) => Some(key.span()),
        (Some(rest), DeValue::Table(inner)) => find(inner, rest),
        (Some(_), _) => None,
    };
    named.into_iter().find_map(inside)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const LATER: [Later; 1] = [Later { key: "grants.http", advice: "workers have no network so far" }];

    fn refused(text: &str) -> String {
        Document::new("x.toml", text)
            .read::<BTreeMap<String, BTreeMap<String, u8>>>(&LATER)
            .expect_err(text)
            .to_string()
    }

    #[test]
    fn an_error_names_the_file_the_line_and_the_column() {
        insta::assert_snapshot!(refused("[a]\nb = 1\nc = \"x\""), @r#"x.toml, line 3, column 5: invalid type: string "x", expected u8"#);
        insta::assert_snapshot!(refused("[a\n"), @"x.toml, line 1, column 3: unclosed table, expected `]`");
        insta::assert_snapshot!(refused("[a]\n\n[[grants.http]]\nhost = 1"), @"x.toml, line 3, column 10: `grants.http` is not supported yet: workers have no network so far");
    }
}
