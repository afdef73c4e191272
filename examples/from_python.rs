//! Reads an archive that `np.savez` wrote: `cargo run --example from_python`.
//!
//! The file was made by:
//!
//! ```python
//! np.savez("experiment.npz", t=np.linspace(0., 1., 5),
//!          frames=np.arange(5*2*3, dtype='<u2').reshape(5, 2, 3), label=np.array("run 7"),
//!          names=np.array(["left", "right"]), gain=np.float32(2.5),
//!          events=np.array([(1, 0.25, 'on'), (4, 0.75, 'off')],
//!                          dtype=[('channel', '<u4'), ('at', '<f8'), ('state', '<U3')]),
//!          image=np.asfortranarray(np.arange(6.).reshape(2, 3)))
//! ```
//!
//! Masked arrays, data frames and settings have a form of their own; `survey()` makes by hand what these lines make:
//!
//! ```python
//! age = np.ma.array([34, 0, 61], mask=[False, True, False], dtype='u1')
//! np.savez("survey.npz", settings=json.dumps({"round": 3}),
//!          **{'age/values': age.filled(0), 'age/values?': ~np.ma.getmaskarray(age)},
//!          **{f'people/{name}': column for name, column in frame.items()})
//! # and back
//! z = np.load("survey.npz")
//! age = np.ma.array(z['age/values'], mask=~z['age/values?'])
//! frame = pd.DataFrame({key.removeprefix('people/'): z[key] for key in z if key.startswith('people/')})
//! ```
//!
//! Values that may be missing have a mask beside them, a bool that is True where there is one; integers of 128 bits are
//! records of two halves. Python reads and writes both without a helper:
//!
//! ```python
//! log = np.zeros(2, dtype=[('t', '<f8'), ('temp', '<f4'), ('temp?', '|b1')])
//! log['t'] = [0.5, 1.0]
//! log[0]['temp'], log[0]['temp?'] = 20.5, True
//! np.save("log.npy", log)
//! temp = np.ma.masked_array(log['temp'], ~log['temp?'])
//!
//! np.save("position.npy", np.array((n % 2**64, n >> 64), dtype=[('lo', '<u8'), ('hi', '<u8')]))
//! n = int(x['lo']) | int(x['hi']) << 64
//! ```

use std::io::Cursor;

use serde::{Deserialize, Serialize};
use serde_npz::{Header, NpzReader, NpzWriter};

#[derive(Debug, Deserialize)]
struct Experiment {
    label: String,
    t: Vec<f64>,
    frames: Vec<[[u16; 3]; 2]>,
    names: Vec<String>,
    // Widened: a float32 is a float64.
    gain: f64,
    events: Vec<Event>,
    // Fortran order in the file, rows first here.
    image: Vec<Vec<f64>>,
    // Not in the file.
    comment: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Event {
    channel: u32,
    at: f64,
    state: State,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    On,
    Off,
}

/// What Python wrote with a mask.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Imu {
    t: f64,
    temp: Option<f32>,
}

fn main() -> serde_npz::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/experiment.npz");

    let mut archive = NpzReader::open(path)?;
    let names: Vec<String> = archive.names().map(str::to_string).collect();
    for name in names {
        let header = archive.header(&name)?;
        println!("{name}: {} {:?}", header.dtype(), header.shape());
    }

    let experiment: Experiment = archive.deserialize()?;
    assert_eq!(experiment.label, "run 7");
    assert_eq!(experiment.t, [0.0, 0.25, 0.5, 0.75, 1.0]);
    assert_eq!(experiment.frames[4], [[24, 25, 26], [27, 28, 29]]);
    assert_eq!(experiment.names, ["left", "right"]);
    assert_eq!(experiment.gain, 2.5);
    assert_eq!(
        experiment.events[1],
        Event {
            channel: 4,
            at: 0.75,
            state: State::Off
        }
    );
    assert_eq!(experiment.events[0].state, State::On);
    assert_eq!(experiment.image, [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    assert_eq!(experiment.comment, None);
    println!("{experiment:?}");
    survey()?;
    log()
}

fn log() -> serde_npz::Result<()> {
    // The bytes of the two files of Python above.
    let log = [
        Imu {
            t: 0.5,
            temp: Some(20.5),
        },
        Imu { t: 1.0, temp: None },
    ];
    let bytes = serde_npz::to_npy_vec(&log[..])?;
    println!("log.npy: {}", Header::read(&mut &bytes[..])?.dtype());
    assert_eq!(serde_npz::from_npy_slice::<Vec<Imu>>(&bytes)?, log);
    let bytes = serde_npz::to_npy_vec(&(u128::MAX - 1))?;
    println!("position.npy: {}", Header::read(&mut &bytes[..])?.dtype());
    assert_eq!(serde_npz::from_npy_slice::<u128>(&bytes)?, u128::MAX - 1);
    Ok(())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Survey {
    #[serde(with = "serde_npz::with::json")]
    settings: Settings,
    #[serde(with = "serde_npz::with::masked")]
    age: Vec<Option<u8>>,
    #[serde(with = "serde_npz::with::columns")]
    people: Vec<Person>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    round: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Person {
    name: String,
    height: f64,
}

fn survey() -> serde_npz::Result<()> {
    let person = |name: &str, height| Person {
        name: name.into(),
        height,
    };
    let survey = Survey {
        settings: Settings { round: 3 },
        age: vec![Some(34), None, Some(61)],
        people: vec![person("Ada", 1.65), person("Max", 1.8)],
    };
    // As Python writes it: the settings as a text, masks and columns as plain arrays.
    let mut file = NpzWriter::new(Cursor::new(Vec::new()));
    file.add("settings", r#"{"round": 3}"#)?;
    file.add("age/values", &[34_u8, 0, 61])?;
    file.add("age/values?", &[true, false, true])?;
    file.add("people/name", &["Ada", "Max"])?;
    file.add("people/height", &[1.65, 1.8])?;
    let from_python = file.finish()?.into_inner();
    assert_eq!(serde_npz::from_npz_slice::<Survey>(&from_python)?, survey);

    let bytes = serde_npz::to_npz_vec(&survey)?;
    assert_eq!(serde_npz::from_npz_slice::<Survey>(&bytes)?, survey);
    Ok(())
}
