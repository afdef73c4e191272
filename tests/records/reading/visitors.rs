//! Visitors and adapters written by hand, which ask in ways that no derived code does.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_npz::{from_npy_slice, to_npy_vec};

use super::{file, read};
use crate::common::Any;

/// A visitor that takes nothing but a map.
macro_rules! by_hand {
    ($visitor:ident, $made:ident) => {
        #[derive(Debug, PartialEq)]
        struct $made {
            t: u32,
            x: f64,
            ok: bool,
        }

        struct $visitor;

        impl<'de> Visitor<'de> for $visitor {
            type Value = $made;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$made, A::Error> {
                let mut made = $made {
                    t: 0,
                    x: 0.0,
                    ok: false,
                };
                while let Some(key) = map.next_key::<String>()? {
                    match &*key {
                        "t" => made.t = map.next_value()?,
                        "x" => made.x = map.next_value()?,
                        _ => made.ok = map.next_value()?,
                    }
                }
                Ok(made)
            }
        }

        impl<'de> Deserialize<'de> for $made {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_struct("Made", &["t", "x", "ok"], $visitor)
            }
        }
    };
}

#[test]
fn visitors_written_by_hand() {
    by_hand!(MapVisitor, Made);
    let last = &read::<Made>(&file()).unwrap()[4];
    assert_eq!((last.t, last.x, last.ok), (4, 2.0, false));
}

#[test]
fn visitors_named_almost_as_the_derived_ones() {
    #![allow(non_camel_case_types, reason = "all but its first two letters")]
    by_hand!(My__Visitor, Made);
    let last = &read::<Made>(&file()).unwrap()[4];
    assert_eq!((last.t, last.x, last.ok), (4, 2.0, false));
}

#[test]
fn visitors_named_as_the_derived_ones() {
    by_hand!(__Visitor, Made);
    let last = &read::<Made>(&file()).unwrap()[4];
    assert_eq!((last.t, last.x, last.ok), (4, 2.0, false));
}

#[test]
fn a_visitor_that_asks_for_more_than_there_is() {
    #[derive(Debug, PartialEq)]
    struct Counted(usize);
    struct Counts;
    impl<'de> Visitor<'de> for Counts {
        type Value = Counted;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("fields")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counted, A::Error> {
            let mut count = 0;
            while seq.next_element::<Any>()?.is_some() {
                count += 1;
                assert!(count < 100, "there is always one more");
            }
            Ok(Counted(count))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counted, A::Error> {
            let mut count = 0;
            while map.next_entry::<String, Any>()?.is_some() {
                count += 1;
            }
            Ok(Counted(count))
        }
    }
    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_struct("Counted", &["t", "x", "ok"], Counts)
        }
    }
    assert_eq!(read::<Counted>(&file()).unwrap(), [(); 5].map(|()| Counted(3)));
}

#[test]
fn a_visitor_of_that_name_that_asks_for_more_than_there_is() {
    #[derive(Debug, PartialEq)]
    struct Counted(usize);
    struct __Visitor;
    impl<'de> Visitor<'de> for __Visitor {
        type Value = Counted;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("fields")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counted, A::Error> {
            let mut count = 0;
            while seq.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
                assert!(count < 100, "there is always one more");
            }
            Ok(Counted(count))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counted, A::Error> {
            let mut count = 0;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(Counted(count))
        }
    }
    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_struct("Counted", &["t", "x", "ok"], __Visitor)
        }
    }
    assert_eq!(read::<Counted>(&file()).unwrap(), [(); 5].map(|()| Counted(3)));
}

/// Passes the names of the struct on in another order.
struct OtherNames<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for OtherNames<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, &["b", "a"], visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Derived code takes the fields in the order of the struct, whatever names an adapter passes on.
#[test]
fn an_adapter_that_tells_other_names() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        a: u8,
        b: u8,
    }

    struct Adapted(Pair);

    impl<'de> Deserialize<'de> for Adapted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Pair::deserialize(OtherNames(deserializer)).map(Adapted)
        }
    }

    #[derive(Clone, Serialize)]
    struct Turned {
        b: u8,
        a: u8,
    }

    let bytes = to_npy_vec(&vec![Turned { b: 2, a: 1 }; 3]).unwrap();
    for Adapted(pair) in from_npy_slice::<Vec<Adapted>>(&bytes).unwrap() {
        assert_eq!(pair, Pair { a: 1, b: 2 });
    }
    let mut rows = serde_npz::NpyReader::new(&bytes[..]).unwrap();
    for row in rows.rows::<Adapted>() {
        assert_eq!(row.unwrap().0, Pair { a: 1, b: 2 });
    }
    // Both in one array: the field order remembered for one must not be used for the other.
    for (Adapted(first), second) in from_npy_slice::<Vec<(Adapted, Pair)>>(
        &to_npy_vec(&vec![(Turned { b: 2, a: 1 }, Turned { b: 4, a: 3 }); 3]).unwrap(),
    )
    .unwrap()
    {
        assert_eq!((first, second), (Pair { a: 1, b: 2 }, Pair { a: 3, b: 4 }));
    }
}
