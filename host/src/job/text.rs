//! Text from strangers: cut to a length, and made harmless to look at.

use std::borrow::Cow;

/// The longest beginning of `text` of at most `most` bytes that ends on a character.
pub fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// `text` with what a terminal or a log would act on made visible: control characters (but for
/// line feed and tab) and bidirectional overrides become `\u{…}`, NUL becomes U+FFFD.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_risky) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\0' => shown.push('\u{fffd}'),
            c if is_risky(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// As [`visible`], and on one line: a line feed would begin a line that looks like another speaker's.
pub fn one_line(text: &str) -> Cow<'_, str> {
    match visible(text) {
        shown if !shown.contains('\n') => shown,
        shown => Cow::Owned(shown.replace('\n', "\\n")),
    }
}

fn is_risky(c: char) -> bool {
    let bidirectional =
        matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    bidirectional || (c.is_control() && c != '\n' && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_ends_on_a_character() {
        assert_eq!(cut("aüb", 2), "a");
        assert_eq!(cut("aüb", 3), "aü");
        assert_eq!(cut("aüb", 99), "aüb");
    }

    #[test]
    fn one_line_stays_one() {
        assert_eq!(one_line("a\tb"), "a\tb");
        assert_eq!(one_line("a\n2026 ERROR b\u{1b}"), "a\\n2026 ERROR b\\u{1b}");
    }

    #[test]
    fn escapes_nul_and_overrides_become_visible() {
        assert_eq!(visible("plain\ttext\n"), "plain\ttext\n");
        assert_eq!(visible("\u{1b}[31mred\0\u{202e}x\r"), "\\u{1b}[31mred\u{fffd}\\u{202e}x\\u{d}");
    }
}
