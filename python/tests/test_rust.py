"""Both ways against the Rust side: the same values give the same bytes, and what one writes the other reads."""

from __future__ import annotations

import enum
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Rust
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import npz


@dataclass
class Point:
    east: float = 1.0
    north: float = 2.0


@dataclass
class Layer:
    w: Any
    b: Any


@dataclass
class Marked:
    at: Point
    id: Any
    of: Any


@dataclass
class Imu:
    t: float
    temp: Any
    on: bool | None


@dataclass
class Outer:
    n: int
    imu: Imu | None


@dataclass
class Scalars:
    truth: bool
    int: Any
    large: Any
    larger: Any
    negative: Any
    byte: Any
    half: Any
    single: Any
    double: float
    complex: Any
    text: str
    nothing: str
    unit: Any
    side: Any
    some: float | None
    none: float | None
    length: timedelta
    größe: float


class Side(enum.Enum):
    Left = 0
    Right = 1


def layer(n: int) -> Layer:
    return Layer(np.full((n, 2), [1, 2], "f4") if n else np.zeros(0), np.array([0.5], "f4"))


def masked(values: Any, there: Any, dtype: str) -> Any:
    ma: Any = np.ma
    return ma.array(np.array(values, dtype), mask=~np.array(there))


SETTINGS = {"inner": {}, "name": 'größe "x"\n', "rate": 0.5, "steps": [1, None, True]}

# The values of tests/ecosystem/examples/for_python.rs.
CASES: dict[str, Any] = {
    "scalars": Scalars(
        True, -7, 2**64 - 1, 2**128 - 2, -(2**127) + 1, np.uint8(7), np.float16(0.5), np.float32(0.25), -0.0,
        complex(1, -2), "π and 🦀", "", (), Side.Right, 0.5, None, timedelta(milliseconds=1500), 1.5,
    ),
    "arrays": {
        "floats": np.arange(100_000.0),
        "matrix": np.array([[1, 2], [3, 4], [5, 6]], "i4"),
        "points": [(0.5, 1.0, 1.5)] * 5,
        "empty": np.zeros(0, "f4"),
        "rows": np.zeros((2, 0), "i8"),
        "texts": ["a", "bcd", "é"],
        "bytes": b"\0\1\2",
        "raw": [b"ab", b"cd"],
        "sides": [Side.Left, Side.Right],
        "complex": [np.complex64(1 + 2j)] * 2,
        # A list of integers takes the sign into account alone; here the type is stated.
        "wide": np.array([(1, 0), (0, 2**36)], [("lo", "<u8"), ("hi", "<u8")]),
        "times": np.array([0, 86_400], "M8[s]"),
    },
    "records": {
        "plain": [Point()] * 9,
        "tuples": [(np.uint8(1), "on"), (np.uint8(2), "off")],
        "marked": [Marked(Point(), (np.uint32(1), np.uint32(2)), (np.uint8(3), 0.5))],
        "imu": [Imu(0.5, np.float32(20), None), Imu(0.5, None, None), Imu(0.5, np.float32(1), True)],
        "maybe": [Point(), None],
        "nested": [
            Outer(1, Imu(0.5, None, True)),
            Outer(2, None),
            Outer(3, Imu(0.5, np.float32(1), None)),
        ],
        "tuple_maybe": [(np.uint8(1), "on"), (np.uint8(2), None)],
    },
    "groups": {
        "point": Point(),
        "map": {"a": 1.0, "b": 2.0},
        "numbered": {7: np.array([1], "u1")},
        "nones": {"a": None},
        "nothing": {},
        "state": {"Running": {"step": np.uint32(3)}},
        "mixed": (1, 0.5),
        "pair": (1.0, 2.0),
        "vectors": ([1.0, 2.0], [3.0]),
    },
    "lists": {
        "layers": [layer(n) for n in range(12)],
        "maybe": [[1.0], None],
        "rows": [np.array([1.0]), np.array([2.0, 3.0])],
    },
    "with": {
        "rows": npz.Ragged([[1.0, 2.0], [], [3.0]]),
        "words": npz.Ragged(["ab", "", "é"]),
        "ints": masked([7, 5, 9], [1, 0, 1] == np.ones(3), "i4"),
        "floats": masked([[1, 7], [7, 2]], np.eye(2) == 1, "f8"),
        "texts": masked(["yes", "no"], [True, False], "U3"),
        "triples": {"values": np.array([[1, 2, 3], [np.nan] * 3]), "values?": np.array([True, False])},
        "points": {"values": [Point(), Point(np.nan, np.nan)], "values?": [True, False]},
        "maybe": [(np.uint32(1), np.uint32(2), np.uint32(3)), None],
        "settings": npz.Json(SETTINGS),
        "columns": {"f0": np.array([1, 2], "u1"), "f1": masked([0.5, 7], [True, False], "f8")},
    },
    "names": {"n" * length: length for length in range(1, 80)},
    "many": {key: 0.5 for key in range(65_600)} | {1 << 20: 1.5},
    "positional": ([1.0, 2.0], 0.5, "a"),
    "listed": [layer(1), layer(2)],
    "nothing": None,
    "time": {"t": np.datetime64(0, "ns")},
}  # fmt: skip


def natural(value: Any) -> Any:
    """All groups as dicts, so that nothing of the file is left to copy from."""
    if isinstance(value, npz.Group):
        return {name: natural(value[name]) for name in value}
    if type(value) is list:
        return [natural(item) for item in value]
    return value


@pytest.mark.parametrize("case", CASES)
def test_the_same_bytes(case: str, from_rust: Path) -> None:
    ours = Path(npz.save("ours", CASES[case]))
    same(ours, from_rust / f"{case}.npz")


@pytest.mark.parametrize("case", CASES.keys() - {"many"})
def test_there_and_back(case: str, from_rust: Path) -> None:
    theirs = from_rust / f"{case}.npz"
    loaded = npz.load(theirs)
    tree = natural(loaded)
    if case == "with":
        # A parsed text does not tell that it was one.
        tree["settings"] = npz.Json(tree["settings"])
    if case == "positional":
        tree = tuple(tree.values())
    same(Path(npz.save("taken apart", tree)), theirs)
    same(Path(npz.save("whole", loaded)), theirs)


def same(ours: Path, theirs: Path) -> None:
    if ours.read_bytes() == theirs.read_bytes():
        return
    with zipfile.ZipFile(ours) as a, zipfile.ZipFile(theirs) as b:
        assert a.namelist() == b.namelist()
        for name in a.namelist():
            assert a.read(name) == b.read(name), name
    pytest.fail("the same members, but other bytes around them")


def test_what_python_sees(from_rust: Path) -> None:
    groups = npz.load(from_rust / "groups.npz")
    assert list(groups) == list(CASES["groups"])
    assert groups.nones["a"] is None and dict(groups.nothing) == {}
    assert groups.state.Running.step == 3
    assert [float(x) for x in groups.mixed] == [1, 0.5]
    lists = npz.load(from_rust / "lists.npz")
    assert len(lists.layers) == 12 and lists.layers[11].w.shape == (11, 2)
    assert lists["layers/3/w"].shape == (3, 2)
    assert isinstance(lists.maybe, list) and lists.maybe[1] is None
    listed = npz.load(from_rust / "listed.npz")
    assert isinstance(listed, list) and listed[1].b.tolist() == [0.5]
    scalars = npz.load(from_rust / "scalars.npz")
    assert scalars.unit is None and "none" not in scalars
    assert str(scalars.text) == "π and 🦀" and scalars["größe"] == 1.5


def test_masks(from_rust: Path) -> None:
    records = npz.load(from_rust / "records.npz")
    assert records.imu.dtype.names == ("t", "temp", "on")
    assert records.imu["temp"].tolist() == [20, None, 1] and records.imu["on"].tolist() == [None, None, True]
    assert records.maybe.tolist() == [(1, 2), (None, None)]
    assert records.nested["imu"]["temp"].tolist() == [None, None, 1]
    assert records.nested.mask["imu"]["t"].tolist() == [False, True, False]
    seen = npz.load(from_rust / "with.npz")
    assert seen.ints.tolist() == [7, None, 9] and seen.ints.mask.tolist() == [False, True, False]
    assert seen.floats.tolist() == [[1, None], [None, 2]]
    assert seen.triples.tolist() == [[1, 2, 3], [None] * 3]
    assert seen.points.tolist() == [(1, 2), (None, None)]
    assert seen.maybe.tolist() == [[1, 2, 3], [None] * 3]
    assert [row.tolist() for row in seen.rows] == [[1, 2], [], [3]]
    assert [bytes(row).decode() for row in seen.words] == ["ab", "", "é"]
    assert seen.settings == SETTINGS
    assert seen.columns.f1.tolist() == [0.5, None]


def test_a_mask_that_was_changed(from_rust: Path) -> None:
    imu = npz.load(from_rust / "records.npz").imu.copy()
    imu["t"] = np.ma.masked
    again = npz.load(npz.save("again", {"imu": imu})).imu
    assert again.tolist() == imu.tolist()
    ma: Any = np.ma
    plain = ma.array([(1, 0.5), (2, 1.5)], mask=[(0, 1), (0, 0)], dtype=[("a", "i4"), ("b", "f8")])
    back = npz.load(npz.save("plain", {"x": plain}))
    assert back._archive.header(back._members[0][1]).dtype.names == ("a", "b", "b?")
    assert back.x.tolist() == plain.tolist()


def is_grouped(value: Any) -> bool:
    return isinstance(value, (dict, np.ndarray))


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=6)
NAMES = NAMES.filter(lambda name: not name.endswith((".npy", ".json")))
DTYPES = st.one_of(
    hnp.scalar_dtypes(),
    hnp.unicode_string_dtypes(),
    hnp.byte_string_dtypes(),
    hnp.array_dtypes(
        st.one_of(hnp.integer_dtypes(), hnp.floating_dtypes(), hnp.boolean_dtypes()), max_size=4
    ),
).filter(lambda dtype: dtype.itemsize > 0 and "g" not in dtype.str and "16" not in str(dtype) and "32" not in dtype.str)
ARRAYS = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)))
LEAVES = st.one_of(ARRAYS, st.none(), st.booleans(), st.integers(-(2**127), 2**127), st.floats(), st.binary())
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.dictionaries(NAMES, inner, max_size=4), st.lists(inner.filter(is_grouped), max_size=3)),
    max_leaves=12,
)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_any_tree(rust: Rust, tree: dict[str, Any]) -> None:
    path = npz.save("tree", tree)
    rust("copy", path, "copy.npz")
    assert Path("copy.npz").read_bytes() == Path(path).read_bytes()
    same(Path(npz.save("whole", npz.load(path))), Path(path))
