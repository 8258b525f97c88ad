//! Which top-level modules of its crate a file names, by `crate::…` or by climbing with `super::…`.

use super::tokens::{self, Placed, Token};

/// A name that a file reaches directly below the root of its crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// The first segment below the root; `*` for everything, `self` for the root itself.
    pub name: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// What `source` reaches, if it is the file of the module `module` (`["store", "insert"]` for `store/insert.rs`).
#[must_use]
pub fn reaches(source: &str, module: &[&str]) -> Vec<Reach> {
    let tokens = tokens::read(source);
    let mut walk =
        Walk { tokens: &tokens, module: module.len(), depth: 0, inline: Vec::new(), found: Vec::new() };
    for at in 0..tokens.len() {
        walk.visit(at);
    }
    walk.found.sort();
    walk.found.dedup();
    walk.found
}

/// The names of other crates that begin a path in `source`.
#[must_use]
pub fn crates<'a>(source: &str, watched: &[&'a str]) -> Vec<(&'a str, usize)> {
    let tokens = tokens::read(source);
    let names = |placed: &Placed| match &placed.token {
        Token::Word(word) => watched.iter().copied().find(|name| name == word),
        Token::Path | Token::Mark(_) => None,
    };
    let starts = |at: usize| at == 0 || tokens[at - 1].token != Token::Path;
    let leads = |at: usize| tokens.get(at + 1).is_some_and(|next| next.token == Token::Path);
    let used = |at: usize| at > 0 && tokens[at - 1].token == Token::Word("use".to_owned());
    let hit = |(at, placed): (usize, &Placed)| {
        let name = names(placed)?;
        (starts(at) && (leads(at) || used(at))).then_some((name, placed.line))
    };
    tokens.iter().enumerate().filter_map(hit).collect()
}

struct Walk<'a> {
    tokens: &'a [Placed],
    /// How deep the file's own module lies below the root.
    module: usize,
    depth: usize,
    /// The brace depths at which inline modules opened.
    inline: Vec<usize>,
    found: Vec<Reach>,
}

impl Walk<'_> {
    fn visit(&mut self, at: usize) {
        match &self.tokens[at].token {
            Token::Mark('{') => {
                if at >= 2 && self.word(at - 2) == Some("mod") {
                    self.inline.push(self.depth);
                }
                self.depth += 1;
            }
            Token::Mark('}') => {
                self.depth = self.depth.saturating_sub(1);
                if self.inline.last() == Some(&self.depth) {
                    self.inline.pop();
                }
            }
            Token::Word(word) if self.begins_path(at) => match word.as_str() {
                "crate" if self.is_path(at + 1) => self.tree(at + 2, 0),
                "super" | "self" if self.is_path(at + 1) => self.tree(at, self.module + self.inline.len()),
                _ => {}
            },
            Token::Word(_) | Token::Path | Token::Mark(_) => {}
        }
    }

    /// Follows one branch of a path from a module `height` levels below the root; answers where it ended.
    fn tree(&mut self, at: usize, height: usize) {
        match self.tokens.get(at).map(|placed| &placed.token) {
            Some(Token::Word(word)) if word == "super" && self.is_path(at + 1) && height > 0 => {
                self.tree(at + 2, height - 1);
            }
            Some(Token::Word(word)) if word == "self" && self.is_path(at + 1) => self.tree(at + 2, height),
            Some(Token::Word(word)) if height == 0 => self.reach(word.clone(), at),
            Some(Token::Mark('*')) if height == 0 => self.reach("*".to_owned(), at),
            Some(Token::Mark('{')) => self.group(at, height),
            _ => {}
        }
    }

    /// Every branch of `{a, b::{c, d}}` begins where the group stands.
    fn group(&mut self, open: usize, height: usize) {
        let mut nesting = 0_usize;
        for at in open..self.tokens.len() {
            let begins = match self.tokens[at].token {
                Token::Mark('{') => {
                    nesting += 1;
                    nesting == 1
                }
                Token::Mark('}') => {
                    nesting -= 1;
                    false
                }
                Token::Mark(',') => nesting == 1,
                Token::Word(_) | Token::Path | Token::Mark(_) => false,
            };
            if nesting == 0 {
                return;
            }
            if begins {
                self.tree(at + 1, height);
            }
        }
    }

    fn reach(&mut self, name: String, at: usize) {
        self.found.push(Reach { name, line: self.tokens[at].line });
    }

    fn begins_path(&self, at: usize) -> bool {
        at == 0 || !self.is_path(at - 1)
    }

    fn is_path(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|placed| placed.token == Token::Path)
    }

    fn word(&self, at: usize) -> Option<&str> {
        match &self.tokens.get(at)?.token {
            Token::Word(word) => Some(word),
            Token::Path | Token::Mark(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str, module: &[&str]) -> Vec<String> {
        reaches(source, module).into_iter().map(|reach| reach.name).collect()
    }

    #[test]
    fn every_way_to_name_a_module_of_the_crate_is_seen() {
        let cases: &[(&str, &[&str])] = &[
            ("use crate::store::Store;", &["store"]),
            ("use crate::store;", &["store"]),
            ("use crate::{job::{Job, id::{A, B}}, store::Store};", &["job", "store"]),
            ("use crate::{\n    job::Job,\n    wake,\n};", &["job", "wake"]),
            ("use crate::*;", &["*"]),
            ("use crate::{self as root, job};", &["job", "self"]),
            ("pub(crate) use crate::event::Event;", &["event"]),
            ("fn f(x: crate::wake::Bell) -> Vec<crate::job::Job> {}", &["job", "wake"]),
            ("macro_rules! m { () => { $crate::store::x() } }", &["store"]),
            ("pub(crate) fn f() {}", &[]),
            ("pub(in crate::sandbox) fn f() {}", &["sandbox"]),
            ("/// See [`crate::runner`].\nfn f() { g(\"crate::cli\") }", &[]),
            ("use super::Sibling;", &[]),
            ("use super::super::runner::Slot;", &["runner"]),
            ("mod tests { use super::*; use super::super::Sibling; }", &[]),
            ("mod tests { use super::super::super::{runner, cli::Cli}; }", &["cli", "runner"]),
            ("mod tests { fn f() {} } use super::super::runner;", &["runner"]),
            ("use self::super::super::runner;", &["runner"]),
            ("use std::sync::Arc; use other::crates::store;", &[]),
        ];
        for (source, expected) in cases {
            assert_eq!(names(source, &["store", "insert"]), *expected, "in {source}");
        }
    }

    #[test]
    fn a_file_directly_below_the_root_climbs_with_one_super() {
        assert_eq!(names("use super::runner;", &["clock"]), ["runner"]);
    }

    #[test]
    fn a_foreign_crate_is_seen_where_a_path_begins() {
        let watched = &["sqlx", "tokio"];
        let seen = |source| crates(source, watched).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(seen("use sqlx::Row; fn f() { tokio::spawn(g()) }"), ["sqlx", "tokio"]);
        assert_eq!(seen("let sqlx = 1; crate::sqlx::x(); // tokio::spawn"), Vec::<&str>::new());
    }
}
