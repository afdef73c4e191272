//! Records into types of all forms: flattened, generic, nested, side by side, borrowing, checking.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, from_npy_slice, to_npy_vec};

use super::{Row, file, read};
use crate::common::Any;
use crate::npy;

#[test]
fn flattened_and_generic_and_nested() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Flat {
        t: u32,
        #[serde(flatten)]
        rest: Rest,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Rest {
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Others {
        t: u32,
        #[serde(flatten)]
        rest: HashMap<String, Any>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Generic<A, B> {
        t: A,
        x: B,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapper<T>(T);
    let file = file();
    assert_eq!(read::<Flat>(&file).unwrap()[3].rest, Rest { x: 1.5, ok: true });
    assert_eq!(read::<Others>(&file).unwrap()[3].rest["x"], Any::Float(1.5));
    let generic = &read::<Generic<u64, f64>>(&file).unwrap()[3];
    assert_eq!((generic.t, generic.x, generic.ok), (3, 1.5, true));
    let generic = &read::<Wrapper<Generic<f32, Wrapper<f64>>>>(&file).unwrap()[3].0;
    assert_eq!((generic.t, &generic.x, generic.ok), (3.0, &Wrapper(1.5), true));

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Outer {
        id: u8,
        first: Row,
        second: Row,
        many: [Row; 2],
        pair: (Row, u8),
    }
    let row = |t| Row {
        t,
        x: 0.25 * f64::from(t),
        ok: t == 5,
    };
    let outer: Vec<Outer> = (0..4_u8)
        .map(|id| Outer {
            id,
            first: row(1),
            second: row(id.into()),
            many: [row(5), row(6)],
            pair: (row(7), id),
        })
        .collect();
    let bytes = to_npy_vec(&outer).unwrap();
    assert_eq!(read::<Outer>(&bytes).unwrap(), outer);
}

#[test]
fn structs_of_equal_names_side_by_side() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct A {
        x: u8,
        y: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct B {
        y: u8,
        x: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct C {
        x: u16,
        y: u64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct D {
        x: u8,
        y: u8,
        #[serde(default)]
        z: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct E {
        #[serde(rename = "y")]
        x: u8,
        #[serde(rename = "x")]
        y: u8,
    }
    // One record dtype, read as five structs in turn within each element.
    #[derive(Debug, PartialEq, Deserialize)]
    struct All(A, B, C, D, E);
    let data: Vec<u8> = (0..40).collect();
    let file = npy("[('p', [('x', '|u1'), ('y', '|u1')], (5,))]", "(4,)", &data);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        p: All,
    }
    for (i, Row { p: All(a, b, c, d, e) }) in read::<Row>(&file).unwrap().into_iter().enumerate() {
        let at = i as u8 * 10;
        assert_eq!(a, A { x: at, y: at + 1 });
        assert_eq!(b, B { x: at + 2, y: at + 3 });
        assert_eq!((c.x, c.y), (u16::from(at) + 4, u64::from(at) + 5));
        assert_eq!((d.x, d.y, d.z), (at + 6, at + 7, 0));
        assert_eq!(e, E { x: at + 9, y: at + 8 });
    }
    // Likewise as the elements of an axis.
    let file = npy("[('x', '|u1'), ('y', '|u1')]", "(4, 5)", &data);
    let all = read::<All>(&file).unwrap();
    assert_eq!(all[3].1, B { x: 32, y: 33 });
    assert_eq!(all[3].4, E { x: 39, y: 38 });
    // Two fields with records of the same names in another order.
    let file = npy(
        "[('p', [('x', '|u1'), ('y', '|u1')]), ('q', [('y', '|u1'), ('x', '|u1')])]",
        "(10,)",
        &data,
    );
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        p: A,
        q: A,
    }
    for (i, Pair { p, q }) in read::<Pair>(&file).unwrap().into_iter().enumerate() {
        let at = i as u8 * 4;
        assert_eq!((p, q), (A { x: at, y: at + 1 }, A { x: at + 3, y: at + 2 }));
    }
}

#[test]
fn records_in_subarrays_of_several_axes() {
    #[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
    struct X {
        x: f64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        p: [[X; 3]; 2],
        q: [[[Y; 1]; 2]; 2],
    }
    #[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
    struct Y {
        y: u8,
        z: u8,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
    struct Z {
        z: u8,
        y: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Turned {
        q: ([[Y; 1]; 2], Vec<(Z,)>),
        p: (Vec<X>, Vec<(f64,)>),
    }
    let mut data = Vec::new();
    for i in 0..50_u8 {
        (0..6).for_each(|k| data.extend((f64::from(i) + f64::from(k) * 0.125).to_le_bytes()));
        data.extend((0..8).map(|k| i + k));
    }
    let file = npy(
        "[('p', [('x', '<f8')], (2, 3)), ('q', [('y', '|u1'), ('z', '|u1')], (2, 2, 1))]",
        "(50,)",
        &data,
    );
    let x = |i: u8, k: u8| f64::from(i) + f64::from(k) * 0.125;
    for (i, row) in (0..).zip(read::<Row>(&file).unwrap()) {
        let p = [[0, 1, 2], [3, 4, 5]].map(|row| row.map(|k| X { x: x(i, k) }));
        let q = [[0, 2], [4, 6]].map(|row| row.map(|k| [Y { y: i + k, z: i + k + 1 }]));
        assert_eq!(row, Row { p, q });
    }
    for (i, row) in (0..).zip(read::<Turned>(&file).unwrap()) {
        assert_eq!(row.q.1, [4, 6].map(|k| (Z { z: i + k + 1, y: i + k },)));
        assert_eq!(row.p.1, [3, 4, 5].map(|k| (x(i, k),)));
    }
}

#[test]
fn lent_texts_and_bytes() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Lent<'a> {
        #[serde(borrow)]
        name: &'a str,
        raw: &'a [u8],
        n: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Maybe<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
        n: u8,
    }
    let file = npy(
        "[('name', '|S4'), ('raw', '|V2'), ('n', '|u1')]",
        "(3,)",
        b"ab\0\0xy\x01abcd\0\0\x02\0\0\0\0zz\x03",
    );
    let lent: Vec<Lent> = from_npy_slice(&file).unwrap();
    let lent: Vec<_> = lent.into_iter().map(|row| (row.name, row.raw, row.n)).collect();
    assert_eq!(lent, [("ab", &b"xy"[..], 1), ("abcd", b"\0\0", 2), ("", b"zz", 3)]);
    let range = file.as_ptr_range();
    assert!(lent.iter().all(|row| range.contains(&row.1.as_ptr())));
    let maybe: Vec<Maybe> = from_npy_slice(&file).unwrap();
    assert!(maybe.iter().zip([1, 2, 3]).all(|(row, n)| row.n == n));
    assert_eq!(maybe[1].name, "abcd");
    let bad = npy(
        "[('name', '|S4'), ('raw', '|V2'), ('n', '|u1')]",
        "(2,)",
        b"ab\0\0xy\x01\xff\xfe\0\0xy\x01",
    );
    let error = from_npy_slice::<Vec<Lent>>(&bad).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::InvalidValue, "[1].name"));
}

#[test]
fn types_that_check() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(try_from = "Row")]
    struct Late(Row);
    impl TryFrom<Row> for Late {
        type Error = String;

        fn try_from(row: Row) -> Result<Self, String> {
            if row.t < 3 {
                Ok(Late(row))
            } else {
                Err(format!("{} is late", row.t))
            }
        }
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(try_from = "u32")]
    struct Small(u32);
    impl TryFrom<u32> for Small {
        type Error = String;

        fn try_from(t: u32) -> Result<Self, String> {
            if t < 4 {
                Ok(Small(t))
            } else {
                Err(format!("{t} is large"))
            }
        }
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Checked {
        t: Small,
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(from = "(u32, f64, bool)")]
    struct Turned(bool, f64, u32);
    impl From<(u32, f64, bool)> for Turned {
        fn from((t, x, ok): (u32, f64, bool)) -> Self {
            Turned(ok, x, t)
        }
    }
    /// As serde's documentation derives for a type of somebody else.
    #[derive(Debug, PartialEq)]
    struct Theirs {
        t: u32,
        x: f64,
        ok: bool,
    }
    #[derive(Deserialize)]
    #[serde(remote = "Theirs")]
    struct Mine {
        t: u32,
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(transparent)]
    struct Remote(#[serde(with = "Mine")] Theirs);
    let file = file();
    assert_eq!(read::<Late>(&file).unwrap_err(), (ErrorKind::Message, "[3]".into()));
    assert_eq!(
        read::<Checked>(&file).unwrap_err(),
        (ErrorKind::Message, "[4].t".into())
    );
    assert_eq!(read::<Turned>(&file).unwrap()[3], Turned(true, 1.5, 3));
    let Remote(last) = &read::<Remote>(&file).unwrap()[4];
    assert_eq!((last.t, last.x, last.ok), (4, 2.0, false));
}

#[test]
fn more_kinds_of_records_than_are_kept_in_mind() {
    macro_rules! kinds {
        ($($kind:ident $field:ident $x:ident $y:ident;)*) => {
            $(
                #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
                struct $kind {
                    $x: u8,
                    $y: u16,
                }
            )*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            struct Kinds {
                $($field: [$kind; 2],)*
            }
            impl Kinds {
                fn new(i: u8) -> Self {
                    let mut n = i;
                    let mut next = || {
                        n = n.wrapping_mul(7).wrapping_add(3);
                        n
                    };
                    Kinds {
                        $($field: [(); 2].map(|()| $kind { $x: next(), $y: next().into() }),)*
                    }
                }
            }
        };
    }
    kinds! {
        A a x y;
        B b y x;
        C c x z;
        D d z x;
        E e x w;
        F f y z;
        G g z y;
        H h x y;
        I i w x;
        J j y x;
    }
    let kinds: Vec<Kinds> = (0..9).map(Kinds::new).collect();
    assert_eq!(read::<Kinds>(&to_npy_vec(&kinds).unwrap()).unwrap(), kinds);
}
