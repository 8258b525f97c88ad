//! Quantities as people write them, read when the worker is compiled: a bad one does not compile.

use std::time::Duration;

/// Milliseconds, as many as fit.
pub(crate) fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `"30s"` in milliseconds.
pub(crate) const fn millis(text: &str) -> u64 {
    const UNITS: &[(&str, u64)] =
        &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    match product(text, UNITS) {
        Some(millis) => millis,
        None => panic!("a duration is a whole number and one of ms, s, m, h, d: such as 30s"),
    }
}

/// `"64MiB"` in bytes.
pub(crate) const fn bytes(text: &str) -> u64 {
    const UNITS: &[(&str, u64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    match product(text, UNITS) {
        Some(bytes) => bytes,
        None => panic!("a size is a whole number and one of B, KiB, MiB, GiB: such as 64MiB"),
    }
}

/// `"5G"` in units of fuel.
pub(crate) const fn fuel(text: &str) -> u64 {
    const UNITS: &[(&str, u64)] =
        &[("", 1), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000)];
    match product(text, UNITS) {
        Some(fuel) => fuel,
        None => panic!("fuel is a whole number, with k, M, G or T if you like: such as 5G"),
    }
}

/// A whole number times its unit. None if it is not one, or more than 64 bits hold.
const fn product(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.as_bytes();
    let mut number: u64 = 0;
    let mut digits = 0;
    while digits < text.len() && text[digits].is_ascii_digit() {
        let digit = (text[digits] - b'0') as u64;
        number = match number.checked_mul(10) {
            Some(tens) => match tens.checked_add(digit) {
                Some(number) => number,
                None => return None,
            },
            None => return None,
        };
        digits += 1;
    }
    let unit = text.split_at(digits).1;
    let mut i = 0;
    while digits > 0 && i < units.len() {
        if same(unit, units[i].0.as_bytes()) {
            return number.checked_mul(units[i].1);
        }
        i += 1;
    }
    None
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_people_write_them() {
        const HALF_A_MINUTE: u64 = millis("30s");
        assert_eq!(HALF_A_MINUTE, 30_000);
        assert_eq!(millis("250ms"), 250);
        assert_eq!(millis("2d"), 172_800_000);
        assert_eq!(bytes("64MiB"), 67_108_864);
        assert_eq!(fuel("5G"), 5_000_000_000);
        assert_eq!(fuel("17"), 17);
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        const SECONDS: &[(&str, u64)] = &[("s", 1_000)];
        for text in ["", "s", "5", "5 s", "-5s", "1.5s", "5ss", "5S", "99999999999999999999s"] {
            assert_eq!(product(text, SECONDS), None, "{text}");
        }
        assert_eq!(product("18446744073709551615s", SECONDS), None);
    }
}
