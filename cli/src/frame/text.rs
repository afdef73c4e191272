//! Text for people: names that cannot paint the terminal, numbers of bytes, and lines cut in the middle.

use std::borrow::Cow;
use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A name from a file with everything escaped that a terminal would obey or not show: control characters, those that change
/// the direction of writing, those without a width.
pub fn escape(name: &str) -> Cow<'_, str> {
    if !name.chars().any(is_hidden) {
        return name.into();
    }
    let mut text = String::new();
    for c in name.chars() {
        if is_hidden(c) {
            text.extend(c.escape_default());
        } else {
            text.push(c);
        }
    }
    text.into()
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{70f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `most` columns: its middle is left out, as both ends tell more.
pub fn cut(text: &str, most: usize, ascii: bool) -> Cow<'_, str> {
    if width(text) <= most {
        return text.into();
    }
    let mark = if ascii { "~" } else { "…" };
    let room = most.saturating_sub(1);
    let (front, back) = (room.div_ceil(2), room / 2);
    let mut cut: String = taking(text.chars(), front).collect();
    cut.push_str(mark);
    let end: Vec<char> = taking(text.chars().rev(), back).collect();
    cut.extend(end.into_iter().rev());
    cut.into()
}

/// As many characters as fit into that many columns.
fn taking(chars: impl Iterator<Item = char>, columns: usize) -> impl Iterator<Item = char> {
    chars.scan(columns, |left, c| {
        *left = left.checked_sub(c.width().unwrap_or(0))?;
        Some(c)
    })
}

/// A number of bytes: `1.50 MB`, or all its digits.
pub fn bytes(n: u64, exact: bool) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if exact {
        return n.to_string();
    }
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1000.0;
    let mut unit = 0;
    // 999.9995 would be printed as 1000.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// A shape as NumPy prints it: `(3,)`.
pub struct Shape<'a>(pub &'a [u64]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (i, axis) in self.0.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{axis}")?;
        }
        f.write_str(if self.0.len() == 1 { ",)" } else { ")" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_paint_the_terminal() {
        assert_eq!(escape("a/b c"), "a/b c");
        assert_eq!(escape("a\x1b[31mb"), "a\\u{1b}[31mb");
        assert_eq!(escape("a\u{202e}b\nc\u{9b}"), "a\\u{202e}b\\nc\\u{9b}");
        assert_eq!(escape("größe/温度"), "größe/温度");
    }

    #[test]
    fn bytes_have_three_digits() {
        for (n, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_995, "10.0 kB"),
            (99_949, "99.9 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(n, false), text);
        }
        assert_eq!(bytes(123_456_789, true), "123456789");
    }

    #[test]
    fn the_middle_is_cut() {
        assert_eq!(cut("layers/0/weight", 20, false), "layers/0/weight");
        assert_eq!(cut("layers/0/weight", 8, false), "laye…ght");
        assert_eq!(cut("layers/0/weight", 8, true), "laye~ght");
        assert_eq!(cut("温度温度温度", 5, false), "温…度");
        assert_eq!(cut("abc", 1, false), "…");
    }
}
