//! Which promise is shown by which tests, and on which databases: read from the sources of the tests, and from the list
//! of promises, `tests/promises.toml`.
//!
//! It knows how tests are written here, no more: the macros by which one function is tried on several databases, and
//! functions that are tests themselves.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::files;
use super::tokens::{Placed, Token, read};

/// Where the list stands in `tests/README.md`.
const BEGIN: &str = "<!-- promises: begin -->\n";
const END: &str = "<!-- promises: end -->\n";

/// The databases that a test is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Databases {
    /// Neither: a rule, a guest, a file.
    None,
    /// SQLite alone.
    Sqlite,
    /// PostgreSQL alone.
    Postgres,
    /// Both, by the same function or by one that tries both.
    Both,
}

impl Databases {
    const fn shown(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Both => "both",
        }
    }

    const fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, one) | (one, Self::None) => one,
            (Self::Sqlite, Self::Sqlite) => Self::Sqlite,
            (Self::Postgres, Self::Postgres) => Self::Postgres,
            (Self::Sqlite | Self::Postgres | Self::Both, _) => Self::Both,
        }
    }
}

/// Every test of the repository by its name (`target::module::function`), with the databases that it is about.
///
/// # Errors
/// When a source cannot be read.
pub fn tests(root: &Path) -> Result<BTreeMap<String, Databases>> {
    let mut all = BTreeMap::new();
    for (folder, prefix) in
        [("tests/tests", ""), ("tests/src", "harness"), ("host/src", "host"), ("sdk/src", "sdk")]
    {
        let folder = root.join(folder);
        for path in files(&folder, "rs")? {
            let module = module(prefix, path.strip_prefix(&folder)?);
            let source = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            for (name, databases) in tests_of(&read(&source)) {
                all.insert(format!("{module}::{name}"), databases);
            }
        }
    }
    Ok(all)
}

/// `conformance/by_sql.rs` is `conformance::by_sql`; `conformance/main.rs` is `conformance`.
fn module(prefix: &str, path: &Path) -> String {
    let parts = path.with_extension("");
    let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
    let parts = parts.filter(|part| !matches!(part.as_str(), "main" | "mod" | "lib"));
    let parts: Vec<String> =
        [prefix.to_owned()].into_iter().chain(parts).filter(|part| !part.is_empty()).collect();
    parts.join("::")
}

fn tests_of(tokens: &[Placed]) -> Vec<(String, Databases)> {
    let words: Vec<&Token> = tokens.iter().map(|placed| &placed.token).collect();
    let everywhere = mentioned(&words);
    let mut found = Vec::new();
    for at in 0..words.len() {
        let macros = [
            ("promises", Databases::Both),
            ("on_both_databases", Databases::Both),
            ("on_postgres", Databases::Postgres),
            ("in_every_language", Databases::None),
        ];
        for (name, databases) in macros {
            if is_call(&words[at..], name) {
                found.extend(listed(&words[at + 3..]).into_iter().map(|name| (name, databases)));
            }
        }
        if let Some(name) = test_function(&words[at..]) {
            // What a function leaves to others of its file is about what the file is about.
            let own = mentioned(body(&words[at..]));
            found.push((name, if own == Databases::None { everywhere } else { own }));
        }
    }
    found
}

fn is_call(words: &[&Token], name: &str) -> bool {
    matches!(words, [Token::Word(word), Token::Mark('!'), Token::Mark('{' | '('), ..] if word == name)
}

/// The words up to the end of a macro call.
fn listed(words: &[&Token]) -> Vec<String> {
    let names = words.iter().take_while(|token| !matches!(token, Token::Mark('}' | ')')));
    let names = names.filter_map(|token| match token {
        Token::Word(name) => Some(name.clone()),
        Token::Path | Token::Mark(_) => None,
    });
    names.collect()
}

/// The name of the function, if these words are `test]`, other attributes, and a function.
fn test_function(words: &[&Token]) -> Option<String> {
    let [Token::Word(word), rest @ ..] = words else { return None };
    if word != "test" || !matches!(rest, [Token::Mark(']' | '('), ..]) {
        return None;
    }
    let at = rest.iter().take(40).position(|token| **token == Token::Word("fn".into()))?;
    let between = rest[..at].iter().any(|token| matches!(token, Token::Mark('{' | '}' | ';' | '$')));
    match rest.get(at + 1) {
        Some(Token::Word(name)) if !between => Some(name.clone()),
        _ => None,
    }
}

/// The words of a function's body.
fn body<'a>(words: &'a [&'a Token]) -> &'a [&'a Token] {
    let begin = words.iter().position(|token| **token == Token::Mark('{')).unwrap_or(words.len());
    let mut depth = 0;
    for (at, token) in words.iter().enumerate().skip(begin) {
        match token {
            Token::Mark('{') => depth += 1,
            Token::Mark('}') if depth == 1 => return &words[begin..at],
            Token::Mark('}') => depth -= 1,
            Token::Mark(_) | Token::Word(_) | Token::Path => {}
        }
    }
    &words[begin..]
}

fn mentioned(words: &[&Token]) -> Databases {
    words.iter().fold(Databases::None, |sum, token| match token {
        Token::Word(word) if matches!(word.as_str(), "Sqlite" | "sqlite" | "SqliteConnection") => {
            sum.with(Databases::Sqlite)
        }
        Token::Word(word)
            if matches!(word.as_str(), "Postgres" | "postgres" | "PgConnection" | "cluster") =>
        {
            sum.with(Databases::Postgres)
        }
        Token::Word(_) | Token::Path | Token::Mark(_) => sum,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    part: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    about: String,
    promises: Vec<Promise>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Promise {
    says: String,
    tests: Vec<String>,
}

/// The list of promises as `tests/README.md` shows it.
///
/// # Errors
/// When a promise has no test, or names one that is not there: all of them are told.
pub fn table(root: &Path) -> Result<String> {
    let tests = tests(root)?;
    let path = root.join("tests/promises.toml");
    let list: List =
        toml::from_str(&std::fs::read_to_string(&path)?).with_context(|| path.display().to_string())?;
    let mut wrong = Vec::new();
    let mut table = String::new();
    for Part { about, promises } in list.part {
        writeln!(table, "\n### {about}\n\n| promise | shown by | on |\n|---|---|---|")?;
        for Promise { says: promise, tests: shown_by } in promises {
            if shown_by.is_empty() {
                wrong.push(format!("no test shows: {promise}"));
            }
            let mut databases = Databases::None;
            for name in &shown_by {
                match tests.get(name) {
                    Some(of) => databases = databases.with(*of),
                    None => wrong.push(format!("there is no test {name}, which is to show: {promise}")),
                }
            }
            let names: Vec<String> = shown_by.iter().map(|name| format!("`{name}`")).collect();
            writeln!(table, "| {promise} | {} | {} |", names.join("<br>"), databases.shown())?;
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(table)
}

/// The README's path, what it says, and what it should say.
///
/// # Errors
/// As [`table`], and when the README has no place for the list.
pub fn readme(root: &Path) -> Result<(PathBuf, String, String)> {
    let path = root.join("tests/README.md");
    let says = std::fs::read_to_string(&path)?;
    let (before, rest) = says.split_once(BEGIN).context("tests/README.md has no place for the promises")?;
    let (_, after) = rest.split_once(END).context("tests/README.md does not say where the promises end")?;
    let should = format!("{before}{BEGIN}{}\n{END}{after}", table(root)?);
    Ok((path, says, should))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_with_their_databases() {
        let source = r#"
            promises! { one two }
            on_both_databases!(three, four,);
            #[tokio::test]
            async fn five() -> Result<()> { let world = World::postgres().await?; if true {} Ok(()) }
            #[test]
            fn six() { let x = "postgres"; }
            fn helper() {}
            #[tokio::test(flavor = "multi_thread")]
            async fn seven() { for database in [Database::Sqlite, Database::Postgres] {} }
        "#;
        let found = tests_of(&read(source));
        let expected = [
            ("one", Databases::Both),
            ("two", Databases::Both),
            ("three", Databases::Both),
            ("four", Databases::Both),
            ("five", Databases::Postgres),
            ("six", Databases::Both),
            ("seven", Databases::Both),
        ];
        assert_eq!(found, expected.map(|(name, databases)| (name.to_owned(), databases)));
    }

    #[test]
    fn a_promise_without_a_test_and_one_whose_test_is_gone_are_told() -> Result<()> {
        let root = tempfile::tempdir()?;
        for folder in ["tests/tests", "tests/src", "host/src", "sdk/src"] {
            std::fs::create_dir_all(root.path().join(folder))?;
        }
        std::fs::write(root.path().join("tests/tests/a.rs"), "#[test]\nfn kept() {}")?;
        let list = |more: &str| {
            let kept = r#"{ says = "It holds", tests = ["a::kept"] }"#;
            let list = format!("[[part]]\nabout = \"A\"\npromises = [{kept}{more}]\n");
            std::fs::write(root.path().join("tests/promises.toml"), list)
        };
        list("")?;
        assert!(table(root.path())?.contains("| It holds | `a::kept` |  |"));
        list(r#", { says = "It shines", tests = [] }, { says = "It rings", tests = ["a::gone"] }"#)?;
        let told = table(root.path()).err().context("refused")?.to_string();
        assert!(
            told.contains("no test shows: It shines") && told.contains("there is no test a::gone"),
            "{told}"
        );
        Ok(())
    }
}
