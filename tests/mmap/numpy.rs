//! NumPy maps our files, and we map its files.

use num_complex::Complex;
use serde::Deserialize;
use serde_npz::ArrayView;

use crate::archives::run;
use crate::common::{Any, Scratch};
use crate::{common, map_new, map_npy, map_verified};

#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_maps_ours_and_we_map_its_files() {
    let dir = Scratch::new("mmap-live");
    let mut map = map_new::<i16>(dir.path("ours.npy"), &[5, 2]).unwrap();
    map.array_mut::<i16>()
        .unwrap()
        .row_mut(4)
        .unwrap()
        .as_mut_slice()
        .copy_from_slice(&[7, -8]);
    map.flush().unwrap();
    let fortran = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
    serde_npz::save_npy(dir.path("fortran.npy"), &ArrayView::fortran(&fortran, &[2, 3]).unwrap()).unwrap();
    serde_npz::save_npz(dir.path("ours.npz"), &run()).unwrap();

    let script = r#"
import os, sys, numpy as np
os.chdir(sys.argv[1])
a = np.load("ours.npy", mmap_mode="r+")
assert a.shape == (5, 2) and a.dtype == np.int16 and a[4].tolist() == [7, -8] and a[:4].sum() == 0
a[0] = [1, 2]
a.flush()
f = np.load("fortran.npy", mmap_mode="r")
assert f.flags.f_contiguous and not f.flags.c_contiguous and f.tolist() == [[1, 2, 3], [4, 5, 6]]
np.save("again.npy", f)
assert open("again.npy", "rb").read() == open("fortran.npy", "rb").read()
with np.load("ours.npz") as z:
    assert z["x"].shape == (10, 3)
m = np.lib.format.open_memmap("theirs.npy", mode="w+", dtype="c8", shape=(3, 2), fortran_order=True)
m[:] = [[1, 2j], [3, 4j], [5, 6j]]
m.flush()
n = {"x": np.arange(6.0).reshape(2, 3), "flags": np.array([True, False]), "big": np.arange(3, dtype=">i4")}
for kind in [">i4", "<f8", ">c16", "<U3", "<i2"]:
    for shape in [(7,), (7, 3), (7, 1), (7, 2, 3), (7, 2, 1, 3)]:
        a = np.asfortranarray(np.arange(np.prod(shape)).reshape(shape).astype(kind))
        name = f"{kind[1:]}-{len(shape)}-{shape[1:2] == (1,)}"
        n["f/" + name] = a
        n["c/" + name] = np.ascontiguousarray(a)[2:5]
        np.save(f"f-{name}.npy", a)
np.savez("theirs.npz", **n)
"#;
    drop(map);
    common::python(script, &[dir.0.as_os_str()]);
    let map = map_npy(dir.path("ours.npy")).unwrap();
    assert_eq!(map.array::<i16>().unwrap().row(0).unwrap().as_slice(), [1, 2]);

    let theirs = map_npy(dir.path("theirs.npy")).unwrap();
    let view = theirs.array::<Complex<f32>>().unwrap();
    assert!(view.fortran_order() && view.shape() == [3, 2]);
    assert_eq!(view.get(&[2, 1]), Some(Complex::new(0.0, 6.0)));

    #[derive(Deserialize)]
    struct Theirs<'a> {
        #[serde(borrow)]
        x: ArrayView<'a, f64>,
        #[serde(borrow)]
        flags: ArrayView<'a, bool>,
        #[serde(borrow)]
        big: ArrayView<'a, i32>,
    }
    let map = map_verified(dir.path("theirs.npz")).unwrap();
    // Parts of arrays in Fortran order and in the other byte order, as NumPy cuts them.
    let mut parts = 0;
    for name in map.names().filter_map(|name| name.strip_prefix("f/")) {
        let expected: Any = map.get(&format!("c/{name}")).unwrap();
        assert_eq!(
            map.read_rows::<Any>(&format!("f/{name}"), 2..5).unwrap(),
            expected,
            "{name}"
        );
        let alone = map_npy(dir.path(&format!("f-{name}.npy"))).unwrap();
        assert_eq!(alone.read_rows::<Any>(2..5).unwrap(), expected, "{name}");
        let mut npz = serde_npz::NpzReader::open(dir.path("theirs.npz")).unwrap();
        let rows = npz.rows::<Any>(&format!("f/{name}")).unwrap().skip(2).take(3);
        assert_eq!(Any::Seq(rows.map(Result::unwrap).collect()), expected, "{name}");
        if let Ok(view) = alone.read::<ArrayView<f64>>() {
            let slice = serde_npz::to_npy_vec(&view.slice(2..5).unwrap()).unwrap();
            assert_eq!(serde_npz::from_npy_slice::<Vec<Any>>(&slice).unwrap().len(), 3);
            let rows = view.rows().unwrap().skip(2).take(3).map(|row| row.to_vec());
            assert_eq!(
                rows.collect::<Vec<_>>().concat(),
                view.slice(2..5).unwrap().to_vec(),
                "{name}"
            );
        }
        parts += 1;
    }
    assert_eq!(parts, 25);
    let theirs: Theirs = map.deserialize().unwrap();
    assert_eq!(
        (theirs.x.shape(), theirs.x.as_slice()),
        (&[2, 3][..], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0][..])
    );
    assert_eq!(
        (theirs.flags.as_slice(), theirs.big.as_slice()),
        (&[true, false][..], &[0, 1, 2][..])
    );
    assert!(theirs.flags.borrowed().is_some() && theirs.big.borrowed().is_none());
}
