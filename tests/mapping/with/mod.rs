//! The `with` modules: through archives and back, as NumPy sees them, and plainly through JSON.

use std::fmt::Debug;
use std::io::{Cursor, Write};
use std::process::{Command, Stdio};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_npz::{ErrorKind, NpzReader, from_npz_slice, to_npz_vec};

/// One field `x` with the module, and the traits every test needs.
macro_rules! field {
    ($name:ident, $with:literal, $type:ty) => {
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct $name {
            #[serde(with = $with, default)]
            x: $type,
        }
    };
}

#[cfg(feature = "ndarray-0_17")]
mod arrays;
mod floats;
mod json;
#[cfg(feature = "nalgebra-0_34")]
mod matrices;
mod members;
mod nesting;
mod tables;
mod texts;
mod times;

/// Through an archive and back; the archive's bytes, for a closer look.
#[track_caller]
fn round<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Vec<u8> {
    let bytes = to_npz_vec(value).unwrap();
    assert_eq!(&from_npz_slice::<T>(&bytes).unwrap(), value);
    bytes
}

/// Through JSON and back, which looks as if no `with` stood there.
#[track_caller]
fn json<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, text: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), text);
    assert_eq!(&serde_json::from_str::<T>(text).unwrap(), value);
}

/// `name dtype shape` of every array.
#[track_caller]
fn layout(bytes: &[u8]) -> Vec<String> {
    let mut archive = NpzReader::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.names().map(str::to_owned).collect();
    let line = |name: String| match archive.header(&name) {
        Ok(header) => format!("{name} {} {:?}", header.dtype(), header.shape()),
        Err(_) => name,
    };
    names.into_iter().map(line).collect()
}

#[track_caller]
fn refused<T: Serialize>(value: &T, kind: ErrorKind, path: &str) -> String {
    let err = to_npz_vec(value).unwrap_err();
    assert_eq!((err.kind(), err.path()), (kind, path), "{err}");
    format!("{err:#}")
}

#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_sees_the_same() {
    #[derive(Serialize)]
    struct All {
        missing: floats::Missing,
        halves: floats::Halves,
        times: times::Times,
        texts: texts::Texts,
        #[serde(with = "serde_npz::with::list")]
        list: Vec<Vec<f64>>,
        #[serde(with = "serde_npz::with::ragged")]
        ragged: Vec<String>,
        #[serde(with = "serde_npz::with::json")]
        json: Vec<members::Setting>,
    }
    let all = All {
        missing: floats::missing(),
        halves: floats::halves(),
        times: times::times(),
        texts: texts::texts(),
        list: vec![vec![1.0], vec![2.0, 3.0]],
        ragged: vec!["ab".into(), "".into(), "é".into()],
        json: vec![members::Setting::On {
            level: Some(1),
            tags: vec![],
        }],
    };
    let script = r#"
z = np.load(io.BytesIO(sys.stdin.buffer.read()))
def same(key, expected, dtype):
    expected = np.array(expected, dtype)
    assert z[key].dtype == expected.dtype, (key, z[key].dtype)
    if expected.dtype.names:
        # A NaT inside a record equals nothing: its bytes do.
        assert z[key].shape == expected.shape and z[key].tobytes() == expected.tobytes(), key
    else:
        np.testing.assert_array_equal(z[key], expected, err_msg=key)
nan = np.nan
same('missing/scalar', nan, 'f8')
same('missing/vector', [nan, .5, nan], 'f8')
same('missing/single', [.1, nan], 'f4')
same('missing/matrix', [[nan, 1], [2, nan]], 'f8')
assert z['missing/rows'].dtype == np.dtype([('id', 'u4'), ('level', 'f4'), ('pair', 'f8', (2,))])
np.testing.assert_array_equal(z['missing/rows']['pair'], [[1, nan], [nan, -2]])
same('halves/vector', [0, -2, np.inf, 65504], 'f2')
same('halves/matrix', [[1, 2], [3, 4]], 'f2')
same('halves/empty', [], 'f2')
same('times/scalar', '1969-12-31T23:59:59', 'M8[s]')
same('times/maybe', 'NaT', 'M8[D]')
same('times/holes', ['1970-01-01T00:00:00.000001', 'NaT'], 'M8[us]')
same('times/matrix', [['1970-01', '1970-02'], ['1969-12', '1971-01']], 'M8[M]')
same('times/system', ['1970-01-01T00:00', '2020-09-13T12:26:40.123', '1969-12-31T23:59:59.999'], 'M8[ms]')
same('times/span', 1500, 'm8[ms]')
same('times/spans', ['NaT', 7], 'm8[ns]')
same('times/empty', [], 'M8[h]')
same('times/rows', [('1970-01-01T00:00:05', 'NaT', True), ('1970-01-01', 3, False)], [('at', 'M8[s]'), ('took', 'm8[m]'), ('ok', '?')])
same('texts/one', b'abc', 'S3')
same('texts/many', [b'a', b'', b'\0bc'], 'S3')
same('texts/codes', [b'AB', b'C', b''], 'S2')
same('texts/rows', [(b'ABCD', b'X', 1), (b'', b'YZ', 2)], [('ticker', '|S4'), ('code', 'S2'), ('price', 'f8')])
same('list/0', [1], 'f8')
same('list/1', [2, 3], 'f8')
rows = np.split(z['ragged/values'], z['ragged/offsets'][1:-1])
assert [bytes(row).decode() for row in rows] == ['ab', '', 'é']
assert json.loads(z['json.json']) == [{'kind': 'On', 'level': 1, 'tags': []}]
"#;
    python(script, &to_npz_vec(&all).unwrap());
}

/// Runs a script with the Python that has NumPy, and gives what it prints.
#[track_caller]
fn python(script: &str, input: &[u8]) -> Vec<u8> {
    let python = std::env::var("SERDE_NPZ_PYTHON").unwrap_or_else(|_| "python3".into());
    let mut child = Command::new(python)
        .args(["-c", &format!("import io, json, sys\nimport numpy as np\n{script}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}
