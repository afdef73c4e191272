//! `Checkpoints` as a program uses it: the newest is found, damage is reported, and nothing goes too early.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common::Scratch;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_npz::{Checkpoints, Compression, Error, ErrorKind, Limits, ReadOptions, WriteOptions};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    step: u64,
    weights: Vec<f32>,
    layers: BTreeMap<String, Vec<[f64; 2]>>,
    note: Option<String>,
}

fn state(step: u64) -> State {
    State {
        step,
        weights: (0..100).map(|i| (step + i) as f32).collect(),
        layers: BTreeMap::from([("first".into(), vec![[step as f64, 0.5]; 3])]),
        note: step.is_multiple_of(2).then(|| "even".into()),
    }
}

#[track_caller]
fn said(err: &Error, words: &[&str]) {
    for word in words {
        assert!(format!("{err:#}").contains(word), "{err} does not name {word:?}");
    }
}

#[test]
fn none_yet_is_no_error_and_touches_nothing() {
    let dir = Scratch::new("checkpoints-none");
    let checkpoints = Checkpoints::new(dir.path("not/there/yet")).keep(3);
    assert_eq!(checkpoints.latest::<State>().unwrap(), None);
    assert!(checkpoints.latest_intact::<State>().unwrap().is_none());
    assert!(checkpoints.steps().unwrap().is_empty());
    assert!(!dir.path("not").exists());
    let err = checkpoints.load::<State>(7).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Io);
    said(&err, &["step 7", "none at all", "steps"]);

    let path = checkpoints.save(1, &state(1)).unwrap();
    assert_eq!(path, dir.path("not/there/yet").join("step-00000000000000000001.npz"));
    assert_eq!(checkpoints.latest().unwrap(), Some((1, state(1))));
}

#[test]
fn the_newest_is_the_greatest_number_and_the_last_of_its_step() {
    let dir = Scratch::new("checkpoints-newest");
    let checkpoints = Checkpoints::new(dir.path("Größe ‚ü'\" %20"));
    for step in [9, 10, 100, 99, 0, u64::MAX] {
        checkpoints.save(step, &state(step % 1000)).unwrap();
    }
    assert_eq!(checkpoints.steps().unwrap(), [0, 9, 10, 99, 100, u64::MAX]);
    assert_eq!(checkpoints.latest().unwrap(), Some((u64::MAX, state(u64::MAX % 1000))));
    assert_eq!(checkpoints.load::<State>(9).unwrap(), state(9));
    checkpoints.save(9, &state(900)).unwrap();
    assert_eq!(checkpoints.load::<State>(9).unwrap(), state(900));
    let err = checkpoints.load::<State>(11).unwrap_err();
    said(&err, &["step 11", "from step 0 to"]);
}

#[test]
fn foreign_files_are_neither_read_nor_removed() {
    let dir = Scratch::new("checkpoints-foreign");
    let foreign = ["step-7.npz", "step-00000000000000000007.npy", "best.npz", "notes.txt"];
    for name in foreign {
        fs::write(dir.path(name), "anything").unwrap();
    }
    let checkpoints = Checkpoints::new(&dir.0).keep(1);
    assert!(checkpoints.latest::<State>().unwrap().is_none());
    for step in 1..=3 {
        checkpoints.save(step, &state(step)).unwrap();
    }
    assert_eq!(checkpoints.steps().unwrap(), [3]);
    for name in foreign {
        assert_eq!(fs::read(dir.path(name)).unwrap(), b"anything", "{name}");
    }
}

#[test]
fn what_is_kept() {
    let kept = |configure: fn(Checkpoints) -> Checkpoints, steps: &[u64]| {
        let dir = Scratch::new("checkpoints-kept");
        let checkpoints = configure(Checkpoints::new(&dir.0));
        for &step in steps {
            checkpoints.save(step, &state(step)).unwrap();
        }
        checkpoints.steps().unwrap()
    };
    let all: Vec<u64> = (1..=12).collect();
    assert_eq!(kept(|c| c, &all), all);
    assert_eq!(kept(|c| c.keep_every(5), &all), all);
    assert_eq!(kept(|c| c.keep(3), &all), [10, 11, 12]);
    assert_eq!(kept(|c| c.keep(1), &all), [12]);
    assert_eq!(kept(|c| c.keep(0), &all), [12]);
    assert_eq!(kept(|c| c.keep(usize::MAX), &all), all);
    assert_eq!(kept(|c| c.keep(2).keep_every(5), &all), [5, 10, 11, 12]);
    assert_eq!(kept(|c| c.keep(2).keep_every(0), &all), [11, 12]);
    // A run that starts over at a smaller step never loses what it has just saved.
    assert_eq!(kept(|c| c.keep(2), &[10, 11, 12, 3]), [3, 11, 12]);
}

#[test]
fn a_damaged_newest_is_reported_and_the_one_before_it_offered() {
    let dir = Scratch::new("checkpoints-damaged");
    let checkpoints = Checkpoints::new(&dir.0).keep(5);
    let paths: Vec<_> = (1..=4)
        .map(|step| checkpoints.save(step, &state(step)).unwrap())
        .collect();

    let whole = fs::read(&paths[3]).unwrap();
    let mut flipped = whole.clone();
    // In the data of a member: only its checksum tells.
    let at = flipped.windows(6).position(|window| window == b"\x93NUMPY").unwrap() + 128;
    flipped[at] ^= 1;
    let damages: [(&str, &[u8], ErrorKind); 4] = [
        ("flipped", &flipped, ErrorKind::CorruptArchive),
        ("cut off", &whole[..whole.len() / 2], ErrorKind::CorruptArchive),
        ("empty", b"", ErrorKind::BadMagic),
        ("zeros", &[0; 4096], ErrorKind::BadMagic),
    ];
    for (how, bytes, kind) in damages {
        fs::write(&paths[3], bytes).unwrap();
        let err = checkpoints.latest::<State>().unwrap_err();
        assert_eq!(err.kind(), kind, "{how}: {err}");
        said(
            &err,
            &[
                "step 4",
                "step-00000000000000000004.npz",
                "step 3 before it is intact",
                "latest_intact",
            ],
        );
        let found = checkpoints.latest_intact::<State>().unwrap().unwrap();
        assert_eq!((found.step, found.state), (3, state(3)), "{how}");
        assert_eq!(found.damaged.len(), 1);
        assert_eq!((found.damaged[0].0, found.damaged[0].1.kind()), (4, kind));
        assert_eq!(checkpoints.load::<State>(4).unwrap_err().kind(), kind);
        assert_eq!(
            checkpoints.steps().unwrap(),
            [1, 2, 3, 4],
            "it is still there to be looked at"
        );
    }

    fs::write(&paths[2], &flipped[..100]).unwrap();
    said(
        &checkpoints.latest::<State>().unwrap_err(),
        &["step 4", "step 2 before it"],
    );
    let found = checkpoints.latest_intact::<State>().unwrap().unwrap();
    assert_eq!(found.step, 2);
    assert_eq!(found.damaged.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [4, 3]);

    fs::write(&paths[0], b"").unwrap();
    fs::write(&paths[1], b"").unwrap();
    for err in [
        checkpoints.latest::<State>().unwrap_err(),
        checkpoints.latest_intact::<State>().unwrap_err(),
    ] {
        said(&err, &["step 4 and all before it are damaged"]);
    }

    // The run goes on: the step is saved again, and is the newest.
    checkpoints.save(4, &state(4)).unwrap();
    assert_eq!(checkpoints.latest().unwrap(), Some((4, state(4))));
}

#[test]
fn members_nobody_asks_for_are_checked_as_well() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct StepOnly {
        step: u64,
    }
    let dir = Scratch::new("checkpoints-unasked");
    let checkpoints = Checkpoints::new(&dir.0);
    let path = checkpoints.save(1, &state(1)).unwrap();
    assert_eq!(checkpoints.load::<StepOnly>(1).unwrap(), StepOnly { step: 1 });
    let mut bytes = fs::read(&path).unwrap();
    let weights = 50_f32.to_le_bytes();
    let at = bytes.windows(4).position(|window| window == weights).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(
        checkpoints.load::<StepOnly>(1).unwrap_err().kind(),
        ErrorKind::CorruptArchive
    );
}

#[test]
fn another_type_is_no_damage() {
    let dir = Scratch::new("checkpoints-type");
    let checkpoints = Checkpoints::new(&dir.0);
    checkpoints.save(1, &state(1)).unwrap();
    checkpoints.save(2, &BTreeMap::from([("other", 1.5)])).unwrap();
    let err = checkpoints.latest::<State>().unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::MissingMember, "step"));
    assert!(!format!("{err:#}").contains("damaged"), "{err}");
    assert!(
        checkpoints.latest_intact::<State>().is_err(),
        "nothing older is passed off as the newest"
    );

    let strict = Checkpoints::new(&dir.0).read_options(ReadOptions::new().limits(Limits::new().member_bytes(10)));
    for err in [
        strict.latest::<State>().unwrap_err(),
        strict.latest_intact::<State>().unwrap_err(),
    ] {
        assert_eq!(err.kind(), ErrorKind::LimitExceeded);
    }
}

#[test]
fn options_reach_the_files() {
    let dir = Scratch::new("checkpoints-options");
    let nested = BTreeMap::from([("a", BTreeMap::from([("b", vec![0.0; 10_000])]))]);
    let checkpoints = Checkpoints::new(&dir.0)
        .write_options(
            WriteOptions::new()
                .compression(Compression::Deflate(9))
                .separator(Some('.')),
        )
        .read_options(ReadOptions::new().separator(Some('.')));
    let path = checkpoints.save(1, &nested).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 1000);
    assert!(serde_npz::NpzReader::open(&path).unwrap().contains("a.b"));
    let back: BTreeMap<String, BTreeMap<String, Vec<f64>>> = checkpoints.load(1).unwrap();
    assert_eq!(back["a"]["b"], nested["a"]["b"]);
}

/// Refuses to be serialized.
struct Refusing;

impl Serialize for Refusing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("not today"))
    }
}

#[test]
fn a_state_that_cannot_be_written_changes_nothing() {
    let dir = Scratch::new("checkpoints-refused");
    let checkpoints = Checkpoints::new(&dir.0).keep(1);
    checkpoints.save(1, &state(1)).unwrap();
    for step in [1, 2] {
        said(
            &checkpoints.save(step, &BTreeMap::from([("x", Refusing)])).unwrap_err(),
            &["not today"],
        );
        said(
            &checkpoints
                .save_in_background(step, &BTreeMap::from([("x", Refusing)]))
                .unwrap_err(),
            &["not today"],
        );
    }
    checkpoints.wait().unwrap();
    assert_eq!(dir.files(), ["step-00000000000000000001.npz"]);
    assert_eq!(checkpoints.latest().unwrap(), Some((1, state(1))));
}

#[test]
fn saves_in_the_background_hold_the_state_as_it_was_and_keep_their_order() {
    let dir = Scratch::new("checkpoints-background");
    let checkpoints = Checkpoints::new(&dir.0).keep(3);
    let mut changing = state(0);
    for step in 1..=20 {
        changing.step = step;
        checkpoints.save_in_background(step, &changing).unwrap();
        changing.step = 999;
        changing.weights.push(step as f32);
    }
    // The same step again, in the background and then not.
    checkpoints.save_in_background(20, &state(20)).unwrap();
    checkpoints.save(20, &state(21)).unwrap();
    assert_eq!(checkpoints.steps().unwrap(), [18, 19, 20]);
    assert_eq!(checkpoints.load::<State>(20).unwrap(), state(21));
    let old: State = checkpoints.load(19).unwrap();
    assert_eq!((old.step, old.weights.len()), (19, 118));

    checkpoints.save_in_background(21, &state(21)).unwrap();
    assert_eq!(checkpoints.latest().unwrap(), Some((21, state(21))), "waited for");
    checkpoints.save_in_background(22, &state(22)).unwrap();
    drop(checkpoints);
    let checkpoints = Checkpoints::new(&dir.0);
    assert_eq!(
        checkpoints.latest().unwrap(),
        Some((22, state(22))),
        "waited for by drop"
    );
}

#[test]
fn an_error_in_the_background_comes_with_the_next_call_and_once() {
    let dir = Scratch::new("checkpoints-background-error");
    // No directory can be made where a file is.
    fs::write(dir.path("file"), "").unwrap();
    let checkpoints = Checkpoints::new(dir.path("file"));
    let fails = |call: &dyn Fn() -> serde_npz::Result<()>| {
        checkpoints.save_in_background(3, &state(3)).unwrap();
        let err = call().unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Io);
        said(&err, &["step 3", "background"]);
    };
    fails(&|| checkpoints.wait());
    checkpoints.wait().unwrap();
    fails(&|| checkpoints.save(4, &state(4)).map(drop));
    fails(&|| checkpoints.save_in_background(4, &state(4)));
    fails(&|| checkpoints.latest::<State>().map(drop));
    fails(&|| checkpoints.steps().map(drop));
    fails(&|| checkpoints.load::<State>(3).map(drop));
}

#[test]
fn many_threads_may_share_one() {
    let dir = Scratch::new("checkpoints-threads");
    let checkpoints = Checkpoints::new(&dir.0).keep(4);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let checkpoints = &checkpoints;
            scope.spawn(move || {
                for i in 0..10 {
                    let step = i * 4 + worker;
                    if worker == 0 {
                        checkpoints.save_in_background(step, &state(step)).unwrap();
                    } else {
                        checkpoints.save(step, &state(step)).unwrap();
                    }
                    let (newest, found) = checkpoints.latest::<State>().unwrap().unwrap();
                    assert_eq!(found, state(newest));
                }
            });
        }
    });
    assert_eq!(checkpoints.latest().unwrap(), Some((39, state(39))));
    let names = dir.files();
    assert!(names.iter().all(|name| name.starts_with("step-")), "{names:?}");
}

#[test]
fn leftovers_are_swept_and_files_of_the_living_are_not() {
    let dir = Scratch::new("checkpoints-leftovers");
    fs::write(dir.path(".serde_npz-ffff-0-1234"), "of a process that was killed").unwrap();
    let mut living = serde_npz::NpzWriter::create(dir.path("slow")).unwrap();
    living.add("x", &1.5).unwrap();
    let checkpoints = Checkpoints::new(&dir.0);
    checkpoints.save(1, &state(1)).unwrap();
    if cfg!(unix) {
        assert!(!dir.path(".serde_npz-ffff-0-1234").exists());
    }
    living.finish().unwrap();
    assert!(serde_npz::NpzReader::open(dir.path("slow.npz")).unwrap().contains("x"));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_reached_is_no_damage_and_not_none() {
    let dir = Scratch::new("checkpoints-unreachable");
    let checkpoints = Checkpoints::new(&dir.0);
    checkpoints.save(1, &state(1)).unwrap();
    // A link to nowhere is there, and cannot be opened.
    std::os::unix::fs::symlink("nowhere", dir.path("step-00000000000000000002.npz")).unwrap();
    for err in [
        checkpoints.latest::<State>().unwrap_err(),
        checkpoints.latest_intact::<State>().unwrap_err(),
    ] {
        assert_eq!(err.kind(), ErrorKind::Io);
        said(&err, &["opening", "step-00000000000000000002.npz"]);
    }
    fs::write(dir.path("file"), "").unwrap();
    let err = Checkpoints::new(dir.path("file")).latest::<State>().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Io);
}

#[test]
fn what_does_not_read_back_replaces_and_removes_nothing() {
    let dir = Scratch::new("checkpoints-read-back");
    Checkpoints::new(&dir.0).save(1, &state(1)).unwrap();
    let strict = Checkpoints::new(&dir.0)
        .keep(1)
        .read_options(ReadOptions::new().limits(Limits::new().member_bytes(150)));
    let err = strict.save(2, &state(2)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::LimitExceeded);
    said(&err, &["step 2", "does not read back", "member_bytes"]);
    assert_eq!(dir.files(), ["step-00000000000000000001.npz"]);
}

#[cfg(unix)]
#[test]
fn the_mode_of_a_replaced_step_is_kept() {
    use std::os::unix::fs::PermissionsExt;

    let dir = Scratch::new("checkpoints-mode");
    let checkpoints = Checkpoints::new(&dir.0);
    let path = checkpoints.save(1, &state(1)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    checkpoints.save(1, &state(2)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(checkpoints.load::<State>(1).unwrap(), state(2));
}

#[test]
fn relative_directories_work() {
    // The directory of the package is the current one.
    let dir = Scratch::new("checkpoints-relative");
    let here = std::env::current_dir().unwrap();
    let up: std::path::PathBuf = here.components().skip(1).map(|_| "..").collect();
    let relative = up.join(dir.0.strip_prefix("/").unwrap_or(Path::new("."))).join("a/b");
    if !cfg!(unix) {
        return;
    }
    let checkpoints = Checkpoints::new(&relative);
    checkpoints.save(1, &state(1)).unwrap();
    assert!(dir.path("a/b/step-00000000000000000001.npz").exists());
}

/// A state whose `Serialize` uses the checkpoints it is saved to.
struct Asks<'a>(&'a Checkpoints);

impl Serialize for Asks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let steps = self.0.steps().map_err(S::Error::custom)?;
        // As the state is walked more than once, this is saved more than once.
        self.0.save_in_background(100, &state(100)).map_err(S::Error::custom)?;
        BTreeMap::from([("steps", steps)]).serialize(serializer)
    }
}

/// A mutex that were held meanwhile would be waited for without end.
#[test]
fn no_lock_is_held_while_the_state_is_serialized() {
    let dir = Scratch::new("checkpoints-callback");
    let path = dir.0.clone();
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let checkpoints = Checkpoints::new(path);
        checkpoints.save(1, &state(1)).unwrap();
        checkpoints.save_in_background(2, &Asks(&checkpoints)).unwrap();
        checkpoints.save(3, &Asks(&checkpoints)).unwrap();
        done.send(checkpoints.steps().unwrap()).unwrap();
    });
    let steps = wait.recv_timeout(std::time::Duration::from_secs(60));
    assert_eq!(steps.expect("a deadlock"), [1, 2, 3, 100]);
}
