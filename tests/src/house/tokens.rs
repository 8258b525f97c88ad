//! The words of a Rust file: what is code, without comments, strings and characters.
//!
//! No parser: it knows just enough of the language not to take a doc comment or a string for code.

/// A piece of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An identifier or keyword.
    Word(String),
    /// `::`
    Path,
    /// Any other character of punctuation.
    Mark(char),
}

/// A token and the line where it stands, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What stands there.
    pub token: Token,
    /// Where.
    pub line: usize,
}

/// Reads a whole file.
#[must_use]
pub fn read(source: &str) -> Vec<Placed> {
    let mut reader = Reader { rest: source, line: 1, found: Vec::new() };
    while reader.step() {}
    reader.found
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Placed>,
}

impl Reader<'_> {
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.block_comment();
        } else if let Some(length) = text_literal(self.rest) {
            self.skip(length);
        } else if first == '\'' {
            self.skip(character_or_lifetime(self.rest));
        } else if first == '_' || first.is_alphabetic() {
            self.word();
        } else if first.is_ascii_digit() {
            self.skip(run_of_word(self.rest));
        } else if self.rest.starts_with("::") {
            self.push(Token::Path, 2);
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else {
            self.push(Token::Mark(first), first.len_utf8());
        }
        true
    }

    fn skip(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }

    fn push(&mut self, token: Token, length: usize) {
        self.found.push(Placed { token, line: self.line });
        self.skip(length);
    }

    fn word(&mut self) {
        // `r#type` is the identifier `type`.
        if self.rest.starts_with("r#") {
            self.skip(2);
        }
        let length = run_of_word(self.rest);
        self.push(Token::Word(self.rest[..length].to_owned()), length);
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.skip(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.skip(2);
            } else if let Some(next) = self.rest.chars().next() {
                self.skip(next.len_utf8());
            }
            if depth == 0 || self.rest.is_empty() {
                return;
            }
        }
    }
}

fn run_of_word(rest: &str) -> usize {
    rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len())
}

/// The length of the string literal that begins here, with prefix and hashes.
fn text_literal(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix).is_some_and(|after| {
            let hashes = after.len() - after.trim_start_matches('#').len();
            after[hashes..].starts_with('"') && (hashes == 0 || prefix.ends_with('r'))
        })
    })?;
    let after = &rest[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = prefix.len() + hashes + 1;
    if prefix.ends_with('r') {
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(rest[body..].find(&close).map_or(rest.len(), |at| body + at + close.len()));
    }
    Some(body + escaped(&rest[body..], '"'))
}

/// The length up to and with the closing `quote`, minding backslashes.
fn escaped(body: &str, quote: char) -> usize {
    let mut characters = body.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote {
            return at + 1;
        }
    }
    body.len()
}

/// `'a'` is a character, `'a` a lifetime: the latter has no quote after its first character.
fn character_or_lifetime(rest: &str) -> usize {
    let mut inner = rest[1..].chars();
    match (inner.next(), inner.next()) {
        (Some('\\'), _) => 1 + escaped(&rest[1..], '\''),
        (Some(one), Some('\'')) => 2 + one.len_utf8(),
        _ => 1 + run_of_word(&rest[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        let word = |placed: Placed| match placed.token {
            Token::Word(word) => Some(word),
            Token::Path | Token::Mark(_) => None,
        };
        read(source).into_iter().filter_map(word).collect()
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        let cases: &[(&str, &[&str])] = &[
            ("a // crate::b\nc", &["a", "c"]),
            ("a /* x /* y */ z */ c", &["a", "c"]),
            (r#"a "crate \" b" c"#, &["a", "c"]),
            ("a r##\"x \"# y\"## c", &["a", "c"]),
            ("a b\"x\" br#\"y\"# c\"z\" d", &["a", "d"]),
            ("a '\"' '\\'' '{' c", &["a", "c"]),
            ("fn f<'a>(x: &'a str) {}", &["fn", "f", "x", "str"]),
            ("r#type 1_u8 r2", &["type", "r2"]),
            ("'labelled: loop", &["loop"]),
        ];
        for (source, expected) in cases {
            assert_eq!(words(source), *expected, "in {source}");
        }
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let placed = read("/* 1\n2 */ \"\n\" a\nb");
        assert_eq!(placed.iter().map(|placed| placed.line).collect::<Vec<_>>(), [3, 4]);
    }
}
