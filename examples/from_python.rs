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

use serde::Deserialize;
use serde_npz::NpzReader;

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
    Ok(())
}
