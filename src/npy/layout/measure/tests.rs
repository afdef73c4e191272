//! Whatever the values, the shortcut gives the layout, the widths and the errors that measuring each element gives.

use serde::Serialize;
use serde::ser::{Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer};

use super::items::APART;
use crate::format::dtype::TimeBase;
use crate::npy::layout::measure::measure;
use crate::npy::layout::tree::Layout;
use crate::npy::marker::{BYTES, FLOAT16, FLOAT32, JSON, LIST, NAN, RAGGED, RAW, VALUE, datetime, timedelta};

fn outcome<T: Serialize>(value: &T, apart: bool) -> String {
    APART.set(apart);
    let outcome = match measure(value) {
        // How wide the texts before were may be told from more of them.
        Ok(layout @ Layout::Misfit(_)) => without_widths(&format!("{layout:?}")),
        Ok(layout) => format!("{layout:?}"),
        Err(error) => format!("{error:?}"),
    };
    APART.set(false);
    outcome
}

fn without_widths(text: &str) -> String {
    let mut parts = text.split_inclusive(['S', 'U']);
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| {
        text + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

/// The layout, the same with the shortcut and without.
#[track_caller]
fn layout<T: Serialize>(value: &T) -> String {
    let expected = outcome(value, true);
    assert_eq!(outcome(value, false), expected);
    expected
}

/// A value of any sort.
#[derive(Clone, Debug)]
enum Tree {
    Bool,
    U8,
    F32(f32),
    F64(f64),
    Wide,
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
    Variant(&'static str),
    Unit,
    None,
    Some(Box<Tree>),
    Newtype(Box<Tree>),
    Marked(&'static str, Box<Tree>),
    Seq(Vec<Tree>),
    Floats(Vec<f64>),
    Rows(Vec<[u8; 3]>),
    Tuple(Vec<Tree>),
    Struct(&'static str, Vec<(&'static str, Tree)>),
    Flat(Vec<(&'static str, Tree)>),
    Map(Vec<(&'static str, Tree)>),
    MaybeF32(Option<f32>),
    MaybeF64(Option<f64>),
    /// Goes on after an error of a field.
    Deaf(Vec<(&'static str, Tree)>),
    Fails,
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Bool => s.serialize_bool(true),
            Tree::U8 => s.serialize_u8(7),
            Tree::F32(v) => s.serialize_f32(*v),
            Tree::F64(v) => s.serialize_f64(*v),
            Tree::Wide => s.serialize_i128(1),
            Tree::Char(c) => s.serialize_char(*c),
            Tree::Str(text) => s.serialize_str(text),
            Tree::Bytes(bytes) => s.serialize_bytes(bytes),
            Tree::Variant(name) => s.serialize_unit_variant("E", 0, name),
            Tree::Unit => s.serialize_unit(),
            Tree::None => s.serialize_none(),
            Tree::Some(inner) => s.serialize_some(&**inner),
            Tree::Newtype(inner) => s.serialize_newtype_struct("N", &**inner),
            Tree::Marked(name, inner) => s.serialize_newtype_struct(name, &**inner),
            Tree::Seq(items) => {
                let mut seq = s.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| seq.serialize_element(item))?;
                seq.end()
            }
            Tree::Floats(values) => values.serialize(s),
            Tree::Rows(rows) => rows.serialize(s),
            Tree::Tuple(items) => {
                let mut tuple = s.serialize_tuple(items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_element(item))?;
                tuple.end()
            }
            Tree::Struct(name, fields) => {
                let mut state = s.serialize_struct(name, fields.len())?;
                fields
                    .iter()
                    .try_for_each(|(key, value)| state.serialize_field(key, value))?;
                state.end()
            }
            Tree::Flat(fields) => {
                let mut map = s.serialize_map(None)?;
                fields
                    .iter()
                    .try_for_each(|(key, value)| map.serialize_entry(*key, value))?;
                map.end()
            }
            Tree::Map(entries) => {
                let mut map = s.serialize_map(Some(entries.len()))?;
                entries
                    .iter()
                    .try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
            Tree::MaybeF32(v) => s.serialize_newtype_struct("N", v),
            Tree::MaybeF64(v) => s.serialize_newtype_struct("N", v),
            Tree::Deaf(fields) => {
                let mut state = s.serialize_struct("Deaf", fields.len())?;
                for (key, value) in fields {
                    let _ = state.serialize_field(key, value);
                }
                state.end()
            }
            Tree::Fails => Err(S::Error::custom("no")),
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn text(&mut self) -> String {
        match self.below(40) {
            0 => "nul\0",
            n => ["", "a", "bc", "äöü", "dddd"][n as usize % 5],
        }
        .into()
    }

    fn maybe<T>(&mut self, value: T) -> Option<T> {
        (self.below(3) > 0).then_some(value)
    }

    fn fields(&mut self, depth: u64) -> Vec<(&'static str, Tree)> {
        let names = ["a", "b", "c"];
        (0..1 + self.below(3) as usize)
            .map(|i| (names[i], self.tree(depth)))
            .collect()
    }

    fn trees(&mut self, depth: u64) -> Vec<Tree> {
        (0..self.below(4)).map(|_| self.tree(depth)).collect()
    }

    fn tree(&mut self, depth: u64) -> Tree {
        let deeper = depth.saturating_sub(1);
        match self.below(if depth == 0 { 14 } else { 27 }) {
            0 => Tree::Bool,
            1 => Tree::U8,
            2 => Tree::F32(0.5),
            3 | 4 => Tree::F64(if self.below(9) == 0 { f64::NAN } else { 1.5 }),
            5 => Tree::Char('x'),
            6 | 7 => Tree::Str(self.text()),
            8 => Tree::Bytes(vec![1; self.below(3) as usize]),
            9 => Tree::Variant(["Idle", "Running"][self.below(2) as usize]),
            10 => Tree::MaybeF32(self.maybe(0.5)),
            11 => Tree::MaybeF64(self.maybe(0.5)),
            12 => Tree::None,
            13 => match self.below(20) {
                0 => Tree::Wide,
                1 => Tree::Fails,
                _ => Tree::Unit,
            },
            14 | 15 => Tree::Some(Box::new(self.tree(deeper))),
            16 => Tree::Newtype(Box::new(self.tree(deeper))),
            17 => Tree::Marked(
                [NAN, NAN, FLOAT16, FLOAT32, BYTES, LIST, RAW, VALUE][self.below(8) as usize],
                Box::new(self.tree(deeper)),
            ),
            18 => Tree::Seq(self.alike(deeper)),
            19 => Tree::Floats(vec![0.5; self.below(3) as usize]),
            20 => Tree::Rows(vec![[1; 3]; self.below(3) as usize]),
            21 | 22 => Tree::Tuple(self.trees(deeper)),
            23 => Tree::Struct(
                ["R", "R", "Duration", "Array"][self.below(4) as usize],
                self.fields(deeper),
            ),
            24 => Tree::Flat(self.fields(deeper)),
            25 => Tree::Map(self.fields(deeper)),
            _ if self.below(4) == 0 => Tree::Deaf(self.fields(deeper)),
            _ => Tree::Struct("S", self.fields(deeper)),
        }
    }

    /// A few values of mostly one shape.
    fn alike(&mut self, depth: u64) -> Vec<Tree> {
        let shape = self.tree(depth);
        (0..self.below(5)).map(|_| self.like(&shape)).collect()
    }

    /// Another value of the same shape, or now and then nearly so.
    fn like(&mut self, tree: &Tree) -> Tree {
        if self.below(25) == 0 {
            return self.tree(1);
        }
        match tree {
            Tree::F64(_) => Tree::F64(2.5),
            Tree::Str(_) => Tree::Str(self.text()),
            Tree::MaybeF32(_) => Tree::MaybeF32(self.maybe(1.5)),
            Tree::MaybeF64(_) => Tree::MaybeF64(self.maybe(1.5)),
            Tree::Some(inner) => Tree::Some(Box::new(self.like(inner))),
            Tree::Newtype(inner) => Tree::Newtype(Box::new(self.like(inner))),
            Tree::Marked(name, inner) => Tree::Marked(name, Box::new(self.like(inner))),
            Tree::Seq(items) => Tree::Seq(items.iter().map(|item| self.like(item)).collect()),
            Tree::Tuple(items) => Tree::Tuple(items.iter().map(|item| self.like(item)).collect()),
            Tree::Struct(name, fields) => Tree::Struct(name, self.like_fields(fields)),
            Tree::Flat(fields) => Tree::Flat(self.like_fields(fields)),
            Tree::Deaf(fields) => Tree::Deaf(self.like_fields(fields)),
            other => other.clone(),
        }
    }

    fn like_fields(&mut self, fields: &[(&'static str, Tree)]) -> Vec<(&'static str, Tree)> {
        let skipped = if self.below(40) == 0 { 1 } else { 0 };
        fields
            .iter()
            .skip(skipped)
            .map(|(name, value)| (*name, self.like(value)))
            .collect()
    }
}

#[test]
fn any_values() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..60_000 {
        let mut value = Tree::Seq(random.alike(3));
        if random.below(3) == 0 {
            value = Tree::Marked(
                [NAN, FLOAT16, FLOAT32, BYTES][random.below(4) as usize],
                Box::new(value),
            );
        }
        let expected = outcome(&value, true);
        assert_eq!(outcome(&value, false), expected, "{value:?}");
    }
}

/// One value of every kind there is.
fn kinds() -> Vec<Tree> {
    let maybe = |inner| Tree::Some(Box::new(inner));
    vec![
        Tree::Bool,
        Tree::U8,
        Tree::F32(0.5),
        Tree::F64(0.5),
        Tree::Char('x'),
        text("ab"),
        Tree::Bytes(vec![1, 2]),
        Tree::Variant("Idle"),
        Tree::Unit,
        Tree::None,
        Tree::MaybeF32(None),
        Tree::MaybeF64(Some(0.5)),
        maybe(Tree::U8),
        maybe(text("a")),
        maybe(Tree::Seq(vec![Tree::U8])),
        Tree::Newtype(Box::new(Tree::U8)),
        Tree::Seq(vec![]),
        Tree::Seq(vec![Tree::U8, Tree::U8]),
        Tree::Seq(vec![text("a")]),
        Tree::Floats(vec![0.5]),
        Tree::Floats(vec![]),
        Tree::Rows(vec![[1; 3]]),
        Tree::Tuple(vec![]),
        Tree::Tuple(vec![Tree::U8, Tree::U8]),
        Tree::Tuple(vec![Tree::U8, text("a")]),
        Tree::Struct("R", vec![("a", Tree::U8)]),
        Tree::Struct("R", vec![("b", Tree::U8)]),
        Tree::Struct("R", vec![("a", Tree::Seq(vec![]))]),
        Tree::Flat(vec![("a", Tree::U8)]),
        Tree::Map(vec![("a", Tree::U8)]),
    ]
}

/// What two elements make together: an array, a list of members, or an error of this kind.
fn verdict<T: Serialize>(value: &T) -> String {
    match measure(value) {
        Ok(Layout::Group) => "a list".into(),
        Ok(Layout::Misfit(misfit)) => format!("{:?}", misfit.into_error().kind()),
        Ok(_) => "an array".into(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

#[test]
fn every_marker_and_pair_of_kinds_has_one_verdict() {
    let second = TimeBase::Second;
    let markers = [
        NAN,
        FLOAT16,
        FLOAT32,
        BYTES,
        LIST,
        RAGGED,
        JSON,
        RAW,
        VALUE,
        datetime(second),
        timedelta(second),
    ];
    let mut values = kinds();
    for name in markers {
        values.extend(kinds().into_iter().map(|kind| Tree::Marked(name, Box::new(kind))));
    }
    for a in &values {
        for b in &values {
            let pair = vec![a, b];
            layout(&pair);
            // Twice the same verdict, for the third element is compared with what the first two are together.
            layout(&vec![a, b, a]);
            // Behind the first element that makes a list nobody looks for what no array can hold.
            if measure(a).is_ok() && measure(b).is_ok() {
                assert_eq!(verdict(&pair), verdict(&vec![b, a]), "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn a_text_beside_a_value_is_a_list_in_either_order() {
    let value = || Tree::Marked(VALUE, Box::new(text("b")));
    assert_eq!(layout(&vec![text("a"), value()]), "Group");
    assert_eq!(layout(&vec![value(), text("a")]), "Group");
}

fn text(text: &str) -> Tree {
    Tree::Str(text.into())
}

#[test]
fn widths_grow_and_texts_are_counted_once() {
    let found = layout(&vec!["a", "abc", "äb"]);
    assert!(found.contains("Str { width: 3, text: 7 }"), "{found}");
    // The second record differs behind its text: it is measured anew, and its text counts once.
    let record = |label: &str, level| Tree::Struct("R", vec![("label", text(label)), ("level", level)]);
    let rows = vec![
        record("ab", Tree::None),
        record("cde", Tree::F32(0.5)),
        record("f", Tree::None),
    ];
    let found = layout(&Tree::Marked(NAN, Box::new(Tree::Seq(rows))));
    assert!(found.contains("Str { width: 3, text: 6 }"), "{found}");
}

#[test]
fn kinds_that_change() {
    let found = layout(&vec![text("a"), text("b"), Tree::U8, text("c")]);
    assert!(found.contains("MixedTypes") && found.contains("index: [2]"), "{found}");
    let found = layout(&vec![vec![1_u8, 2], vec![3, 4], vec![5]]);
    assert!(found.contains("Ragged") && found.contains("index: [2]"), "{found}");
    let named = |name| Tree::Struct("R", vec![(name, Tree::U8)]);
    assert_eq!(layout(&vec![named("a"), named("a"), named("b")]), "Group");
    assert_eq!(layout(&vec![named("a"), Tree::Struct("R", vec![])]), "Group");
    assert!(layout(&vec![Some(1_u8), Some(2), None]).contains("InvalidValue"));
    assert!(layout(&vec![Tree::U8, Tree::Some(Box::new(Tree::U8))]).starts_with("Axis"));
    let found = layout(&vec![(1_u8, Some(1_u8)), (2, None)]);
    assert!(found.starts_with("Axis") && found.contains("Option"), "{found}");
    let found = layout(&vec![Tree::None, Tree::Some(Box::new(named("a"))), Tree::None]);
    assert!(found.starts_with("Axis") && found.contains("Option"), "{found}");
    assert_eq!(layout(&vec![Tree::Some(Box::new(named("a"))), named("a")]), "Group");
    assert_eq!(layout(&vec![Some(vec![1_u8]), None]), "Group");
}

#[test]
fn optional_floats_in_tuples_keep_their_kinds() {
    #[derive(Serialize)]
    struct Rows(#[serde(with = "crate::with::nan")] Vec<(Option<f64>, Option<f32>)>);

    // Were None of no kind, the tuple of two of them would be one more axis.
    let all = layout(&Rows(vec![(Some(0.5), Some(0.5)), (None, None), (None, Some(1.0))]));
    assert!(all.contains("f0") && all.contains("f1"), "{all}");
    assert_eq!(all, layout(&Rows(vec![(None, None), (Some(0.5), None), (None, None)])));
}
