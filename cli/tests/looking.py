"""Compares `npz ls`, `npz stats` and `npz show --slice` with NumPy: looking.py NPZ TMPDIR CORPUS."""

import json
import pathlib
import subprocess
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
NPZ, TMP, CORPUS = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
rng = np.random.default_rng(7)
wrong = []


def run_all(*args):
    out = subprocess.run([NPZ, *map(str, args)], capture_output=True)
    return json.loads(out.stdout)["files"], out


def run(*args):
    files, out = run_all(*args)
    return files[0], out


def check(what, found, expected):
    if found != expected:
        wrong.append(f"{what}: found {str(found)[:200]}, expected {str(expected)[:200]}")


def plain(array):
    """The nested lists that `show --json` has for it."""
    array = np.asarray(array)
    if array.dtype.names:
        one = lambda item: {name: plain(item[name]) for name in array.dtype.names}
        if array.ndim == 0:
            return one(array)
        return [plain(item) for item in array]
    if array.ndim:
        return [plain(item) for item in array]
    kind, value = array.dtype.kind, array[()]
    if kind == "c":
        return [plain(value.real), plain(value.imag)]
    if kind == "f":
        return float(value) if np.isfinite(value) else None
    if kind == "M":
        return None if np.isnat(value) else str(value)
    if kind == "m":
        return None if np.isnat(value) else int(value.astype("i8"))
    if kind in "SV":
        return list(bytes(value))
    return value.item()


def close(found, expected):
    if found is None or not np.isfinite(expected):
        return found is None and not np.isfinite(expected)
    return np.isclose(float(found), float(expected), rtol=1e-9, atol=1e-320)


def stats(path, arrays, document):
    for row in document["members"]:
        what = f"stats {path} {row['name']} {row['field']}"
        array = arrays[row["name"]]
        for part in row["field"].split(".") if row["field"] else []:
            array = array[part]
        check(f"{what} count", row["count"], array.size)
        if array.dtype.kind not in "fiub" or array.size == 0:
            continue
        values = array.astype("f8")
        check(f"{what} nan", row["nan"], int(np.isnan(values).sum()))
        check(f"{what} inf", row["inf"], int(np.isinf(values).sum()))
        check(f"{what} zeros", row["zeros"], int((values == 0).sum()))
        if np.isnan(values).all():
            continue
        # Not np.nanmin: it does not know a signalling NaN.
        known = values[~np.isnan(values)]
        expected = {"min": known.min(), "max": known.max(), "mean": known.mean(), "std": known.std()}
        if np.isfinite(known).all():
            for key, q in [("q25", 0.25), ("q50", 0.5), ("q75", 0.75)]:
                expected[key] = np.quantile(known, q)
        for key, value in expected.items():
            # Sums beyond the largest float are no more the same on both sides.
            if np.abs(values[np.isfinite(values)]).max(initial=0) < 1e150 and not close(row[key], value):
                wrong.append(f"{what} {key}: found {row[key]}, expected {value}")


SLICES = ["", "...", "0", "-1", "::-1", "1:3", "::2,", "...,-1", "0,...", "1:,::-1", "-3:,1:5:2", "::-2,...,::3", "5:2:-1"]


def show(path, name, array, slices):
    members = [name] if name else []
    for text in slices:
        try:
            part = eval(f"array[{text or '...'}]")
        except IndexError:
            part = None
        document, out = run("show", "--json", path, *members, "--slice", text)
        what = f"show {path} {name} [{text}]"
        if part is None:
            check(what, (document["members"], out.returncode), ([], 2))
            continue
        if not document["members"]:
            wrong.append(f"{what}: {out.stderr}")
            continue
        member = document["members"][0]
        check(f"{what} shape", tuple(member["shape"]), np.shape(part))
        if np.size(part) <= 2000:
            check(what, member["data"], plain(part))


arrays = {}
for dtype in ["f8", "f4", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", ">f8", ">i4", "c8", "c16"]:
    for shape in [(), (1,), (1000,), (30, 7), (3, 4, 5), (0,), (2, 0, 3), (90_000,)]:
        for order in "CF" if len(shape) > 1 else "C":
            array = np.asarray(rng.normal(size=shape) * 50)
            array = (abs(array) if np.dtype(dtype).kind == "u" else array).astype(dtype)
            if np.dtype(dtype).kind == "f" and array.size > 5:
                array.flat[3] = np.nan
            arrays[f"{dtype}{shape}{order}"] = np.asarray(array, order=order)
# More than one thread's share.
arrays["large"] = rng.normal(size=1_000_003)
arrays["large f4"] = rng.normal(size=(1003, 901)).astype("f4")
arrays["M"] = np.array(["2020-01-01", "NaT", "1999-12-31"], "M8[s]")
arrays["m"] = np.array([5, "NaT", -3], "m8[ms]")
arrays["S"] = np.array([b"ab", b"c"])
arrays["U"] = np.array(["ab", "é\U0001f600"])
arrays["rec"] = np.array([(1, 2.5, [1, 2], (3, 4.0)), (3, -1, [4, 5], (6, np.nan))],
                         dtype=[("i", "<i4"), ("x", ">f8"), ("s", "<u2", (2,)), ("r", [("a", "i1"), ("b", "f2")])])
path = TMP / "numpy-twin.npz"
np.savez(path, **arrays)
with np.load(path) as loaded:
    document, _ = run("ls", "--json", path)
    check("ls", [m["name"] for m in document["members"]], loaded.files)
    for member in document["members"]:
        array = loaded[member["name"]]
        check(f"ls {member['name']}", tuple(member["shape"]), array.shape)
        check(f"ls {member['name']}", member["dtype"], str(array.dtype.descr) if array.dtype.names else array.dtype.str)
stats(path, arrays, run("stats", "--json", "--quantiles", path)[0])
for name, array in arrays.items():
    if array.dtype.str in ("<f8", ">i4") and array.size < 2000:
        show(path, name, array, SLICES)
    elif array.ndim == 3 or array.dtype.kind not in "fiubc":
        show(path, name, array, ["", "::-1"])

paths = sorted((CORPUS / "open").iterdir())
listed, _ = run_all("ls", "--json", *paths)
described, _ = run_all("stats", "--json", "--quantiles", *paths)
for path, document, rows in zip(paths, listed, described):
    try:
        loaded = np.load(path)
        arrays = {name: loaded[name] for name in loaded.files} if path.suffix == ".npz" else {"": loaded}
    except Exception:
        continue
    if document["error"] or any(member["error"] for member in document["members"]):
        continue
    for member in document["members"]:
        if member["shape"] is not None and member["name"] in arrays:
            check(f"ls {path}", tuple(member["shape"]), arrays[member["name"]].shape)
    # NumPy takes the key `a.npy` for the member `a`, where both are there.
    both = any(f"{name}.npy" in arrays for name in arrays)
    if not both and all(isinstance(array, np.ndarray) for array in arrays.values()):
        stats(path, arrays, rows)

print("\n".join(wrong[:40]))
sys.exit(bool(wrong))
