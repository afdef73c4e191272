use super::*;
use crate::format::literal;

fn header(dtype: Dtype, shape: &[u64], fortran: bool) -> Header {
    Header::new(dtype, shape.to_vec(), fortran).unwrap()
}

fn refusal(text: &str) -> ErrorKind {
    let literal = literal::parse(text, false).unwrap();
    Header::from_literal(&literal).expect_err(text).kind()
}

#[test]
fn bytes_of_a_scalar_and_of_a_growing_array() {
    let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (), }";
    let expected = [&b"\x93NUMPY\x01\x00\x76\x00"[..], text.as_bytes(), &[b' '; 62], b"\n"].concat();
    assert_eq!(header(Dtype::float(8), &[], false).to_bytes(), expected);
    // Room for 21 digits of the axis that grows, which is the last one in Fortran order.
    for (shape, fortran, spaces) in [(&[3, 100][..], false, 20), (&[3, 100], true, 18)] {
        let header = header(Dtype::float(8), shape, fortran);
        let bytes = header.to_bytes();
        assert_eq!(bytes.len() % 64, 0);
        let text = bytes[10..].trim_ascii_end();
        assert!(bytes.len() > 10 + text.len() + spaces, "{fortran}");
        assert_eq!(Header::read(&mut &bytes[..]).unwrap(), header);
    }
}

#[test]
fn versions() {
    let named = |name: &str| Dtype::record(vec![(name.to_owned(), Dtype::bool())]).unwrap();
    for (name, version) in [
        ("é", 1),
        ("\u{200b}", 1),
        ("高", 3),
        (&"x".repeat(65_400), 1),
        (&"x".repeat(70_000), 2),
    ] {
        let header = header(named(name), &[2], false);
        let bytes = header.to_bytes();
        assert_eq!((bytes[6], bytes.len() % 64), (version, 0));
        let options = ReadOptions::new().max_header_size(100_000);
        assert_eq!(Header::read_with(&mut &bytes[..], &options).unwrap(), header);
    }
}

#[test]
fn sizes() {
    let new = |dtype, shape: &[u64]| Header::new(dtype, shape.to_vec(), false).map_err(|err| err.kind());
    let rows = new(Dtype::float(8), &[2, 3]).unwrap();
    assert_eq!((rows.count(), rows.data_len()), (6, 48));
    let empty = new(Dtype::float(8), &[1 << 40, 0]).unwrap();
    assert_eq!((empty.count(), empty.data_len()), (0, 0));
    let no_bytes = new(Dtype::void(0), &[1 << 62]).unwrap();
    assert_eq!((no_bytes.count(), no_bytes.data_len()), (1 << 62, 0));
    assert!(new(Dtype::bool(), &[1; 64]).is_ok());
    assert!(new(Dtype::bool(), &[i64::MAX as u64]).is_ok());
    for (dtype, shape) in [
        (Dtype::bool(), &[1; 65][..]),
        (Dtype::bool(), &[1 << 63]),
        (Dtype::float(8), &[1 << 60]),
        (Dtype::float(8), &[0, 1 << 60]),
        (Dtype::void(0), &[1 << 32, 1 << 32, 0]),
        (Dtype::str(1 << 30), &[0]),
    ] {
        assert_eq!(new(dtype, shape), Err(ErrorKind::LimitExceeded), "{shape:?}");
    }
    let pair = Dtype::array(Dtype::float(8), 2).unwrap();
    assert_eq!(new(pair, &[3]), Err(ErrorKind::BadHeader));
}

/// As `np.load` of NumPy 2.4 has it.
#[test]
fn subarray_as_the_type_of_an_array() {
    let read = |descr: &str, shape: &str| {
        let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}");
        Header::from_literal(&literal::parse(&text, false).unwrap())
            .map(|header| header.dtype.to_string())
            .ok()
    };
    assert_eq!(read("('<f8', (1,))", "(2,)").as_deref(), Some("<f8"));
    assert_eq!(read("('<f8', (3,))", "(0,)").as_deref(), Some("<f8"));
    assert_eq!(read("('S', 3)", "(2,)").as_deref(), Some("|S3"));
    assert_eq!(read("('<f8', (3,))", "(2,)"), None);
    assert_eq!(read("('<f8', (3,))", "()"), None);
}

#[test]
fn dicts_that_are_no_header() {
    for text in [
        "[]",
        "{}",
        "{'descr': '<f8', 'shape': ()}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (), 'more': 1}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (), 1: 1}",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': ()}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': [3]}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, -1)}",
    ] {
        assert_eq!(refusal(text), ErrorKind::BadHeader);
    }
    let last_counts = "{'descr': '<f8', 'fortran_order': False, 'shape': (), 'descr': '|O'}";
    assert_eq!(refusal(last_counts), ErrorKind::Pickle);
}

#[test]
fn starts_of_files() {
    for (bytes, kind) in [
        (&b""[..], ErrorKind::Truncated),
        (b"\x93NUM", ErrorKind::Truncated),
        (b"\x93NUMPY\x01", ErrorKind::Truncated),
        (b"\x93NUMPY\x01\x00\x76", ErrorKind::Truncated),
        (b"\x93NUMPY\x01\x00\x76\x00{", ErrorKind::Truncated),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", ErrorKind::LimitExceeded),
        (b"\x93NUMPY\x03\x00\xff\xff\xff\xff{", ErrorKind::LimitExceeded),
        (b"\x93NUMPY\x04\x00", ErrorKind::UnsupportedVersion),
        (b"\x93NUMPY\x01\x00\x00\x00", ErrorKind::BadHeader),
        (
            b"\x93NUMPY\x01\x00\x38\x00{'descr':'<f8','fortran_order':False,'shape':(3,)}     \r\n",
            ErrorKind::BadHeader,
        ),
        (b"\x93NUMPY\x03\x00\x02\x00\x00\x00\xff\xff", ErrorKind::BadHeader),
        (b"\x80\x04\x95", ErrorKind::Pickle),
        (b"PK\x03\x04\x14\x00", ErrorKind::BadMagic),
        (b"PK\x05\x06", ErrorKind::BadMagic),
        (b"\x1b[31m", ErrorKind::BadMagic),
    ] {
        let err = Header::read(&mut &bytes[..]).expect_err("no header");
        assert_eq!(err.kind(), kind, "{}: {err}", bytes.escape_ascii());
        assert!(!err.to_string().contains('\x1b'));
        assert_eq!(
            err.hint().is_some_and(|hint| hint.contains("load_npz")),
            bytes.starts_with(b"PK")
        );
    }
    // A claim of 4 GiB is not believed even where any length is allowed.
    let options = ReadOptions::new().max_header_size(usize::MAX);
    let err = Header::read_with(&mut &b"\x93NUMPY\x02\x00\xff\xff\xff\xff{"[..], &options).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Truncated);
}
