#!/usr/bin/env python3
"""Ours, the other Rust crates and NumPy on the same values: a table of ratios.

    cargo build --release --manifest-path benches/peers/Cargo.toml
    python3 benches/compare.py [--rounds 9] [--dir DIR] [--only WORD ..]

How it measures: for each case one Rust process (benches/peers) and this one keep the values in memory. In every
round each side runs once, one after the other, so that a slow moment of the machine meets all of them; one round
before the first is not counted. The table shows medians. A file is removed before it is saved again, outside the
clock; loads find their file in the page cache, the one NumPy wrote for all sides. What a load returns is freed
outside the clock. Nothing is synced to the disk.

It needs NumPy and the standard library.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


class Peers:
    """The Rust process of one case."""

    def __init__(self, binary, case):
        self.process = subprocess.Popen(
            [binary, case], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, side, verb, path):
        self.process.stdin.write(f"{side} {verb} {path}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        try:
            return float(line)
        except ValueError:
            sys.exit(f"{side} {verb}: {line or 'the process of the case ended'}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def load_npy(path):
    return np.load(path)


def load_npz(path):
    with np.load(path) as z:
        return {name: z[name] for name in z.files}


def save_npy(path, value):
    np.save(path, value)


def save_npz(path, value):
    np.savez(path, **value)


def save_npz_deflated(path, value):
    np.savez_compressed(path, **value)


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    elapsed = time.perf_counter() - start
    del result
    return elapsed * 1e3


# What is saved, how ours is called, the other sides; the targets of save and load: our time over NumPy's, by side.
CASES = [
    ("128 MB of f64, .npy", "f64", "npy", ["ours"], ["ndarray-npy", "npyz"], {"save": {"ours": 1.10}, "load": {"ours": 1.10}}),
    ("128 MB of f64, .npz of 4", "four", "npz", ["ours"], ["ndarray-npy", "ndarray-npz", "safetensors"],
     {"save": {"ours": 0.30}, "load": {"ours": 0.50}}),
    ("16 MB deflated, 4 members", "deflate-four", "npz deflated", ["ours:1", "ours:2"], ["ndarray-npy"],
     {"save": {"ours:1": 0.75, "ours:2": 0.40}, "load": {"ours:1": 0.65, "ours:2": 0.40}}),
    ("16 MB deflated, 1 member", "deflate-one", "npz deflated", ["ours:1", "ours:2"], [], {"save": {"ours:2": 0.45}}),
    ("16 MB deflated, stepped i64", "deflate-steps", "npz deflated", ["ours:1", "ours:2"], [], {}),
    ("16 MB deflated, rounded gaussians", "deflate-gaussians", "npz deflated", ["ours:1", "ours:2"], [], {}),
    ("1,000 members of 16 f64", "many", "npz", ["ours"], [], {"save": {"ours": 0.15}, "load": {"ours": 0.10}}),
    ("2 M records", "records", "npy", ["ours"], ["npyz"], {"save": {"ours": 2.6}, "load": {"ours": 2.5}}),
    ("1,000 0-d f64", "scalars", "npz", ["ours"], [], {}),
    ("100 groups of 2 f32 arrays", "groups", "npz", ["ours"], [], {}),
    ("1 M words", "words", "npy", ["ours"], [], {}),
    ("16 MB of bool", "bool", "npy", ["ours"], [], {}),
    ("128 MB of c16", "complex", "npy", ["ours"], [], {}),
    ("32 MB of f2", "f16", "npy", ["ours"], [], {}),
]

# Peers that do not read NumPy's file.
SAVE_ONLY = {"safetensors"}

# The same array in another layout: our time over our own time for the plain one.
LAYOUTS = [
    ("128 MB byte-swapped, Vec<f64>", "swapped", lambda a: a.astype(">f8")),
    ("4000 x 4000 byte-swapped, Vec<Vec<f64>>", "rows", lambda a: a.astype(">f8")),
    ("4000 x 4000 Fortran, Vec<Vec<f64>>", "rows", np.asfortranarray),
    ("4000 x 4000 byte-swapped, Array2<f64>", "ndarray", lambda a: a.astype(">f8")),
    ("4000 x 4000 Fortran, Array2<f64>", "ndarray", np.asfortranarray),
]


def medians(rounds, sides):
    """The median of each side's times, the sides taking turns."""
    times = {name: [] for name in sides}
    for i in range(rounds + 1):
        for name, run in sides.items():
            elapsed = run()
            if i > 0:
                times[name].append(elapsed)
    return {name: statistics.median(of_side) for name, of_side in times.items()}


def fresh(path, run):
    """`run` where `path` does not exist."""
    path.unlink(missing_ok=True)
    return run()


def row(title, times, targets):
    numpy = times.pop("NumPy")
    for side in [name for name in times if name.startswith("ours")]:
        threads = f", {side[-1]} threads" if ":" in side else ""
        target = targets.get(side)
        against = "; ".join(f"{name} {t:.1f}" for name, t in times.items() if not name.startswith("ours"))
        print(
            f"| {title}{threads.replace('1 threads', '1 thread')} | {numpy:.1f} | {times[side]:.1f} "
            f"| {times[side] / numpy:.2f} | {'' if target is None else f'<= {target:.2f}'} | {against} |",
            flush=True,
        )


def compare(directory, binary, rounds, title, case, form, ours, others, targets):
    save, load = (save_npy, load_npy) if form == "npy" else (save_npz, load_npz)
    verb = "save"
    if form == "npz deflated":
        save, verb = save_npz_deflated, "deflate"
    suffix = "." + form[:3]
    peers = Peers(binary, case)
    path = {name: directory / f"{case}-{name.split(':')[0]}{suffix}" for name in [*ours, *others, "NumPy"]}
    peers.run(ours[0], verb, path[ours[0]])
    value = load(path[ours[0]])

    def saving(name):
        if name == "NumPy":
            return lambda: fresh(path[name], lambda: timed(save, path[name], value))
        return lambda: fresh(path[name], lambda: peers.run(name, verb, path[name]))

    times = medians(rounds, {name: saving(name) for name in [*ours, *others, "NumPy"]})
    mine, theirs = path[ours[0]].stat().st_size, path["NumPy"].stat().st_size
    row(f"save {title}", times, targets.get("save", {}))
    if form == "npz deflated":
        print(f"| size of it, MB | {theirs / 1e6:.3f} | {mine / 1e6:.3f} | {mine / theirs:.3f} | | |")

    def loading(name):
        if name == "NumPy":
            return lambda: timed(load, path["NumPy"])
        return lambda: peers.run(name, "load", path["NumPy"])

    readers = [name for name in [*ours, *others, "NumPy"] if name not in SAVE_ONLY]
    row(f"load {title}", medians(rounds, {name: loading(name) for name in readers}), targets.get("load", {}))
    peers.close()
    for one in set(path.values()):
        one.unlink()


def layout(directory, binary, rounds, title, case, change):
    peers = Peers(binary, case)
    plain, other = directory / f"{case}-plain.npy", directory / f"{case}-other.npy"
    peers.run("ours", "save", plain)
    np.save(other, change(np.load(plain)))
    times = medians(
        rounds,
        {"plain": lambda: peers.run("ours", "load", plain), "other": lambda: peers.run("ours", "load", other)},
    )
    print(f"| {title} | {times['plain']:.1f} | {times['other']:.1f} | {times['other'] / times['plain']:.2f} |", flush=True)
    peers.close()
    plain.unlink()
    other.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the built benches/peers (default: in its own target folder)")
    parser.add_argument("--dir", help="where the files go (default: the system's folder for temporary files)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds that count, 9 unless told")
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name or title holds one of these words")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("at least one round")
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "peers" / "target"))
    binary = arguments.binary or target / "release" / "peers"

    def wanted(title, case):
        return not arguments.only or any(word in title or word in case for word in arguments.only)

    print(f"NumPy {np.__version__}, {os.cpu_count()} cores, medians of {arguments.rounds} interleaved rounds, ms\n")
    with tempfile.TemporaryDirectory(dir=arguments.dir, prefix="serde_npz-compare-") as directory:
        cases = [case for case in CASES if wanted(*case[:2])]
        if cases:
            print("| case | NumPy | ours | ours / NumPy | target | others |\n|---|---|---|---|---|---|", flush=True)
        for case in cases:
            compare(Path(directory), binary, arguments.rounds, *case)
        layouts = [case for case in LAYOUTS if wanted(*case[:2])]
        if layouts:
            print("\n| load | plain | this | this / plain |\n|---|---|---|---|", flush=True)
        for case in layouts:
            layout(Path(directory), binary, arguments.rounds, *case)


if __name__ == "__main__":
    main()
