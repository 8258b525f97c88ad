//! What the bytes that somebody dropped are, before a compiler sees them: errors that say what to do.

use super::LoadError;

const MAGIC: [u8; 4] = *b"\0asm";
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];
const CORE_MODULE: [u8; 4] = [1, 0, 0, 0];
const ELF: [u8; 4] = *b"\x7fELF";
const ZIP: [u8; 4] = *b"PK\x03\x04";

/// Whether the bytes are a whole component, as far as its outline goes.
pub(super) fn check(bytes: &[u8]) -> Result<(), LoadError> {
    let Some((magic, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(if MAGIC.starts_with(bytes) { incomplete(bytes.len()) } else { foreign(bytes) });
    };
    if *magic != MAGIC {
        return Err(foreign(bytes));
    }
    let Some((version, sections)) = rest.split_first_chunk::<4>() else {
        return Err(incomplete(bytes.len()));
    };
    match *version {
        COMPONENT if is_whole(sections) => Ok(()),
        COMPONENT => Err(incomplete(bytes.len())),
        CORE_MODULE => Err(LoadError::Refused(
            "this is a core module, not a component: build it for wasm32-wasip2, or make a component of it with `wasm-tools component new`"
                .into(),
        )),
        [version, _, layer, _] => Err(LoadError::Refused(format!(
            "this is WebAssembly of version {version}, layer {layer}, which this host does not know: build it with current tools"
        ))),
    }
}

fn incomplete(bytes: usize) -> LoadError {
    LoadError::Incomplete(match bytes {
        0 => "the file is empty: is it still being written?".into(),
        _ => format!("the file ends in the middle, after {bytes} bytes: is it still being written?"),
    })
}

fn foreign(bytes: &[u8]) -> LoadError {
    let text = bytes.trim_ascii_start();
    let what = if bytes.starts_with(&ELF) {
        "this is ELF, perhaps compiled code (.cwasm), which is never loaded: drop the component itself".into()
    } else if bytes.starts_with(&ZIP) {
        "this is a zip archive: drop the component that is in it".into()
    } else if text.starts_with(b"(component") || text.starts_with(b"(module") {
        "this is the text format of WebAssembly: turn it into a binary with `wasm-tools parse`".into()
    } else {
        let beginning: Vec<_> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("this is not WebAssembly: it begins with {}", beginning.join(" "))
    };
    LoadError::Refused(what)
}

/// Whether every section ends within the bytes.
fn is_whole(mut sections: &[u8]) -> bool {
    while let Some((_id, rest)) = sections.split_first() {
        match section_size(rest) {
            Some((size, body)) if size <= body.len() => sections = &body[size..],
            Some(_) | None => return false,
        }
    }
    true
}

/// A size in LEB128 of at most 32 bits, and what follows it. One that is too long is left to the parser.
fn section_size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut size = 0_usize;
    for (n, byte) in bytes.iter().enumerate().take(5) {
        size |= usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((size, &bytes[n + 1..]));
        }
    }
    (bytes.len() >= 5).then_some((0, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn what_is_no_component_is_named_and_the_reader_told_what_to_do() {
        let cases: [(&[u8], &str); 7] = [
            (b"\0asm\x01\0\0\0", "this is a core module"),
            (b"\x7fELF\x02\x01\x01\0", "this is ELF"),
            (b"PK\x03\x04....", "this is a zip archive"),
            (b"\n (component)", "this is the text format"),
            (b"#!", "this is not WebAssembly: it begins with 23 21"),
            (b"\0asm\x0e\0\x01\0", "this is WebAssembly of version 14"),
            (b"hello", "this is not WebAssembly: it begins with 68 65 6c 6c"),
        ];
        for (bytes, begins) in cases {
            match check(bytes) {
                Err(LoadError::Refused(text)) => assert!(text.starts_with(begins), "{text}"),
                other => panic!("{begins}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_component_cut_anywhere_but_between_sections_is_incomplete() {
        let whole = [EMPTY, &[0, 3, 1, b'x', 7], &[0, 0x82, 0, 1, b'y']].concat();
        assert_eq!(check(&whole), Ok(()));
        for end in 0..whole.len() {
            let cut = check(&whole[..end]);
            let between = [8, 13].contains(&end);
            assert_eq!(matches!(cut, Err(LoadError::Incomplete(_))), !between, "cut at {end}: {cut:?}");
        }
    }
}
