//! The subset of Python's literals that headers are written in.
//!
//! ```text
//! {'descr': '<f8', 'fortran_order': False, 'shape': (3,), }
//! ```
//!
//! One pass without going back: the time is linear in the length of the text, the depth is limited.
//! Legal Python that no writer of headers uses (comments, triple quotes, `'a' 'b'`, `0x3`, `+3`, `1_000`,
//! `\N{..}`, floats, bytes, sets) is refused.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// Brackets nested deeper are refused, so that recursion over a [`Literal`] is bounded.
const MAX_BRACKETS: usize = 128;

/// A Python value as it stands in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    None,
    Bool(bool),
    /// Saturated: a number that does not fit is refused as a dimension later.
    Int(i128),
    Str(String),
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    /// In the order of the text; of equal keys the last one counts.
    Dict(Vec<(Literal, Literal)>),
}

/// Reads one literal that fills the whole text except for whitespace; `python2` allows `3L`.
pub(crate) fn parse(text: &str, python2: bool) -> Result<Literal> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        python2,
    };
    parser.skip_whitespace();
    let literal = parser.value()?;
    parser.skip_whitespace();
    match parser.peek() {
        None => Ok(literal),
        Some(_) => Err(parser.unexpected("only whitespace behind the value")),
    }
}

impl Literal {
    /// What it is, for messages.
    pub(crate) fn describe(&self) -> Described<'_> {
        Described(self)
    }
}

/// A short description of a [`Literal`] that never repeats a long text of a file.
pub(crate) struct Described<'a>(&'a Literal);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Literal::None => f.write_str("None"),
            Literal::Bool(true) => f.write_str("True"),
            Literal::Bool(false) => f.write_str("False"),
            Literal::Int(n) => write!(f, "the integer {n}"),
            Literal::Str(s) => write!(f, "the string {}", Quoted(s)),
            Literal::Tuple(items) => write!(f, "a tuple of {}", items.len()),
            Literal::List(items) => write!(f, "a list of {}", items.len()),
            Literal::Dict(items) => write!(f, "a dict of {}", items.len()),
        }
    }
}

/// Text of a file in a message: escaped, and cut where it is long.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        let mut chars = self.0.char_indices();
        match chars.nth(SHOWN) {
            None => write!(f, "'{}'", self.0.escape_debug()),
            Some((end, _)) => write!(f, "'{}'...", self.0[..end].escape_debug()),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    /// Always at the start of a character.
    at: usize,
    depth: usize,
    python2: bool,
}

impl Parser<'_> {
    /// At the first character of a value; ends right behind it.
    fn value(&mut self) -> Result<Literal> {
        match self.peek() {
            Some('{') => self.nested(Self::dict),
            Some('[') => self.nested(|parser| Ok(Literal::List(parser.items(']')?.0))),
            Some('(') => self.nested(Self::parenthesis),
            Some('\'' | '"') => self.string(),
            Some('0'..='9') => self.integer(false),
            Some('-') => {
                self.bump();
                self.skip_whitespace();
                match self.peek() {
                    Some('0'..='9') => self.integer(true),
                    _ => Err(self.unexpected("a digit behind the minus")),
                }
            }
            Some('a'..='z' | 'A'..='Z' | '_') => self.word(),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn nested(&mut self, inside: impl FnOnce(&mut Self) -> Result<Literal>) -> Result<Literal> {
        if self.depth == MAX_BRACKETS {
            return Err(bad(format_args!(
                "found more than {MAX_BRACKETS} nested brackets at character {}, expected no more than that",
                self.position()
            )));
        }
        self.depth += 1;
        self.bump();
        let literal = inside(self)?;
        self.depth -= 1;
        Ok(literal)
    }

    /// Behind `(`: a tuple, or a value in parentheses, which is that value.
    fn parenthesis(&mut self) -> Result<Literal> {
        let (mut items, comma) = self.items(')')?;
        Ok(match items.pop() {
            Some(only) if items.is_empty() && !comma => only,
            last => {
                items.extend(last);
                Literal::Tuple(items)
            }
        })
    }

    /// Behind an opening bracket, up to and including `close`; and whether a comma stood last.
    fn items(&mut self, close: char) -> Result<(Vec<Literal>, bool)> {
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            self.skip_whitespace();
            if self.accept(close) {
                return Ok((items, comma));
            }
            items.push(self.value()?);
            comma = self.comma_or(close)?;
        }
    }

    /// Behind `{`, up to and including `}`.
    fn dict(&mut self) -> Result<Literal> {
        let mut entries = Vec::new();
        loop {
            self.skip_whitespace();
            if self.accept('}') {
                return Ok(Literal::Dict(entries));
            }
            let key = self.value()?;
            self.skip_whitespace();
            if !self.accept(':') {
                return Err(self.unexpected("a colon behind the key"));
            }
            self.skip_whitespace();
            entries.push((key, self.value()?));
            self.comma_or('}')?;
        }
    }

    /// Takes a comma, or leaves `close`, which must follow otherwise.
    fn comma_or(&mut self, close: char) -> Result<bool> {
        self.skip_whitespace();
        match self.peek() {
            Some(',') => {
                self.bump();
                Ok(true)
            }
            Some(c) if c == close => Ok(false),
            _ => Err(self.unexpected(format_args!("a comma or '{close}'"))),
        }
    }

    /// At the first digit.
    fn integer(&mut self, negative: bool) -> Result<Literal> {
        let start = self.at;
        let mut value: i128 = 0;
        let mut zeros_only = true;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.bump();
            zeros_only &= digit == 0;
            value = value.saturating_mul(10).saturating_add(digit.into());
        }
        if self.text[start..].starts_with('0') && !zeros_only {
            return Err(bad(format_args!(
                "found {} with a leading zero, expected an integer as Python 3 writes it",
                Quoted(&self.text[start..self.at])
            )));
        }
        if self.python2 {
            let end = self.at;
            while matches!(self.peek(), Some(' ' | '\t' | '\x0c')) {
                self.bump();
            }
            if !self.accept('L') {
                self.at = end;
            }
        }
        Ok(Literal::Int(if negative { -value } else { value }))
    }

    /// `True`, `False`, `None`, or the prefix of a string.
    fn word(&mut self) -> Result<Literal> {
        let start = self.at;
        while matches!(self.peek(), Some('a'..='z' | 'A'..='Z' | '0'..='9' | '_')) {
            self.bump();
        }
        let text = self.text;
        let word = &text[start..self.at];
        match word {
            "True" => Ok(Literal::Bool(true)),
            "False" => Ok(Literal::Bool(false)),
            "None" => Ok(Literal::None),
            // Python 2 wrote it, Python 3 still reads it.
            "u" | "U" if matches!(self.peek(), Some('\'' | '"')) => self.string(),
            _ => {
                let position = text[..start].chars().count();
                Err(bad(format_args!(
                    "found {} at character {position}, expected a plain literal",
                    Quoted(word)
                )))
            }
        }
    }

    /// At the opening quote.
    fn string(&mut self) -> Result<Literal> {
        let opened = self.at;
        let quote = self.bump();
        let mut value = String::new();
        loop {
            match self.bump() {
                None | Some('\n' | '\r') => {
                    let opened = self.text[..opened].chars().count();
                    return Err(bad(format_args!(
                        "found no end of the string that begins at character {opened}, expected a closing quote on the same line"
                    )));
                }
                c if c == quote => return Ok(Literal::Str(value)),
                Some('\0') => {
                    self.at -= 1;
                    return Err(self.unexpected("no NUL in a header"));
                }
                Some('\\') => self.escape(&mut value)?,
                Some(c) => value.push(c),
            }
        }
    }

    /// Behind the backslash.
    fn escape(&mut self, value: &mut String) -> Result<()> {
        let Some(c) = self.peek() else {
            return Err(self.unexpected("the rest of an escape"));
        };
        if c == '\0' {
            return Err(self.unexpected("no NUL in a header"));
        }
        self.bump();
        let plain = match c {
            '\n' => return Ok(()),
            '\r' => {
                self.accept('\n');
                return Ok(());
            }
            '\\' | '\'' | '"' => c,
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    self.bump();
                    code = code * 8 + digit;
                }
                return self.code_point(code, value);
            }
            'x' => return self.hex(2, value),
            'u' => return self.hex(4, value),
            'U' => return self.hex(8, value),
            'N' => {
                return Err(bad(
                    "found an escape \\N{..}, expected \\x, \\u or \\U: names of characters are not supported",
                ));
            }
            // Python keeps the backslash of an escape it does not know.
            other => {
                value.push('\\');
                other
            }
        };
        value.push(plain);
        Ok(())
    }

    fn hex(&mut self, digits: u32, value: &mut String) -> Result<()> {
        let mut code: u32 = 0;
        for _ in 0..digits {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(16)) else {
                return Err(self.unexpected(format_args!("an escape of {digits} hexadecimal digits")));
            };
            self.bump();
            code = code << 4 | digit;
        }
        self.code_point(code, value)
    }

    fn code_point(&self, code: u32, value: &mut String) -> Result<()> {
        let Some(c) = char::from_u32(code) else {
            return Err(bad(format_args!(
                "found the code point {code:#x} in a string, expected one of Unicode that is no surrogate"
            )));
        };
        value.push(c);
        Ok(())
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\x0c' | '\r' | '\n')) {
            self.bump();
        }
    }

    fn accept(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.bump();
        }
        found
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn position(&self) -> usize {
        self.text[..self.at].chars().count()
    }

    #[cold]
    fn unexpected(&self, expected: impl fmt::Display) -> Error {
        let position = self.position();
        match self.peek() {
            Some(c) => bad(format_args!(
                "found '{}' at character {position}, expected {expected}",
                c.escape_debug()
            )),
            None => bad(format_args!(
                "found the end at character {position}, expected {expected}"
            )),
        }
    }
}

#[cold]
fn bad(message: impl fmt::Display) -> Error {
    Error::new(
        ErrorKind::BadHeader,
        format_args!("the header is no literal: {message}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn str(text: &str) -> Literal {
        Literal::Str(text.to_owned())
    }

    #[test]
    fn what_headers_hold() {
        let parsed = parse(
            " {'descr': '<f8', \"fortran_order\": False,\n 'shape': (3,), }\x0c\t\r\n ",
            false,
        )
        .unwrap();
        let expected = Literal::Dict(vec![
            (str("descr"), str("<f8")),
            (str("fortran_order"), Literal::Bool(false)),
            (str("shape"), Literal::Tuple(vec![Literal::Int(3)])),
        ]);
        assert_eq!(parsed, expected);
        let parsed = parse("[(), (1), (1,), [], {}, None, True, - 7, 00, u'a', U\"b\"]", false).unwrap();
        let expected = Literal::List(vec![
            Literal::Tuple(vec![]),
            Literal::Int(1),
            Literal::Tuple(vec![Literal::Int(1)]),
            Literal::List(vec![]),
            Literal::Dict(vec![]),
            Literal::None,
            Literal::Bool(true),
            Literal::Int(-7),
            Literal::Int(0),
            str("a"),
            str("b"),
        ]);
        assert_eq!(parsed, expected);
    }

    #[test]
    fn escapes() {
        for (text, expected) in [
            (r#"'\\ \' \" \a\b\f\n\r\t\v'"#, "\\ ' \" \x07\x08\x0c\n\r\t\x0b"),
            (
                r"'\0 \101 \1012 \x41 \u0041 \U0001f600 \777'",
                "\0 A A2 A A \u{1f600} \u{1ff}",
            ),
            (r"'\q \8'", r"\q \8"),
            ("'a\\\nb\\\r\nc'", "abc"),
            (r#""it's""#, "it's"),
        ] {
            assert_eq!(parse(text, false).unwrap(), str(expected), "{text}");
        }
    }

    #[test]
    fn python_2_integers() {
        let three = Literal::Tuple(vec![Literal::Int(3)]);
        for text in ["(3L,)", "(3 L,)", "(3\tL ,)"] {
            assert_eq!(parse(text, true).unwrap(), three, "{text}");
            assert!(parse(text, false).is_err(), "{text}");
        }
        for text in ["(3l,)", "(3LL,)", "(3Lx,)", "(L,)", "(3\nL,)"] {
            assert!(parse(text, true).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "",
            " ",
            "'",
            "'a",
            "'a\n'",
            "'a\r'",
            "'a\0'",
            "'\\",
            "'\\\0'",
            r"'\x4'",
            r"'\u004'",
            r"'\ud800'",
            r"'\U00110000'",
            r"'\N{DIGIT ONE}'",
            "b'a'",
            "f'a'",
            "r'a'",
            "ur'a'",
            "'a' 'b'",
            "'''a'''",
            "03",
            "0x3",
            "0o3",
            "1_000",
            "+3",
            "--3",
            "-",
            "-True",
            "3.0",
            "3e0",
            ".5",
            "3j",
            "1+2",
            "`3`",
            "true",
            "null",
            "nan",
            "Truex",
            "x",
            "()()",
            "(,)",
            "(1,,)",
            "(1 2)",
            "(1",
            "(1]",
            "[1)",
            "{1}",
            "{1:}",
            "{1 2}",
            "{1:2,,}",
            "{:2}",
            "{**{}}",
            "*x",
            "1 # no",
            "# no\n1",
            "1\\\n",
            "1;",
            "1\0",
            "\u{a0}1",
            "\u{feff}1",
            "1\x0b",
            "1\u{2028}",
            "dict()",
            "lambda: 0",
            "(x for x in ())",
            "__import__('os')",
            "}",
            ")",
            ":",
            ",",
            "é",
        ] {
            let err = parse(text, true).expect_err(text);
            assert_eq!(err.kind(), ErrorKind::BadHeader, "{text}");
            assert!(!err.to_string().contains(['\0', '\n', '\u{b}']), "{text:?}: {err}");
        }
    }

    #[test]
    fn depth_is_limited() {
        // As little stack as a thread may have by default somewhere.
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(|| {
            let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
            let deepest = parse(&nested(MAX_BRACKETS), false).unwrap();
            assert_eq!(format!("{:?}", deepest.clone()), format!("{deepest:?}"));
            drop(deepest);
            for opening in ["[", "(", "{1:", "{1:[(", "{"] {
                assert!(parse(&opening.repeat(200_000), false).is_err());
            }
            assert!(parse(&nested(MAX_BRACKETS + 1), false).is_err());
        });
        thread.unwrap().join().unwrap();
    }

    #[test]
    fn time_is_linear() {
        // Either takes seconds at the latest where an alternative is tried again or a position is counted for each item.
        assert!(parse(&"(".repeat(120), false).is_err());
        let nested = format!("{}1{}", "(".repeat(100), ")".repeat(100));
        assert_eq!(parse(&nested, false).unwrap(), Literal::Int(1));
        let Literal::List(items) = parse(&format!("[{}]", "'x',".repeat(300_000)), false).unwrap() else {
            panic!()
        };
        assert_eq!(items.len(), 300_000);
        assert_eq!(parse(&"9".repeat(1_000_000), false).unwrap(), Literal::Int(i128::MAX));
    }
}
