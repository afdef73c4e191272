//! `with::datetime64` and `with::timedelta64`.

use std::io::Cursor;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, NpzReader, from_npz_slice, to_npz_vec};

use super::{json, layout, refused, round};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub struct Times {
    #[serde(with = "serde_npz::with::datetime64::s")]
    scalar: i64,
    #[serde(with = "serde_npz::with::datetime64::D")]
    maybe: Option<i64>,
    #[serde(with = "serde_npz::with::datetime64::ns")]
    vector: Vec<i64>,
    #[serde(with = "serde_npz::with::datetime64::us")]
    holes: Vec<Option<i64>>,
    #[serde(with = "serde_npz::with::datetime64::M")]
    matrix: Vec<Vec<i64>>,
    #[serde(with = "serde_npz::with::datetime64::as_")]
    array: [i64; 2],
    #[serde(with = "serde_npz::with::datetime64::ms")]
    system: Vec<SystemTime>,
    #[serde(with = "serde_npz::with::timedelta64::ms")]
    span: Duration,
    #[serde(with = "serde_npz::with::timedelta64::ns")]
    spans: Vec<Option<Duration>>,
    #[serde(with = "serde_npz::with::datetime64::h")]
    empty: Vec<SystemTime>,
    #[serde(with = "serde_npz::with::timedelta64::W")]
    none: Vec<i64>,
    rows: Vec<TimeRow>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct TimeRow {
    #[serde(with = "serde_npz::with::datetime64::s")]
    at: SystemTime,
    #[serde(with = "serde_npz::with::timedelta64::m")]
    took: Option<i64>,
    ok: bool,
}

pub fn times() -> Times {
    let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
    Times {
        scalar: -1,
        maybe: None,
        vector: vec![0, i64::MAX, i64::MIN],
        holes: vec![Some(1), None],
        matrix: vec![vec![0, 1], vec![-1, 12]],
        array: [0, 1],
        system: vec![at(0), at(1_600_000_000_123), UNIX_EPOCH - Duration::from_millis(1)],
        span: Duration::from_millis(1500),
        spans: vec![None, Some(Duration::from_nanos(7))],
        empty: vec![],
        none: vec![],
        rows: vec![
            TimeRow {
                at: at(5000),
                took: None,
                ok: true,
            },
            TimeRow {
                at: at(0),
                took: Some(3),
                ok: false,
            },
        ],
    }
}

#[test]
fn datetime64_and_timedelta64() {
    let bytes = round(&times());
    assert_eq!(
        layout(&bytes),
        [
            "scalar <M8[s] []",
            "maybe <M8[D] []",
            "vector <M8[ns] [3]",
            "holes <M8[us] [2]",
            "matrix <M8[M] [2, 2]",
            "array <M8[as] [2]",
            "system <M8[ms] [3]",
            "span <m8[ms] []",
            "spans <m8[ns] [2]",
            "empty <M8[h] [0]",
            "none <m8[W] [0]",
            "rows [('at', '<M8[s]'), ('took', '<m8[m]'), ('ok', '|b1')] [2]",
        ]
    );
    let mut archive = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(archive.get::<Vec<i64>>("holes").unwrap(), [1, i64::MIN]);
    assert_eq!(archive.get::<Vec<i64>>("system").unwrap(), [0, 1_600_000_000_123, -1]);
}

#[test]
fn every_unit_of_system_time() {
    macro_rules! one {
        ($with:literal, $seconds:expr) => {{
            field!(Data, $with, Option<SystemTime>);
            round(&Data {
                x: Some(UNIX_EPOCH + Duration::from_secs($seconds)),
            });
            round(&Data {
                x: Some(UNIX_EPOCH - Duration::from_secs($seconds)),
            });
            round(&Data { x: None });
        }};
    }
    one!("serde_npz::with::datetime64::W", 7 * 86_400);
    one!("serde_npz::with::datetime64::D", 86_400);
    one!("serde_npz::with::datetime64::h", 3600);
    one!("serde_npz::with::datetime64::m", 60);
    one!("serde_npz::with::datetime64::s", 1);
    one!("serde_npz::with::datetime64::ms", 1);
    one!("serde_npz::with::datetime64::us", 1);
    one!("serde_npz::with::datetime64::ns", 1);
    one!("serde_npz::with::datetime64::ps", 1);
    one!("serde_npz::with::datetime64::fs", 1);
    one!("serde_npz::with::datetime64::as_", 1);
}

#[test]
fn calendar_units() {
    field!(Months, "serde_npz::with::datetime64::M", Vec<SystemTime>);
    field!(Years, "serde_npz::with::datetime64::Y", Vec<SystemTime>);
    let day = |n: i64| {
        let span = Duration::from_secs(n.unsigned_abs() * 86_400);
        if n < 0 { UNIX_EPOCH - span } else { UNIX_EPOCH + span }
    };
    // 2000-03-01, 1970-01-01, 1969-12-01
    let bytes = round(&Months {
        x: vec![day(11_017), day(0), day(-31)],
    });
    let counts: Vec<i64> = NpzReader::new(Cursor::new(&bytes)).unwrap().get("x").unwrap();
    assert_eq!(counts, [362, 0, -1]);
    round(&Years {
        x: vec![day(10_957), day(0), day(-365)],
    });
    assert!(to_npz_vec(&Months { x: vec![day(1)] }).is_err());
    assert!(to_npz_vec(&Years { x: vec![day(31)] }).is_err());
}

#[test]
fn other_units_convert_exactly_or_not_at_all() {
    field!(Seconds, "serde_npz::with::datetime64::s", Vec<Option<i64>>);
    field!(Millis, "serde_npz::with::datetime64::ms", Vec<Option<i64>>);
    let seconds = to_npz_vec(&Seconds { x: vec![Some(2), None] }).unwrap();
    assert_eq!(from_npz_slice::<Millis>(&seconds).unwrap().x, [Some(2000), None]);
    let millis = to_npz_vec(&Millis {
        x: vec![Some(2000), None],
    })
    .unwrap();
    assert_eq!(from_npz_slice::<Seconds>(&millis).unwrap().x, [Some(2), None]);
    let uneven = to_npz_vec(&Millis {
        x: vec![Some(2000), Some(2001)],
    })
    .unwrap();
    let err = from_npz_slice::<Seconds>(&uneven).unwrap_err();
    assert_eq!(err.path(), "x[1]", "{err}");
    let large = to_npz_vec(&Seconds {
        x: vec![Some(i64::MAX)],
    })
    .unwrap();
    assert!(from_npz_slice::<Millis>(&large).is_err());
    field!(Counts, "serde_npz::with::datetime64::ms", Vec<i64>);
    assert_eq!(from_npz_slice::<Counts>(&seconds).unwrap().x, [2000, i64::MIN]);
}

#[test]
fn times_that_do_not_fit() {
    field!(Seconds, "serde_npz::with::timedelta64::s", Vec<Option<Duration>>);
    let text = refused(
        &Seconds {
            x: vec![None, Some(Duration::from_millis(1))],
        },
        ErrorKind::InvalidValue,
        "x[1]",
    );
    assert!(text.contains("m8[s]") && text.contains("finer"), "{text}");
    field!(Nanos, "serde_npz::with::timedelta64::ns", Vec<Duration>);
    let text = refused(&Nanos { x: vec![Duration::MAX] }, ErrorKind::InvalidValue, "x[0]");
    assert!(text.contains("coarser"), "{text}");
    field!(Months, "serde_npz::with::timedelta64::M", Vec<Duration>);
    refused(
        &Months {
            x: vec![Duration::ZERO],
        },
        ErrorKind::InvalidValue,
        "x[0]",
    );
    field!(Nat, "serde_npz::with::datetime64::s", Vec<Option<i64>>);
    refused(
        &Nat {
            x: vec![Some(i64::MIN)],
        },
        ErrorKind::InvalidValue,
        "x[0]",
    );

    field!(Signed, "serde_npz::with::timedelta64::s", Vec<i64>);
    let negative = to_npz_vec(&Signed { x: vec![1, -1] }).unwrap();
    let err = from_npz_slice::<Seconds>(&negative).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::InvalidValue, "x[1]"), "{err}");
    let nat = to_npz_vec(&Signed { x: vec![i64::MIN] }).unwrap();
    assert_eq!(from_npz_slice::<Seconds>(&nat).unwrap().x, [None]);
    let err = from_npz_slice::<Nanos>(&nat).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::InvalidValue, "x[0]"), "{err}");
}

#[test]
fn spans_are_no_points() {
    field!(Span, "serde_npz::with::timedelta64::s", Vec<i64>);
    field!(Point, "serde_npz::with::datetime64::s", Vec<i64>);
    let err = from_npz_slice::<Point>(&to_npz_vec(&Span { x: vec![1] }).unwrap()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::TypeMismatch, "{err}");
}

#[test]
fn times_through_json() {
    json(
        &times(),
        "{\"scalar\":-1,\"maybe\":null,\"vector\":[0,9223372036854775807,-9223372036854775808],\
         \"holes\":[1,null],\"matrix\":[[0,1],[-1,12]],\"array\":[0,1],\"system\":[0,1600000000123,-1],\
         \"span\":1500,\"spans\":[null,7],\"empty\":[],\"none\":[],\
         \"rows\":[{\"at\":5,\"took\":null,\"ok\":true},{\"at\":0,\"took\":3,\"ok\":false}]}",
    );
    field!(Seconds, "serde_npz::with::timedelta64::s", Duration);
    assert!(
        serde_json::to_string(&Seconds {
            x: Duration::from_millis(1)
        })
        .is_err()
    );
    assert!(serde_json::from_str::<Seconds>(r#"{"x":-1}"#).is_err());
}

#[test]
fn a_time_field_that_is_missing() {
    field!(Data, "serde_npz::with::datetime64::s", Option<Vec<i64>>);
    assert_eq!(layout(&round(&Data { x: None })), ["x |V0 []"]);
    assert_eq!(layout(&round(&Data { x: Some(vec![1]) })), ["x <M8[s] [1]"]);
    json(&Data { x: None }, r#"{"x":null}"#);
    json(&Data { x: Some(vec![1]) }, r#"{"x":[1]}"#);
}

#[cfg(feature = "chrono")]
#[test]
fn chrono_types() {
    use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Data {
        #[serde(with = "serde_npz::with::datetime64::us")]
        utc: Vec<DateTime<Utc>>,
        #[serde(with = "serde_npz::with::datetime64::ns")]
        naive: Vec<Option<NaiveDateTime>>,
        #[serde(with = "serde_npz::with::timedelta64::ms")]
        span: Vec<TimeDelta>,
    }
    let utc = DateTime::from_timestamp(-5, 1000).unwrap();
    let data = Data {
        utc: vec![utc],
        naive: vec![Some(utc.naive_utc()), None],
        span: vec![TimeDelta::milliseconds(-1500), TimeDelta::zero()],
    };
    let bytes = round(&data);
    assert_eq!(
        layout(&bytes),
        ["utc <M8[us] [1]", "naive <M8[ns] [2]", "span <m8[ms] [2]"]
    );
    let counts: Vec<i64> = NpzReader::new(Cursor::new(&bytes)).unwrap().get("utc").unwrap();
    assert_eq!(counts, [-4_999_999]);

    let leap = NaiveDate::from_ymd_opt(2016, 12, 31)
        .unwrap()
        .and_hms_nano_opt(23, 59, 59, 1_500_000_000)
        .unwrap();
    let text = refused(
        &Data {
            utc: vec![],
            naive: vec![Some(leap)],
            span: vec![],
        },
        ErrorKind::InvalidValue,
        "naive[0]",
    );
    assert!(text.contains("leap"), "{text}");
}
