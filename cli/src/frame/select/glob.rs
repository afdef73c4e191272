//! Globs over names: `*` and `?` stop at the separator, `**` does not, `[a-z]` and `[!a-z]` are one character.

/// Whether the whole name matches the pattern.
pub fn matches(pattern: &str, name: &str, separator: Option<char>) -> bool {
    let pattern: Vec<Token> = tokens(pattern, separator);
    let name: Vec<char> = name.chars().collect();
    // Which places of the name the tokens so far can end at: no pattern takes more than pattern x name steps.
    let mut ends = vec![false; name.len() + 1];
    ends[0] = true;
    for token in &pattern {
        let mut next = vec![false; name.len() + 1];
        match token {
            Token::One(one) => {
                for (i, &c) in name.iter().enumerate() {
                    next[i + 1] = ends[i] && one.takes(c, separator);
                }
            }
            Token::Many { all } => {
                let mut open = false;
                for i in 0..=name.len() {
                    open = ends[i] || open && (*all || separator != Some(name[i - 1]));
                    next[i] = open;
                }
            }
            Token::Groups => {
                let mut any = false;
                for i in 0..=name.len() {
                    any |= ends[i];
                    next[i] = ends[i] || any && i > 0 && separator == Some(name[i - 1]);
                }
            }
        }
        ends = next;
    }
    ends[name.len()]
}

/// Whether a text is a glob and no mere name.
pub fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

enum Token {
    One(One),
    /// `*`, or `**` where `all`.
    Many {
        all: bool,
    },
    /// `**/`: any number of groups, none as well.
    Groups,
}

enum One {
    Char(char),
    Any,
    Class { not: bool, ranges: Vec<(char, char)> },
}

impl One {
    fn takes(&self, c: char, separator: Option<char>) -> bool {
        match self {
            One::Char(own) => *own == c,
            One::Any => separator != Some(c),
            One::Class { not, ranges } => {
                separator != Some(c) && *not != ranges.iter().any(|(from, to)| (*from..=*to).contains(&c))
            }
        }
    }
}

fn tokens(pattern: &str, separator: Option<char>) -> Vec<Token> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        match chars[i] {
            '*' => {
                let stars = chars[i..].iter().take_while(|&&c| c == '*').count();
                let starts = i == 0 || separator == Some(chars[i - 1]);
                i += stars;
                if stars > 1 && starts && chars.get(i).is_some_and(|&c| separator == Some(c)) {
                    tokens.push(Token::Groups);
                    i += 1;
                } else {
                    tokens.push(Token::Many { all: stars > 1 });
                }
                continue;
            }
            '?' => tokens.push(Token::One(One::Any)),
            '[' => match class(&chars[i + 1..]) {
                Some((class, len)) => {
                    tokens.push(Token::One(class));
                    i += len;
                }
                None => tokens.push(Token::One(One::Char('['))),
            },
            c => tokens.push(Token::One(One::Char(c))),
        }
        i += 1;
    }
    tokens
}

/// What stands behind `[`, and how many characters that are with `]`; `None` where nothing closes it.
fn class(chars: &[char]) -> Option<(One, usize)> {
    let not = matches!(chars.first(), Some('!' | '^'));
    let start = usize::from(not);
    // `]` at the front is one of the characters.
    let end = start + 1 + chars.get(start + 1..)?.iter().position(|&c| c == ']')?;
    let mut ranges = Vec::new();
    let mut inside = &chars[start..end];
    while let [first, rest @ ..] = inside {
        match rest {
            ['-', last, rest @ ..] => {
                ranges.push((*first, *last));
                inside = rest;
            }
            _ => {
                ranges.push((*first, *first));
                inside = rest;
            }
        }
    }
    Some((One::Class { not, ranges }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, name, expected) in [
            ("w", "w", true),
            ("*", "w", true),
            ("*", "layers/w", false),
            ("**", "layers/0/w", true),
            ("layers/*/w", "layers/0/w", true),
            ("layers/*/w", "layers/0/1/w", false),
            ("layers/**", "layers/0/1/w", true),
            ("**/w", "w", true),
            ("**/w", "layers/0/w", true),
            ("**/w", "layers/0/vw", false),
            ("a/**/w", "a/w", true),
            ("mask?", "mask?", true),
            ("?", "/", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[x", "[x", true),
            ("[]]", "]", true),
            ("*.*", "a.b", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name, Some('/')), expected, "{pattern} {name}");
        }
        assert!(matches("*", "a/b", None));
        let hostile = "*a".repeat(200);
        assert!(!matches(&hostile, &"a".repeat(150), Some('/')));
    }
}
