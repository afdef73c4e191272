//! Records as they are written and read again.

use super::*;

#[test]
fn the_code_page_has_all_its_characters() {
    let all: String = (0..=255).map(cp437).collect();
    assert!(!all.contains(char::REPLACEMENT_CHARACTER));
    assert_eq!(
        (cp437(0x41), cp437(0x80), cp437(0x81), cp437(0xe1), cp437(0xff)),
        ('A', 'Ç', 'ü', 'ß', '\u{a0}')
    );
}

#[test]
fn extra_fields_are_walked_to_their_end() {
    assert_eq!(zip64_field(b"").unwrap(), None);
    assert_eq!(zip64_field(b"\x55\x54\x01\0x\x01\0\x02\0ab").unwrap(), Some(&b"ab"[..]));
    assert_eq!(zip64_field(b"\x01\0\0\0\0\0\0").unwrap(), Some(&b""[..]));
    assert!(zip64_field(b"\x55\x54\x02\0x").is_err());
    assert!(zip64_field(b"\x01\0\0\0\x01\0\0\0").is_err());
    assert!(zip64_field(b"\x01\0\0\0x").is_err());
}

#[test]
fn methods_keep_their_numbers() {
    for number in 0..=u16::MAX {
        assert_eq!(Method::from_number(number).number(), number);
    }
}

#[test]
fn what_is_written_is_read() {
    let local = LocalHeader {
        version: VERSION,
        flags: UTF8,
        method: Method::Deflate,
        crc: 1,
        compressed: 2,
        size: 3,
        name_len: 4,
        extra_len: 5,
    };
    let mut out = Vec::new();
    local.put(&mut out);
    let read = LocalHeader::parse(out[..].try_into().unwrap()).unwrap();
    assert_eq!((read.flags, read.method, read.crc), (UTF8, Method::Deflate, 1));
    assert_eq!((read.compressed, read.size, read.total_len()), (2, 3, 39));

    let central = CentralHeader {
        local: LocalHeader {
            flags: DESCRIPTOR,
            method: Method::Other(93),
            ..local
        },
        comment_len: 6,
        disk: 7,
        offset: 8,
    };
    let mut out = Vec::new();
    central.put(&mut out);
    let read = CentralHeader::parse(out[..].try_into().unwrap()).unwrap();
    assert_eq!(
        (read.local.version, read.local.flags, read.local.method),
        (45, DESCRIPTOR, Method::Other(93))
    );
    assert_eq!((read.local.crc, read.local.compressed, read.local.size), (1, 2, 3));
    assert_eq!((read.variable_len(), read.disk, read.offset), (15, 7, 8));
}

#[test]
fn the_end_turns_to_64_bits_where_it_has_to() {
    let end = |count, size, offset| {
        let mut out = Vec::new();
        EndRecord { count, size, offset }.put(b"", &mut out).unwrap();
        out
    };
    assert_eq!(end(0, 0, 0).len(), 22);
    assert_eq!(end(65_534, MOST_NARROW, MOST_NARROW).len(), 22);
    for (count, size, offset) in [(65_535, 1, 1), (1, 1 << 31, 1), (1, 1, 1 << 33)] {
        let out = end(count, size, offset);
        assert_eq!(out.len(), 56 + 20 + 22);
        assert_eq!(out[32..40], count.to_le_bytes());
        assert_eq!(out[40..48], size.to_le_bytes());
        assert_eq!(out[48..56], offset.to_le_bytes());
        assert_eq!(out[64..72], (size + offset).to_le_bytes());
    }
    let end = EndRecord {
        count: 1,
        size: u64::MAX,
        offset: 1,
    };
    assert!(end.put(b"", &mut Vec::new()).is_err());
}

#[test]
fn descriptors_have_four_forms() {
    for signature in [&b""[..], DESCRIPTOR_SIGNATURE] {
        let narrow = [signature, &[1, 0, 0, 0], &[2, 0, 0, 0], &[3, 0, 0, 0]].concat();
        let wide = [
            signature,
            &[1, 0, 0, 0],
            &[2, 0, 0, 0, 0, 0, 0, 0],
            &[3, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        for form in [narrow, wide] {
            assert!(is_descriptor(&form, 1, 2, 3));
            assert!(!is_descriptor(&form, 2, 2, 3) && !is_descriptor(&form, 1, 3, 3));
            assert!(!is_descriptor(&form[..form.len() - 1], 1, 2, 3));
        }
    }
}
