//! Rows with Options, pushed one by one.

use super::*;

#[test]
fn rows() {
    let rows = [imu(1.0, None), imu(2.0, Some(0.5)), imu(3.0, None)];
    let whole = to_npy_vec(&rows.to_vec()).unwrap();
    let mut writer = NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.extend(rows.clone()).unwrap();
    assert_eq!(writer.finish().unwrap().into_inner(), whole);
    let mut reader = NpyReader::new(&whole[..]).unwrap();
    assert_eq!(reader.rows::<Imu>().collect::<Result<Vec<_>, _>>().unwrap(), rows);
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add_rows("x", &rows).unwrap();
    npz.add_rows("points", [Some(Point { x: 1.0, y: 2.0 }), None]).unwrap();
    let mut npz = NpzReader::new(npz.finish().unwrap()).unwrap();
    assert_eq!(npz.get::<Vec<Imu>>("x").unwrap(), rows);
    let points: Vec<_> = npz
        .rows::<Option<Point>>("points")
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(points, [Some(Point { x: 1.0, y: 2.0 }), None]);
    // Behind the rows of a file.
    let dir = Scratch::new("mapping-options");
    let path = dir.path("log.npy");
    std::fs::write(&path, &whole).unwrap();
    let mut log = NpyWriter::append(&path).unwrap();
    log.push(&imu(4.0, Some(1.0))).unwrap();
    log.push(&imu(5.0, None)).unwrap();
    log.finish().unwrap();
    let all: Vec<Imu> = serde_npz::load_npy(&path).unwrap();
    assert_eq!(
        (all.len(), &all[3], &all[4]),
        (5, &imu(4.0, Some(1.0)), &imu(5.0, None))
    );
    // A None of which the type does not tell what it would be is what it is in the file.
    let path = dir.path("points.npy");
    serde_npz::save_npy(&path, &vec![one(Some(Point { x: 1.0, y: 2.0 }))]).unwrap();
    let mut log = NpyWriter::append(&path).unwrap();
    log.push(&one(None::<Point>)).unwrap();
    log.push(&one(Some(Point { x: 3.0, y: 4.0 }))).unwrap();
    log.finish().unwrap();
    let all: Vec<One<Option<Point>>> = serde_npz::load_npy(&path).unwrap();
    assert_eq!((all[1].v, all[2].v), (None, Some(Point { x: 3.0, y: 4.0 })));
    // Rows came before the first Some.
    let mut writer = NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.push(&one(None::<Point>)).unwrap();
    let err = writer.push(&one(Some(Point { x: 1.0, y: 2.0 }))).unwrap_err();
    assert_eq!((err.kind(), err.path()), (MixedTypes, "[1]"));
    assert!(format!("{err:#}").contains("create_like"), "{err:#}");
    writer.push(&one(None::<Point>)).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    assert_eq!(header(&bytes), ("[('id', '|u1'), ('v', '|V0')]".to_owned(), vec![2]));
    assert_eq!(
        from_npy_slice::<Vec<One<Option<Point>>>>(&bytes).unwrap(),
        [one(None), one(None)]
    );
    let mut writer = NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.push(&None::<Point>).unwrap();
    let err = writer.push(&Some(Point { x: 1.0, y: 2.0 })).unwrap_err();
    assert!(format!("{err:#}").contains("create_like"), "{err:#}");
}

#[test]
fn rows_of_a_stated_dtype() {
    let dir = Scratch::new("mapping-options-stated");
    let create = |descr: &str, name: &str| {
        let header = Header::new(Dtype::parse(descr).unwrap(), vec![0], false).unwrap();
        NpyWriter::create_like(dir.path(name), &header).unwrap()
    };
    // None first, in another order, byte order and number type.
    let path = dir.path("a.npy");
    let mut log = create(
        "[('v?', '?'), ('id', '>i4'), ('', '|V2'), ('v', [('y', '>f8'), ('x', '<f4')])]",
        "a.npy",
    );
    let point = Point { x: 1.5, y: 2.5 };
    log.push(&one(None::<Point>)).unwrap();
    log.push(&one(Some(point))).unwrap_err();
    log.finish().unwrap();
    assert_eq!(
        serde_npz::load_npy::<Vec<One<Option<Point>>>>(&path).unwrap(),
        [one(None)]
    );
    let mut log = create(
        "[('v?', '?'), ('id', '>i4'), ('', '|V2'), ('v', [('y', '>f8'), ('x', '<f8')])]",
        "a.npy",
    );
    log.push(&one(None::<Point>)).unwrap();
    log.push(&one(Some(point))).unwrap();
    log.push(&one(None::<Point>)).unwrap();
    log.push(&one(point)).unwrap();
    log.finish().unwrap();
    let all: Vec<One<Option<Point>>> = serde_npz::load_npy(&path).unwrap();
    assert_eq!(all, [one(None), one(Some(point)), one(None), one(Some(point))]);
    // What stands for None is that of the file.
    let path = dir.path("b.npy");
    let mut log = create("[('t', '<f8'), ('temp', '>i2'), ('temp?', '|b1')]", "b.npy");
    log.push(&(1.0, None::<i64>)).unwrap();
    log.push(&(1.0, Some(100_000_i64))).unwrap_err();
    log.push(&(2.0, Some(300_u16))).unwrap();
    log.push(&(3.0, 4_u8)).unwrap();
    log.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let expected = [&1.0_f64.to_le_bytes()[..], &[0; 3], &2.0_f64.to_le_bytes(), &[1, 44, 1]].concat();
    assert_eq!(bytes[bytes.len() - 33..bytes.len() - 11], expected);
    let mut log = NpyWriter::append(&path).unwrap();
    // Only the type of what is there tells whether it fits.
    log.push(&(3.0, None::<f32>)).unwrap_err();
    log.push(&(3.0, None::<i64>)).unwrap();
    log.finish().unwrap();
    let all: Vec<(f64, Option<i64>)> = serde_npz::load_npy(&path).unwrap();
    assert_eq!(all, [(1.0, None), (2.0, Some(300)), (3.0, Some(4)), (3.0, None)]);
    // Elements with a mask of their own.
    let path = dir.path("c.npy");
    let mut log = create("[('x', '<f8'), ('y', '<f8'), ('?', '|b1')]", "c.npy");
    log.push(&None::<Point>).unwrap();
    log.push(&Some(point)).unwrap();
    log.finish().unwrap();
    assert_eq!(
        serde_npz::load_npy::<Vec<Option<Point>>>(&path).unwrap(),
        [None, Some(point)]
    );
    let path = dir.path("d.npy");
    let mut log = create("[('value', '>u4', (3,)), ('?', '|b1')]", "d.npy");
    log.push(&None::<[u32; 3]>).unwrap();
    log.push(&Some([1_u32, 2, 3])).unwrap();
    log.finish().unwrap();
    assert_eq!(
        serde_npz::load_npy::<Vec<Option<[u32; 3]>>>(&path).unwrap(),
        [None, Some([1, 2, 3])]
    );
    // A file without a mask takes what is there.
    let path = dir.path("e.npy");
    let mut log = create("[('t', '<f8'), ('temp', '<f4')]", "e.npy");
    log.push(&imu(1.0, Some(2.0))).unwrap();
    let err = log.push(&imu(1.0, None)).unwrap_err();
    assert_eq!((err.kind(), err.path()), (InvalidValue, "[1].temp"));
    log.push(&imu(2.0, Some(3.0))).unwrap();
    log.finish().unwrap();
    assert_eq!(
        serde_npz::load_npy::<Vec<(f64, f32)>>(&path).unwrap(),
        [(1.0, 2.0), (2.0, 3.0)]
    );
}

#[test]
fn rows_with_texts_are_gathered() {
    let row = |v: Option<&str>, name: &str| (v.map(str::to_owned), name.to_owned(), Some(1_u8));
    let rows = [row(None, "a"), row(Some("abc"), "ab"), row(None, "abcd")];
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add_rows("x", &rows).unwrap();
    let mut npz = NpzReader::new(npz.finish().unwrap()).unwrap();
    let dtype = "[('f0', '<U3'), ('f0?', '|b1'), ('f1', '<U4'), ('f2', '|u1'), ('f2?', '|b1')]";
    assert_eq!(npz.header("x").unwrap().dtype().to_string(), dtype);
    assert_eq!(npz.get::<Vec<(Option<String>, String, Option<u8>)>>("x").unwrap(), rows);
    // Some first, then a None whose type does not tell what it would be.
    let row = |name: &str, at| (name.to_owned(), at);
    let rows = [row("a", Some(Point { x: 1.0, y: 2.0 })), row("abc", None)];
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add_rows("x", &rows).unwrap();
    let mut npz = NpzReader::new(npz.finish().unwrap()).unwrap();
    assert_eq!(npz.get::<Vec<(String, Option<Point>)>>("x").unwrap(), rows);
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    let err = npz.add_rows("x", [&rows[1], &rows[0]]).unwrap_err();
    assert_eq!((err.kind(), err.path()), (MixedTypes, "x[1]"));
    assert!(format!("{err:#}").contains("create_like"), "{err:#}");
}
