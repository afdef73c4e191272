//! What programs keep in a checkpoint: generators of random numbers, graphs, slot maps, maps of arrays.

use std::collections::HashMap;
use std::fs;

use ndarray::{ArrayD, IxDyn};
use petgraph::stable_graph::StableGraph;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_pcg::{Pcg64, Pcg64Mcg};
use serde::{Deserialize, Serialize};
use serde_npz::{Checkpoints, ReadOptions, WriteOptions, from_npz_slice, to_npz_vec};
use slotmap::{DefaultKey, SlotMap};

#[derive(Serialize, Deserialize)]
struct Run {
    step: u64,
    weights: Vec<f64>,
    chacha: ChaCha8Rng,
    pcg: Pcg64,
    mcg: Option<Pcg64Mcg>,
    graph: StableGraph<Node, Edge>,
    particles: SlotMap<DefaultKey, Particle>,
    names: SlotMap<DefaultKey, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    name: String,
    at: [f64; 2],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Edge {
    length: f32,
    toll: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Particle {
    x: [f64; 3],
    mass: f32,
}

fn run() -> Run {
    let mut graph = StableGraph::new();
    let at: Vec<_> = (0..5_u8)
        .map(|i| {
            graph.add_node(Node {
                name: format!("node {i}"),
                at: [f64::from(i), 0.5],
            })
        })
        .collect();
    for i in 0..4 {
        let toll = (i % 2 == 0).then_some(7);
        graph.add_edge(at[i], at[i + 1], Edge { length: 1.5, toll });
    }
    // Holes are what such a graph and such a map have to remember.
    graph.remove_node(at[2]);
    let mut particles = SlotMap::new();
    let keys: Vec<_> = (0..6_u8)
        .map(|i| {
            particles.insert(Particle {
                x: [f64::from(i); 3],
                mass: 0.25,
            })
        })
        .collect();
    particles.remove(keys[1]);
    particles.remove(keys[4]);
    let mut names = SlotMap::new();
    let first = names.insert("first".to_string());
    names.insert("second".to_string());
    names.remove(first);
    let mut chacha = ChaCha8Rng::seed_from_u64(7);
    chacha.set_word_pos(u128::MAX >> 61);
    Run {
        step: 12,
        weights: vec![0.5; 10],
        chacha,
        pcg: Pcg64::seed_from_u64(7),
        mcg: Some(Pcg64Mcg::seed_from_u64(9)),
        graph,
        particles,
        names,
    }
}

fn same(mut back: Run, mut run: Run) {
    for _ in 0..100 {
        assert_eq!(back.chacha.next_u64(), run.chacha.next_u64());
        assert_eq!(back.pcg.next_u64(), run.pcg.next_u64());
        assert_eq!(
            back.mcg.as_mut().map(RngCore::next_u64),
            run.mcg.as_mut().map(RngCore::next_u64)
        );
    }
    let nodes = |run: &Run| {
        run.graph
            .node_indices()
            .map(|i| (i, run.graph[i].clone()))
            .collect::<Vec<_>>()
    };
    let edges = |run: &Run| {
        let ends = |i| run.graph.edge_endpoints(i);
        run.graph
            .edge_indices()
            .map(|i| (i, ends(i), run.graph[i].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(nodes(&back), nodes(&run));
    assert_eq!(edges(&back), edges(&run));
    assert!(back.particles.iter().eq(run.particles.iter()));
    assert!(back.names.iter().eq(run.names.iter()));
    // Where the next ones go is part of the state.
    let (next, last) = (
        back.graph.add_node(run.graph[edges(&run)[0].1.unwrap().0].clone()),
        edges(&run),
    );
    assert_eq!(next, run.graph.add_node(run.graph[last[0].1.unwrap().0].clone()));
    let particle = Particle { x: [0.0; 3], mass: 1.0 };
    assert_eq!(back.particles.insert(particle.clone()), run.particles.insert(particle));
}

#[test]
fn a_run_goes_on_where_it_was() {
    let dir = std::env::temp_dir().join(format!("serde_npz-states-{}", std::process::id()));
    let checkpoints = Checkpoints::new(&dir);
    checkpoints.save(12, &run()).unwrap();
    let (step, back) = checkpoints.latest::<Run>().unwrap().unwrap();
    assert_eq!((step, back.step), (12, 12));
    same(back, run());
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_map_of_arrays_by_flat_names() {
    let weights: HashMap<String, ArrayD<f32>> = [
        ("dense/kernel:0", ArrayD::from_elem(IxDyn(&[3, 2]), 0.5)),
        ("dense/bias:0", ArrayD::zeros(IxDyn(&[2]))),
        ("scale", ArrayD::from_elem(IxDyn(&[]), 2.0)),
    ]
    .map(|(name, array)| (name.to_string(), array))
    .into();
    let bytes = WriteOptions::new().separator(None).to_npz_vec(&weights).unwrap();
    let flat = ReadOptions::new().separator(None);
    assert_eq!(
        flat.from_npz_slice::<HashMap<String, ArrayD<f32>>>(&bytes).unwrap(),
        weights
    );
    let error = from_npz_slice::<HashMap<String, ArrayD<f32>>>(&bytes).unwrap_err();
    assert!(format!("{error:#}").contains("separator(None)"), "{error:#}");
    assert!(to_npz_vec(&weights).is_err(), "names with separators in a map");
}
