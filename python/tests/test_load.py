"""What `load` hands out, and what it refuses."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npz


def archive(members: dict[str, Any], method: int = zipfile.ZIP_STORED) -> Path:
    """An archive of other tools: arrays, or bytes as they are."""
    with zipfile.ZipFile("other.npz", "w", method) as z:
        for name, value in members.items():
            file = io.BytesIO()
            if isinstance(value, bytes):
                file.write(value)
            else:
                np.lib.format.write_array(file, np.asarray(value))
            z.writestr(name, file.getvalue())
    return Path("other.npz")


def test_the_archives_of_numpy() -> None:
    arrays = {"a": np.arange(6).reshape(2, 3), "f": np.asfortranarray(np.ones((2, 3))), "t": np.array("text"), "e": np.zeros((0, 3))}
    save: Any = np.savez
    save("plain.npz", **arrays)
    save = np.savez_compressed
    save("deflated.npz", **arrays)
    for path in ("plain.npz", "deflated.npz"):
        loaded = npz.load(path, verify=True)
        assert list(loaded) == list(arrays)
        for name, array in loaded.items():
            assert array.dtype == arrays[name].dtype and array.shape == arrays[name].shape
            assert array.flags.f_contiguous == arrays[name].flags.f_contiguous
            assert array.tolist() == arrays[name].tolist() and not array.flags.writeable


def test_stored_data_is_not_copied() -> None:
    loaded = npz.load(npz.save("run", {"x": np.arange(10.0), "y": 1.0}))
    first, again = loaded.x, loaded.x
    assert first.__array_interface__["data"] == again.__array_interface__["data"]
    assert first.flags.aligned and first.__array_interface__["data"][0] % 64 == 0


def test_a_lone_array() -> None:
    np.save("x.npy", np.arange(3))
    assert npz.load("x.npy").tolist() == [0, 1, 2]
    with open("x.npy", "ab") as file:
        file.write(b"something else")
    assert npz.load(Path("x.npy")).tolist() == [0, 1, 2]
    np.save("x.npy", np.arange(0))
    assert npz.load("x.npy").shape == (0,)


def test_a_mapping() -> None:
    run = npz.load(npz.save("run", {"dt": 0.5, "at": {"x": 1}, "layers": [{"w": np.ones(2)}], "not an id": 1, "keys": 2}))
    assert len(run) == 5 and list(run.keys()) == ["dt", "at", "layers", "not an id", "keys"]
    assert [name for name, _ in run.items()] == list(run) and len(list(run.values())) == 5
    assert run.dt == 0.5 and run.at.x == 1 and run["keys"] == 2
    assert "at/x" in run and "layers/0/w" in run and "at/y" not in run and 3 not in run
    assert run["layers/0/w"].tolist() == [1, 1] and run["dt.npy"] == 0.5 and run.get("other") is None
    assert "dt" in dir(run) and "not an id" not in dir(run)
    with pytest.raises(KeyError, match="did you mean 'layers'"):
        run["layer"]
    with pytest.raises(AttributeError):
        run.layer
    assert not hasattr(run, "__array__")


def test_shown() -> None:
    run = npz.load(npz.save("<run>", {"<b>": np.ones(3), "at": {"none": None}, "note": npz.Json(1)}))
    assert repr(run).splitlines()[1].split() == ["<b>", "<f8", "(3,)", "24", "B"]
    assert "json" in repr(run) and "None" in repr(run)
    shown = run._repr_html_()
    assert "&lt;b&gt;" in shown and "<b>" not in shown and "(3,)" in shown
    many = npz.load(npz.save("many", {f"x{n}": n for n in range(500)}))
    assert len(repr(many).splitlines()) == 102


def test_members_that_are_no_arrays() -> None:
    path = archive({"note.json": b'{"a": [1, null]}', "readme.txt": b"text", "plain": np.arange(2), "dir/": b"", "x.npy": b"text"})
    loaded = npz.load(path)
    assert list(loaded) == ["note", "readme.txt", "plain", "x"]
    assert loaded.note == {"a": [1, None]} and loaded["readme.txt"] == b"text" and loaded.plain.tolist() == [0, 1]
    with pytest.raises(npz.Error, match="x: found b'text', expected an array"):
        loaded.x
    assert npz.load(archive({"a.json": b"{"})).keys() == {"a"}
    with pytest.raises(npz.Error, match="a: found a text that is no JSON"):
        npz.load("other.npz").a


def test_names_that_are_no_paths() -> None:
    names = ["a//b", "/abs", "..", "a", "a/b", "9" + "/9" * 70]
    loaded = npz.load(archive({f"{name}.npy": 1 for name in names}))
    assert list(loaded) == names and all(loaded[name] == 1 for name in names)


def test_lists() -> None:
    assert isinstance(npz.load(archive({f"{n}.npy": n for n in (1, 0, 2)})), list)
    assert [int(n) for n in npz.load("other.npz")] == [0, 1, 2]
    for names in (["0", "2"], ["1"], ["00"], ["0", "x"]):
        assert isinstance(npz.load(archive({f"{name}.npy": 1 for name in names})), npz.Group)


def test_what_only_looks_like_rows_or_a_mask() -> None:
    for offsets in ([1, 3], [0, 2], [0, 3, 2, 3], [], [[0, 3]], [0.0, 3.0]):
        found = npz.load(archive({"x/values.npy": np.arange(3), "x/offsets.npy": np.array(offsets)})).x
        assert isinstance(found, npz.Group) and found["values"].tolist() == [0, 1, 2]
    for mask in ([True], [1, 0, 1], [[True] * 3]):
        found = npz.load(archive({"x/values.npy": np.arange(3), "x/values?.npy": np.array(mask)})).x
        assert isinstance(found, npz.Group)
    records = np.zeros(2, [("a?", "u1"), ("b", "u1"), ("?", "?"), ("c", "u1")])
    assert npz.load(archive({"x.npy": records})).x.dtype == records.dtype
    nothing = np.zeros(2, [("?", "?")])
    assert npz.load(archive({"x.npy": nothing})).x.dtype == nothing.dtype


def test_no_memory_for_masks_of_nothing() -> None:
    record = np.zeros(1, [("v", "u1"), ("v?", "?"), *((f"none{n}", "V0") for n in range(9))])
    assert npz.load(archive({"x.npy": record})).x.dtype == record.dtype
    head = b"\x93NUMPY\1\0v\0{'descr': %s, 'fortran_order': False, 'shape': %s}"
    values = (head % (b"'|V0'", b"(1, 1125899906842624)")).ljust(127) + b"\n"
    assert isinstance(npz.load(archive({"x/values.npy": values, "x/values?.npy": [True]})).x, npz.Group)


class Trap:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (open, ("sprung", "w"))  # type: ignore[return-value]


def test_no_pickle() -> None:
    objects = np.array([Trap(), None])
    np.save("x.npy", objects, allow_pickle=True)
    with pytest.raises(npz.Error, match="pickle"):
        npz.load("x.npy")
    loaded = npz.load(archive({"x.npy": Path("x.npy").read_bytes(), "p.npy": pickle.dumps(Trap()), "good.npy": 1}))
    for name in ("x", "p"):
        with pytest.raises(npz.Error):
            loaded[name]
    assert loaded.good == 1 and not Path("sprung").exists()


def test_one_bad_member_spoils_no_other() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile("two.npz", "w") as z:
        for name in ("x.npy", "x.npy", "y.json", "y.npy", "good.npy"):
            z.writestr(name, b"\x93NUMPY\1\0v\0" + b"{'descr': '<i8', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\n" + bytes(8))
    loaded = npz.load("two.npz")
    for name in "xy":
        with pytest.raises(npz.Error, match=f"^{name}: .* expected one member") as caught:
            loaded[name]
        assert caught.value.member == name
    assert loaded.good == 0 and "comes twice" in repr(loaded)
    archive({"bz.npy": np.zeros(3), "good.npy": 1}, zipfile.ZIP_BZIP2)
    with pytest.raises(npz.Error, match="^bz: found the compression method 12"):
        npz.load("other.npz").bz


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_data(method: int) -> None:
    path = archive({"x.npy": np.arange(1000.0), "y.npy": np.arange(3)}, method)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as z:
        info = z.getinfo("x.npy")
    data[info.header_offset + 30 + 5 + info.compress_size - 20] ^= 1
    path.write_bytes(data)
    with pytest.raises(npz.Error, match="^x: found .*damaged|^x: found"):
        npz.load(path, verify=True).x
    assert npz.load(path, verify=True).y.tolist() == [0, 1, 2]
    if method == zipfile.ZIP_STORED:
        assert npz.load(path).x.shape == (1000,)
    else:
        with pytest.raises(npz.Error):
            npz.load(path).x


def test_files_that_are_neither() -> None:
    for data in (b"", b"just a text", b"PK\3\4", b"\x93NUMPY"):
        Path("file").write_bytes(data)
        with pytest.raises(npz.Error):
            npz.load("file")
    with pytest.raises(FileNotFoundError):
        npz.load("missing")
    whole = Path(npz.save("run", {"x": 1.0, "y": np.ones(3)})).read_bytes()
    for end in range(0, len(whole), 3):
        Path("cut").write_bytes(whole[:end])
        with pytest.raises(npz.Error):
            npz.load("cut")


def test_long_headers() -> None:
    records = np.zeros(1, [(f"field {n}", "f8") for n in range(800)])
    np.save("x.npy", records)
    with pytest.raises(npz.Error, match="max_header_size"):
        npz.load("x.npy")
    assert npz.load("x.npy", max_header_size=100_000).dtype == records.dtype


def test_errors_show_no_control_characters() -> None:
    with pytest.raises(npz.Error) as caught:
        npz.load(archive({"\x1b[2J.npy": b"text"}))["\x1b[2J"]
    assert "\x1b" not in str(caught.value)
    assert "\x1b" not in repr(npz.load("other.npz")) and json.dumps(str(caught.value))
