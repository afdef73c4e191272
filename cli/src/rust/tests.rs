//! What the code looks like; that it compiles and loads is shown in `cli/tests/structs.rs`.

use serde_npz::{Dtype, Header};

use super::*;

struct Rows;

impl Look for Rows {
    fn ragged(&mut self, path: &str) -> Ragged {
        match path {
            "text" => Ragged::Texts,
            "no" => Ragged::No,
            _ => Ragged::Rows,
        }
    }
}

fn code(members: &[(&str, &str, &[u64])]) -> String {
    let members: Vec<Member> = members
        .iter()
        .map(|&(key, dtype, shape)| Member {
            key: key.to_owned(),
            kind: match dtype {
                "json" => Kind::Json,
                dtype => Kind::Array(Header::new(Dtype::parse(dtype).unwrap(), shape.to_vec(), false).unwrap()),
            },
        })
        .collect();
    let options = Options {
        name: "Run".to_owned(),
        path: "run.npz".to_owned(),
        separator: Some('/'),
        ..Options::default()
    };
    of_archive(&members, &mut Rows, &options)
}

#[test]
fn a_group_is_a_struct_and_a_list_a_vector() {
    assert_eq!(
        code(&[
            ("time", "<f8", &[9]),
            ("layers/0/w", "<f4", &[2, 3]),
            ("layers/1/w", "<f4", &[4, 3]),
            ("type", "<U3", &[])
        ]),
        "\
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Run {
    /// `<f8`, shape (9,)
    pub time: Vec<f64>,
    /// a list of 2, a group
    pub layers: Vec<Layers>,
    /// `<U3`, shape ()
    pub r#type: String,
}

#[derive(Serialize, Deserialize)]
pub struct Layers {
    /// `<f4`, shape (_, 3)
    pub w: Vec<Vec<f32>>,
}

// let path = \"run.npz\";
// let data: Run = serde_npz::load_npz(path)?;
"
    );
}

#[test]
fn what_fits_no_type_is_a_value_with_its_reason() {
    let code = code(&[
        ("mixed/0", "<f8", &[2]),
        ("mixed/1", "<f8", &[2, 2]),
        ("both", "<f8", &[]),
        ("both/in", "<f8", &[]),
        ("odd", "<M8[25s]", &[3]),
        ("long", "[('x', '<f4', (40,))]", &[3]),
    ]);
    for reason in [
        "its arrays have unequal numbers of axes",
        "an array and a group share this name",
        "no module stands for the unit [25s]",
        "of its field `x`: serde knows arrays of up to 32 elements, this has 40",
    ] {
        assert!(code.contains(reason), "{reason} in {code}");
    }
    assert_eq!(code.matches(": serde_npz::Value,").count(), 4, "{code}");
}

#[test]
fn modules_read_what_plain_types_do_not() {
    let code = code(&[
        ("when", "<M8[us]", &[3]),
        ("half", "<f2", &[3, 3]),
        ("code", "|S4", &[3]),
        ("meta", "json", &[]),
        ("rows/values", "<i4", &[7]),
        ("rows/offsets", "<i8", &[3]),
        ("text/values", "|u1", &[7]),
        ("text/offsets", "<i8", &[3]),
        ("no/values", "|u1", &[7]),
        ("no/offsets", "<i8", &[3]),
        ("imu", "[('t', '<f8'), ('temp', '<f4'), ('temp?', '|b1')]", &[5]),
        ("maybe", "[('value', '<u4', (3,)), ('?', '|b1')]", &[5]),
    ]);
    for line in [
        "#[serde(with = \"serde_npz::with::datetime64::us\")]\n    pub when: Vec<i64>,",
        "#[serde(with = \"serde_npz::with::float16\")]\n    pub half: Vec<Vec<f32>>,",
        "#[serde(with = \"serde_npz::with::bytes\")]\n    pub code: Vec<Vec<u8>>,",
        "#[serde(with = \"serde_npz::with::json\")]\n    pub meta: serde_json::Value,",
        "#[serde(with = \"serde_npz::with::ragged\")]\n    pub rows: Vec<Vec<i32>>,",
        "#[serde(with = \"serde_npz::with::ragged\")]\n    pub text: Vec<String>,",
        "pub no: No,",
        "pub imu: Vec<Imu>,",
        "pub temp: Option<f32>,",
        "pub maybe: Vec<Option<[u32; 3]>>,",
    ] {
        assert!(code.contains(line), "{line} in {code}");
    }
}

#[test]
fn very_many_alike_are_a_map() {
    let keys: Vec<String> = (0..250).map(|i| format!("w{i}")).collect();
    let alike: Vec<(&str, &str, &[u64])> = keys.iter().map(|key| (&**key, "<f4", &[2_u64][..])).collect();
    assert!(code(&alike).contains("pub type Run = BTreeMap<String, Vec<f32>>;"));
    let mut unlike = alike;
    unlike[3].1 = "<f8";
    assert!(code(&unlike).contains("pub type Run = BTreeMap<String, serde_npz::Value>;"));
}

#[test]
fn names_become_no_code() {
    let code = code(&[
        ("x: u8, } fn main() {", "<f8", &[]),
        ("\u{202e}\n// */", "<f8", &[]),
        ("Vec/a", "<f8", &[]),
        ("vec/a", "<f4", &[]),
        ("a-b", "<f8", &[]),
        ("a_b", "<f8", &[]),
        ("self", "<f8", &[]),
    ]);
    assert!(!code.contains('\u{202e}'));
    for line in [
        "#[serde(rename = \"x: u8, } fn main() {\")]",
        "#[serde(rename = \"a-b\")]",
        "#[serde(rename = \"a_b\")]\n    pub a_b_2: f64,",
        "pub struct Vec2 {",
        "pub struct Vec3 {",
        "pub self_: f64,",
    ] {
        assert!(code.contains(line), "{line} in {code}");
    }
}
