//! Values that serialize as serde never asked for: an error or the right file, never a wrong one.

use std::cell::Cell;

use serde::ser::{Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, from_npy_slice, to_npy_vec, to_npz_vec};

use crate::{Measured, agreed, header};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Plain {
    a: u32,
    b: (f64, u8),
    c: u16,
}

#[derive(Deserialize)]
struct Wide {
    a: f64,
    b: (f64, f64),
    c: f64,
}

const PLAIN: Plain = Plain {
    a: 1,
    b: (2.0, 3),
    c: 4,
};

/// What stands where a field of [`Plain`] is expected.
#[derive(Clone, Copy)]
enum Field {
    A,
    B,
    C,
    Short,
    Wide,
    Text,
    Fails,
    FailsInside,
    OtherInside,
    Some,
    None,
    Unit,
    Seq,
    Empty,
    Map,
    I128,
    Deep,
    F16,
}

const FIELDS: [Field; 18] = [
    Field::A,
    Field::B,
    Field::C,
    Field::Short,
    Field::Wide,
    Field::Text,
    Field::Fails,
    Field::FailsInside,
    Field::OtherInside,
    Field::Some,
    Field::None,
    Field::Unit,
    Field::Seq,
    Field::Empty,
    Field::Map,
    Field::I128,
    Field::Deep,
    Field::F16,
];

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Field::A => serializer.serialize_u32(1),
            Field::B => (2.0_f64, 3_u8).serialize(serializer),
            Field::C => serializer.serialize_u16(4),
            Field::Short => serializer.serialize_u8(9),
            Field::Wide => serializer.serialize_u64(9),
            Field::Text => serializer.serialize_str("abcd"),
            Field::Fails => Err(S::Error::custom("no field today")),
            Field::FailsInside => {
                let mut tuple = serializer.serialize_tuple(2)?;
                tuple.serialize_element(&8.0)?;
                Err(S::Error::custom("no second item today"))
            }
            Field::OtherInside => {
                let mut tuple = serializer.serialize_tuple(2)?;
                let _ = tuple.serialize_element(&8_u8);
                let _ = tuple.serialize_element(&9.0);
                let _ = tuple.serialize_element(&9.0);
                tuple.end()
            }
            Field::Some => serializer.serialize_some(&1_u32),
            Field::None => serializer.serialize_none(),
            Field::Unit => serializer.serialize_unit(),
            Field::Seq => serializer.collect_seq([1_u32, 2]),
            Field::Empty => ().serialize(serializer),
            Field::Map => serializer.collect_map([("x", 1)]),
            Field::I128 => serializer.serialize_i128(1),
            Field::Deep => Deep(1000).serialize(serializer),
            Field::F16 => serializer.serialize_newtype_struct("f16", &4_u16),
        }
    }
}

/// Fields named at will, whose errors are not its own.
struct Deaf(Vec<(&'static str, Field)>);

impl Serialize for Deaf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Plain", self.0.len())?;
        for (name, field) in &self.0 {
            let _ = fields.serialize_field(name, field);
        }
        fields.end()
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Either {
    Plain(Plain),
    Deaf(Deaf),
}

/// A sequence that goes on after its elements failed.
struct DeafSeq<'a, T>(&'a [T]);

impl<T: Serialize> Serialize for DeafSeq<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for element in self.0 {
            let _ = seq.serialize_element(element);
        }
        seq.end()
    }
}

#[test]
fn errors_of_fields_that_nobody_minds() {
    let exact = || vec![("a", Field::A), ("b", Field::B), ("c", Field::C)];
    let bytes = to_npy_vec(&vec![PLAIN; 3]).unwrap();
    let same = vec![Either::Plain(PLAIN), Either::Deaf(Deaf(exact())), Either::Plain(PLAIN)];
    assert_eq!(to_npy_vec(&same).unwrap(), bytes);

    let check = |fields: Vec<(&'static str, Field)>, what: String| {
        for at in [0, 1, 2] {
            let mut rows = vec![PLAIN; 3].into_iter().map(Either::Plain).collect::<Vec<_>>();
            rows[at] = Either::Deaf(Deaf(fields.clone()));
            let Ok(written) = to_npy_vec(&rows) else { continue };
            if written == bytes {
                continue;
            }
            // A number of another kind makes wider ones of all.
            let back: Vec<Wide> = serde_npz::from_npy_slice(&written).unwrap_or_else(|err| panic!("{what}: {err}"));
            let same = |row: &Wide| (row.a, row.b, row.c) == (1.0, (2.0, 3.0), 4.0);
            let others = back.iter().enumerate().filter(|&(i, _)| i != at);
            assert!(
                back.len() == 3 && others.map(|(_, row)| row).all(same),
                "{what} at {at} is no record of these"
            );
        }
    };
    for (place, _) in exact().iter().enumerate() {
        for (index, field) in FIELDS.into_iter().enumerate() {
            let mut fields = exact();
            if place == index {
                continue;
            }
            fields[place].1 = field;
            check(fields.clone(), format!("field {place} as {index}"));
            // And once more, as if it were made good.
            let again = exact()[place];
            fields.insert(place + 1, again);
            check(fields.clone(), format!("field {place} as {index} and again"));
            fields[place].0 = "other";
            check(fields, format!("field {place} as {index} under another name and again"));
        }
        let mut fields = exact();
        fields.remove(place);
        check(fields.clone(), format!("without field {place}"));
        fields.push(exact()[place]);
        check(fields, format!("field {place} last"));
        let mut fields = exact();
        fields.insert(place, ("more", Field::A));
        check(fields, format!("one more before field {place}"));
    }
}

/// All bytes are there, and yet something is missing: what has no place among them.
#[test]
fn a_field_too_many_that_nobody_minds() {
    let mut fields = vec![("a", Field::A), ("b", Field::B), ("c", Field::C)];
    fields.push(("more", Field::A));
    let rows = [Either::Plain(PLAIN), Either::Deaf(Deaf(fields))];
    agreed(&rows[..]).unwrap_err();
}

/// What serde's flatten makes of a struct is a map of unknown length; any other map is a group.
#[test]
fn maps_that_know_their_length_are_no_records() {
    struct Mapped(Option<usize>);
    impl Serialize for Mapped {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(self.0)?;
            map.serialize_entry("x", &1_u8)?;
            map.serialize_entry("y", &2.0_f64)?;
            map.end()
        }
    }
    agreed(&vec![Mapped(None), Mapped(None)]).unwrap();
    agreed(&vec![Mapped(None), Mapped(Some(2))]).unwrap_err();
    agreed(&vec![Mapped(Some(2)), Mapped(None)]).unwrap_err();
}

#[test]
fn errors_of_elements_that_nobody_minds() {
    let plain = || Either::Plain(PLAIN);
    for field in FIELDS.into_iter().skip(3) {
        for name in ["b", "c"] {
            let other = || {
                let mut fields = vec![("a", Field::A), ("b", Field::B), ("c", Field::C)];
                fields.iter_mut().find(|(key, _)| *key == name).unwrap().1 = field;
                Either::Deaf(Deaf(fields))
            };
            for rows in [
                vec![plain(), other(), plain()],
                vec![plain(), plain(), other()],
                vec![other(), plain(), plain()],
            ] {
                if let Ok(bytes) = to_npy_vec(&DeafSeq(&rows)) {
                    assert_eq!(from_npy_slice::<Vec<Plain>>(&bytes).unwrap(), [PLAIN; 3]);
                }
                let nested = [DeafSeq(&rows), DeafSeq(&rows)];
                if let Ok(bytes) = to_npy_vec(&DeafSeq(&nested)) {
                    assert_eq!(from_npy_slice::<Vec<Vec<Plain>>>(&bytes).unwrap(), [[PLAIN; 3]; 2]);
                }
            }
        }
    }
}

#[test]
fn an_element_left_out_of_the_archive_is_found_too() {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Row {
        Good { x: u32, y: u64 },
        Bad { x: u32, y: Option<()> },
    }
    let rows = [
        Row::Good { x: 1, y: 2 },
        Row::Bad { x: 3, y: Some(()) },
        Row::Good { x: 5, y: 6 },
    ];
    assert!(to_npz_vec(&Measured { rows: &DeafSeq(&rows) }).is_err());
    assert!(to_npy_vec(&DeafSeq(&rows)).is_err());
}

#[test]
fn an_error_of_its_own() {
    struct Fails(u32);
    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if self.0 == 3 {
                return Err(S::Error::custom("three is no number"));
            }
            serializer.serialize_u32(self.0)
        }
    }
    #[derive(Serialize)]
    struct Row {
        x: f64,
        n: Fails,
    }
    for at in [0, 1, 4] {
        let rows: Vec<Row> = (0..5)
            .map(|i| Row {
                x: 1.0,
                n: Fails(if i == at { 3 } else { 0 }),
            })
            .collect();
        let error = agreed(&rows).unwrap_err();
        assert_eq!(
            (error.kind(), error.path()),
            (ErrorKind::Message, &*format!("[{at}].n"))
        );
        assert!(error.to_string().contains("three is no number"), "{error}");
    }
}

/// Another field each time it is asked, from the `change`d time on.
struct Fickle {
    asked: Cell<usize>,
    change: usize,
    how: Field,
}

impl Serialize for Fickle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let asked = self.asked.replace(self.asked.get() + 1);
        let mut fields = vec![("a", Field::A), ("b", Field::B), ("c", Field::C)];
        if asked == self.change {
            fields[2].1 = self.how;
        }
        let mut record = serializer.serialize_struct("Plain", 3)?;
        for (name, field) in &fields {
            record.serialize_field(name, field)?;
        }
        record.end()
    }
}

#[test]
fn another_value_each_time() {
    for how in FIELDS {
        for change in 0..6 {
            for at in 0..3 {
                let rows: Vec<Fickle> = (0..3)
                    .map(|i| Fickle {
                        asked: Cell::new(0),
                        change: if i == at { change } else { usize::MAX },
                        how,
                    })
                    .collect();
                if let Ok(bytes) = to_npy_vec(&rows) {
                    assert_eq!(from_npy_slice::<Vec<Plain>>(&bytes).unwrap(), [PLAIN; 3]);
                }
            }
        }
    }
}

#[test]
fn another_number_of_elements_each_time() {
    struct Growing(Cell<usize>, isize);
    impl Serialize for Growing {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let len = self.0.get();
            self.0.set(len.saturating_add_signed(self.1));
            vec![PLAIN; len].serialize(serializer)
        }
    }
    for step in [1, -1, 3] {
        if let Ok(bytes) = to_npy_vec(&Growing(Cell::new(4), step)) {
            from_npy_slice::<Vec<Plain>>(&bytes).unwrap();
        }
        let rows = [
            Growing(Cell::new(4), 0),
            Growing(Cell::new(4), step),
            Growing(Cell::new(4), 0),
        ];
        if let Ok(bytes) = to_npy_vec(&rows[..]) {
            assert_eq!(from_npy_slice::<Vec<Vec<Plain>>>(&bytes).unwrap(), [[PLAIN; 4]; 3]);
        }
    }
}

/// So many newtypes around a number.
#[derive(Clone, Copy)]
struct Deep(u32);

impl Serialize for Deep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => serializer.serialize_u16(4),
            levels => serializer.serialize_newtype_struct("Deep", &Deep(levels - 1)),
        }
    }
}

#[test]
fn newtypes_without_end() {
    #[derive(Serialize)]
    struct Row {
        a: u8,
        c: Deep,
    }
    let row = |levels| Row { a: 1, c: Deep(levels) };
    assert_eq!(
        agreed(&vec![row(0), row(20), row(3)]).unwrap(),
        agreed(&vec![row(0), row(0), row(0)]).unwrap()
    );
    for rows in [[0, 10_000], [10_000, 0], [10_000, 10_000]] {
        let error = agreed(&rows.map(row)[..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    }
    // As an element, and around a record.
    struct Around(u32);
    impl Serialize for Around {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                0 => PLAIN.serialize(serializer),
                levels => serializer.serialize_newtype_struct("Around", &Around(levels - 1)),
            }
        }
    }
    assert_eq!(
        agreed(&vec![Around(0), Around(50)]).unwrap(),
        agreed(&vec![PLAIN; 2]).unwrap()
    );
    agreed(&vec![Around(0), Around(10_000)]).unwrap_err();
    agreed(&vec![Around(10_000), Around(0)]).unwrap_err();
}

/// Structs around a number that has newtypes of its own.
struct Nest(u32, Deep);

impl Serialize for Nest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("Nest", 1)?;
        match self.0 {
            0 => record.serialize_field("x", &self.1)?,
            levels => record.serialize_field("x", &Nest(levels - 1, self.1))?,
        }
        record.end()
    }
}

#[test]
fn structs_without_end() {
    for structs in [0, 1, 20, 29, 30, 31, 32, 33, 62, 63, 64, 65, 98, 99, 100, 101, 5000] {
        let nest = |structs| Nest(structs, Deep(0));
        let _ = agreed(&vec![nest(structs), nest(structs)]);
        let _ = agreed(&vec![nest(1), nest(structs)]);
        let _ = agreed(&vec![nest(structs), nest(1)]);
    }
}

#[test]
fn sequences_without_end() {
    /// Sequences of one around a record.
    struct Axes(u32);
    impl Serialize for Axes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                0 => PLAIN.serialize(serializer),
                axes => [Axes(axes - 1)][..].serialize(serializer),
            }
        }
    }
    for axes in [1, 2, 63] {
        assert_eq!(header(&agreed(&Axes(axes)).unwrap()).shape().len(), axes as usize);
    }
    for axes in [64, 65, 66, 99, 100, 101, 10_000] {
        assert_eq!(agreed(&Axes(axes)).is_ok(), axes == 64);
    }
}

#[test]
fn levels_count_wherever_they_are() {
    for structs in [0, 1, 20, 29] {
        for newtypes in [60, 70, 80, 90, 97, 98, 99, 100, 101] {
            let _ = agreed(&vec![Nest(structs, Deep(0)), Nest(structs, Deep(newtypes))]);
            let _ = agreed(&vec![Nest(structs, Deep(newtypes)), Nest(structs, Deep(0))]);
        }
    }
}

#[test]
fn two_fields_of_one_name() {
    let twice = || Deaf(vec![("a", Field::A), ("b", Field::B), ("a", Field::C)]);
    let error = agreed(&vec![twice(), twice()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DuplicateName);
    agreed(&vec![Either::Plain(PLAIN), Either::Deaf(twice())]).unwrap_err();
    // NumPy would name it f0.
    agreed(&vec![Deaf(vec![("", Field::A), ("b", Field::C)])]).unwrap_err();
}
