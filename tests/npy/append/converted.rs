//! Rows of another type than the file has: they become what it has, as they would on reading, or are refused.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_npz::ErrorKind::{InvalidValue, MixedTypes, TypeMismatch};
use serde_npz::{Dtype, Header, NpyWriter, NpzReader, NpzWriter, load_npy, save_npy, to_npy_vec};

use super::file;
use crate::common::{Scratch, is};

fn like(descr: &str, shape: &[u64]) -> Header {
    Header::new(Dtype::parse(descr).unwrap(), shape.to_vec(), false).unwrap()
}

/// The rows that a file of this dtype takes, one after the other; others are refused.
fn create<T: Serialize>(path: &Path, descr: &str, shape: &[u64], rows: &[T]) -> Vec<bool> {
    let mut writer = NpyWriter::create_like(path, &like(descr, shape)).unwrap();
    let taken = rows.iter().map(|row| writer.push(row).is_ok()).collect();
    writer.finish().unwrap();
    taken
}

#[test]
fn a_number_goes_into_a_file_where_it_could_be_read_from_one() {
    let dir = Scratch::new("append-numbers");
    let path = dir.path("x.npy");
    let (mut taken, mut refused) = (0, 0);
    macro_rules! into {
        ($from:ty, $values:expr) => { into!($from, $values, bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64) };
        ($from:ty, $values:expr, $($to:ty)*) => { $(
            for value in $values {
                let value: $from = value;
                let read = serde_npz::from_npy_slice::<Vec<$to>>(&to_npy_vec(&vec![value]).unwrap());
                save_npy(&path, &vec![<$to>::default()]).unwrap();
                let before = fs::read(&path).unwrap();
                let mut writer = NpyWriter::append(&path).unwrap();
                let pushed = writer.push(&value);
                writer.finish().unwrap();
                let what = format!("{value} {} into {}", stringify!($from), stringify!($to));
                match read {
                    Ok(read) => {
                        pushed.unwrap_or_else(|err| panic!("{what}: {err}"));
                        assert_eq!(load_npy::<Vec<$to>>(&path).unwrap()[1..], read[..], "{what}");
                        taken += 1;
                    }
                    Err(err) => {
                        let pushed = pushed.expect_err(&what);
                        let kind = if err.kind() == TypeMismatch { MixedTypes } else { err.kind() };
                        let dtypes = [to_npy_vec(&vec![value]).unwrap(), before.clone()]
                            .map(|bytes| Header::read(&mut &bytes[..]).unwrap().dtype().to_string());
                        is(pushed, kind, "[1]", &[&dtypes[0], &dtypes[1]]);
                        assert_eq!(fs::read(&path).unwrap(), before, "{what}");
                        refused += 1;
                    }
                }
            }
        )* };
    }
    into!(bool, [false, true]);
    into!(i8, [0, 1, -1, i8::MIN, i8::MAX]);
    into!(i32, [0, 1, -1, 200, 70_000, i32::MIN, i32::MAX, 16_777_217]);
    into!(i64, [0, 1, i64::MIN, i64::MAX, (1 << 53) + 1, 1 << 53]);
    into!(u8, [0, 1, 255]);
    into!(u16, [0, 1, 255, 65_535]);
    into!(u64, [0, 1, u64::MAX, 1 << 63, (1 << 53) + 1]);
    into!(f32, [0.0, -0.0, 1.0, 0.1, f32::MAX, f32::INFINITY]);
    into!(f64, [0.0, 1.0, 0.5, 0.1, f64::MAX]);
    assert!(taken > 150 && refused > 100, "{taken} {refused}");
}

#[test]
fn every_row_is_converted_by_itself() {
    let dir = Scratch::new("append-each");
    let path = dir.path("x.npy");
    save_npy(&path, &vec![[1_i32, 2]]).unwrap();
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&[3_u8, 4]).unwrap();
    writer.push(&vec![5_i64, 6]).unwrap();
    writer.push(&[7_u64, 1 << 40]).unwrap_err();
    writer.push(&(8_u8, -9_i16)).unwrap();
    writer.push(&[10_i32, 11]).unwrap();
    writer.push(&[0.5, 1.0]).unwrap_err();
    writer.push(&[12_u16, 13]).unwrap();
    writer.finish().unwrap();
    let all = [[1, 2], [3, 4], [5, 6], [8, -9], [10, 11], [12, 13]];
    assert_eq!(load_npy::<Vec<[i32; 2]>>(&path).unwrap(), all);
    assert_eq!(fs::read(&path).unwrap(), to_npy_vec(&all.to_vec()).unwrap());
}

#[derive(Serialize)]
struct Reading {
    id: u32,
    t: f32,
    on: bool,
    tag: String,
    at: [u8; 2],
}

/// The same, as any file has it.
#[derive(Deserialize)]
struct Wide {
    #[serde(alias = "number")]
    id: i64,
    #[serde(alias = "seconds")]
    t: f64,
    on: bool,
    tag: String,
}

fn reading(id: u32, tag: &str) -> Reading {
    Reading {
        id,
        t: 0.5,
        on: true,
        tag: tag.into(),
        at: [1, 2],
    }
}

#[test]
fn records_go_by_the_names_of_their_fields() {
    let dir = Scratch::new("append-records");
    let path = dir.path("x.npy");
    for descr in [
        "[('id', '<u4'), ('t', '<f4'), ('on', '|b1'), ('tag', '<U4'), ('at', '|u1', (2,))]",
        "[('at', '<i8', (2,)), ('tag', '|S6'), ('on', '|b1'), ('t', '<f8'), ('id', '>i8')]",
        "[('id', '|u1'), ('', '|V3'), (('t', 'seconds'), '>f8'), ('on', '|b1'), ('', '|V7'), ('tag', '>U4'), ('at', '<f4', (2,)), ('', '|V1')]",
        "[(('id', 'number'), '<i2'), ('t', '<f8'), ('tag', '<U4'), ('at', '|V2'), ('on', '|b1')]",
    ] {
        let rows = [
            reading(1, "a"),
            reading(2, "four"),
            reading(255, ""),
            reading(3, "longer and longer"),
        ];
        let taken = create(&path, descr, &[0], &rows);
        assert_eq!(taken, [true, true, true, false], "{descr}");
        let back: Vec<Wide> = load_npy(&path).unwrap();
        assert_eq!(back.len(), 3, "{descr}");
        assert_eq!(
            (back[1].id, back[1].t, back[1].on, &*back[1].tag),
            (2, 0.5, true, "four")
        );
        let header = Header::read(&mut &fs::read(&path).unwrap()[..]).unwrap();
        assert_eq!(
            (header.dtype(), header.shape()),
            (&Dtype::parse(descr).unwrap(), &[3][..])
        );
    }
    // Fields that are missing, or that the file lacks.
    for descr in [
        "[('id', '<u4')]",
        "[('id', '<u4'), ('t', '<f4'), ('on', '|b1'), ('tag', '<U4'), ('where', '|u1', (2,))]",
    ] {
        assert_eq!(create(&path, descr, &[0], &[reading(1, "a")]), [false]);
    }
    // Tuples go by their order, as they are read.
    let pairs = [(1_u8, 2_u8), (3, 4)];
    assert_eq!(create(&path, "[('x', '<f8'), ('y', '<i4')]", &[0], &pairs), [true; 2]);
    assert_eq!(load_npy::<Vec<(f64, i32)>>(&path).unwrap(), [(1.0, 2), (3.0, 4)]);
    assert_eq!(create(&path, "<f8", &[0, 2], &[(1_u8, 0.5), (2, 1.5)]), [true; 2]);
    assert_eq!(load_npy::<Vec<[f64; 2]>>(&path).unwrap(), [[1.0, 0.5], [2.0, 1.5]]);
    let nested = [((1_u8, 2_u8), 0.5_f32)];
    assert_eq!(
        create(
            &path,
            "[('p', [('x', '<u2'), ('y', '>u4')]), ('z', '<f8')]",
            &[0],
            &nested
        ),
        [true]
    );
    assert_eq!(load_npy::<Vec<((u16, u32), f64)>>(&path).unwrap(), [((1, 2), 0.5)]);
}

#[test]
fn the_error_of_a_field_names_it() {
    let dir = Scratch::new("append-named");
    let path = dir.path("x.npy");
    let header = like("[('id', '|u1'), ('at', '<i2', (2,))]", &[0]);
    #[derive(Serialize)]
    struct At {
        at: [i64; 2],
        id: u8,
    }
    let mut writer = NpyWriter::create_like(&path, &header).unwrap();
    writer.push(&At { at: [1, 2], id: 3 }).unwrap();
    let err = writer.push(&At { at: [1, 40_000], id: 3 }).unwrap_err();
    is(err, InvalidValue, "[1].at[1]", &["40000", "<i8", "<i2"]);
    writer.push(&At { at: [3, 4], id: 5 }).unwrap();
    writer.finish().unwrap();
    assert_eq!(
        load_npy::<Vec<(u8, [i16; 2])>>(&path).unwrap(),
        [(3, [1, 2]), (5, [3, 4])]
    );
}

#[test]
fn texts_bytes_and_times() {
    let dir = Scratch::new("append-texts");
    let path = dir.path("x.npy");
    let texts = ["ab", "", "four", "é", "fives", "ééé"];
    assert_eq!(
        create(&path, "|S4", &[0], &texts),
        [true, true, true, true, false, false]
    );
    assert_eq!(load_npy::<Vec<String>>(&path).unwrap(), ["ab", "", "four", "é"]);
    assert_eq!(
        create(&path, ">U4", &[0], &texts),
        [true, true, true, true, false, true]
    );
    assert_eq!(load_npy::<Vec<String>>(&path).unwrap(), ["ab", "", "four", "é", "ééé"]);
    assert_eq!(create(&path, "<U0", &[0], &["", "a"]), [true, false]);
    assert_eq!(create(&path, "<U0", &[0], &['a']), [false]);
    assert_eq!(
        create(&path, "|S3", &[0, 2], &[["a", "b"], ["c", "long"]]),
        [true, false]
    );
    assert_eq!(create(&path, "<f8", &[0], &["1.5"]), [false]);
    assert_eq!(create(&path, "<U8", &[0], &[1.5]), [false]);

    let bytes = [&b"ab"[..], b"abc", b"a\0"].map(serde_bytes::Bytes::new);
    assert_eq!(create(&path, "|S2", &[0], &bytes), [true, false, false]);
    assert_eq!(create(&path, "|V2", &[0], &bytes), [true, false, true]);
    assert_eq!(create(&path, "|u1", &[0, 2], &bytes), [true, false, true]);
    assert_eq!(load_npy::<Vec<[u8; 2]>>(&path).unwrap(), [*b"ab", *b"a\0"]);
    assert_eq!(create(&path, "|V2", &[0], &[*b"ab", *b"cd"]), [true, true]);

    use std::time::Duration;
    let times = [
        Duration::from_secs(2),
        Duration::from_millis(2),
        Duration::from_nanos(2),
    ];
    assert_eq!(create(&path, "<m8[ms]", &[0], &times), [true, true, false]);
    assert_eq!(create(&path, ">m8[s]", &[0], &times), [true, false, false]);
    assert_eq!(load_npy::<Vec<Duration>>(&path).unwrap(), times[..1]);
    assert_eq!(create(&path, "<M8[ms]", &[0], &times), [false; 3]);
    assert_eq!(create(&path, "<m8[ms]", &[0], &[1_i64]), [false]);
    assert_eq!(create(&path, "<i8", &[0], &times), [false; 3]);

    let wide = "[('hi', '>i8'), ('', '|V4'), ('lo', '<u8')]";
    let wides = [i128::MIN, -1, 1 << 70];
    assert_eq!(create(&path, wide, &[0], &wides), [true; 3]);
    assert_eq!(load_npy::<Vec<i128>>(&path).unwrap(), wides);
    assert_eq!(create(&path, wide, &[0], &[u128::MAX, 7]), [false, true]);
    assert_eq!(
        create(&path, "[('lo', '<u8'), ('hi', '<u8')]", &[0], &[-1, 7]),
        [false, true]
    );
    assert_eq!(load_npy::<Vec<u128>>(&path).unwrap(), [7]);
    assert_eq!(create(&path, "<i4", &[0], &wides), [false, true, false]);
    assert_eq!(
        create(&path, "<f8", &[0], &[7_u128]),
        [serde_npz::from_npy_slice::<f64>(&to_npy_vec(&7_u128).unwrap()).is_ok()]
    );

    let complex = [Complex::new(1_f32, -2.0)];
    assert_eq!(create(&path, ">c16", &[0], &complex), [true]);
    assert_eq!(load_npy::<Vec<Complex<f64>>>(&path).unwrap(), [Complex::new(1.0, -2.0)]);
    assert_eq!(create(&path, "<f8", &[0, 2], &complex), [true]);
    assert_eq!(create(&path, "<c16", &[0], &[(1_f32, 2_f32)]), [true]);
    assert_eq!(load_npy::<Vec<Complex<f64>>>(&path).unwrap(), [Complex::new(1.0, 2.0)]);
    assert_eq!(create(&path, "<f2", &[0], &[2048_u16, 2049]), [true, false]);
    assert_eq!(create(&path, "<f2", &[0], &[0.5_f32]), [false]);
}

#[test]
fn a_stated_header_is_kept_whatever_comes() {
    let dir = Scratch::new("append-stated");
    let path = dir.path("x");
    let file = dir.path("x.npy");
    // Not before something is finished or flushed, but then without rows too.
    let writer = NpyWriter::create_like(&path, &like("<f8", &[7, 3])).unwrap();
    assert!(!file.exists());
    drop(writer);
    assert!(dir.files().is_empty());
    let mut writer = NpyWriter::create_like(&path, &like("<f8", &[7, 3])).unwrap();
    writer.flush().unwrap();
    assert_eq!(
        Header::read(&mut &fs::read(&file).unwrap()[..]).unwrap().shape(),
        [0, 3]
    );
    is(writer.push(&1.0).unwrap_err(), MixedTypes, "[0]", &["()", "(3,)"]);
    writer.push(&[1_u8, 2, 3]).unwrap();
    writer.finish().unwrap();
    assert_eq!(fs::read(&file).unwrap(), to_npy_vec(&vec![[1.0, 2.0, 3.0]]).unwrap());

    // <f8 without axes but the first is stated as well.
    let mut writer = NpyWriter::create_like(&path, &like("<f8", &[0])).unwrap();
    is(writer.push("a").unwrap_err(), MixedTypes, "[0]", &["<U1", "<f8"]);
    writer.finish().unwrap();
    assert_eq!(fs::read(&file).unwrap(), to_npy_vec(&Vec::<f64>::new()).unwrap());

    // An empty `Vec` says nothing.
    save_npy(&path, &Vec::<f64>::new()).unwrap();
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&("any", 1_u8)).unwrap();
    writer.finish().unwrap();
    assert_eq!(load_npy::<Vec<(String, u8)>>(&file).unwrap(), [("any".to_owned(), 1)]);

    for (descr, shape, fortran) in [("<f8", vec![], false), ("<f8", vec![2, 3], true)] {
        let header = Header::new(Dtype::parse(descr).unwrap(), shape, fortran).unwrap();
        let err = NpyWriter::create_like(dir.path("refused"), &header).unwrap_err();
        is(err, TypeMismatch, "", &["first axis"]);
    }
    assert_eq!(dir.files(), ["x.npy"]);
}

#[test]
fn a_file_in_another_form_takes_rows_of_any_form() {
    let dir = Scratch::new("append-forms");
    let path = dir.path("x.npy");
    let head = |descr: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (0,), }}          \n");
    fs::write(&path, file(&head("'float32'"), b"")).unwrap();
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&3_u8).unwrap();
    writer.push(&half::f16::from_f32(0.5)).unwrap();
    writer.push(&0.5_f64).unwrap_err();
    writer.finish().unwrap();
    assert_eq!(load_npy::<Vec<f32>>(&path).unwrap(), [3.0, 0.5]);
    // What nobody knows beforehand is no number at all.
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&serde_json::json!(7)).unwrap();
    writer.push(&Some(8_u8)).unwrap();
    writer.push(&None::<u8>).unwrap_err();
    writer.finish().unwrap();
    assert_eq!(load_npy::<Vec<f32>>(&path).unwrap(), [3.0, 0.5, 7.0, 8.0]);
}

/// The first row does not decide how wide the texts are.
#[test]
fn rows_of_texts_are_as_wide_as_the_longest() {
    fn check<T: Serialize>(rows: &[T])
    where
        Vec<T>: Serialize,
    {
        let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
        assert_eq!(npz.add_rows("x", rows).unwrap(), rows.len() as u64);
        let bytes = npz.finish().unwrap().into_inner();
        let raw = NpzReader::new(Cursor::new(bytes)).unwrap().raw("x").unwrap();
        assert!(raw == to_npy_vec(rows).unwrap());
    }
    check(&["a", "", "a longer text", "é", "🦀🦀"]);
    check(&["", ""]);
    check(&[["a", "bcd"], ["efgh", ""]]);
    check(&[vec!["a", "bcd"], vec!["efgh", ""]]);
    check(&[(1_u8, "a", [0.5, 1.5]), (2, "bcd", [2.5, 3.5])]);
    check(&[reading(1, "a"), reading(2, "a longer text"), reading(3, "")]);
    check(
        &(0..20_000)
            .map(|i| (i, format!("{:>1$}", i, i % 40)))
            .collect::<Vec<_>>(),
    );
    #[derive(Serialize)]
    struct Raw(#[serde(with = "serde_npz::with::bytes")] String, char);
    check(&["a", "bc", ""].map(|text| Raw(text.into(), 'x')));

    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    let refused = npz.add_rows("y", ["a", "b\0"]).unwrap_err();
    is(refused, InvalidValue, "y[1]", &["NUL"]);
    let mixed = npz
        .add_rows("y", [serde_json::json!("a"), serde_json::json!(1)])
        .unwrap_err();
    is(mixed, MixedTypes, "y[1]", &["<u8", "<U1"]);
    npz.add_rows("y", ["the writer goes on"]).unwrap();
    npz.finish().unwrap();
}
