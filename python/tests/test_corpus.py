"""The reference files of the repository: the values NumPy sees, and files that lie."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import warnings
import zipfile
from typing import Any

import numpy as np
import pytest
from conftest import DATA

import npz

NUMPY = json.loads((DATA / "numpy" / "manifest.json").read_text())["cases"]
HOSTILE = json.loads((DATA / "hostile" / "adversarial.json").read_text())


def by_id(cases: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def everything(value: Any) -> Any:
    """Reads all there is, down to the last element."""
    if isinstance(value, npz.Group):
        return {name: everything(value[name]) for name in value}
    if isinstance(value, list):
        return [everything(item) for item in value]
    if isinstance(value, np.ndarray):
        # Elements without a byte may be as many as the header says.
        value[: 1 << 10].tolist() if value.ndim and not value.nbytes else value.tolist()
    return value


def equal(ours: Any, theirs: Any) -> bool:
    if not isinstance(ours, np.ndarray):
        return bool(ours == theirs)
    same = (ours.dtype, ours.shape, ours.flags.f_contiguous) == (theirs.dtype, theirs.shape, theirs.flags.f_contiguous)
    return same and ours.dtype.str == theirs.dtype.str and ours.tobytes() == theirs.tobytes()


@by_id(NUMPY)
def test_equal_to_numpy(case: dict[str, Any]) -> None:
    path = DATA / "numpy" / case["path"]
    options = {"max_header_size": size} if (size := case.get("options", {}).get("max_header_size")) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ours = npz.load(path, **options)
        except npz.Error as err:
            refused(case, path, options, err)
            return
        if case["kind"] == "npy":
            theirs: Any = np.load(path, **options)
            if isinstance(ours, np.ma.MaskedArray):
                assert ours.shape == theirs.shape
                return
            assert equal(ours, theirs)
            return
        if isinstance(ours, npz.Group):
            compare_members(case, path, ours._archive)


def compare_members(case: dict[str, Any], path: Any, archive: Any) -> None:
    """Each member as it lies against what NumPy makes of its bytes."""
    arrays = {array["member"]: array for array in case.get("arrays", [])}
    with zipfile.ZipFile(path) as z:
        for member, info in zip(archive.members, z.infolist()):
            try:
                value = archive.value(member)
            except npz.Error as err:
                array = arrays.get(member.name, {})
                assert err.member == member.key
                assert {"expect_error", "allow_error"} & (case.keys() | array.keys()), err
                continue
            if not case.get("expect_error") and not isinstance(value, bytes) and not member.is_json:
                assert equal(value, np.load(io.BytesIO(z.read(info)))), member.name


def refused(case: dict[str, Any], path: Any, options: dict[str, Any], err: npz.Error) -> None:
    """What is refused is so because the manifest says it may, or because NumPy cannot read it."""
    if case.get("expect_error") or case.get("allow_error"):
        return
    with pytest.raises(Exception):
        np.load(path, **options)
        pytest.fail(str(err))


@by_id(HOSTILE)
def test_hostile(case: dict[str, Any]) -> None:
    path = DATA / "hostile" / case["path"]
    start = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            loaded = npz.load(path, verify=True)
            if isinstance(loaded, npz.Group):
                assert repr(loaded) and loaded._repr_html_()
            # Of a gigabyte of zeros the header is enough here.
            value = loaded if case["id"] == "bomb-zeros-1g" else everything(loaded)
            failed = None
        except (ValueError, SystemError) as err:  # NumPy's own where a character is none
            failed = err
    assert time.monotonic() - start < case["max_seconds"]
    if case["must"] == "error" and case["id"] != "zip-npy-as-npz":  # an array is what `load` reads, too
        assert failed is not None
    if case["must"] == "ok":
        assert failed is None, failed
        expected = case.get("members", {})
        found = {"": value} if case["kind"] == "npy" else value
        assert set(found) == set(expected)
        for name, member in expected.items():
            array = found[name]
            assert (list(array.shape), array.dtype) == (member["shape"], np.dtype(member["descr"]))
            assert array.ravel().tolist() == member["data"]


def test_no_memory_for_a_claim() -> None:
    """All hostile files together in one process of little memory, but for the gigabyte that is there."""
    program = """
import sys, warnings
sys.path.insert(0, sys.argv[1])
import resource, numpy, npz
from test_corpus import DATA, HOSTILE, everything
warnings.simplefilter("ignore")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for case in HOSTILE:
    if case["id"] != "bomb-zeros-1g":
        try:
            everything(npz.load(DATA / "hostile" / case["path"], verify=True))
        except (ValueError, SystemError):
            pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    found = subprocess.run(
        [sys.executable, "-c", program, str(DATA.parents[1] / "python" / "tests")], capture_output=True, text=True, check=True
    )
    assert int(found.stdout) < 64 << 10
