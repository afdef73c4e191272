//! Masks on reading: wherever they stand, into targets of other kinds, and strange ones.

use super::*;
use crate::common::npy;

#[test]
fn masks_wherever_they_stand() {
    let t = 1.5_f64.to_le_bytes();
    let temp = 2.5_f32.to_be_bytes();
    for there in [0, 1, 7] {
        let expected = imu(1.5, (there != 0).then_some(2.5));
        let files = [
            npy(
                "[('temp?', '|b1'), ('t', '<f8'), ('temp', '>f4')]",
                false,
                "()",
                &[&[there][..], &t, &temp].concat(),
            ),
            npy(
                "[('temp', '>f4'), ('t', '<f8'), ('temp?', '?')]",
                false,
                "()",
                &[&temp[..], &t, &[there]].concat(),
            ),
            npy(
                "[('t', '<f8'), ('', '|V3'), ('temp?', '|b1'), ('', '|V1'), ('temp', '>f4'), ('', '|V2')]",
                false,
                "()",
                &[&t[..], &[9; 3], &[there], &[9], &temp, &[9; 2]].concat(),
            ),
        ];
        for file in files {
            assert_eq!(from_npy_slice::<Imu>(&file).unwrap(), expected);
            assert_eq!(
                from_npy_slice::<BTreeMap<String, Option<f64>>>(&file).unwrap(),
                BTreeMap::from([
                    ("t".to_owned(), Some(1.5)),
                    ("temp".to_owned(), expected.temp.map(f64::from))
                ])
            );
        }
    }
}

#[test]
fn targets_of_other_kinds() {
    let rows = vec![imu(1.0, Some(2.0)), imu(2.0, None)];
    let npy = to_npy_vec(&rows).unwrap();
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        t: f64,
        temp: Option<f32>,
    }
    let strict: Vec<Strict> = from_npy_slice(&npy).unwrap();
    assert_eq!(strict[1], Strict { t: 2.0, temp: None });
    // A field of its own for the mask: then the value is shown as it is.
    #[derive(Debug, Deserialize)]
    struct Own {
        #[serde(rename = "temp?")]
        is_there: bool,
        temp: f32,
    }
    let own: Vec<Own> = from_npy_slice(&npy).unwrap();
    assert_eq!((own[0].is_there, own[0].temp), (true, 2.0));
    assert!(!own[1].is_there && own[1].temp.is_nan());
    // The mask alone.
    #[derive(Debug, Deserialize)]
    struct Mask {
        #[serde(rename = "temp?")]
        is_there: bool,
    }
    assert!(!from_npy_slice::<Vec<Mask>>(&npy).unwrap()[1].is_there);
    // No Option: where all are there.
    #[derive(Debug, PartialEq, Deserialize)]
    struct All {
        t: f64,
        temp: f32,
    }
    let all = to_npy_vec(&rows[..1].to_vec()).unwrap();
    assert_eq!(from_npy_slice::<Vec<All>>(&all).unwrap(), [All { t: 1.0, temp: 2.0 }]);
    let err = from_npy_slice::<Vec<All>>(&npy).unwrap_err();
    assert_eq!((err.kind(), err.path()), (TypeMismatch, "[1].temp"));
    assert!(format!("{err:#}").contains("Option"), "{err:#}");
    // Other fields, another order, fewer of them.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Other {
        temp: Option<f64>,
        #[serde(default)]
        none: Option<u8>,
    }
    assert_eq!(
        from_npy_slice::<Vec<Other>>(&npy).unwrap()[0],
        Other {
            temp: Some(2.0),
            none: None
        }
    );
    // The length of a tuple leaves masks out.
    assert_eq!(
        from_npy_slice::<Vec<(f64, Option<f32>)>>(&npy).unwrap(),
        [(1.0, Some(2.0)), (2.0, None)]
    );
    assert!(from_npy_slice::<Vec<(f64, Option<f32>, bool)>>(&npy).is_err());
    // Whoever asks for anything.
    let any: Any = from_npy_slice(&npy).unwrap();
    let map = |t, temp| Any::Map(vec![("t".to_owned(), Any::Float(t)), ("temp".to_owned(), temp)]);
    assert_eq!(any, Any::Seq(vec![map(1.0, Any::Float(2.0)), map(2.0, Any::Unit)]));
    let json: serde_json::Value = from_npy_slice(&to_npy_vec(&vec![None, Some([1_u8, 2])]).unwrap()).unwrap();
    assert_eq!(json, serde_json::json!([null, [1, 2]]));
    // A record without a mask is Some.
    let plain = to_npy_vec(&vec![(1.0_f64, 2.0_f32)]).unwrap();
    assert_eq!(
        from_npy_slice::<Vec<(f64, Option<f32>)>>(&plain).unwrap(),
        [(1.0, Some(2.0))]
    );
    let points = vec![Point { x: 1.0, y: 2.0 }];
    let plain = to_npy_vec(&points).unwrap();
    assert_eq!(from_npy_slice::<Vec<Option<Point>>>(&plain).unwrap(), [Some(points[0])]);
    // Elements with a mask into elements without.
    let masked = to_npy_vec(&vec![Some(points[0])]).unwrap();
    assert_eq!(from_npy_slice::<Vec<Point>>(&masked).unwrap(), points);
    let masked = to_npy_vec(&vec![Some([1_u8, 2]), None]).unwrap();
    let err = from_npy_slice::<Vec<[u8; 2]>>(&masked).unwrap_err();
    assert_eq!((err.kind(), err.path()), (TypeMismatch, "[1]"));
}

#[test]
fn values_show_masks() {
    let npy = to_npy_vec(&vec![imu(1.0, None)]).unwrap();
    let value: Value = from_npy_slice(&npy).unwrap();
    assert!(value.to_string().contains("False"), "{value}");
    assert_eq!(to_npy_vec(&value).unwrap(), npy);
    assert_eq!(serde_npz::from_value::<Vec<Imu>>(value).unwrap(), [imu(1.0, None)]);
    let masked = to_npy_vec(&vec![None, Some(Point { x: 1.0, y: 2.0 })]).unwrap();
    let value: Value = from_npy_slice(&masked).unwrap();
    assert!(value.to_string().contains("True"), "{value}");
    let value = serde_npz::to_value(&X {
        x: vec![imu(1.0, Some(3.0))],
    })
    .unwrap();
    assert_eq!(
        serde_npz::from_value::<X<Vec<Imu>>>(value).unwrap().x,
        [imu(1.0, Some(3.0))]
    );
}

#[test]
fn strange_masks() {
    let read = |descr: &str, data: &[u8]| -> Vec<(String, Any)> {
        match from_npy_slice::<Any>(&npy(descr, false, "()", data)).unwrap() {
            Any::Map(entries) => entries,
            other => panic!("{descr}: {other:?}"),
        }
    };
    let names = |descr: &str, data: &[u8]| read(descr, data).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    // A mask that is no bool, or without a value, is a field like others.
    assert_eq!(names("[('x', '|u1'), ('x?', '|u1')]", &[1, 0]), ["x", "x?"]);
    assert_eq!(names("[('x', '|u1'), ('x?', '|b1', (1,))]", &[1, 0]), ["x", "x?"]);
    assert_eq!(names("[('y?', '|b1'), ('x', '|u1')]", &[1, 0]), ["y?", "x"]);
    // The mask of a mask is one of nothing.
    assert_eq!(
        names("[('x', '|u1'), ('x?', '|b1'), ('x??', '|b1')]", &[1, 1, 0]),
        ["x", "x??"]
    );
    assert_eq!(
        names("[('x???', '|b1'), ('x??', '|b1'), ('x?', '|b1')]", &[1, 1, 1]),
        ["x???", "x?"]
    );
    // The mask of an element is its last field.
    assert_eq!(names("[('?', '|b1'), ('x', '|u1')]", &[0, 1]), ["?", "x"]);
    assert_eq!(
        from_npy_slice::<Any>(&npy("[('x', '|u1'), ('?', '|b1')]", false, "()", &[1, 0])).unwrap(),
        Any::Unit
    );
    assert_eq!(
        from_npy_slice::<Option<Point>>(&npy("[('?', '|b1')]", false, "()", &[0])).unwrap(),
        None
    );
    assert!(from_npy_slice::<Option<Point>>(&npy("[('?', '|b1')]", false, "()", &[1])).is_err());
    // Of a mask within a mask the outer one tells first.
    let nested = "[('r', [('x', '|u1'), ('?', '|b1')]), ('r?', '|b1'), ('?', '|b1')]";
    assert_eq!(names(nested, &[1, 1, 1, 1]), ["r"]);
    assert_eq!(read(nested, &[1, 1, 0, 1])[0].1, Any::Unit);
    assert_eq!(read(nested, &[1, 0, 1, 1])[0].1, Any::Unit);
    // Very many of them.
    let chain: Vec<String> = (0..250).map(|i| format!("('x{}', '|b1')", "?".repeat(i))).collect();
    let file = npy(&format!("[{}]", chain.join(", ")), false, "()", &[1; 250]);
    let options = ReadOptions::new().max_header_size(1 << 20);
    assert_eq!(
        options.from_npy_slice::<BTreeMap<String, bool>>(&file).unwrap().len(),
        125
    );
}
