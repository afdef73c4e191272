//! What NumPy makes of arrays that grew, and several arrays in one file.

use std::fs;
use std::path::Path;

use super::step;
use crate::common::Scratch;
use serde::Serialize;
use serde_npz::{NpyReader, NpyWriter};

/// What NumPy sees in a file that grew, loaded and mapped.
const LOOK: &str = r#"
import sys
import numpy as np
path = sys.argv[1]
rows, expected = int(sys.argv[2]), eval(sys.argv[3])
def plain(x):
    x = x.tolist() if hasattr(x, 'tolist') else x
    return tuple(plain(y) for y in x) if isinstance(x, tuple) else x
loaded = np.load(path)
mapped = np.load(path, mmap_mode='r')
for a in (loaded, mapped):
    assert len(a) == rows, (len(a), rows)
    assert plain(a[-1]) == expected, (a[-1], expected)
with open(path, 'rb') as f:
    assert len(f.read()) == mapped.offset + mapped.nbytes
again = path + '.again.npy'
np.save(again, loaded)
same = open(again, 'rb').read() == open(path, 'rb').read()
print(loaded.dtype.descr if loaded.dtype.names else loaded.dtype.str, 'same' if same else 'other')
"#;

#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_reads_and_maps_what_grew() {
    let dir = Scratch::new("append-live");
    let make = |expression: &str| {
        let path = dir.path("x.npy");
        let script = format!("import sys, numpy as np\nnp.save(sys.argv[1], {expression})");
        crate::common::python(&script, &[path.as_os_str()]);
        path
    };
    fn look(path: &Path, rows: usize, last: &str) -> String {
        let rows = rows.to_string();
        crate::common::python(LOOK, &[path.as_os_str(), rows.as_ref(), last.as_ref()])
            .trim()
            .to_owned()
    }
    fn grow<T: Serialize>(path: &Path, row: &T, n: usize) {
        let mut writer = NpyWriter::append(path).unwrap();
        for i in 0..n {
            writer.push(row).unwrap();
            if i % 50 == 0 {
                writer.flush().unwrap();
            }
        }
        writer.finish().unwrap();
    }
    let path = make("np.arange(9.0)");
    grow(&path, &2.5, 120);
    assert_eq!(look(&path, 129, "2.5"), "<f8 same");
    let path = make("np.zeros((99, 2, 3), '<i2')");
    grow(&path, &[[1_i16, 2, 3], [4, 5, 6]], 2);
    assert_eq!(look(&path, 101, "[[1, 2, 3], [4, 5, 6]]"), "<i2 same");
    let path = make("np.zeros(3, '>f4')");
    grow(&path, &1.5_f32, 8);
    assert_eq!(look(&path, 11, "1.5"), ">f4 same");
    let path = make("np.array(['four', 'b'])");
    grow(&path, &"äö", 9);
    assert_eq!(look(&path, 11, "'äö'"), "<U4 same");
    let path = make("np.zeros(9, np.dtype([('a', 'u1'), ('b', '>f8'), ('c', '<i2', (2,))], align=True))");
    #[derive(Serialize)]
    struct Aligned {
        a: u8,
        b: f64,
        c: [i16; 2],
    }
    let row = Aligned {
        a: 1,
        b: 2.5,
        c: [3, 4],
    };
    grow(&path, &row, 3);
    let seen = look(&path, 12, "(1, 2.5, [3, 4])");
    assert!(seen.contains("('', '|V7')"), "{seen}");
    let path = make("np.zeros((0, 4), 'f4')");
    grow(&path, &[1_f32, 2.0, 3.0, 4.0], 1);
    assert_eq!(look(&path, 1, "[1.0, 2.0, 3.0, 4.0]"), "<f4 same");
    let path = make("np.zeros(0)");
    grow(&path, &(1_u8, "text"), 10);
    assert!(look(&path, 10, "(1, 'text')").ends_with("same"));
    // A file that is ours from the start.
    let path = dir.path("ours.npy");
    NpyWriter::create(&path).unwrap().finish().unwrap();
    grow(&path, &step(1, "x"), 1001);
    assert!(look(&path, 1001, "(0.5, 1, [1.0, -1.0], 'x')").ends_with("same"));
}

/// Several arrays one after another in one file, both ways.
#[test]
#[ignore = "needs Python with NumPy"]
fn several_arrays_in_one_handle() {
    let dir = Scratch::new("append-handle");
    let theirs = dir.path("theirs.npy");
    let script = r#"
import sys, numpy as np
with open(sys.argv[1], 'wb') as f:
    np.save(f, np.arange(5.0))
    np.save(f, np.arange(6, dtype='>i4').reshape(3, 2))
    np.save(f, np.asfortranarray(np.arange(6.0).reshape(3, 2)))
    np.save(f, np.float32(7))
    np.save(f, np.array(['a', 'bc']))
"#;
    crate::common::python(script, &[theirs.as_os_str()]);
    let mut reader = NpyReader::open(&theirs).unwrap();
    assert_eq!(reader.rows::<f64>().count(), 5);
    assert!(reader.next_array().unwrap());
    let first: Vec<[i32; 2]> = reader.rows().take(1).collect::<Result<_, _>>().unwrap();
    assert_eq!(first, [[0, 1]]);
    assert!(reader.next_array().unwrap());
    reader.seek(2).unwrap();
    assert_eq!(reader.rows::<[f64; 2]>().next().unwrap().unwrap(), [4.0, 5.0]);
    assert!(reader.next_array().unwrap());
    assert!(reader.header().shape().is_empty());
    assert!(reader.next_array().unwrap());
    let texts: Vec<String> = reader.rows().collect::<Result<_, _>>().unwrap();
    assert_eq!(texts, ["a", "bc"]);
    assert!(!reader.next_array().unwrap());

    let ours = dir.path("ours.npy");
    let mut handle = fs::File::create(&ours).unwrap();
    serde_npz::to_npy_writer(&mut handle, &vec![1.0, 2.0]).unwrap();
    let mut writer = NpyWriter::new(&mut handle).unwrap();
    writer.extend((0..30_000).map(|i| [i, -i])).unwrap();
    writer.flush().unwrap();
    writer.push(&[7, 7]).unwrap();
    writer.finish().unwrap();
    NpyWriter::new(&mut handle).unwrap().finish().unwrap();
    serde_npz::to_npy_writer(&mut handle, "the end").unwrap();
    drop(handle);
    let script = r#"
import sys, numpy as np
with open(sys.argv[1], 'rb') as f:
    a = [np.load(f) for _ in range(4)]
    assert f.read() == b''
assert a[0].tolist() == [1.0, 2.0]
assert a[1].shape == (30001, 2) and a[1][29999].tolist() == [29999, -29999] and a[1][-1].tolist() == [7, 7]
assert a[2].shape == (0,) and a[2].dtype == 'f8'
assert str(a[3]) == 'the end'
"#;
    crate::common::python(script, &[ours.as_os_str()]);
}
