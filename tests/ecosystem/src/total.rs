//! The whole of serde's data model: random types, and random values of each. A value is saved and comes back equal, or is
//! refused for a reason that stands in the table `Refused` of the mapping, before anything was written.

mod refused;
mod types;
mod values;

use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};
use serde::de::DeserializeSeed;
use serde_npz::{NpzReader, WriteOptions, save_npz, to_npz_vec};

use self::refused::reason;
use self::types::{Type, root};
use self::values::{Typed, Value, value};

fn typed() -> impl Strategy<Value = (Type, Value)> {
    root().prop_flat_map(|ty| (Just(ty.clone()), value(&ty)))
}

fn cases() -> u32 {
    if std::env::var_os("SERDE_NPZ_LONG").is_some() {
        20_000
    } else {
        1_000
    }
}

/// Whether it comes back from these bytes.
fn comes_back(bytes: Vec<u8>, ty: &Type, value: &Value) -> TestCaseResult {
    let mut reader = NpzReader::new(std::io::Cursor::new(bytes)).map_err(fail)?;
    let back = ty.deserialize(reader.deserializer()).map_err(fail)?;
    prop_assert_eq!(&back, value);
    Ok(())
}

fn fail(error: serde_npz::Error) -> TestCaseError {
    TestCaseError::fail(format!("{error:#}"))
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: cases(),
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_value_is_saved_or_refused((ty, value) in typed()) {
        let typed = Typed(&ty, &value);
        match to_npz_vec(&typed) {
            Ok(bytes) => {
                comes_back(bytes, &ty, &value)?;
                let packed = WriteOptions::new().compressed().to_npz_vec(&typed).map_err(fail)?;
                comes_back(packed, &ty, &value)?;
            }
            Err(error) => {
                let reasons = reason(&ty, &value);
                prop_assert!(
                    reasons.contains(&error.kind()),
                    "refused without a reason in the table: {error:#} ({:?}), expected one of {reasons:?}",
                    error.kind()
                );
                let dir = std::env::temp_dir().join(format!("serde_npz-total-{}", std::process::id()));
                fs::create_dir_all(&dir)?;
                let path = dir.join("old.npz");
                fs::write(&path, b"the file before")?;
                prop_assert!(save_npz(&path, &typed).is_err());
                prop_assert_eq!(fs::read(&path)?, b"the file before");
                prop_assert_eq!(fs::read_dir(&dir)?.count(), 1);
                fs::remove_dir_all(&dir)?;
            }
        }
    }
}
