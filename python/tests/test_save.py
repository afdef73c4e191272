"""How Python's values are laid out, and that a file is replaced as a whole."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import npz


@dataclass
class Point:
    x: float
    y: float | None = None


@dataclass
class Node:
    name: str
    children: list[Any]


def members(tree: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Names, dtypes and shapes as NumPy sees them."""
    with np.load(npz.save("tree", tree)) as z:
        return {name: (str(z[name].dtype.descr if z[name].dtype.names else z[name].dtype.str), z[name].shape) for name in z.files}


@pytest.mark.parametrize(
    "value, expected",
    [
        (True, {"x": ("|b1", ())}),
        (2**63, {"x": ("<u8", ())}),
        (2**64, {"x": ("[('lo', '<u8'), ('hi', '<u8')]", ())}),
        (-(2**64), {"x": ("[('lo', '<u8'), ('hi', '<i8')]", ())}),
        ([], {"x": ("<f8", (0,))}),
        ([[], []], {"x": ("<f8", (2, 0))}),
        ([1, 2.5], {"x": ("<f8", (2,))}),
        ([2**53 + 1, 0.5], {"x/0": ("<i8", ()), "x/1": ("<f8", ())}),
        ([-1, np.uint8(7)], {"x": ("<i8", (2,))}),
        ([np.float32(1), np.float32(2)], {"x": ("<f4", (2,))}),
        ([np.mean([1.0]), 0.5], {"x": ("<f8", (2,))}),
        ([1, "a", None], {"x/0": ("<i8", ()), "x/1": ("<U1", ()), "x/2": ("|V0", ())}),
        ([1, True], {"x/0": ("<i8", ()), "x/1": ("|b1", ())}),
        ([[1, 2], "a"], {"x/0": ("<i8", (2,)), "x/1": ("<U1", ())}),
        ((1.0, None), {"x/0": ("<f8", ()), "x/1": ("|V0", ())}),
        ([Point(1.0)], {"x": ("[('x', '<f8'), ('y', '|V0')]", (1,))}),
        ([Point(1.0), Point(1.0, 2.0)], {"x": ("[('x', '<f8'), ('y', '<f8'), ('y?', '|b1')]", (2,))}),
        ([Point(1.0, 2.0), "a"], {"x/0/x": ("<f8", ()), "x/0/y": ("<f8", ()), "x/1": ("<U1", ())}),
        (Point(1.0), {"x/x": ("<f8", ())}),
        ([Node("a", [])], {"x/0/name": ("<U1", ()), "x/0/children": ("<f8", (0,))}),
        ([{"a": 1}, {"a": 2}], {"x/0/a": ("<i8", ()), "x/1/a": ("<i8", ())}),
        ([None, None], {"x/0": ("|V0", ()), "x/1": ("|V0", ())}),
        ({3, 1, 2}, {"x": ("<i8", (3,))}),
        (np.datetime64("2020-01-01"), {"x": ("<M8[D]", ())}),
        ({}, {"x": ("|V0", (0,))}),
        ({True: 1, 7: 2}, {"x/true": ("<i8", ()), "x/7": ("<i8", ())}),
        (np.zeros(2, [("a", "u1"), ("b", "<f8")]), {"x": ("[('a', '|u1'), ('b', '<f8')]", (2,))}),
        (npz.Ragged(), {"x/values": ("<f8", (0,)), "x/offsets": ("<i8", (1,))}),
        (npz.Ragged([[1], np.array([], "f4")]), {"x/values": ("<f8", (1,)), "x/offsets": ("<i8", (3,))}),
    ],
)  # fmt: skip
def test_layout(value: Any, expected: Any) -> None:
    seen = members({"x": value})
    assert list(seen.items()) == list(expected.items())


def test_roots() -> None:
    assert members((1, [1.0])) == {"arr_0": ("<i8", ()), "arr_1": ("<f8", (1,))}
    assert members({}) == members(None) == members([]) == members(()) == {}
    assert members(Point(1.0)) == {"x": ("<f8", ())}
    assert members([{"a": 1}, {"b": 2}]) == {"0/a": ("<i8", ()), "1/b": ("<i8", ())}
    for tree in (1.0, [1.0, 2.0], np.ones(3), "text"):
        with pytest.raises(npz.Error, match="expected a dict"):
            npz.save("tree", tree)


@pytest.mark.parametrize(
    "value, message",
    [
        (object(), "found object"),
        ([1, None], "found None among scalars"),
        ([[1], [2, 3]], "npz.Ragged"),
        ("ends in NUL\0", "NUL"),
        ("\ud800", "surrogate"),
        ({"a/b": 1}, "nest dicts"),
        ({"": 1}, "not empty"),
        ({1.5: 1}, "a key that is a float"),
        ({1: 1, "1": 2}, "the same text"),
        (np.array([None]), "Python objects"),
        (np.array(["a"], object), "Python objects"),
        ([b"a", b"bc"], "bytes of unequal lengths"),
        (2**128, "128 bits"),
        (npz.Json({1.5, 2}), "no JSON"),
        (npz.Json(float("nan")), "no JSON"),
        (npz.Ragged([1, 2]), "a row that is no array"),
    ],
)
def test_refused(value: Any, message: str) -> None:
    with pytest.raises(npz.Error, match=message) as caught:
        npz.save("tree", {"in": {"x": value}})
    assert caught.value.member == "in/x"
    assert os.listdir() == []


def test_a_name_that_comes_twice() -> None:
    with pytest.raises(npz.Error, match="twice"):
        npz.save("tree", {"x": 1, "x.npy": {}, "x.json": 1})
    with pytest.raises(npz.Error, match="twice"):
        npz.save("tree", {"x": 1, "y": 2, "x.json": 3})


def test_values_that_hold_themselves() -> None:
    tree: dict[str, Any] = {}
    tree["x"] = tree
    with pytest.raises(npz.Error, match="nested deeper"):
        npz.save("tree", tree)
    rows: list[Any] = []
    rows.append(rows)
    with pytest.raises(npz.Error):
        npz.save("tree", {"x": rows})


def test_replaced_as_a_whole() -> None:
    path = Path(npz.save("tree", {"x": 1}))
    path.chmod(0o640)
    os.symlink("tree.npz", "link.npz")
    before = npz.load(path)
    npz.save("link", {"x": 2}, durable=True)
    assert before.x == 1 and npz.load(path).x == 2
    assert os.path.islink("link.npz") and stat.S_IMODE(path.stat().st_mode) == 0o640
    old = path.read_bytes()
    with pytest.raises(npz.Error):
        npz.save(path, {"x": np.zeros(100_000), "y": object()})
    assert path.read_bytes() == old and sorted(os.listdir()) == ["link.npz", "tree.npz"]
    with pytest.raises(FileNotFoundError):
        npz.save("missing/tree", {})
    with pytest.raises(npz.Error, match="directory"):
        npz.save("missing/", {})


def test_parts_of_a_loaded_archive() -> None:
    save: Any = np.savez_compressed
    save("deflated.npz", **{"a/x": np.arange(3), "a/y": np.ones(2), "b": 1})
    loaded = npz.load("deflated.npz")
    again = npz.load(npz.save("again", {"first": loaded.a, "all": loaded}))
    assert again.first.x.tolist() == [0, 1, 2] and again["all/a/y"].tolist() == [1, 1] and again["all/b"] == 1


@given(hnp.arrays(hnp.array_dtypes() | hnp.scalar_dtypes() | hnp.unicode_string_dtypes(), hnp.array_shapes(min_dims=0)))
def test_members_are_what_np_save_writes(array: Any) -> None:
    for form in (array, array.T, np.asfortranarray(array), array[..., ::-1] if array.ndim else array):
        file = io.BytesIO()
        np.save(file, form)
        with zipfile.ZipFile(npz.save("tree", {"x": form})) as z:
            assert z.testzip() is None
            assert z.read("x.npy") == file.getvalue()


@given(st.lists(st.sampled_from("aé\u0300\x7f\u200b'\"\\ "), max_size=5).map("".join), st.integers(1, 900))
def test_names_of_fields(name: str, count: int) -> None:
    array = np.zeros(2, [(f"{name}{n}", "u1") for n in range(count)])
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=None)
    with zipfile.ZipFile(npz.save("tree", {"x": array})) as z:
        assert z.read("x.npy") == file.getvalue()
