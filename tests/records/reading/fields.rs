//! Which field of a record goes into which field of a struct.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_npz::{ErrorKind, from_npy_slice};

use super::{Row, file, read, renamed, rows};
use crate::common::Any;
use crate::npy;

#[test]
fn fields_in_any_order() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Turned {
        ok: bool,
        t: u32,
        x: f64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Some {
        x: f64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Ends {
        t: u32,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Swapped {
        x: u32,
        t: f64,
        ok: bool,
    }
    let file = file();
    assert_eq!(read::<Row>(&file).unwrap(), rows());
    let turned = rows().into_iter().map(|Row { t, x, ok }| Turned { ok, t, x });
    assert_eq!(read::<Turned>(&file).unwrap(), turned.collect::<Vec<_>>());
    assert_eq!(read::<Some>(&file).unwrap()[4], Some { x: 2.0 });
    assert_eq!(read::<Ends>(&file).unwrap()[3], Ends { t: 3, ok: true });
    // By name, although the fields of the struct are in the order of the record.
    assert_eq!(
        read::<Swapped>(&file).unwrap_err(),
        (ErrorKind::TypeMismatch, "[0].x".into())
    );
    assert_eq!(read::<(u32, f64, bool)>(&file).unwrap()[3], (3, 1.5, true));
    assert_eq!(read::<BTreeMap<String, Any>>(&file).unwrap()[1]["x"], Any::Float(0.5));
}

#[test]
fn fields_that_are_not_there() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct More {
        t: u32,
        x: f64,
        ok: bool,
        z: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Filled {
        t: u32,
        #[serde(default = "seven")]
        z: u8,
        x: f64,
        ok: bool,
        maybe: Option<f32>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(default)]
    struct Defaults {
        t: u32,
        z: u8,
        ok: bool,
    }
    impl Default for Defaults {
        fn default() -> Self {
            Defaults { t: 8, z: 9, ok: false }
        }
    }
    fn seven() -> u8 {
        7
    }
    let file = file();
    assert_eq!(
        read::<More>(&file).unwrap_err(),
        (ErrorKind::MissingMember, "[0].z".into())
    );
    let filled = &read::<Filled>(&file).unwrap()[3];
    assert_eq!(
        (filled.t, filled.z, filled.x, filled.ok, filled.maybe),
        (3, 7, 1.5, true, None)
    );
    assert_eq!(read::<Defaults>(&file).unwrap()[3], Defaults { t: 3, z: 9, ok: true });
}

#[test]
fn other_names() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Renamed {
        #[serde(rename = "t")]
        time: u32,
        #[serde(rename = "x")]
        place: f64,
        #[serde(rename = "ok")]
        good: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "SCREAMING-KEBAB-CASE")]
    struct Screaming {
        time_of: u32,
        place_of: f64,
        is_ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Crossed {
        #[serde(rename = "t")]
        x: u32,
        #[serde(rename = "x")]
        ok: f64,
        #[serde(rename = "ok")]
        t: bool,
    }
    let file = file();
    let last = &read::<Renamed>(&file).unwrap()[4];
    assert_eq!((last.time, last.place, last.good), (4, 2.0, false));
    let last = &read::<Crossed>(&file).unwrap()[4];
    assert_eq!((last.x, last.ok, last.t), (4, 2.0, false));
    let screaming = renamed(
        file,
        "[('TIME-OF', '<u4'), ('PLACE-OF', '<f8'), ('IS-OK', '|b1')]",
        "(5,)",
    );
    let last = &read::<Screaming>(&screaming).unwrap()[4];
    assert_eq!((last.time_of, last.place_of, last.is_ok), (4, 2.0, false));
}

#[test]
fn a_field_and_its_alias() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Two {
        #[serde(alias = "b")]
        a: u16,
        c: u16,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct One {
        #[serde(alias = "b")]
        a: u16,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Many {
        #[serde(alias = "b", alias = "c")]
        a: u16,
        #[serde(default)]
        d: u16,
    }
    let pairs = |names: [&str; 2]| {
        let descr = format!("[('{}', '<u2'), ('{}', '<u2')]", names[0], names[1]);
        npy(&descr, "(3,)", &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0])
    };
    for names in [["a", "c"], ["b", "c"]] {
        assert_eq!(read::<Two>(&pairs(names)).unwrap()[2], Two { a: 5, c: 6 });
    }
    for names in [["c", "a"], ["c", "b"]] {
        assert_eq!(read::<Two>(&pairs(names)).unwrap()[2], Two { a: 6, c: 5 });
    }
    for names in [["a", "b"], ["b", "a"]] {
        assert_eq!(read::<One>(&pairs(names)).unwrap_err().0, ErrorKind::DuplicateName);
        assert_eq!(read::<Two>(&pairs(names)).unwrap_err().0, ErrorKind::DuplicateName);
    }
    for names in [["a", "b"], ["b", "c"], ["c", "a"]] {
        assert_eq!(read::<Many>(&pairs(names)).unwrap_err().0, ErrorKind::DuplicateName);
    }
    assert_eq!(read::<Many>(&pairs(["d", "c"])).unwrap()[0], Many { a: 2, d: 1 });
    // All names the struct answers to, in every order: two of them mean one field.
    for names in [["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"], ["c", "b", "a"]] {
        let descr = format!(
            "[('{}', '<u2'), ('{}', '<u2'), ('{}', '<u2')]",
            names[0], names[1], names[2]
        );
        let three = npy(&descr, "(2,)", &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);
        assert_eq!(read::<Two>(&three).unwrap_err().0, ErrorKind::DuplicateName);
    }

    /// Swallows errors: a field order that led to one must not be remembered.
    #[derive(Debug, PartialEq)]
    struct Lenient<T>(Option<T>);
    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Ok(Lenient(T::deserialize(deserializer).ok()))
        }
    }
    let both = pairs(["a", "b"]);
    assert_eq!(
        read::<Lenient<One>>(&both).unwrap(),
        [Lenient(None), Lenient(None), Lenient(None)]
    );
    assert_eq!(
        read::<Lenient<Two>>(&both).unwrap(),
        [Lenient(None), Lenient(None), Lenient(None)]
    );
}

#[test]
fn skipped_and_unknown_fields() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Skips {
        t: u32,
        #[serde(skip)]
        skipped: u64,
        x: f64,
        #[serde(skip_deserializing, default = "nine")]
        not_read: u64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct SkipsNamed {
        t: u32,
        #[serde(skip_deserializing)]
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        t: u32,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct StrictAll {
        ok: bool,
        x: f64,
        t: u32,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Nothing {}
    fn nine() -> u64 {
        9
    }
    let file = file();
    let skips = &read::<Skips>(&file).unwrap()[3];
    assert_eq!(
        *skips,
        Skips {
            t: 3,
            skipped: 0,
            x: 1.5,
            not_read: 9,
            ok: true
        }
    );
    let named = &read::<SkipsNamed>(&file).unwrap()[3];
    assert_eq!((named.t, named.x, named.ok), (3, 0.0, true));
    assert_eq!(read::<Strict>(&file).unwrap_err().0, ErrorKind::UnknownField);
    let all = &read::<StrictAll>(&file).unwrap()[3];
    assert_eq!((all.ok, all.x, all.t), (true, 1.5, 3));
    assert_eq!(read::<Nothing>(&file).unwrap().len(), 5);
}

#[test]
fn fields_with_a_way_of_their_own() {
    fn doubled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(f64::deserialize(deserializer)? * 2.0)
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Own {
        #[serde(with = "serde_npz::with::datetime64::ms")]
        t: i64,
        #[serde(deserialize_with = "doubled")]
        x: f64,
        #[serde(with = "serde_npz::with::nan")]
        y: Option<f32>,
        z: f32,
    }
    let mut data = Vec::new();
    for i in 0..3_i32 {
        data.extend(i64::from(i).to_le_bytes());
        data.extend(f64::from(i).to_le_bytes());
        data.extend(if i == 1 { f32::NAN } else { 0.5 }.to_le_bytes());
        data.extend(f32::NAN.to_le_bytes());
    }
    let file = npy(
        "[('t', '<M8[s]'), ('x', '<f8'), ('y', '<f4'), ('z', '<f4')]",
        "(3,)",
        &data,
    );
    let own: Vec<Own> = from_npy_slice(&file).unwrap();
    for (i, row) in own.iter().enumerate() {
        assert_eq!((row.t, row.x), (i as i64 * 1000, i as f64 * 2.0));
        assert_eq!(row.y, if i == 1 { None } else { Some(0.5) });
        assert!(row.z.is_nan());
    }
    // A marker around the whole sequence reaches every field.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        x: Option<f64>,
        y: Option<f32>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct All(#[serde(with = "serde_npz::with::nan")] Vec<Inner>);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Plain(Vec<Inner>);
    let mut data = Vec::new();
    for i in 0..3 {
        data.extend(if i == 0 { f64::NAN } else { 1.0 }.to_le_bytes());
        data.extend(if i == 2 { f32::NAN } else { 2.0 }.to_le_bytes());
    }
    let file = npy("[('x', '<f8'), ('y', '<f4')]", "(3,)", &data);
    let All(all) = from_npy_slice(&file).unwrap();
    let seen: Vec<_> = all.into_iter().map(|row| (row.x, row.y)).collect();
    assert_eq!(seen, [(None, Some(2.0)), (Some(1.0), Some(2.0)), (Some(1.0), None)]);
    let Plain(plain) = from_npy_slice(&file).unwrap();
    assert!(plain[0].x.unwrap().is_nan() && plain[2].y.unwrap().is_nan());
}
