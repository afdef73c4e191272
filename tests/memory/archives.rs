//! Archives of many members: opening one asks for memory about once a member, and using it not again.

use std::io::Cursor;

use serde_npz::{NpzReader, NpzWriter};

use crate::counting::{Alone, allocations};

/// An archive of small arrays; `name` gives the names of the members.
fn archive(members: usize, name: impl Fn(usize) -> String) -> Vec<u8> {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    for i in 0..members {
        npz.add(&name(i), &[i as u64]).unwrap();
    }
    npz.finish().unwrap().into_inner()
}

#[test]
fn opening_allocates_once_a_member() {
    let _alone = Alone::wait();
    const MEMBERS: usize = 20_000;
    for (name, groups) in [
        ((|i| format!("m{i}")) as fn(usize) -> String, 0),
        (|i| format!("layers/{}/w{}", i / 4, i % 4), 1 + MEMBERS / 4),
    ] {
        let bytes = archive(MEMBERS, name);
        let (npz, opening) = allocations(|| NpzReader::new(Cursor::new(&bytes)).unwrap());
        assert!(opening <= MEMBERS * 12 / 10, "{opening} to open {MEMBERS} members");
        let mut npz = npz;
        let wanted = name(MEMBERS / 2);
        let (value, first) = allocations(|| npz.get::<Vec<usize>>(&wanted).unwrap());
        assert_eq!(value, [MEMBERS / 2]);
        // Each group has a list of its members.
        assert!(first <= groups + 200, "{first} for the first of {MEMBERS} members");
        let (_, second) = allocations(|| npz.get::<Vec<usize>>(&wanted).unwrap());
        assert!(second <= 50, "{second} for the second");
    }
}

#[cfg(feature = "mmap")]
#[test]
fn calls_on_a_map_do_not_depend_on_the_number_of_members() {
    use crate::counting::peak;
    use serde_npz::NpzMmap;

    let _alone = Alone::wait();
    let costs = [10, 10_000].map(|members| {
        let path = std::env::temp_dir().join(format!("serde_npz-memory-map-{}-{members}.npz", std::process::id()));
        std::fs::write(&path, archive(members, |i| format!("m{i}"))).unwrap();
        // SAFETY: nothing else writes to the file.
        let map = unsafe { NpzMmap::open(&path) }.unwrap();
        let calls: [&dyn Fn(); 5] = [
            &|| assert_eq!(map.array::<u64>("m7").unwrap().as_slice(), [7]),
            &|| assert_eq!(map.bytes("m7").unwrap().len(), 8),
            &|| assert_eq!(map.header("m7").unwrap().shape(), [1]),
            &|| map.verify("m7").unwrap(),
            &|| assert_eq!(map.get::<u64>("m7").unwrap_err().path(), "m7"),
        ];
        // The first `get` sorts the names into groups.
        calls[4]();
        let costs = calls.map(|call| {
            let (((), most), count) = allocations(|| peak(call));
            (most, count)
        });
        drop(map);
        std::fs::remove_file(&path).unwrap();
        costs
    });
    assert_eq!(costs[0], costs[1], "bytes and calls of 10 and of 10,000 members");
}
