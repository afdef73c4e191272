//! Names from files as Rust: identifiers of fields, names of types, and text that cannot become code.

use std::collections::HashSet;

/// All words that Rust reserves in any edition and takes with `r#` in front.
const RAW: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Those that `r#` does not help.
const NEVER_RAW: &[&str] = &["self", "super", "crate", "_"];

/// Names of types that code expects to mean what they always mean: the prelude's, those of the imports of the generated
/// code, and what the derive macros may write without a path.
const TAKEN: &[&str] = &[
    "Self",
    "Vec",
    "Option",
    "Some",
    "None",
    "Result",
    "Ok",
    "Err",
    "String",
    "ToString",
    "Box",
    "Copy",
    "Send",
    "Sized",
    "Sync",
    "Unpin",
    "Drop",
    "Fn",
    "FnMut",
    "FnOnce",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "ToOwned",
    "Clone",
    "PartialEq",
    "PartialOrd",
    "Eq",
    "Ord",
    "AsRef",
    "AsMut",
    "Into",
    "From",
    "Default",
    "Iterator",
    "Extend",
    "IntoIterator",
    "DoubleEndedIterator",
    "ExactSizeIterator",
    "FromIterator",
    "TryFrom",
    "TryInto",
    "Future",
    "IntoFuture",
    "Serialize",
    "Deserialize",
    "Serializer",
    "Deserializer",
    "BTreeMap",
    "Value",
    "ArrayView",
    "Debug",
    "Hash",
];

/// Names that are given out once.
#[derive(Default)]
pub struct Names {
    used: HashSet<String>,
}

impl Names {
    /// Names of types, none of which hides one that code takes for granted.
    pub fn of_types() -> Names {
        Names {
            used: TAKEN.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    /// `wanted`, or `wanted2`, `wanted3`, ..; `between` comes before the number.
    pub fn unique(&mut self, wanted: &str, between: &str) -> String {
        let mut name = wanted.to_owned();
        let mut count = 2_u64;
        while !self.used.insert(name.clone()) {
            name = format!("{wanted}{between}{count}");
            count += 1;
        }
        name
    }
}

/// The field for a member's name: snake case in ASCII, and no keyword once [`raw`] has been asked.
pub fn field(name: &str) -> String {
    let mut field = String::new();
    let mut before = None;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            let starts_word =
                c.is_ascii_uppercase() && before.is_some_and(|b: char| b.is_ascii_lowercase() || b.is_ascii_digit());
            if starts_word {
                field.push('_');
            }
            field.push(c.to_ascii_lowercase());
        } else if !field.ends_with('_') {
            field.push('_');
        }
        before = Some(c);
    }
    let trimmed = field.trim_end_matches('_');
    let mut field = if name.ends_with('_') || trimmed.is_empty() {
        field.clone()
    } else {
        trimmed.to_owned()
    };
    if field.is_empty() || field == "_" {
        field = "unnamed".to_owned();
    }
    if field.starts_with(|c: char| c.is_ascii_digit()) {
        field.insert(0, '_');
    }
    if NEVER_RAW.contains(&&*field) {
        field.push('_');
    }
    shortened(field)
}

/// The field as it stands in code: a keyword is raw.
pub fn raw(field: &str) -> String {
    if RAW.contains(&field) {
        format!("r#{field}")
    } else {
        field.to_owned()
    }
}

/// The type for a group's name: camel case in ASCII, never empty.
pub fn ty(name: &str) -> String {
    let mut ty = String::new();
    let mut starts = true;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            ty.push(if starts { c.to_ascii_uppercase() } else { c });
            starts = false;
        } else {
            starts = true;
        }
    }
    if ty.is_empty() {
        return "Data".to_owned();
    }
    if ty.starts_with(|c: char| c.is_ascii_digit()) {
        ty.insert_str(0, "Item");
    }
    shortened(ty)
}

/// Whether `name` can be the name of a type as it stands.
pub fn is_type(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RAW.contains(&name)
        && !NEVER_RAW.contains(&name)
        && !TAKEN.contains(&name)
        && !PRIMITIVE.contains(&name)
}

const PRIMITIVE: &[&str] = &[
    "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
    "f32", "f64", "f16", "f128",
];

/// A name of 64 kB is legal in an archive, and makes no readable code.
fn shortened(mut name: String) -> String {
    name.truncate(60);
    name
}

/// A string literal of Rust that is `text`, with all that does not print or turns the line around as escapes.
pub fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// `text` for a comment: one line, without anything that does not print, and not endless.
pub fn comment(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(200).flat_map(char::escape_debug).collect();
    if chars.next().is_some() {
        shown.push_str("..");
    }
    shown.replace("\\'", "'").replace("\\\"", "\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_identifiers() {
        for (name, expected) in [
            ("time", "time"),
            ("dense/bias:0", "dense_bias_0"),
            ("camelCase", "camel_case"),
            ("HTTPServer", "httpserver"),
            ("w2", "w2"),
            ("0", "_0"),
            ("", "unnamed"),
            ("_", "unnamed"),
            ("größe", "gr_e"),
            ("self", "self_"),
            ("x\"; fn main() {}", "x_fn_main"),
            ("日本", "unnamed"),
        ] {
            assert_eq!(field(name), expected, "{name}");
        }
        assert_eq!(raw(&field("type")), "r#type");
    }

    #[test]
    fn types_hide_nothing() {
        let mut names = Names::of_types();
        assert_eq!(names.unique(&ty("vec"), ""), "Vec2");
        assert_eq!(names.unique(&ty("layer norm"), ""), "LayerNorm");
        assert_eq!(names.unique(&ty("layer_norm"), ""), "LayerNorm2");
        assert_eq!(ty("0"), "Item0");
        assert!(is_type("Run") && !is_type("Vec") && !is_type("a b") && !is_type("type") && !is_type("f64"));
    }

    #[test]
    fn comments_stay_comments() {
        assert_eq!(comment("a\nb\u{202e}c\r"), "a\\nb\\u{202e}c\\r");
        assert_eq!(literal("a\"b\u{202e}"), "\"a\\\"b\\u{202e}\"");
    }
}
