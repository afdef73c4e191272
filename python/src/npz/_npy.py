r"""One array: the header before its data, read and written.

::

    \x93NUMPY  version  length  {'descr': '<f8', 'fortran_order': False, 'shape': (3,), }  data
"""

from __future__ import annotations

import ast
import math
import re
import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._error import Error

MAGIC = b"\x93NUMPY"
# What NumPy evaluates without being asked for more.
MAX_HEADER = 10_000
# Room for the first axis to grow to any length, as NumPy leaves it.
GROWTH = 21

# A number of Python 2, outside of texts.
_LONG = re.compile(r"""('[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")|(?<=\d)\s*L\b""")


class Header(NamedTuple):
    """What stands before the data, and how many bytes that takes."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool
    length: int

    @property
    def data_size(self) -> int:
        """How many bytes of data there have to be."""
        return math.prod(self.shape) * self.dtype.itemsize

    def over(self, buffer: Any, offset: int) -> NDArray[Any]:
        """The array whose data starts at ``offset`` of the buffer; nothing is copied, and it cannot be written to."""
        try:
            array: NDArray[Any] = np.ndarray(
                self.shape, self.dtype, buffer, offset, order="F" if self.fortran_order else "C"
            )
        except (TypeError, ValueError, MemoryError) as err:
            raise Error(f"found the shape {self.shape}: {err}") from None
        array.flags.writeable = False
        return array


def parse(start: bytes, max_header: int = MAX_HEADER) -> Header:
    """Reads the header at the start of these bytes, of which there have to be enough."""
    if start[:6] != MAGIC:
        raise Error(f"found {start[:6]!r}, expected an array, which starts with {MAGIC!r}")
    if len(start) < 12:
        raise Error("found the end of the data in the header")
    version = (start[6], start[7])
    if version == (1, 0):
        length, begin, encoding = struct.unpack_from("<H", start, 8)[0], 10, "latin-1"
    elif version in ((2, 0), (3, 0)):
        length, begin = struct.unpack_from("<I", start, 8)[0], 12
        encoding = "latin-1" if version[0] == 2 else "utf-8"
    else:
        raise Error(f"found version {version[0]}.{version[1]}, expected 1.0, 2.0 or 3.0")
    if length > max_header:
        raise Error(f"found a header of {length} bytes, expected at most {max_header} (use max_header_size)")
    if begin + length > len(start):
        raise Error(f"found a header of {length} bytes, expected at most the {len(start) - begin} there are")
    try:
        text = start[begin : begin + length].decode(encoding)
    except UnicodeDecodeError:
        raise Error("found a header that is not UTF-8") from None
    if text.endswith("\r"):
        raise Error("found a header whose end of line was translated: the data is damaged, too")
    dtype, shape, fortran_order = _checked(_literal(text, version[0] < 3))
    return Header(dtype, shape, fortran_order, begin + length)


def _literal(text: str, may_be_python_2: bool) -> Any:
    try:
        try:
            return ast.literal_eval(text)
        except SyntaxError:
            if not may_be_python_2:
                raise
            return ast.literal_eval(_LONG.sub(r"\1", text))
    # Deep nesting ends in any of these.
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as err:
        raise Error(f"found a header that is no literal: {type(err).__name__}") from None


def _checked(found: Any) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    if not isinstance(found, dict) or set(found) != {"descr", "fortran_order", "shape"}:
        raise Error("found another header than a dict with descr, fortran_order and shape")
    descr, fortran_order, shape = found["descr"], found["fortran_order"], found["shape"]
    if type(fortran_order) is not bool:
        raise Error(f"found the order {fortran_order!r}, expected True or False")
    if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)):
        raise Error(f"found the shape {shape!r}, expected a tuple of lengths")
    if descr is None:
        # `np.dtype(None)` is <f8.
        raise Error("found no dtype")
    try:
        _check_widths(descr)
        dtype = np.lib.format.descr_to_dtype(descr)  # type: ignore[no-untyped-call, unused-ignore]
    except Exception as err:  # whatever NumPy makes of it
        raise Error(f"found the dtype {str(descr)[:80]!r}, which NumPy does not take: {err}") from None
    if dtype.hasobject or dtype.kind == "T":
        raise Error("found Python objects, which are a pickle; no pickle is ever read")
    return dtype, shape, fortran_order


def _check_widths(descr: Any) -> None:
    """Refuses what NumPy 1.26 counts in 32 bits without looking."""
    if isinstance(descr, (list, tuple)):
        for part in descr:
            _check_widths(part)
    elif isinstance(descr, str):
        width = re.fullmatch(r"[<>|=]?[SUVa](-?\d+)", descr)
        if width and not 0 <= int(width[1]) * (4 if "U" in descr else 1) < 2**31:
            raise ValueError("such a width is not possible")


def as_bytes(array: NDArray[Any]) -> tuple[bytes, memoryview]:
    """The header and the data as ``np.save`` writes them.

    >>> header, data = as_bytes(np.zeros(3))
    >>> len(header), len(data)
    (128, 24)
    """
    dtype = array.dtype
    if dtype.hasobject or dtype.kind == "T":
        raise Error("found Python objects, expected an array of numbers, texts, times or records of them")
    fortran_order = array.flags.f_contiguous and not array.flags.c_contiguous
    descr = np.lib.format.dtype_to_descr(dtype)  # type: ignore[no-untyped-call, unused-ignore]
    shape = array.shape
    text = "{" + f"'descr': {descr!r}, 'fortran_order': {fortran_order!r}, 'shape': {shape!r}, " + "}"
    if shape:
        text += " " * (GROWTH - len(repr(shape[-1 if fortran_order else 0])))
    if array.nbytes == 0:
        return _header(text), memoryview(b"")
    rows = np.ascontiguousarray(array.T if fortran_order else array).reshape(-1)
    return _header(text), rows.view(np.ndarray).view(np.uint8).data


def _header(text: str) -> bytes:
    try:
        encoded, version = text.encode("latin-1"), 1
    except UnicodeEncodeError:
        encoded, version = text.encode(), 3
    while True:
        form, start = ("<H", 10) if version == 1 else ("<I", 12)
        # Never 0: NumPy does so too.
        padding = 64 - (start + len(encoded) + 1) % 64
        size = len(encoded) + padding + 1
        if version > 1 or size <= 0xFFFF:
            break
        version = 2
    return MAGIC + bytes([version, 0]) + struct.pack(form, size) + encoded + b" " * padding + b"\n"
