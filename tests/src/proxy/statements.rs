//! Which statement a client runs: by a simple query, or by the extended protocol's statements and portals.

use std::collections::HashMap;

use super::wire::{Message, text};

/// What a client message means for the work of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This text is executed.
    Runs(String),
    /// Neither: preparation, parameters, farewell.
    Other,
}

/// The prepared statements and open portals of one session.
#[derive(Default)]
pub(super) struct Session {
    statements: HashMap<String, String>,
    portals: HashMap<String, String>,
}

impl Session {
    /// Takes note of a client message, and says what it runs.
    pub(super) fn note(&mut self, message: &Message) -> Meaning {
        self.meaning(message).unwrap_or(Meaning::Other)
    }

    fn meaning(&mut self, message: &Message) -> Option<Meaning> {
        let body = message.body();
        match message.tag {
            b'Q' => return Some(Meaning::Runs(text(body)?.0)),
            b'P' => {
                let (name, rest) = text(body)?;
                self.statements.insert(name, text(rest)?.0);
            }
            b'B' => {
                let (portal, rest) = text(body)?;
                let bound = self.statements.get(&text(rest)?.0).cloned().unwrap_or_default();
                self.portals.insert(portal, bound);
            }
            b'E' => return Some(Meaning::Runs(self.portals.get(&text(body)?.0)?.clone())),
            b'C' => {
                let (kind, name) = body.split_first()?;
                let closed = if *kind == b'S' { &mut self.statements } else { &mut self.portals };
                closed.remove(&text(name)?.0);
            }
            _ => {}
        }
        Some(Meaning::Other)
    }
}

/// Does the server answer this message by "ready for query"?
pub(super) fn ends_a_turn(message: &Message) -> bool {
    matches!(message.tag, b'Q' | b'S' | b'F')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Message {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        Message { tag, bytes: [&[tag][..], &length, body].concat() }
    }

    fn runs(session: &mut Session, tag: u8, body: &[u8]) -> Option<String> {
        match session.note(&message(tag, body)) {
            Meaning::Runs(text) => Some(text),
            Meaning::Other => None,
        }
    }

    #[test]
    fn a_simple_query_runs_its_own_text() {
        assert_eq!(runs(&mut Session::default(), b'Q', b"COMMIT\0").as_deref(), Some("COMMIT"));
    }

    #[test]
    fn an_execute_runs_the_text_of_the_statement_that_was_bound_to_its_portal() {
        let mut session = Session::default();
        assert_eq!(runs(&mut session, b'P', b"s1\0select 1\0\0\0"), None);
        assert_eq!(runs(&mut session, b'P', b"s2\0select 2\0\0\0"), None);
        assert_eq!(runs(&mut session, b'B', b"\0s1\0\0\0\0\0\0\0"), None);
        assert_eq!(runs(&mut session, b'B', b"p\0s2\0\0\0\0\0\0\0"), None);
        assert_eq!(runs(&mut session, b'E', b"\0\0\0\0\0").as_deref(), Some("select 1"));
        assert_eq!(runs(&mut session, b'E', b"p\0\0\0\0\0").as_deref(), Some("select 2"));
        assert_eq!(runs(&mut session, b'C', b"Pp\0"), None);
        assert_eq!(runs(&mut session, b'E', b"p\0\0\0\0\0"), None);
        assert_eq!(runs(&mut session, b'B', b"\0s1\0\0\0\0\0\0\0"), None);
        assert_eq!(
            runs(&mut session, b'E', b"\0\0\0\0\0").as_deref(),
            Some("select 1"),
            "prepared once, run again"
        );
    }

    #[test]
    fn a_turn_ends_with_a_query_or_a_sync() {
        let ends: Vec<u8> = (b'A'..=b'z').filter(|tag| ends_a_turn(&message(*tag, b""))).collect();
        assert_eq!(ends, b"FQS");
    }
}
