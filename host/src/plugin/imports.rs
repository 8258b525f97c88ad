//! What a component imports, by name: read from its outline, for people to see before it runs anything. Whether the
//! host offers it is for the sandbox to say.

/// The section of imports, and how its parts begin (Component Model, Binary.md).
const IMPORTS: u8 = 10;

/// The names that a component imports, in order; cut short where the bytes can't be read.
pub(super) fn imports_of(component: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = Bytes(component.get(8..).unwrap_or_default());
    while let Some((id, body)) = rest.section() {
        if id == IMPORTS {
            let mut body = Bytes(body);
            let count = body.number().unwrap_or(0);
            names.extend((0..count).map_while(|_| body.import()));
        }
    }
    names
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// LEB128 of at most 32 bits.
    fn number(&mut self) -> Option<usize> {
        let mut number = 0_usize;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn section(&mut self) -> Option<(u8, &'a [u8])> {
        let id = self.byte()?;
        let length = self.number()?;
        Some((id, self.take(length)?))
    }

    /// An import: its name, and what it is, which is skipped.
    fn import(&mut self) -> Option<String> {
        let _form = self.byte()?;
        let length = self.number()?;
        let name = crate::job::visible(str::from_utf8(self.take(length)?).ok()?).into_owned();
        match self.byte()? {
            // A core module is marked twice; a type is equal to another, or is abstract.
            0 => self.byte().and_then(|_| self.number())?,
            3 => match self.byte()? {
                0 => self.number()?,
                _ => 0,
            },
            1 | 4 | 5 => self.number()?,
            _ => return None,
        };
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_every_section_of_imports() {
        let header = b"\0asm\x0d\0\x01\0".as_slice();
        let first = [IMPORTS, 6, 1, 0, 1, b'a', 5, 0];
        let other = [7, 1, 0];
        let second = [2, 0, 1, b'b', 3, 0, 9, 0, 1, b'c', 1];
        let cut_off = [header, &first, &other, &[IMPORTS, 11], &second, &[4]].concat();
        assert_eq!(imports_of(&cut_off), ["a", "b"], "the section ends before what c is");
        let whole = [header, &first, &other, &[IMPORTS, 12], &second, &[4]].concat();
        assert_eq!(imports_of(&whole), ["a", "b", "c"]);
        for end in 0..whole.len() {
            assert!(imports_of(&whole[..end]).len() < 3, "cut at {end}");
        }
    }
}
