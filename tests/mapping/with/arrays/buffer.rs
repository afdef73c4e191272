//! Arrays that go through serde's buffer: `flatten`, tagged and untagged enums.

use super::*;

/// Without the module an array does not come back from there, and is refused where it can be seen.
#[test]
fn a_tagged_enum_refuses_a_plain_array() {
    #[derive(Serialize)]
    #[serde(tag = "type")]
    enum Layer {
        Dense { w: Vec<Array2<f32>> },
        Inner(Inner),
        Dropout { p: f64 },
    }
    #[derive(Serialize)]
    struct Inner {
        deep: Deep,
    }
    #[derive(Serialize)]
    struct Deep {
        w: Array1<u8>,
    }
    let layers = |layer| BTreeMap::from([("layers", vec![Layer::Dropout { p: 0.5 }, layer])]);
    for (layer, path) in [
        (Layer::Dense { w: vec![array![[1.0]]] }, "layers/1/w/0"),
        (
            Layer::Inner(Inner {
                deep: Deep { w: array![1] },
            }),
            "layers/1/deep/w",
        ),
    ] {
        let err = to_npz_vec(&layers(layer)).unwrap_err();
        assert_eq!((err.kind(), err.path()), (ErrorKind::UnsupportedType, path), "{err}");
        assert!(err.hint().is_some_and(|hint| hint.contains("with::ndarray_0_17")));
    }
    to_npz_vec(&layers(Layer::Dropout { p: 0.5 })).unwrap();
}

/// Through serde's buffer an array is nested sequences: it comes back equal or not at all.
#[test]
fn arrays_survive_serdes_buffer() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(tag = "type")]
    enum Layer {
        Dense {
            #[serde(with = "serde_npz::with::ndarray_0_17")]
            w: Array2<f32>,
            #[serde(with = "serde_npz::with::ndarray_0_17")]
            b: ArrayD<i64>,
        },
        Complex {
            #[serde(with = "serde_npz::with::ndarray_0_17")]
            z: Vec<Array1<Complex<f64>>>,
        },
        Single {
            #[serde(with = "serde_npz::with::ndarray_0_17")]
            x: ndarray::Array0<u8>,
        },
        Empty {
            #[serde(with = "serde_npz::with::ndarray_0_17")]
            x: Array2<f32>,
        },
        None {
            #[serde(with = "serde_npz::with::ndarray_0_17")]
            x: Option<Array2<f32>>,
        },
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Flat {
        name: String,
        #[serde(flatten)]
        layer: Layer,
    }

    let layers = [
        Layer::Dense {
            w: array![[0.1, 2.0], [3.0, 4.0]].reversed_axes(),
            b: array![[[1], [2]]].into_dyn(),
        },
        Layer::Complex {
            z: vec![array![Complex::new(1.0, -2.0)], array![]],
        },
        Layer::Single { x: ndarray::arr0(7) },
        Layer::Empty {
            x: Array2::zeros((2, 0)),
        },
        Layer::None { x: None },
    ];
    for layer in layers {
        round(&BTreeMap::from([(
            "layer".to_string(),
            vec![Flat {
                name: "a".into(),
                layer,
            }],
        )]));
    }
    // The buffer does not keep this shape.
    let lost = Layer::Empty {
        x: Array2::zeros((0, 3)),
    };
    let err = from_npz_slice::<Layer>(&to_npz_vec(&lost).unwrap()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::TypeMismatch, "{err}");
    // What a direct read refuses is not rounded.
    let wide = to_npz_vec(&BTreeMap::from([("w", vec![vec![0.1_f64]]), ("b", vec![])])).unwrap();
    #[derive(Deserialize, Debug)]
    #[serde(untagged)]
    enum Either {
        Dense {
            #[serde(with = "serde_npz::with::ndarray_0_17")]
            #[allow(dead_code)]
            w: Array2<f32>,
        },
    }
    from_npz_slice::<Either>(&wide).unwrap_err();
}
