"""Values that may be missing: ``numpy.ma`` on this side, bools that say "it is there" in the file.

::

    x/values, x/values?                                 a masked array
    [('t', '<f8'), ('temp', '<f4'), ('temp?', '|b1')]   a masked array of records, whose field temp may be missing
    [('t', '<f8'), ('?', '|b1')]                        one whose records may be missing as a whole
    [('value', '<u4', (3,)), ('?', '|b1')]              a masked array of shape (n, 3)

Where more than one of these could be written, the dtype remembers which one was read, in its ``metadata``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._error import Error

_KEY = "npz"

# Not all of it is typed.
_ma: Any = np.ma


def _remember(dtype: np.dtype[Any], layout: object) -> np.dtype[Any]:
    return np.dtype(dtype, metadata={_KEY: layout})


def _remembered(dtype: np.dtype[Any]) -> Any:
    metadata: Any = dtype.metadata
    return metadata.get(_KEY) if metadata else None


# Reading


def of_members(values: NDArray[Any], there: NDArray[Any]) -> Any:
    """The masked array of two members, or ``None`` where they do not fit each other."""
    axes = there.ndim
    if there.dtype != np.bool_ or values.shape[:axes] != there.shape or values.dtype.itemsize == 0:
        return None
    if values.dtype.names is not None:
        values = values.view(_remember(values.dtype, ()))
    elif axes < values.ndim:
        values = values.view(_remember(values.dtype, axes))
    mask = np.zeros(values.shape, _ma.make_mask_descr(values.dtype))
    _spread(mask, ~there)
    return _ma.MaskedArray(values, mask)


def of_records(records: NDArray[Any]) -> Any:
    """Records without the fields that are masks, masked by them; records that have none as they are."""
    dtype = _without_masks(records.dtype)
    if dtype == records.dtype:
        return records
    mask_dtype: np.dtype[Any] = _ma.make_mask_descr(dtype)
    if mask_dtype.itemsize > dtype.itemsize:
        # A claim of any number of fields or elements without a byte.
        return records
    values = records.view(dtype)
    mask = np.zeros(values.shape, mask_dtype)
    _fill_mask(records, mask)
    if dtype.names == ("value",) and _remembered(dtype) == ("?",):
        values, mask = values["value"], mask["value"]
        values = values.view(_remember(values.dtype, "?"))
    return _ma.MaskedArray(values, mask)


def _masks(dtype: np.dtype[Any]) -> tuple[str, ...]:
    """The names of the fields that are masks of others."""
    names = dtype.names or ()
    bools = {name for name in names if name.endswith("?") and dtype[name] == np.bool_}
    return tuple(
        name for name in names
        if name in bools and (name[:-1] in set(names) - bools if name != "?" else name == names[-1] != names[0])
    )  # fmt: skip


def _without_masks(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        clean = _without_masks(base)
        return dtype if clean == base else np.dtype((clean, shape))
    if dtype.names is None or dtype.fields is None:
        return dtype
    masks = _masks(dtype)
    names = [name for name in dtype.names if name not in masks]
    formats = [_without_masks(dtype[name]) for name in names]
    if not masks and all(clean == dtype[name] for clean, name in zip(formats, names)):
        return dtype
    offsets = [dtype.fields[name][1] for name in names]
    clean = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": dtype.itemsize})
    return _remember(clean, masks)


def _fill_mask(records: NDArray[Any], mask: NDArray[Any]) -> None:
    masks = _masks(records.dtype)
    for name in mask.dtype.names or ():
        if records[name].dtype.names is not None:
            _fill_mask(records[name], mask[name])
        for there in (name + "?", "?"):
            if there in masks:
                _spread(mask[name], ~np.asarray(records[there]))


def _spread(mask: NDArray[Any], missing: Any) -> None:
    """Masks all of each element that is missing."""
    if mask.dtype.names is not None:
        for name in mask.dtype.names:
            _spread(mask[name], missing)
        return
    missing = np.asarray(missing)
    mask |= missing.reshape(missing.shape + (1,) * (mask.ndim - missing.ndim))


# Writing


def to_write(array: Any) -> NDArray[Any] | dict[str, NDArray[Any]]:
    """One array of records with masks, or the two members ``values`` and ``values?``."""
    values, mask = np.asarray(_ma.getdata(array)), _ma.getmaskarray(array)
    layout = _remembered(values.dtype)
    if values.dtype.names is not None:
        missing = _missing(mask, values.ndim)
        if layout == () and np.array_equal(missing, _missing(mask, values.ndim, np.logical_or)):
            return {"values": filled(values, missing), "values?": ~missing}
        return _with_masks(values, mask, np.zeros(values.shape, np.bool_))
    axes = layout if isinstance(layout, int) else 1 if layout == "?" else values.ndim
    missing = _missing(mask, min(axes, values.ndim))
    if not np.array_equal(missing, _missing(mask, missing.ndim, np.logical_or)):
        layout, missing = None, mask
    values = filled(values, missing)
    if layout == "?":
        return columns([("value", values), ("?", ~missing)], missing.shape)
    return {"values": values, "values?": ~missing}


def _missing(mask: NDArray[Any], axes: int, join: Any = np.logical_and) -> NDArray[np.bool_]:
    """Which elements are masked with all there is of them; with ``np.logical_or``, with anything."""
    if mask.dtype.names is not None:
        parts = [_missing(mask[name], axes, join) for name in mask.dtype.names]
        if not parts:
            return np.zeros(mask.shape[:axes], np.bool_)
        return np.asarray(join.reduce(parts, axis=0), np.bool_)
    return np.asarray(join.reduce(mask, axis=tuple(range(axes, mask.ndim))), np.bool_)


def _with_masks(values: NDArray[Any], mask: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """Records with their masks; elements ``known`` to be missing need none."""
    names = values.dtype.names or ()
    axes = values.ndim
    wanted = _remembered(values.dtype)
    whole = _missing(mask, axes)
    partly = _missing(mask, axes, np.logical_or) & ~known
    if wanted is None or any(
        name + "?" not in wanted and (_missing(mask[name], axes) & ~known & ~(whole & ("?" in wanted))).any()
        for name in names
    ):
        # What was read does not tell how, or cannot hold what is masked now.
        each = partly.any() and np.array_equal(partly & whole, partly)
        wanted = ("?",) if each else [name + "?" for name in names if (_missing(mask[name], axes) & ~known).any()]
    parts = []
    for name in names:
        missing = _missing(mask[name], axes)
        if values.dtype[name].names is not None:
            part = _with_masks(values[name], mask[name], missing | known)
        else:
            if not np.array_equal(missing, _missing(mask[name], axes, np.logical_or)):
                raise Error(f"found a mask over a part of the field {name!r}, expected all of it or nothing")
            part = filled(values[name], missing)
        parts.append((name, part))
        if name + "?" in wanted:
            parts.append((name + "?", ~missing & ~known))
    if "?" in wanted:
        parts.append(("?", ~whole & ~known))
    return columns(parts, values.shape)


def columns(parts: list[tuple[str, NDArray[Any]]], shape: tuple[int, ...]) -> NDArray[Any]:
    """Records of these fields, one behind the other."""
    fields = []
    for name, part in parts:
        axes = part.shape[len(shape) :]
        fields.append((name, part.dtype, axes) if axes else (name, part.dtype))
    if len({field[0] for field in fields}) != len(fields):
        raise Error("found the field of a record that has the name of another one's mask")
    records = np.zeros(shape, np.dtype(fields))
    for name, part in parts:
        if part.dtype.itemsize:
            records[name] = part
    return records


def filled(values: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
    """A copy with NaN, NaT, 0, False or an empty text where a value is missing."""
    # What the dtype remembers stays behind; `np.array` of NumPy 1.26 would keep it.
    copy = np.empty(values.shape, _plain(values.dtype))
    if copy.nbytes:
        copy[...] = values
    if missing.any():
        copy[missing] = null(copy.dtype)
    return copy


def _plain(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.names is not None:
        return np.dtype([(name, _plain(dtype[name])) for name in dtype.names])
    if dtype.subdtype is not None:
        return np.dtype((_plain(dtype.subdtype[0]), dtype.subdtype[1]))
    return np.dtype(dtype.str) if dtype.metadata else dtype


def null(dtype: np.dtype[Any]) -> NDArray[Any]:
    """What stands in the place of a value that is missing."""
    value = np.zeros((), dtype)
    if dtype.names is not None:
        for name in dtype.names:
            value[name] = null(dtype[name].base)
    elif dtype.kind == "f":
        value[()] = np.nan
    elif dtype.kind == "c":
        value[()] = complex(np.nan, np.nan)
    elif dtype.kind in "mM":
        value[()] = "NaT"
    return value
