r"""A tree to an archive: the bytes are those that the Rust side writes for the same value.

::

    PK\3\4  x.npy  sizes  padding     so that the array starts at a multiple of 64
    \x93NUMPY .. header | data
    PK\1\2  x.npy  sizes, CRC, offset
    PK\5\6
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import secrets
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from . import _layout, _masks, _npy
from ._error import Error
from ._tree import Group, Ragged

_MAX_GROUPS = 64
_MAX_NAME = 65_504
# What Python's zipfile still writes in 32 bits.
_MOST_NARROW = (1 << 31) - 1
_WIDE = 0xFFFFFFFF
_ALIGNMENT = 64
_VERSION, _UNIX, _MODE, _DATE = 45, 3 << 8 | 45, 0o100644 << 16, 0x21

Pieces = tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Json:
    """A value that is written as one JSON text, the member ``x.json``; `load` parses it.

    >>> import npz
    >>> npz.load(npz.save("run", {"settings": npz.Json({"rate": 0.5, "tags": ["a"]})})).settings
    {'rate': 0.5, 'tags': ['a']}
    """

    value: Any


def save(path: str | os.PathLike[str], tree: Any, *, durable: bool = False) -> str:
    """Writes a dict or dataclass of arrays, numbers, texts, lists and more of these; returns the path.

    ``.npz`` is appended where the path lacks it. The file appears as a whole or not at all, in the place of one that was
    there; with ``durable=True`` it is on the disk when this returns. Nothing is compressed.

    ============================================  ==========================================================
    arrays, numbers, ``str``, ``bytes``           an array; ``bytes`` are ``|u1``
    a list of numbers, texts, equal rows          an array
    a list of dataclasses of these, of tuples     an array of records, ``None`` in it masked
    a list of anything else, of arrays            ``x/0``, ``x/1``, ..
    a dict, a dataclass, a `Group`                ``x/name``; ``None`` in a dataclass is left out
    ``None``                                      a marker
    ``numpy.ma`` arrays                           ``x/values`` and ``x/values?``; records with masks
    `Ragged`, `Json`                              ``x/values`` and ``x/offsets``; ``x.json``
    ============================================  ==========================================================

    >>> import npz
    >>> npz.save("run", {"time": np.arange(3.0), "label": "first", "parts": [np.ones(2), None]})
    'run.npz'
    >>> list(np.load("run.npz"))
    ['time', 'label', 'parts/0', 'parts/1']

    :raises Error: for a value that has no place in an archive, with its path.
    :raises OSError: where the file cannot be written.
    """
    target = os.fspath(path)
    if not os.path.basename(target):
        raise Error(f"found {target!r}, which names a directory, expected the path of a file")
    if not target.endswith(".npz"):
        target += ".npz"
    with _Replaced(target, durable) as file:
        _write(file, _root(tree))
    return target


def _root(tree: Any) -> Iterator[tuple[str, Pieces]]:
    """All members: their names and bytes."""
    if tree is None:
        return
    if isinstance(tree, tuple) and not hasattr(tree, "_fields"):
        # As `np.savez(file, a, b)`.
        for index, item in enumerate(tree):
            yield from _members(f"arr_{index}", item, 1)
        return
    if isinstance(tree, list) and not isinstance(tree, Ragged):
        if tree and _layout.sequence(tree) is not None:
            raise Error("found one array, expected a dict of them (a lone array is for np.save)")
        for index, item in enumerate(tree):
            yield from _members(str(index), item, 1)
        return
    if not isinstance(tree, (Mapping, Ragged, np.ma.MaskedArray)) and not _is_struct(tree):
        raise Error(f"found {type(tree).__name__}, expected a dict, a dataclass or a list of them")
    yield from _members("", tree, 0)


def _members(path: str, value: Any, depth: int) -> Iterator[tuple[str, Pieces]]:
    if depth > _MAX_GROUPS:
        raise Error(f"found groups nested deeper than {_MAX_GROUPS}", path)
    try:
        laid_out = _lay_out(value)
    except Error as err:
        raise err if err.member else Error(str(err), path) from None
    if isinstance(laid_out, np.ndarray):
        try:
            yield path + ".npy", _npy.as_bytes(laid_out)
        except Error as err:
            raise Error(str(err), path) from None
    elif isinstance(laid_out, bytes):
        yield path + ".json", (laid_out,)
    elif isinstance(laid_out, Group):
        yield from _copied(path, laid_out)
    else:
        if not laid_out and path:
            yield path + ".npy", _npy.as_bytes(np.zeros(0, "V0"))
        for name, item in laid_out.items():
            yield from _members(f"{path}/{name}" if path else name, item, depth + 1)


def _lay_out(value: Any) -> NDArray[Any] | bytes | Group | dict[str, Any]:
    """An array, a JSON text, or values by name."""
    if value is None or (isinstance(value, tuple) and not value):
        return np.zeros((), "V0")
    if isinstance(value, Group):
        return value
    if isinstance(value, np.ma.MaskedArray):
        return _masks.to_write(value)
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return np.frombuffer(bytes(value), np.uint8)
    single = _layout.scalar(value)
    if single is not None:
        return single
    if isinstance(value, Json):
        return _json(value.value)
    if isinstance(value, Ragged):
        return _ragged(value)
    if isinstance(value, Mapping):
        named = {_key(key): item for key, item in value.items()}
        if len(named) != len(value):
            raise Error("found two keys that are the same text")
        return named
    if _is_struct(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: item for name, item in fields.items() if item is not None}
    if isinstance(value, (set, frozenset)):
        value = sorted(value)
    if isinstance(value, (list, tuple)):
        array = _layout.sequence(value)
        return {str(index): item for index, item in enumerate(value)} if array is None else array
    if hasattr(value, "__array__"):
        return np.asarray(value)
    raise Error(f"found {type(value).__name__}, expected arrays, numbers, texts, dicts or lists of them")


def _is_struct(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, (type, Json))


def _key(key: Any) -> str:
    if isinstance(key, enum.Enum):
        text = key.name
    elif isinstance(key, (bool, np.bool_)):
        text = "true" if key else "false"
    elif isinstance(key, (str, int, np.integer)):
        text = str(key)
    else:
        raise Error(f"found a key that is a {type(key).__name__}, expected a text or an integer")
    if not text or "/" in text or "\0" in text:
        raise Error(f"found the key {text!r}, expected one that is not empty, without '/' and NUL (nest dicts instead)")
    return text


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as err:
        raise Error(f"found what is no JSON: {err}") from None


def _ragged(rows: Ragged) -> dict[str, Any]:
    if rows and all(isinstance(row, (str, bytes)) for row in rows):
        parts: list[Any] = [np.frombuffer(row.encode() if isinstance(row, str) else row, np.uint8) for row in rows]
    else:
        parts = [row if isinstance(row, np.ndarray) else _lay_out(row) for row in rows]
        if not all(isinstance(part, np.ndarray) and part.ndim > 0 for part in parts):
            raise Error("found a row that is no array of numbers, texts or records")
        # An empty list takes after the other rows.
        typed = [part for part, row in zip(parts, rows) if len(part) or isinstance(row, np.ndarray)]
        if typed:
            parts = [part if len(part) or isinstance(row, np.ndarray) else typed[0][:0] for part, row in zip(parts, rows)]
    try:
        values = np.concatenate(parts) if parts else np.zeros(0)
    except (TypeError, ValueError) as err:
        raise Error(f"found rows that do not go together: {err}") from None
    lengths = [len(part) for part in parts]
    return {"values": values, "offsets": np.cumsum([0, *lengths], dtype=np.int64)}


def _copied(path: str, group: Group) -> Iterator[tuple[str, Pieces]]:
    """The members of a group that was loaded, as they are."""
    if path and not group._members:
        yield path + ".npy", _npy.as_bytes(np.zeros(0, "V0"))
    for names, member in group._members:
        ending = member.name[len(member.key) :]
        name = "/".join(names[group._depth :])
        yield (f"{path}/{name}" if path else name) + ending, (group._archive.raw(member),)


def _write(file: BinaryIO, members: Iterator[tuple[str, Pieces]]) -> None:
    """Local headers and data, then the directory."""
    offset = 0
    directory = []
    claimed: set[str] = set()
    for name, pieces in members:
        encoded = _checked(name, claimed)
        flags = 0 if name.isascii() else 1 << 11
        size, crc = 0, 0
        for piece in pieces:
            size += len(piece)
            crc = zlib.crc32(piece, crc)
        fields = (_VERSION, flags, 0, 0, _DATE, crc)
        extra = struct.pack("<HHQQ", 1, 16, size, size) + _padding(offset + 30 + len(encoded) + 20)
        local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", *fields, _WIDE, _WIDE, len(encoded), len(extra))
        for piece in (local + encoded + extra, *pieces):
            file.write(piece)
        directory.append(_central(encoded, fields, size, offset))
        offset += len(local) + len(encoded) + len(extra) + size
    central = b"".join(directory)
    file.write(central + _end(len(directory), len(central), offset))


def _checked(name: str, claimed: set[str]) -> bytes:
    key = name.removesuffix(".npy")
    for claim in (key, key.removesuffix(".json")):
        if claim in claimed:
            raise Error("found this name twice", claim)
    claimed |= {key, name.removesuffix(".json") if name.endswith(".json") else key}
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        raise Error("found half a surrogate pair in the name, expected Unicode", key) from None
    if len(encoded) > _MAX_NAME:
        raise Error(f"found a name of {len(encoded)} bytes, expected at most {_MAX_NAME}", key[:80])
    return encoded


def _padding(plain: int) -> bytes:
    """An extra field behind which the data is aligned: none, or with room for its own six bytes."""
    length = -plain % _ALIGNMENT
    if length == 0:
        return b""
    if length < 6:
        length += _ALIGNMENT
    return struct.pack("<HHH", 0xA11E, length - 4, _ALIGNMENT) + bytes(length - 6)


def _central(name: bytes, fields: tuple[int, ...], size: int, offset: int) -> bytes:
    wide = [number for number in (size, size, offset) if number > _MOST_NARROW]
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    narrow = [number if number <= _MOST_NARROW else _WIDE for number in (size, offset)]
    header = struct.pack(
        "<4sHHHHHHIIIHHHHHII",
        b"PK\1\2", _UNIX, *fields, narrow[0], narrow[0], len(name), len(extra), 0, 0, 0, _MODE, narrow[1],
    )  # fmt: skip
    return header + name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    wide = b""
    # 65,535 members count as too many: that number also says to look elsewhere.
    if count >= 0xFFFF or size > _MOST_NARROW or offset > _MOST_NARROW:
        wide = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, _UNIX, _VERSION, 0, 0, count, count, size, offset)
        wide += struct.pack("<4sIQI", b"PK\6\7", 0, offset + size, 1)
    counts = min(count, 0xFFFF)
    return wide + struct.pack(
        "<4sHHHHIIH", b"PK\5\6", 0, 0, counts, counts, min(size, _WIDE), min(offset, _WIDE), 0
    )  # fmt: skip


class _Replaced:
    """A file that is written beside the one it replaces, and takes its name when all of it is there."""

    def __init__(self, path: str, durable: bool) -> None:
        # A link stays one.
        self.target = os.path.realpath(path)
        self.directory = os.path.dirname(self.target)
        self.temporary = os.path.join(self.directory, f".npz-{secrets.token_hex(8)}")
        self.durable = durable

    def __enter__(self) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self.file = os.fdopen(os.open(self.temporary, flags, 0o666), "wb")
        return self.file

    def __exit__(self, kind: object, err: object, trace: object) -> None:
        try:
            if kind is None:
                self._commit()
        except BaseException:
            kind = True
            raise
        finally:
            self.file.close()
            if kind is not None:
                os.unlink(self.temporary)

    def _commit(self) -> None:
        self.file.flush()
        if os.path.exists(self.target):
            os.chmod(self.temporary, stat.S_IMODE(os.stat(self.target).st_mode))
        if self.durable:
            os.fsync(self.file.fileno())
        self.file.close()
        os.replace(self.temporary, self.target)
        if self.durable and os.name == "posix":
            directory = os.open(self.directory, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
