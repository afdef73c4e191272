#!/usr/bin/env python3
"""Ours, the other Rust crates and NumPy on the same values: a table of ratios.

    cargo build --release --manifest-path benches/peers/Cargo.toml
    python3 benches/compare.py [--rounds 9] [--seconds 3] [--cpu] [--dir DIR] [--only WORD ..] [--old BINARY]

How it measures: for each case one Rust process (benches/peers) and this one keep the values in memory. In every
round each side runs once, one after the other and back in the next, so that a slow moment of the machine meets all of
them; one round before the first is not counted. The table shows medians. A row ends after `--rounds` rounds, or once it has taken
`--seconds` and has at least three. A save is measured twice: "new" where its file was removed beforehand, outside
the clock, and "replaced" where an older one of the same size is there. Loads find their file in the page cache, the
one NumPy wrote for all sides. What a load returns is freed outside the clock. Nothing is synced to the disk.

"1 thread" and "2 threads" say how many ours may use. Where neither is said, the number makes no difference.

On a machine that does other things meanwhile, `--cpu` compares the processor time of all threads of a process
instead of the time on the clock. That does not count waiting for the disk, and shows no gain by a second thread. With
`chrt -f 10` in front of a command with `--only`, the processors do nothing else meanwhile.

To compare two revisions in one run, build benches/peers of this revision over the older one and pass its binary:

    git worktree add OLDER REVISION && rm -r OLDER/benches && cp -r benches OLDER/
    cargo build --release --manifest-path OLDER/benches/peers/Cargo.toml
    python3 benches/compare.py --old OLDER/benches/peers/target/release/peers

It needs NumPy and the standard library.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

HERE = Path(__file__).resolve().parent


# A row that takes longer than it should is measured as often as this.
LEAST_ROUNDS = 3


class Row(NamedTuple):
    """What is measured in one go: all sides of one verb."""

    title: str
    verb: str
    # What ours is compared with: NumPy, or another verb of ours.
    base: str = "NumPy"
    # Ours once for each number of threads; 0 is as many as there are processors.
    threads: tuple = (0,)
    others: tuple = ()
    # Our time over that of the base: all, or by threads.
    wanted: float | dict | None = None
    # All processors are kept busy meanwhile.
    busy: bool = False


class Case(NamedTuple):
    """Rows over the same value."""

    name: str
    rows: list


def both(what, form, save=None, load=None, threads=(0,), others=(), replaced=None, only_save=()):
    """A row for saving and one for loading."""
    verb = {"npy": "save-npy", "npz": "save-npz", "deflated": "deflate"}[form]
    readers = tuple(other for other in others if other not in only_save)
    return [
        Row(f"save {what}", verb, threads=threads, others=others, wanted=save),
        Row(f"load {what}", "load-npy" if form == "npy" else "load-npz", threads=threads, others=readers, wanted=load),
    ]


ONE_TWO = (1, 2)

CASES = [
    Case("f64", both("128 MB of f64, .npy", "npy", 1.10, 1.10, others=("ndarray-npy", "npyz"))),
    Case("four", [
        *both("128 MB of f64, .npz of 4", "npz", 0.30, 0.50, ONE_TWO, ("ndarray-npy", "ndarray-npz", "safetensors"),
              only_save=("safetensors",)),
        Row("load 128 MB of f64, .npz of 4, all processors busy", "load-npz", "1 thread", (2,), wanted=1.05, busy=True),
        Row("save 128 MB of f64, .npz of 4, all processors busy", "save-npz", "1 thread", (2,), wanted=1.05, busy=True),
    ]),
    Case("deflate-four", both("16 MB deflated, 4 members", "deflated", {1: 0.75, 2: 0.40}, {1: 0.65, 2: 0.40}, ONE_TWO,
                              ("ndarray-npy",))),
    Case("deflate-one", both("16 MB deflated, 1 member", "deflated", {2: 0.45}, None, ONE_TWO)),
    Case("deflate-steps", both("16 MB deflated, stepped i64", "deflated", threads=ONE_TWO)),
    Case("deflate-gaussians", both("4 MB deflated, rounded gaussians", "deflated", threads=ONE_TWO)),
    Case("many", both("1,000 members of 16 f64", "npz", 0.15, 0.10)),
    Case("scalars", both("1,000 0-d f64", "npz")),
    Case("groups", both("100 groups of 2 f32 arrays", "npz")),
    Case("records", [
        *both("2 M records", "npy", 2.6, 3.5, ONE_TWO, ("npyz",)),
        Row("save 2 M records in an archive", "save-npz", "lone .npy:save-npy", ONE_TWO, wanted=1.10),
        Row("load 2 M records in an archive", "load-npz", "lone .npy:load-npy", ONE_TWO, wanted=1.10),
    ]),
    Case("push-f64", [
        Row("push 500,000 f64", "push", "one save:save-npy", wanted=2.0),
        Row("add_rows, 500,000 f64", "add-rows", "one save:save-npz", wanted=2.0),
    ]),
    Case("push-records", [
        Row("push 500,000 records", "push", "one save:save-npy", wanted=2.0),
        Row("add_rows, 500,000 records", "add-rows", "one save:save-npz", wanted=2.0),
    ]),
    Case("words", both("1 M words", "npy", 2.0, 3.0, ONE_TWO)),
    Case("bool", both("16 MB of bool", "npy")),
    Case("complex", both("128 MB of c16", "npy")),
    Case("f16", both("32 MB of f2", "npy")),
    Case("short-rows", [
        Row("load 1 M rows of 4 f64, Vec<Vec<f64>>", "load-npy", "clone", wanted=1.6),
    ]),
    Case("list", [
        Row("save a list of 10,000 groups of 3", "save-npz", ""),
        Row("load a list of 10,000 groups of 3", "load-npz", "", ONE_TWO),
    ]),
    Case("members", [
        Row("open an archive of 65,600 members", "open"),
        Row("first get from it", "first-get", ""),
        Row("second get from it", "second-get", ""),
    ]),
    Case("entries", [
        Row("entries() of 1,000 members of 160 kB", "entries", ""),
    ]),
    # The same array in another layout.
    Case("swapped", [Row("load 128 MB byte-swapped, Vec<f64>", "load-npy", "plain", wanted=None)]),
    Case("rows", [
        Row("load 4000 x 4000 byte-swapped, Vec<Vec<f64>>", "load-npy", "plain"),
        Row("load 4000 x 4000 Fortran, Vec<Vec<f64>>", "load-npy", "plain"),
    ]),
    Case("ndarray", [
        Row("load 4000 x 4000 byte-swapped, Array2<f64>", "load-npy", "plain"),
        Row("load 4000 x 4000 Fortran, Array2<f64>", "load-npy", "plain"),
    ]),
]


class Failed(Exception):
    """A side that could not do what it was told."""


class Peers:
    """The Rust process of one case."""

    def __init__(self, binary, case, cpu):
        self.cpu = cpu
        self.process = subprocess.Popen([binary, case], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, side, verb, path):
        try:
            self.process.stdin.write(f"{side} {verb} {path}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{side} {verb}: the process of the case ended") from None
        line = self.process.stdout.readline().strip()
        try:
            clock, processor = map(float, line.split())
            return processor if self.cpu else clock
        except ValueError:
            raise Failed(f"{side} {verb}: {line or 'the process of the case ended'}") from None

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


def load_npz(path):
    with np.load(path) as z:
        return {name: z[name] for name in z.files}


def open_npz(path):
    with np.load(path) as z:
        return z


def save_npz(path, value):
    np.savez(path, **value)


def save_npz_deflated(path, value):
    np.savez_compressed(path, **value)


# What NumPy does for a verb: with the value for a save, without it else.
NUMPY = {
    "save-npy": np.save,
    "save-npz": save_npz,
    "deflate": save_npz_deflated,
    "load-npy": np.load,
    "load-npz": load_npz,
    "open": open_npz,
}


def timed(clock, function, *arguments):
    start = clock()
    result = function(*arguments)
    elapsed = clock() - start
    del result
    return elapsed * 1e3


def medians(rounds, seconds, sides):
    """The median of each side's times, the sides taking turns."""
    times = {name: [] for name in sides}
    end = time.monotonic() + seconds
    for i in range(rounds + 1):
        # What the side before has left in the caches and in memory meets another side every other round.
        for name, run in sides.items() if i % 2 else reversed(sides.items()):
            elapsed = run()
            if i > 0:
                times[name].append(elapsed)
        if i >= LEAST_ROUNDS and time.monotonic() > end:
            break
    return {name: statistics.median(of_side) for name, of_side in times.items()}


@contextlib.contextmanager
def burning(processes):
    """Keeps that many processors busy."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def fresh(path, run):
    """`run` where `path` does not exist."""
    path.unlink(missing_ok=True)
    return run()


def of_threads(n):
    return {0: "", 1: ", 1 thread"}.get(n, f", {n} threads")


class Run:
    """One case under way: its processes, its files, and NumPy's value."""

    def __init__(self, case, directory, arguments):
        self.case, self.directory, self.arguments = case, directory, arguments
        self.peers = {"ours": Peers(arguments.binary, case, arguments.cpu)}
        if arguments.old:
            self.peers["old"] = Peers(arguments.old, case, arguments.cpu)
        self.clock = time.process_time if arguments.cpu else time.perf_counter
        self.suffix = ".npy"
        self.value = None

    def close(self):
        for peers in self.peers.values():
            peers.close()
        for path in self.directory.iterdir():
            path.unlink()

    def path(self, name):
        return self.directory / f"{name.replace(':', '-')}{self.suffix}"

    def prepare(self, row):
        """Makes the file that is loaded, and the value that NumPy saves."""
        suffix = ".npy" if row.verb in ("save-npy", "load-npy", "push") else ".npz"
        if self.value is not None and suffix == self.suffix:
            return
        self.suffix = suffix
        path = self.path("source")
        if row.verb in ("open", "first-get", "second-get", "entries"):
            self.peers["ours"].run("ours", "save", path)
            self.value = ()
            return
        self.peers["ours"].run("ours", "save-npy" if suffix == ".npy" else "save-npz", path)
        self.value = np.load(path) if suffix == ".npy" else load_npz(path)

    def source(self, row):
        """The file that all sides load: the one NumPy makes of the value."""
        if isinstance(self.value, tuple):
            return self.path("source")
        plain = self.path("numpy-deflated" if self.case.startswith("deflate") else "numpy")
        if not plain.exists():
            save = save_npz_deflated if self.case.startswith("deflate") else NUMPY[f"save-{self.suffix[1:]}"]
            save(plain, self.value)
        return plain

    def other_layout(self, row):
        path = self.path("swapped" if "swapped" in row.title else "fortran")
        if not path.exists():
            np.save(path, self.value.astype(">f8") if "swapped" in row.title else np.asfortranarray(self.value))
        return path

    def sides(self, row, replaced):
        """Every side of a row as a function without arguments."""
        saves = replaced is not None
        make_new = (lambda path, run: run()) if replaced else fresh

        def peer(process, side, verb, name, source=None):
            peers = self.peers[process]
            if saves:
                path = self.path(name)
                return lambda: make_new(path, lambda: peers.run(side, verb, path))
            return lambda: peers.run(side, verb, source)

        source = None if saves else self.source(row)
        this_source = self.other_layout(row) if row.base == "plain" else source
        sides = {}
        name, _, verb = row.base.partition(":")
        for n in row.threads:
            side = f"ours:{n}" if n else "ours"
            for process in self.peers:
                sides[f"{process}:{n}"] = peer(process, side, row.verb, f"{process}:{n}", this_source)
            if verb and saves:
                path = self.path("base").with_suffix(f".{verb[-3:]}")
                sides[f"base:{n}"] = lambda path=path, side=side: make_new(
                    path, lambda: self.peers["ours"].run(side, verb, path))
            elif verb:
                path = self.path("base").with_suffix(f".{verb[-3:]}")
                self.peers["ours"].run(side, verb.replace("load", "save"), path)
                sides[f"base:{n}"] = lambda path=path, side=side: self.peers["ours"].run(side, verb, path)
        if row.base == "NumPy":
            call = NUMPY[row.verb]
            if saves:
                path = self.path("NumPy")
                sides["base"] = lambda: make_new(path, lambda: timed(self.clock, call, path, self.value))
            else:
                sides["base"] = lambda: timed(self.clock, call, source)
        elif row.base == "1 thread":
            sides["base"] = peer("ours", "ours:1", row.verb, "base", source)
        elif row.base == "plain":
            sides["base"] = peer("ours", "ours", row.verb, "base", source)
        elif row.base == "clone":
            sides["base"] = peer("ours", "ours", "clone", "base", source)
        for other in row.others:
            sides[other] = peer("ours", other, row.verb, other, source)
        if saves and self.case == "words":
            texts = self.value.tolist()
            path = self.path("list")
            save_list = lambda: np.save(path, np.array(texts))
            sides["np.save of the list"] = lambda: make_new(path, lambda: timed(self.clock, save_list))
        return sides

    def measure(self, row, replaced):
        arguments = self.arguments
        with burning(os.cpu_count() if row.busy else 0):
            times = medians(arguments.rounds, arguments.seconds, self.sides(row, replaced))
        how = "" if replaced is None else ", replaced" if replaced else ", new"
        others = "; ".join(f"{name} {t:.1f}" for name, t in times.items() if name in row.others or name.startswith("np."))
        for n in row.threads:
            ours, old = times[f"ours:{n}"], times.get(f"old:{n}")
            base = times.get(f"base:{n}", times.get("base"))
            wanted = row.wanted.get(n) if isinstance(row.wanted, dict) else row.wanted
            columns = [
                f"{row.title}{of_threads(n)}{how}",
                "" if base is None else f"{row.base.partition(':')[0]} {base:.2f}",
                f"{ours:.2f}",
                "" if base is None else f"{ours / base:.2f}",
                "" if wanted is None else f"<= {wanted:.2f}" + (" MISSED" if base and ours / base > wanted and not arguments.cpu else ""),
            ]
            if arguments.old:
                columns += [f"{old:.2f}", f"{ours / old:.2f}"]
            print("|", " | ".join([*columns, others]), "|", flush=True)
        if row.verb == "deflate" and not replaced:
            mine, theirs = self.path(f"ours:{row.threads[0]}").stat().st_size, self.path("NumPy").stat().st_size
            print(f"| size of it, MB | NumPy {theirs / 1e6:.3f} | {mine / 1e6:.3f} | {mine / theirs:.3f} |"
                  + " |" * (4 if arguments.old else 2), flush=True)

    def run(self, row):
        try:
            self.prepare(row)
            saves = row.verb.startswith("save") or row.verb in ("deflate", "push", "add-rows")
            for replaced in (False, True) if saves else (None,):
                self.measure(row, replaced)
        except (Failed, OSError) as failed:
            print(f"| {row.title} | {failed} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "peers" / "target"))
    parser.add_argument("--binary", default=target / "release" / "peers",
                        help="the built benches/peers (default: in its own target folder)")
    parser.add_argument("--old", help="another built benches/peers, to be compared with")
    parser.add_argument("--cpu", action="store_true", help="processor time instead of time on the clock")
    parser.add_argument("--dir", help="where the files go (default: the system's folder for temporary files)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds that count, at most: 9 unless told")
    parser.add_argument("--seconds", type=float, default=3, help="no new round of a row after that: 3 unless told")
    parser.add_argument("--only", nargs="*", default=[], help="rows whose case or title holds one of these words")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("at least one round")

    def wanted(case, row):
        return not arguments.only or any(word in row.title or word in case for word in arguments.only)

    what = "processor time" if arguments.cpu else "time"
    print(f"NumPy {np.__version__}, {os.cpu_count()} processors, {what}, medians of interleaved rounds, ms\n")
    columns = ["case", "compared with", "ours", "ratio", "wanted", *(["old", "ours / old"] if arguments.old else []), "others"]
    print("|", " | ".join(columns), "|\n" + "|---" * len(columns) + "|", flush=True)
    for name, rows in CASES:
        rows = [row for row in rows if wanted(name, row)]
        if not rows:
            continue
        with tempfile.TemporaryDirectory(dir=arguments.dir, prefix="serde_npz-compare-") as directory:
            run = Run(name, Path(directory), arguments)
            try:
                for row in rows:
                    run.run(row)
            finally:
                run.close()


if __name__ == "__main__":
    main()
