//! The files that Python packages bring along for their own tests and tables, out of their wheels:
//!
//! ```text
//! pip download --no-deps --dest WHEELS scipy scikit-image nilearn librosa obspy statsmodels gensim
//! SERDE_NPZ_WHEELS=WHEELS SERDE_NPZ_PYTHON=.. cargo test --test numpy -- --ignored shipped
//! ```

use std::ffi::OsStr;
use std::fs;

use serde::Deserialize;
use serde_npz::{Casting, ReadOptions, Value, WriteOptions, save_npy};

use crate::common::{Scratch, python};

const SCRIPT: &str = include_str!("shipped.py");

#[test]
#[ignore = "needs Python with NumPy"]
fn all_of_them_are_read_whole() {
    let Some(wheels) = std::env::var_os("SERDE_NPZ_WHEELS") else {
        println!("not run: SERDE_NPZ_WHEELS names no folder of wheels");
        return;
    };
    let dir = Scratch::new("shipped");
    let (files, again) = (dir.path("files"), dir.path("again"));
    fs::create_dir(&files).unwrap();
    fs::create_dir(&again).unwrap();
    let names = python(SCRIPT, &[OsStr::new("unpack"), &wheels, files.as_os_str()]);
    // Some of them hold objects, or long doubles.
    let options = ReadOptions::new().skip_unsupported(true).separator(None);
    for name in names.lines() {
        let value: Value = options
            .load(files.join(name))
            .unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let path = again.join(name);
        match name.ends_with(".npy") {
            true => save_npy(path, &value).unwrap(),
            false => WriteOptions::new().separator(None).save_npz(path, &value).unwrap(),
        };
    }
    let counts = python(SCRIPT, &[OsStr::new("compare"), files.as_os_str(), again.as_os_str()]);
    println!("{} files, members equal and left out: {counts}", names.lines().count());
    into_structs(|name| fs::read(files.join(name)).unwrap());
}

/// As a program would read them: natural types, and one option where the file has others.
fn into_structs(read: impl Fn(&str) -> Vec<u8>) {
    /// SciPy's test of a Riccati equation: what is whole was saved as `uint8`.
    #[derive(Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    struct Riccati {
        a: Vec<Vec<f64>>,
        b: Vec<[f64; 2]>,
        q: Vec<Vec<f64>>,
        r: [[f64; 2]; 2],
    }
    let riccati: Riccati =
        serde_npz::from_npz_slice(&read("scipy--scipy--linalg--tests--data--carex_19_data.npz")).unwrap();
    assert_eq!((riccati.a.len(), riccati.b.len(), riccati.q[0].len()), (60, 60, 60));
    assert!(riccati.r[0][0] > 0.0);

    /// A sparse matrix as `scipy.sparse.save_npz` writes it; Python 2 wrote the format as bytes.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Sparse {
        format: String,
        shape: [usize; 2],
        data: Vec<i64>,
        indices: Vec<u32>,
        indptr: Vec<usize>,
    }
    for version in ["py2", "py3"] {
        let bytes = read(&format!("scipy--scipy--sparse--tests--data--csc_{version}.npz"));
        let sparse: Sparse = serde_npz::from_npz_slice(&bytes).unwrap();
        assert_eq!((&*sparse.format, sparse.indptr.len()), ("csc", 2));
        let any: serde_json::Value = serde_npz::from_npz_slice(&bytes).unwrap();
        assert_eq!(any["format"], "csc");
    }

    /// A model of the earth's layers out of ObsPy: records, and records of arrays.
    #[derive(Deserialize)]
    struct Earth {
        source_depth: f64,
        is_spherical: bool,
        moho_branch: usize,
        ray_params: Vec<f64>,
        #[serde(rename = "s_mod.critical_depths")]
        critical_depths: Vec<CriticalDepth>,
        #[serde(rename = "tau_branches__1/5__1/2")]
        branch: Branch,
    }
    #[derive(Deserialize)]
    struct CriticalDepth {
        depth: f64,
        vel_layer_num: usize,
    }
    #[derive(Deserialize)]
    struct Branch {
        top_depth: f64,
        bot_depth: f64,
        tau: Vec<f64>,
    }
    let earth: Earth = ReadOptions::new()
        .casting(Casting::Exact)
        .from_npz_slice(&read("obspy--obspy--taup--data--1066a.npz"))
        .unwrap();
    assert_eq!((earth.source_depth, earth.is_spherical), (0.0, true));
    assert!(earth.moho_branch > 0 && earth.critical_depths.len() == 6);
    assert!(earth.critical_depths[0].depth <= earth.critical_depths[5].depth);
    assert!(earth.critical_depths[5].vel_layer_num > earth.critical_depths[0].vel_layer_num);
    assert_eq!(earth.branch.tau.len(), earth.ray_params.len());
    assert!(earth.branch.top_depth < earth.branch.bot_depth);
}
