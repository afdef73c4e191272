"""One element of an archive of 10 MB: `npz.load` beside `np.load`, in turn."""

import os
import statistics
import tempfile
import time

import numpy as np

import npz


def milliseconds(load, path: str) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    assert load(path)["x"][500_000] == 500_000
    return (time.perf_counter() - start) * 1e3


with tempfile.TemporaryDirectory() as directory:
    path = npz.save(os.path.join(directory, "run"), {"x": np.arange(1_250_000.0), "y": 1.0})
    rounds = [(milliseconds(npz.load, path), milliseconds(np.load, path)) for _ in range(50)]
    ours, theirs = map(statistics.median, zip(*rounds))
    print(f"NumPy {np.__version__}: npz.load {ours:.2f} ms, np.load {theirs:.2f} ms, {theirs / ours:.0f} times as long")
