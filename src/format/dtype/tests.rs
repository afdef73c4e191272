//! Parsing and printing against each other and against what NumPy 2.4 prints.

use super::*;
use crate::format::literal;

fn parse(descr: &str) -> Result<Dtype> {
    Dtype::from_literal(&literal::parse(descr, false)?)
}

/// What `descr` prints after parsing; that this parses to the same; and the bytes of an element.
fn printed(descr: &str) -> (String, u64) {
    let dtype = parse(descr).unwrap_or_else(|err| panic!("{descr}: {err}"));
    let text = Repr(&dtype).to_string();
    assert_eq!(parse(&text).unwrap(), dtype, "{descr}");
    (text, dtype.itemsize())
}

/// All as NumPy 2.4 prints them.
#[test]
fn canonical_forms() {
    for (descr, expected, itemsize) in [
        ("'?'", "'|b1'", 1),
        ("'|?'", "'|b1'", 1),
        ("'float32'", "'<f4'", 4),
        ("'<d'", "'<f8'", 8),
        ("'>q'", "'>i8'", 8),
        ("'|B'", "'|u1'", 1),
        ("'c'", "'|S1'", 1),
        ("'int'", "'<i8'", 8),
        ("'datetime64[ns]'", "'<M8[ns]'", 8),
        ("'<f8,<f8'", "[('f0', '<f8'), ('f1', '<f8')]", 16),
        ("'f4,'", "[('f0', '<f4')]", 4),
        ("'3i2'", "('<i2', (3,))", 6),
        (
            "'2,3>i2, (2,)?, S'",
            "[('f0', '>i2', (2, 3)), ('f1', '|b1', (2,)), ('f2', '|S0')]",
            14,
        ),
        ("'<b1'", "'|b1'", 1),
        ("'>i1'", "'|i1'", 1),
        ("'=u4'", "'<u4'", 4),
        ("'|i4'", "'<i4'", 4),
        ("'i04'", "'<i4'", 4),
        ("'>f2'", "'>f2'", 2),
        ("'c16'", "'<c16'", 16),
        ("'>S3'", "'|S3'", 3),
        ("'a5'", "'|S5'", 5),
        ("'S'", "'|S0'", 0),
        ("'U'", "'<U0'", 0),
        ("'>U2'", "'>U2'", 8),
        ("'V'", "'|V0'", 0),
        ("'U536870911'", "'<U536870911'", 2147483644),
        ("'M8'", "'<M8'", 8),
        ("'m8[generic]'", "'<m8'", 8),
        ("'>M8[1us]'", "'>M8[us]'", 8),
        ("'M8[\u{3bc}s]'", "'<M8[us]'", 8),
        ("'M8[0s]'", "'<M8[0s]'", 8),
        ("'M8[2147483647as]'", "'<M8[2147483647as]'", 8),
        ("'M8[25generic]'", "'<M8'", 8),
        ("('<f8', ())", "'<f8'", 8),
        ("('<f8', 3)", "('<f8', (3,))", 24),
        ("('S', 3)", "'|S3'", 3),
        ("(('<i2', (2,)), (3,))", "(('<i2', (2,)), (3,))", 12),
        ("[]", "[]", 0),
        ("[['a', '<i4']]", "[('a', '<i4')]", 4),
        (
            "[('a', [('b', 'i2', 2)], (2, 0))]",
            "[('a', [('b', '<i2', (2,))], (2, 0))]",
            0,
        ),
        ("[('a', [], (2,))]", "[('a', [], (2,))]", 0),
        ("[('a', '<i4', (2147483647, 0))]", "[('a', '<i4', (2147483647, 0))]", 0),
        ("[('', '|V4')]", "[('', '|V4')]", 4),
        ("[('', '|V0')]", "[]", 0),
        (
            "[('', '|V7', (2,)), ('', 'V1'), ('a', 'u1'), ('', 'V2')]",
            "[('', '|V15'), ('a', '|u1'), ('', '|V2')]",
            18,
        ),
        ("[('', '<i4', (2,))]", "[('', '|V8')]", 8),
        ("[('', '<i4')]", "[('', '<i4')]", 4),
        ("[('', [])]", "[('', [])]", 0),
        (
            "[(('t', 'a'), '|V4'), (('b', ''), 'i2', 2)]",
            "[(('t', 'a'), '|V4'), (('b', ''), '<i2', (2,))]",
            8,
        ),
        ("[((None, 'a'), 'i4')]", "[('a', '<i4')]", 4),
    ] {
        assert_eq!(printed(descr), (expected.to_owned(), itemsize), "{descr}");
    }
}

#[test]
fn names_print_as_repr() {
    for (name, expected) in [
        ("it's", r#""it's""#),
        ("q\"", r#"'q"'"#),
        ("b'\"", r#"'b\'"'"#),
        ("\\ \n \r \t", r"'\\ \n \r \t'"),
        ("\0\x0b\x7f\u{85}\u{a0}\u{ad}", r"'\x00\x0b\x7f\x85\xa0\xad'"),
        (
            "\u{200b}\u{2028}\u{3000}\u{e000}\u{feff}",
            r"'\u200b\u2028\u3000\ue000\ufeff'",
        ),
        ("\u{e0001}\u{10ffff}", r"'\U000e0001\U0010ffff'"),
        ("é 高 a\u{301} \u{1f600}", "'é 高 a\u{301} \u{1f600}'"),
    ] {
        let dtype = Dtype::record(vec![(name.to_owned(), Dtype::float(8))]).unwrap();
        assert_eq!(printed(&dtype.to_string()), (format!("[({expected}, '<f8')]"), 8));
    }
}

#[test]
fn what_is_refused() {
    use ErrorKind::*;
    for (kind, descrs) in [
        (
            Pickle,
            &[
                "'O'",
                "'|O8'",
                "'object'",
                "'object_'",
                "'f8,O'",
                "'T'",
                "('O', 0)",
                "[('a', 'O', 0)]",
                "[('', 'O')]",
                "[(('t', 'a'), '>O')]",
            ][..],
        ),
        (
            UnsupportedDtype,
            &[
                "''",
                "'<'",
                "'u'",
                "'<float32'",
                "'bool_,f8'",
                "' f8,f4'",
                "'f8,,f4'",
                "'[a,b]'",
                "'f8,[a,b]'",
                "'2[a,b]'",
                "'<2>i4'",
                "'(2)f8'",
                "'02f8'",
                "'3'",
                "'f16'",
                "'g'",
                "'<c32'",
                "'f3'",
                "'i16'",
                "'u3'",
                "'b8'",
                "'c4'",
                "'|T16'",
                "'?4'",
                "'V-1'",
                "'S+3'",
                "'S 3'",
                "'S3 '",
                "' S3'",
                "'<>f8'",
                "'f8\\0'",
                "'<I4'",
                "'f8,g'",
                "'é'",
                "'bfloat16'",
                "'M4[s]'",
                "'M8[]'",
                "'M8[5]'",
                "'M8[B]'",
                "'M8[ s]'",
                "'M8[-1s]'",
                "'M8[2147483648s]'",
                "'M8['",
                "'M8s'",
            ][..],
        ),
        (
            BadHeader,
            &[
                "3",
                "None",
                "True",
                "()",
                "('<i4',)",
                "('<i4', 1, 2)",
                "('<i4', '<i4')",
                "['<i4']",
                "[('a',)]",
                "[('a', '<i4', 2, 3)]",
                "[(1, '<i4')]",
                "[('a', '<i4'), ('a', '<i2')]",
                "[('', '<i4'), ('', '<i4')]",
                "[(('t', 't'), '<i4')]",
                "[(('', ''), '<i4')]",
                "[(('t', 'a'), 'i4'), (('t', 'b'), 'i4')]",
                "[('a', 'i4'), (('a', 'b'), 'i4')]",
                "[(('b', 'a'), 'i4'), ('b', 'i4')]",
                "[(('t', 'a', 'c'), '<i4')]",
                "[(('t',), '<i4')]",
                "[(['t', 'a'], '<i4')]",
                "('<i4', -1)",
                "('<i4', (2, -2))",
                "('<i4', (True,))",
                "('<i4', None)",
                "('S', (3,))",
                "('V0', ())",
                "{'names': ['a'], 'formats': ['i4']}",
            ][..],
        ),
        (
            LimitExceeded,
            &[
                "'S2147483648'",
                "'U536870912'",
                "'V99999999999999999999999'",
                "('S', 2147483648)",
                "('i4', 536870912)",
                "('u1', 2147483648)",
                "('u1', (4294967296, 0))",
                "('i4', 99999999999999999999999)",
                "[('a', 'S2147483647'), ('b', 'i1')]",
                "[('', 'V2147483647'), ('', 'V1')]",
                "([], (2147483647, 2147483647, 2147483647))",
                "('i4', (2147483647, 2147483647, 0, 2147483647))",
            ][..],
        ),
    ] {
        for descr in descrs {
            assert_eq!(parse(descr).expect_err(descr).kind(), kind, "{descr}");
        }
    }
    assert_eq!(parse("[('a', [('b', 'f3')])]").unwrap_err().path(), ".a.b");
}

#[test]
fn subarrays_of_subarrays_stay_nested() {
    for (descr, printed) in [
        ("[('a', ('<f4', (2,)), (3,))]", "[('a', ('<f4', (2,)), (3,))]"),
        ("[('a', (('<f4', (2,)), (3,)))]", "[('a', ('<f4', (2,)), (3,))]"),
        (
            "[('a', ((('<f4', (2,)), (3,)), (4,)))]",
            "[('a', (('<f4', (2,)), (3,)), (4,))]",
        ),
        ("[('a', ('<f4', (2,)))]", "[('a', '<f4', (2,))]"),
        ("[('a', ('<f4', (2,)), ())]", "[('a', '<f4', (2,))]"),
        ("(('<f4', (2,)), (3,))", "(('<f4', (2,)), (3,))"),
    ] {
        let dtype = parse(descr).unwrap();
        assert_eq!(dtype.to_string(), printed);
        assert_eq!(parse(printed).unwrap(), dtype);
    }
    let nested = parse("(('<f4', (2,)), (3,))").unwrap();
    let (item, shape) = nested.subarray().unwrap();
    assert_eq!((item.to_string().as_str(), shape), ("('<f4', (2,))", &[3][..]));
    assert_eq!((nested.itemsize(), nested.base().1), (24, vec![3, 2]));
    let many = format!("('<f4', {})", super::print::Tuple(&vec![1_u64; MAX_AXES]));
    assert_eq!(
        parse(&format!("({many}, (1,))")).unwrap_err().kind(),
        ErrorKind::LimitExceeded
    );
    let none = "(('<f4', (0, 2000000000)), (2000000000, 2000000000))";
    assert_eq!(parse(none).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn depth_and_axes_are_limited() {
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(|| {
        let nested = |n: usize| format!("{}'<i4'{}", "[('a', ".repeat(n), ", (1,))]".repeat(n));
        let deepest = parse(&nested(MAX_LEVELS)).unwrap();
        assert_eq!(parse(&deepest.to_string()).unwrap(), deepest.clone());
        assert_eq!(format!("{:?}", Dtype::float(8)), "dtype('<f8')");
        assert!(format!("{deepest:?}").contains("'<i4'"));
        assert_eq!(
            parse(&nested(MAX_LEVELS + 1)).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );

        let mut dtype = Dtype::float(8);
        for _ in 0..MAX_LEVELS {
            dtype = Dtype::record(vec![("a".to_owned(), dtype)]).unwrap();
        }
        let err = Dtype::record(vec![("a".to_owned(), dtype)]).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::LimitExceeded);

        let mut dtype = Dtype::float(8);
        for _ in 0..MAX_AXES {
            dtype = Dtype::array(dtype, 1).unwrap();
        }
        assert_eq!(Dtype::array(dtype, 1).unwrap_err().kind(), ErrorKind::LimitExceeded);
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn constructors_check() {
    let record = |names: &[&str]| Dtype::record(names.iter().map(|&name| (name.to_owned(), Dtype::void(0))).collect());
    assert_eq!(record(&["a", "b"]).unwrap().to_string(), "[('a', '|V0'), ('b', '|V0')]");
    assert_eq!(record(&["a", "a"]).unwrap_err().kind(), ErrorKind::DuplicateName);
    assert_eq!(record(&[""]).unwrap_err().kind(), ErrorKind::InvalidName);
    assert_eq!(
        Dtype::array(Dtype::void(0), 3).unwrap_err().kind(),
        ErrorKind::UnsupportedType
    );
    let rows = Dtype::array(Dtype::array(Dtype::int(4), 3).unwrap(), 2).unwrap();
    assert_eq!((rows.to_string().as_str(), rows.itemsize()), ("('<i4', (2, 3))", 24));
    let huge = Dtype::record(vec![
        ("a".to_owned(), Dtype::str(u64::MAX)),
        ("b".to_owned(), Dtype::bool()),
    ]);
    assert_eq!(huge.unwrap_err().kind(), ErrorKind::LimitExceeded);
}

/// `parse(print(d)) == d` for dtypes drawn from all kinds.
#[test]
fn drawn_dtypes_come_back() {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        let dtype = draw.dtype(3);
        let text = Repr(&dtype).to_string();
        assert_eq!(
            parse(&text).unwrap_or_else(|err| panic!("{text}: {err}")),
            dtype,
            "{text}"
        );
    }
}

struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn dtype(&mut self, depth: u32) -> Dtype {
        let order = self.one(&[Order::Little, Order::Big]);
        let unit = TimeUnit {
            base: self.one(&[TimeBase::Year, TimeBase::Micro, TimeBase::Atto]),
            multiple: self.one(&[0, 1, 25]),
        };
        let kinds = if depth == 0 { 10 } else { 14 };
        Dtype::new(match self.below(kinds) {
            0 => Kind::Bool,
            1 => Kind::Int {
                size: self.one(&[2, 4, 8]),
                order,
            },
            2 => Kind::Uint {
                size: 1,
                order: Order::Little,
            },
            3 => Kind::Float {
                size: self.one(&[2, 4, 8]),
                order,
            },
            4 => Kind::Complex {
                size: self.one(&[8, 16]),
                order,
            },
            5 => Kind::Bytes { len: self.below(9) },
            6 => Kind::Str {
                len: self.below(9),
                order,
            },
            7 => Kind::Void { len: self.below(9) },
            8 => Kind::Datetime { unit, order },
            9 => Kind::Timedelta { unit, order },
            10 => {
                let item = self.dtype(depth - 1);
                return if item.is_unsized() {
                    item
                } else {
                    Dtype::array(item, self.below(4)).unwrap()
                };
            }
            _ => {
                let mut layout = RecordBuilder::new(0);
                for i in 0..self.below(5) {
                    layout.padding(self.one(&[0, 0, 3])).unwrap();
                    let letter = self.one(&[
                        "a",
                        "\"",
                        "'",
                        "\\",
                        "\n",
                        "é",
                        "高",
                        "\u{200b}",
                        "\u{1f600}",
                        "\u{e0001}",
                    ]);
                    let title = (self.below(4) == 0).then(|| format!("{i}{letter}"));
                    let dtype = self.dtype(depth - 1);
                    layout.field(format!("{letter}{i}"), title, dtype).unwrap();
                }
                layout.padding(self.one(&[0, 0, 5])).unwrap();
                return layout.finish().unwrap();
            }
        })
    }
}
