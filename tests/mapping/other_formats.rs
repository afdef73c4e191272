//! Values and views as JSON: plain data, and the errors of the writer behind it.

use num_complex::Complex;
use serde::Serialize;
use serde_npz::value::{AnyArray, Group};
use serde_npz::{ArrayView, Value};

fn array(dtype: &str, shape: &[u64], bytes: &[u8]) -> AnyArray {
    AnyArray::from_parts(dtype.parse().unwrap(), shape, false, bytes.to_vec()).unwrap()
}

#[test]
fn values_are_plain_data() {
    let mut group = Group::new();
    group.insert("x", AnyArray::new(&[[1.0, f64::NAN], [0.5, 2.0]]).unwrap());
    group.insert("z", vec![Complex::new(1.0, 2.0)]);
    group.insert("t", array("<M8[s]", &[], &[5, 0, 0, 0, 0, 0, 0, 0]));
    group.insert("s", Value::from(vec!["a", "bc"]));
    group.insert("r", array("[('a', '|i1'), ('b', '|b1', (2,))]", &[1], &[255, 1, 0]));
    group.insert("b", array("|S3", &[1], b"ab\0"));
    group.insert("none", array("|V0", &[], b""));
    assert_eq!(
        serde_json::to_string(&group).unwrap(),
        r#"{"x":[[1.0,null],[0.5,2.0]],"z":[[1.0,2.0]],"t":5,"s":["a","bc"],"r":[{"a":-1,"b":[true,false]}],"b":["ab"],"none":null}"#
    );
}

/// A disk with room for so many bytes.
struct Disk(usize);

impl std::io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = bytes.len().min(self.0);
        if written == 0 && !bytes.is_empty() {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn errors_of_other_serializers_come_through_at_every_byte() {
    fn check<T: Serialize>(value: &T) {
        let whole = serde_json::to_string_pretty(value).unwrap().len();
        for room in 0..=whole {
            let Err(err) = serde_json::to_writer_pretty(Disk(room), value) else {
                assert_eq!(room, whole);
                continue;
            };
            assert_eq!(
                err.io_error_kind(),
                Some(std::io::ErrorKind::StorageFull),
                "{room}: {err}"
            );
        }
    }
    let record = "[('a', [('b', '<i2'), ('c', '<c8', (2,))]), ('d', 'S3'), ('e', '<M8[s]')]";
    let record: serde_npz::Dtype = record.parse().unwrap();
    let records = vec![1; usize::try_from(record.itemsize()).unwrap() * 2];
    let group = Value::from(Group::from_iter([
        ("bool", Value::from(AnyArray::new(&[[true, false]]).unwrap())),
        ("int", Value::from(vec![1_i16, -2])),
        ("float", AnyArray::new(&[[[0.5], [1.5]]]).unwrap().into()),
        ("lone", Value::from(Complex::new(1.5, 2.5))),
        ("text", AnyArray::new(&["up", "down"]).unwrap().into()),
        (
            "records",
            AnyArray::from_parts(record, &[2], false, records).unwrap().into(),
        ),
        ("empty", AnyArray::new(&[0.0; 0]).unwrap().into()),
        ("none", array("|V0", &[], &[]).into()),
        ("json", Value::Json(r#"{"a": [1, {"b": [null, "c"]}], "d": {}}"#.into())),
        ("group", Value::from(Group::from_iter([("x", vec![1.5, 2.5])]))),
    ]));
    check(&group);
    let elements = [1.5, 2.5, 3.5, 4.5, 5.5, 6.5];
    check(&ArrayView::new(&elements, &[1, 2, 3]).unwrap());
    check(&ArrayView::fortran(&elements, &[3, 2]).unwrap());
    check(&ArrayView::new(&[Complex::new(1.5, 2.5)], &[]).unwrap());
}

#[test]
fn plain_data_is_an_array_where_elements_agree() {
    let read = |json: &str| serde_json::from_str::<Value>(json).unwrap();
    let shown = |json: &str| {
        let value = read(json);
        let array = value.as_array().unwrap_or_else(|| panic!("{json}: {value:?}"));
        (array.dtype().to_string(), array.shape().to_vec(), array.to_string())
    };
    let is = |dtype: &str, shape: &[u64], text: &str| (dtype.to_owned(), shape.to_vec(), text.to_owned());
    assert_eq!(shown("[1, 2, -3]"), is("<i8", &[3], "[ 1  2 -3]"));
    assert_eq!(
        shown("[1, 18446744073709551615]"),
        is("<u8", &[2], "[                   1 18446744073709551615]")
    );
    assert_eq!(shown("[1, 0.5]"), is("<f8", &[2], "[1.  0.5]"));
    assert_eq!(shown("[[true], [false]]"), is("|b1", &[2, 1], "[[ True]\n [False]]"));
    assert_eq!(shown(r#"["a", "été"]"#), is("<U3", &[2], "['a' 'été']"));
    assert_eq!(shown("[[], []]"), is("<f8", &[2, 0], "[]"));
    assert_eq!(
        shown("[[[1, 2]], [[3, 4]]]"),
        is("<i8", &[2, 1, 2], "[[[1 2]]\n\n [[3 4]]]")
    );
    assert_eq!(shown("null"), is("|V0", &[], "b''"));
    assert_eq!(shown("2.5"), is("<f8", &[], "2.5"));

    for list in [
        "[1, [2]]",
        "[1, \"a\"]",
        "[[1], [2, 3]]",
        "[true, 1]",
        "[null, 1]",
        "[-1, 18446744073709551615]",
        "[0.5, 9007199254740993]",
        "[{\"a\": 1}]",
    ] {
        let value = read(list);
        let names: Vec<&str> = value
            .as_group()
            .unwrap_or_else(|| panic!("{list}"))
            .iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["0", "1"][..names.len()], "{list}");
    }
    assert!(serde_json::from_str::<Value>(r#""nul\u0000""#).is_err());
    assert!(serde_json::from_str::<Value>(r#"{"a": 1, "a": 2}"#).is_err());
    let nested = r#"{"a":{"b":[1,2,3]},"c":["x","y"],"d":[0.5]}"#;
    assert_eq!(serde_json::to_string(&read(nested)).unwrap(), nested);
}
