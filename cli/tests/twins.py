"""What `diff` and the verbs that write say and make, beside NumPy. Arguments: the binary, a directory for files."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np

NPZ = sys.argv[1]
DIR = os.path.join(sys.argv[2], "twins")
shutil.rmtree(DIR, ignore_errors=True)
os.makedirs(DIR)
os.chdir(DIR)
rng = np.random.default_rng(0)


def npz(*args, code=0):
    done = subprocess.run([NPZ, *args], capture_output=True, text=True)
    assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
    return done.stdout


def pair(dtype):
    """Two arrays that are nearly the same, with NaN and infinities where the dtype has them."""
    kind = np.dtype(dtype).kind
    x = rng.normal(size=(50, 30)) * 10
    if kind == "c":
        x = x + 1j * rng.normal(size=x.shape)
    x = (x > 0) if kind == "b" else x.astype(dtype)
    y = x.copy()
    some = rng.random(x.shape) < 0.3
    if kind == "b":
        y[some] ^= True
    elif kind in "iu":
        y[some] += rng.integers(0, 3, size=some.sum()).astype(dtype)
    else:
        y[some] = (y[some] * (1 + rng.normal(size=some.sum()) * 1e-3)).astype(dtype)
        # NumPy 1.26 makes NaN of complex infinities before it compares them.
        inf = np.nan if kind == "c" else np.inf
        x[0, :4] = np.nan, inf, inf, 1
        y[0, :4] = np.nan, inf, 1, inf
    return x, y


def diff():
    for dtype in ["f2", "f4", "f8", ">f8", "i4", "u1", "c8", "c16", "b1", "i8"]:
        x, y = pair(dtype)
        for first, second in ["CC", "CF", "FF", "FC"]:
            np.save("x.npy", np.array(x, order=first))
            np.save("y.npy", np.array(y, order=second))
            for rtol, atol in [(0, 0), (1e-3, 1e-3), (1e-5, 1e-8), (0.5, 0)]:
                for flags in [[], ["--nan-differs"]]:
                    with np.errstate(all="ignore"):
                        close = np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=not flags)
                    differs = not close.all() or first != second
                    said = npz("diff", "x.npy", "y.npy", "--json", "--rtol", str(rtol), "--atol", str(atol), *flags, code=int(differs))
                    said = json.loads(said)
                    assert said["equal"] is not differs
                    values = [d for d in said["differences"] if d["kind"] == "values"]
                    found = sum(d["count"] for d in values)
                    assert found == (~close).sum(), (dtype, first, second, rtol, atol, flags, found, (~close).sum())


def same(path, arrays):
    loaded = np.load(path)
    assert loaded.files == list(arrays), (path, loaded.files)
    for name, array in arrays.items():
        array = np.asarray(array)
        there = loaded[name]
        assert (there.dtype, there.shape) == (array.dtype, array.shape), name
        assert there.tobytes("A") == array.tobytes("A"), name


def write():
    arrays = {
        "w": rng.normal(size=(50, 4)),
        "n": np.int64(7),
        "s": np.array(["a", "bcd"]),
        "f": np.asfortranarray(rng.normal(size=(6, 5))),
        "zeros": np.zeros(10000),
        "g/x": np.arange(3),
        "g/y": np.array([(1, 2.5)], dtype=[("i", "i4"), ("x", ">f8")]),
    }
    np.savez("stored.npz", **arrays)
    np.savez_compressed("small.npz", **arrays)
    for source in ["stored.npz", "small.npz"]:
        for flags in [["--store"], ["--deflate=9"], ["--auto"], []]:
            npz("repack", source, "r.npz", "--force", *flags)
            same("r.npz", arrays)
        npz("extract", source, "-o", "out", "--force")
        for name, array in arrays.items():
            assert np.load(f"out/{name}.npy").tobytes("A") == np.asarray(array).tobytes("A")
        npz("pack", "p.npz", "--force", *(f"{name}=out/{name}.npy" for name in arrays))
        same("p.npz", arrays)

        shutil.copy(source, "set.npz")
        changed = {name: np.array(array, order="K") for name, array in arrays.items()}
        for place, value, change in [
            ("w[3, 0]", "0.5", lambda: changed["w"].__setitem__((3, 0), 0.5)),
            ("n", "-12", lambda: changed["n"].__setitem__((), -12)),
            ("f[-1]", "[1, 2, 3, 4, 5]", lambda: changed["f"].__setitem__(-1, [1, 2, 3, 4, 5])),
            ("s[1]", "xyz", lambda: changed["s"].__setitem__(1, "xyz")),
            ("g/y[0]", "[5, 6.5]", lambda: changed["g/y"].__setitem__(0, (5, 6.5))),
        ]:
            npz("set", "set.npz", place, value)
            change()
        same("set.npz", changed)

    npz("cat", "-m", "w", "-m", "f", "stored.npz", "small.npz", "-o", "cat.npz")
    joined = np.load("cat.npz")
    for name in ["w", "f"]:
        assert np.array_equal(joined[name], np.concatenate([arrays[name]] * 2))

    np.save("table.npy", arrays["w"])
    for suffix, load in [
        ("csv", lambda path: np.loadtxt(path, delimiter=",")),
        ("tsv", lambda path: np.loadtxt(path, delimiter="\t")),
        ("json", lambda path: np.array(json.load(open(path)))),
    ]:
        npz("convert", "table.npy", f"table.{suffix}")
        assert np.array_equal(load(f"table.{suffix}"), arrays["w"]), suffix
        npz("convert", f"table.{suffix}", f"back-{suffix}.npy")
        assert np.array_equal(np.load(f"back-{suffix}.npy"), arrays["w"]), suffix

    npz("convert", "stored.npz", "x.safetensors", code=2)
    npz("convert", "stored.npz", "x.safetensors", "--lossy")
    data = open("x.safetensors", "rb").read()
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    assert list(head) and set(head) == {"w", "n", "f", "zeros", "g/x"}
    types = {"F64": "<f8", "I64": "<i8"}
    for name, entry in head.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[start:end], types[entry["dtype"]]).reshape(entry["shape"])
        assert np.array_equal(array, arrays[name]), name
    npz("convert", "x.safetensors", "back.npz")
    back = np.load("back.npz")
    assert all(np.array_equal(back[name], arrays[name]) for name in head)


diff()
write()
