//! The frames of PostgreSQL's protocol, version 3: where a message begins and ends.

/// What asks for TLS or GSS before the protocol proper; the answer is a single byte.
const NEGOTIATIONS: [u32; 2] = [80_877_103, 80_877_104];

/// One message, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Its type; zero for what has none, before the protocol proper.
    pub(super) tag: u8,
    /// All its bytes, tag and length included.
    pub(super) bytes: Vec<u8>,
}

impl Message {
    /// What follows tag and length.
    pub(super) fn body(&self) -> &[u8] {
        let header = if self.tag == 0 { 4 } else { 5 };
        self.bytes.get(header..).unwrap_or_default()
    }

    /// Does the client ask for an encryption that is answered by one byte?
    pub(super) fn is_negotiation(&self) -> bool {
        let code = self.body().first_chunk().map(|code| u32::from_be_bytes(*code));
        self.tag == 0 && code.is_some_and(|code| NEGOTIATIONS.contains(&code))
    }
}

/// How the next message is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length alone: what a client says first.
    Untagged,
    /// By a tag and its length: the protocol proper.
    Tagged,
    /// A byte: the answer to a negotiation.
    Byte,
}

/// Gathers bytes and gives whole messages.
#[derive(Default)]
pub(super) struct Gatherer {
    bytes: Vec<u8>,
}

impl Gatherer {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, if it is there.
    pub(super) fn next(&mut self, framing: Framing) -> Option<Message> {
        let (tag, length) = match framing {
            Framing::Byte => (0, 1),
            Framing::Untagged => (0, self.length_at(0)?),
            Framing::Tagged => (*self.bytes.first()?, 1 + self.length_at(1)?),
        };
        if self.bytes.len() < length {
            return None;
        }
        let rest = self.bytes.split_off(length);
        Some(Message { tag, bytes: std::mem::replace(&mut self.bytes, rest) })
    }

    fn length_at(&self, at: usize) -> Option<usize> {
        let field = self.bytes.get(at..)?.first_chunk()?;
        // The field counts itself.
        usize::try_from(u32::from_be_bytes(*field)).ok().map(|length| length.max(4))
    }
}

/// The next zero-terminated text of a message and what follows it.
pub(super) fn text(body: &[u8]) -> Option<(String, &[u8])> {
    let end = body.iter().position(|byte| *byte == 0)?;
    Some((String::from_utf8_lossy(&body[..end]).into_owned(), &body[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_however_the_bytes_are_cut() {
        let stream = [&[0, 0, 0, 8, 4, 210, 22, 47][..], b"Q\0\0\0\x06x\0", b"S\0\0\0\x04"].concat();
        for cut in 0..stream.len() {
            let mut gatherer = Gatherer::default();
            let mut found: Vec<Message> = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                gatherer.add(part);
                let framing = |found: &[Message]| match found {
                    [] => Framing::Untagged,
                    _ => Framing::Tagged,
                };
                while let Some(message) = gatherer.next(framing(&found)) {
                    found.push(message);
                }
            }
            assert_eq!(
                found.iter().map(|message| message.tag).collect::<Vec<_>>(),
                [0, b'Q', b'S'],
                "cut at {cut}"
            );
            assert_eq!((found[0].is_negotiation(), found[1].body()), (true, &b"x\0"[..]));
        }
    }

    #[test]
    fn a_text_ends_at_its_zero() {
        assert_eq!(text(b"ab\0\0rest"), Some(("ab".to_owned(), &b"\0rest"[..])));
        assert_eq!(text(b"ab"), None);
    }
}
