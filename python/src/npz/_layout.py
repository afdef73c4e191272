"""Python's scalars and sequences as one array, where they can be one.

The rules are those of the Rust side (``src/mapping.md``): numbers and texts of one kind are an array, dataclasses of such and
tuples of several kinds are records, ``None`` among records is a mask. Anything else is a list, one member for each element.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _masks
from ._error import Error

# Deeper nesting could not be an array.
_MAX_AXES = 64
_WIDE = {"u": [("lo", "<u8"), ("hi", "<u8")], "i": [("lo", "<u8"), ("hi", "<i8")]}


def scalar(value: Any) -> NDArray[Any] | None:
    """A single number, text or time; ``None`` for anything else."""
    return None if _kind(value) is None else _array([value]).reshape(())


def sequence(items: Sequence[Any]) -> NDArray[Any] | None:
    """The array that these elements make together, or ``None`` where they are a list."""
    if not items:
        return np.zeros(0) if isinstance(items, list) else None
    present = [item for item in items if item is not None]
    is_tuple = isinstance(items, tuple)
    if any(isinstance(item, tuple) and _has_list(item) for item in (items, *present)):
        # Tuples of sequences are no axis, whatever the lengths are.
        return None
    if any(_is_record(item) for item in present):
        return None if is_tuple else _records(items)
    if len(present) == len(items):
        return _nested(items)
    if is_tuple or not present:
        return None
    if any(isinstance(item, list) for item in present):
        return None
    values = _nested(present)
    if values is None:
        return None
    if values.ndim == 1:
        raise Error("found None among scalars, expected a numpy.ma array, or NaN")
    there = np.array([item is not None for item in items])
    return _masks.columns([("value", _spaced(values, there)), ("?", there)], there.shape)


# What numbers and texts of Python are in NumPy.
_KINDS: tuple[tuple[Any, str], ...] = (
    (enum.Enum, "U"),
    (str, "U"),
    (bool, "|b1"),
    (int, "<i8"),
    (float, "<f8"),
    (complex, "<c16"),
    (timedelta, "<m8[ns]"),
    ((bytes, bytearray, memoryview), "V"),
)


def _kind(value: Any) -> str | None:
    """What has to be the same for values to be elements of one array."""
    if isinstance(value, np.generic):
        dtype = value.dtype
        return str(dtype) if dtype.names is not None else dtype.kind if dtype.kind in "US" else dtype.str
    return next((kind for types, kind in _KINDS if isinstance(value, types)), None)


def _nested(items: Sequence[Any]) -> NDArray[Any] | None:
    """Scalars, or rows of equal lengths of them."""
    shape = [len(items)]
    leaves = list(items)
    has_tuples, is_ragged = isinstance(items, tuple), False
    while leaves and all(isinstance(leaf, (list, tuple)) for leaf in leaves):
        if len(shape) == _MAX_AXES:
            raise Error(f"found more than {_MAX_AXES} lists in each other")
        is_ragged = is_ragged or len({len(leaf) for leaf in leaves}) > 1
        has_tuples = has_tuples or any(isinstance(leaf, tuple) for leaf in leaves)
        shape.append(len(leaves[0]))
        leaves = [item for leaf in leaves for item in leaf]
    kinds = {_kind(leaf) for leaf in leaves}
    if None in kinds:
        return None
    if len(kinds) > 1 and not has_tuples:
        leaves, kinds = _joined(leaves, kinds)
    if len(kinds) > 1:
        return None
    if is_ragged:
        raise Error("found rows of unequal lengths, expected equal ones (use npz.Ragged)")
    return _array(leaves).reshape(shape) if leaves else np.zeros(shape)


def _joined(leaves: list[Any], kinds: set[str | None]) -> tuple[list[Any], set[str | None]]:
    """Mixed integers as one kind, integers and floats as floats where that is exact; others as they are."""
    if not all(kind is not None and kind[1:2] in ("i", "u", "f") and int(kind[2:]) <= 8 for kind in kinds):
        return leaves, kinds
    if not any(kind is not None and kind[1] == "f" for kind in kinds):
        return [int(leaf) for leaf in leaves], {"<i8"}
    if all(isinstance(leaf, (float, np.floating)) or _is_exact(int(leaf)) for leaf in leaves):
        return [float(leaf) for leaf in leaves], {"<f8"}
    return leaves, kinds


def _is_exact(number: int) -> bool:
    try:
        return int(float(number)) == number
    except OverflowError:
        return False


def _array(leaves: Sequence[Any]) -> NDArray[Any]:
    """Scalars of one kind, in one row."""
    kind = _kind(leaves[0])
    if kind == "U":
        texts = [leaf.name if isinstance(leaf, enum.Enum) else str(leaf) for leaf in leaves]
        for text in texts:
            if text.endswith("\0"):
                raise Error("found a text that ends in NUL, expected bytes")
            if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
                raise Error("found half a surrogate pair in a text, expected Unicode")
        return np.array(texts)
    if kind == "<i8":
        return _integers([int(leaf) for leaf in leaves])
    if isinstance(leaves[0], timedelta):
        nanoseconds = [leaf // timedelta(microseconds=1) * 1000 for leaf in leaves]
        if any(abs(count) >= 2**63 for count in nanoseconds):
            raise Error("found a time beyond the 292 years of nanoseconds in 64 bits (use numpy.timedelta64)")
        return np.array(nanoseconds, "<i8").view("<m8[ns]")
    if kind == "V":
        raw = [bytes(leaf) for leaf in leaves]
        if len({len(piece) for piece in raw}) > 1 or not raw[0]:
            raise Error("found bytes of unequal lengths or none, expected equal ones (use npz.Ragged)")
        return np.frombuffer(b"".join(raw), f"V{len(raw[0])}")
    return np.array(leaves)


def _integers(numbers: list[int]) -> NDArray[Any]:
    least, most = min(numbers), max(numbers)
    for dtype in (np.int64, np.uint64):
        info = np.iinfo(dtype)
        if info.min <= least and most <= info.max:
            return np.array(numbers, dtype)
    if least < -(2**127) or most >= 2**128 or (least < 0 and most >= 2**127):
        raise Error("found an integer of more than 128 bits")
    wide = np.zeros(len(numbers), _WIDE["i" if least < 0 else "u"])
    wide["lo"] = [number & (2**64 - 1) for number in numbers]
    wide["hi"] = [number >> 64 for number in numbers]
    return wide


def _is_record(value: Any) -> bool:
    if isinstance(value, tuple) and value:
        kinds = {_kind(item) for item in value}
        return len(kinds) > 1 and not any(isinstance(item, (list, dict)) for item in value)
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(value: Any) -> dict[str, Any]:
    if isinstance(value, tuple):
        return {f"f{index}": item for index, item in enumerate(value)}
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _records(items: Sequence[Any]) -> NDArray[Any] | None:
    """One record for each dataclass or tuple, where all fields are of fixed size."""
    present = [_fields(item) for item in items if item is not None and _is_record(item)]
    there = np.array([item is not None for item in items])
    names = list(present[0])
    if len(present) != there.sum() or len({type(item) for item in items if item is not None}) > 1:
        return None
    if not names or any(list(fields) != names for fields in present):
        return None
    parts = []
    for name in names:
        column = [fields[name] for fields in present]
        known = np.array([value is not None for value in column])
        values = _column([value for value in column if value is not None])
        if values is None:
            return None
        parts.append((name, _spaced(values, known)))
        if not known.all() and known.any():
            parts.append((name + "?", known))
    records = _masks.columns(parts, (len(present),))
    if there.all():
        return records
    parts = [(name, _spaced(records[name], there)) for name in records.dtype.names or ()]
    return _masks.columns([*parts, ("?", there)], (len(items),))


def _spaced(values: NDArray[Any], there: NDArray[np.bool_]) -> NDArray[Any]:
    """The values at the places where there are any, what stands for none at the others."""
    if there.all():
        return values
    spaced = np.zeros(there.shape + values.shape[1:], values.dtype)
    if math.prod(spaced.shape) and values.dtype.itemsize:
        spaced[:] = _masks.null(values.dtype)
        spaced[there] = values
    return spaced


def _column(values: list[Any]) -> NDArray[Any] | None:
    """The values of one field."""
    if not values:
        return np.zeros(0, "V0")
    if any(_is_record(value) for value in values):
        return _records(values)
    if any(_has_list(value) for value in values):
        return None
    return _nested(values)


def _has_list(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, tuple) and any(map(_has_list, value)))
