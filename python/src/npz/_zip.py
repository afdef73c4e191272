r"""The archive: its directory, where each member lies, and the bytes of a member.

::

    PK\3\4 x.npy .. | PK\3\4 y.npy .. | PK\1\2 x.npy, y.npy | PK\5\6
                                        read on opening

A damaged entry is an error for who asks for that member; the others stay readable.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _npy
from ._error import Error

_LOCAL = struct.Struct("<4sBxHHIIIIHH")
_CENTRAL = struct.Struct("<4sHBxHHIIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR = struct.Struct("<4sIQI")

_WIDE = 0xFFFFFFFF
_ENCRYPTED, _DESCRIPTOR, _PATCH, _UTF8 = 0x2041, 1 << 3, 1 << 5, 1 << 11
_MEANING = _ENCRYPTED | _DESCRIPTOR | _PATCH | _UTF8
# Version 6.3 of the format is the last one.
_LATEST = 63
# Deflate makes at most 258 bytes of two bits.
_RATIO = 1032
_CHUNK = 256 << 10


class Member:
    """What the directory says of a member."""

    __slots__ = ("name", "flags", "method", "crc", "compressed", "size", "offset", "limit", "fault")

    def __init__(self, name: str, fields: tuple[int, ...], fault: str) -> None:
        self.name = name
        self.flags, self.method, self.crc, self.compressed, self.size, self.offset = fields
        # Where the next one starts.
        self.limit = 0
        # What is wrong with the entry itself.
        self.fault = fault

    @property
    def is_json(self) -> bool:
        return self.name.endswith(".json")

    @property
    def key(self) -> str:
        """What NumPy calls it, without one ``.npy``; a JSON text answers to its name without ``.json``."""
        return self.name[: -len(".json")] if self.is_json else self.name.removesuffix(".npy")


class Archive:
    """A mapped archive and its members, in the order of the directory."""

    def __init__(self, path: str, data: mmap.mmap, verify: bool, max_header: int) -> None:
        self.path = path
        self.data = data
        self.verify = verify
        self.max_header = max_header
        count, start, size = _find_directory(data)
        self.members = _read_directory(data, count, start, size)
        _set_limits(self.members, start)

    def value(self, member: Member) -> Any:
        """An array, what a JSON text says, or the bytes of anything else."""
        try:
            return self._value(member)
        except Error as err:
            raise err if err.member else Error(str(err), member.key) from None

    def header(self, member: Member) -> _npy.Header | None:
        """The header of an array, without its data; ``None`` for another member."""
        try:
            start = self._head(member)
            return _npy.parse(start, self.max_header) if start[:6] == _npy.MAGIC else None
        except Error as err:
            raise Error(str(err), member.key) from None

    def raw(self, member: Member) -> bytes | memoryview:
        """The bytes as they are."""
        try:
            start = self._locate(member)
            if member.method == 0:
                return self._stored(member, start)
            return b"".join(self._inflate(member, start))
        except Error as err:
            raise Error(str(err), member.key) from None

    def _value(self, member: Member) -> Any:
        start = self._head(member)
        if start[:6] == _npy.MAGIC:
            return self._array(member, _npy.parse(start, self.max_header))
        if member.name.endswith(".npy"):
            raise Error(f"found {start[:6]!r}, expected an array, which starts with {_npy.MAGIC!r}")
        data = bytes(self.raw(member))
        if not member.is_json:
            return data
        import json

        try:
            return json.loads(data)
        except (ValueError, RecursionError) as err:
            raise Error(f"found a text that is no JSON: {err}") from None

    def _array(self, member: Member, header: _npy.Header) -> NDArray[Any]:
        if header.length + header.data_size != member.size:
            raise Error(
                f"found {member.size - header.length} bytes of data, expected the {header.data_size} of "
                f"{header.dtype} and the shape {header.shape}"
            )
        start = self._locate(member)
        if member.method == 0:
            if self.verify:
                self._stored(member, start)
            return header.over(self.data, start + header.length)
        # No bare claim: so much can be inflated from the bytes there are, and memory is only taken as it is filled.
        filled, skip = 0, header.length
        data = np.empty(header.data_size, np.uint8)
        for chunk in self._inflate(member, start):
            piece = chunk[skip:]
            skip = max(0, skip - len(chunk))
            data[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
            filled += len(piece)
        return header.over(data, 0)

    def _head(self, member: Member) -> bytes:
        """Enough of a member for the header of an array."""
        most = self.max_header + 12
        start = self._locate(member)
        if member.method == 0:
            return self.data[start : start + min(member.size, most)]
        head = b""
        for chunk in self._inflate(member, start):
            head += chunk
            if len(head) >= most:
                break
        return head[:most]

    def _stored(self, member: Member, start: int) -> memoryview:
        data = memoryview(self.data)[start : start + member.size]
        if self.verify:
            _check_crc(member, zlib.crc32(data))
        return data

    def _inflate(self, member: Member, start: int) -> Iterator[bytes]:
        """Pieces of the data; an error behind the last one if they are not what the headers say."""
        inflater = zlib.decompressobj(-15)
        at, end = start, start + member.compressed
        rest, crc, total = b"", 0, 0
        while not inflater.eof:
            if not rest:
                rest = self.data[at : min(at + _CHUNK, end)]
                at += len(rest)
            ends = not rest
            try:
                chunk = inflater.decompress(rest, _CHUNK)
            except zlib.error as err:
                raise Error(f"found damaged data: {err}") from None
            rest = inflater.unconsumed_tail
            total += len(chunk)
            if total > member.size:
                raise Error(f"found more data than the {member.size} bytes announced")
            crc = zlib.crc32(chunk, crc)
            if chunk:
                yield chunk
            elif ends:
                raise Error("found compressed data that is cut off")
        if total != member.size or at < end or inflater.unused_data:
            raise Error(f"found {total} bytes of data, expected {member.size} and nothing behind them")
        _check_crc(member, crc)

    def _locate(self, member: Member) -> int:
        """Where the data starts, once the header before it has been found to agree with the directory."""
        if member.fault:
            raise Error(member.fault)
        data, at = self.data, member.offset
        (signature, _, flags, method, _, crc, compressed, size, name_len, extra_len) = _LOCAL.unpack_from(data, at)
        if signature != b"PK\3\4":
            raise Error(f"found {signature!r} at the offset {at}, expected the header of a member")
        names = at + _LOCAL.size
        start = names + name_len + extra_len
        if start + member.compressed > member.limit:
            raise Error(f"found data up to {start + member.compressed}, expected its end before {member.limit}")
        extra = _zip64(data[names + name_len : start])
        if extra is not None and _WIDE in (size, compressed):
            if len(extra) < 16:
                raise Error("found a zip64 field that is too short")
            wide = struct.unpack_from("<QQ", extra)
            size = wide[0] if size == _WIDE else size
            compressed = wide[1] if compressed == _WIDE else compressed
        name = _decode(data[names : names + name_len], flags)
        pairs: list[tuple[object, object]] = [(name, member.name), (flags & _MEANING, member.flags & _MEANING), (method, member.method)]
        for number, known in zip((crc, compressed, size), (member.crc, member.compressed, member.size)):
            # What a descriptor tells later was not known yet.
            if not (member.flags & _DESCRIPTOR and number == 0):
                pairs.append((number, known))
        for found, expected in pairs:
            if found != expected:
                raise Error(f"found {found!r} in the local header, expected {expected!r} as in the directory")
        if member.flags & _DESCRIPTOR:
            self._check_descriptor(member, start + member.compressed)
        _check_claims(member)
        return int(start)

    def _check_descriptor(self, member: Member, at: int) -> None:
        found = self.data[at : min(at + 24, member.limit)]
        numbers = (member.crc, member.compressed, member.size)
        forms = [struct.pack("<IQQ", *numbers)]
        if max(numbers) <= _WIDE:
            forms.append(struct.pack("<III", *numbers))
        if not any(found.startswith(signature + form) for signature in (b"PK\7\10", b"") for form in forms):
            raise Error("found no descriptor behind the data that agrees with the directory")


def _check_crc(member: Member, found: int) -> None:
    if found != member.crc:
        raise Error(f"found data with the CRC {found:08x}, expected {member.crc:08x}: the data is damaged")


def _check_claims(member: Member) -> None:
    if member.flags & _ENCRYPTED:
        raise Error("found an encrypted member, expected a plain one")
    if member.flags & _PATCH:
        raise Error("found a patch to another file, expected the data itself")
    if member.method not in (0, 8):
        raise Error(f"found the compression method {member.method}, expected 0 (stored) or 8 (deflated)")
    most = member.compressed * (_RATIO if member.method else 1)
    if member.size > most or (member.method == 0 and member.size != member.compressed):
        raise Error(f"found a size of {member.size} bytes for {member.compressed} bytes of data")


def open_mapped(path: str | os.PathLike[str]) -> tuple[str, mmap.mmap]:
    """The whole file, read-only."""
    shown = os.fspath(path)
    with open(shown, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise Error(f"found an empty file, expected an array or an archive: {shown!r}")
        return shown, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _find_directory(data: mmap.mmap) -> tuple[int, int, int]:
    """How many members there are, where the directory starts and how long it is."""
    end = _find_end(data)
    _, disk, first_disk, here, count, size, start, _ = _END.unpack_from(data, end)
    at = end
    at -= _LOCATOR.size
    if at >= 0 and data[at : at + 4] == b"PK\6\7":
        _, on_disk, wide_at, disks = _LOCATOR.unpack_from(data, at)
        if wide_at + _END64.size > at or data[wide_at : wide_at + 4] != b"PK\6\6":
            raise Error("found no zip64 record where its locator points")
        narrow = ((count, 0xFFFF), (size, _WIDE), (start, _WIDE))
        _, length, _, _, disk, first_disk, here, count, size, start = _END64.unpack_from(data, wide_at)
        if length + 12 != at - wide_at:
            raise Error("found a zip64 record that does not end at its locator")
        if any(short not in (unknown, wide) for (short, unknown), wide in zip(narrow, (count, size, start))):
            raise Error("found two ends of the directory that disagree")
        if on_disk or disks > 1:
            disk = 1
        end = wide_at
    if disk or first_disk:
        raise Error("found a part of an archive split over several files")
    if here != count or start + size != end or count * _CENTRAL.size > size:
        raise Error(f"found a directory of {count} members and {size} bytes at {start}, which does not fit the file")
    return count, start, size


def _find_end(data: mmap.mmap) -> int:
    """Where the end record starts whose comment reaches to the last byte."""
    found = -1
    at = data.find(b"PK\5\6", max(0, len(data) - _END.size - 0xFFFF))
    while at >= 0:
        if found >= 0:
            # Python's zipfile takes the last one, whatever comment it claims.
            raise Error("found the end of a directory in the comment of another, expected one end")
        if at + _END.size <= len(data) and _END.unpack_from(data, at)[-1] == len(data) - at - _END.size:
            found = at
        at = data.find(b"PK\5\6", at + 1)
    if found < 0:
        raise Error("found no end of the directory: the archive is cut off, or has something appended")
    return found


def _read_directory(data: mmap.mmap, count: int, start: int, size: int) -> list[Member]:
    members = []
    directory = data[start : start + size]
    at = 0
    for number in range(count):
        if at + _CENTRAL.size > size:
            raise Error(f"found {number} members in the directory, expected {count}")
        (
            signature, _, version, flags, method, _, crc, compressed, length, name_len, extra_len, comment_len, disk, _, _,
            offset,
        ) = _CENTRAL.unpack_from(directory, at)  # fmt: skip
        at += _CENTRAL.size
        name = directory[at : at + name_len]
        extra = directory[at + name_len : at + name_len + extra_len]
        at += name_len + extra_len + comment_len
        if signature != b"PK\1\2" or at > size:
            raise Error(f"found no member {number + 1} of {count} in the directory")
        fault = ""
        try:
            text = _decode(name, flags)
            length, compressed, offset, disk = _widen(extra, length, compressed, offset, disk)
            if disk:
                raise Error("found a part of an archive split over several files")
            if offset + _LOCAL.size > start:
                raise Error(f"found a member at the offset {offset}, expected it before the directory at {start}")
            if version > _LATEST:
                raise Error(f"found a member that needs version {version} of the format, expected at most {_LATEST}")
        except Error as err:
            text, fault = name.decode("utf-8", "replace"), str(err)
        members.append(Member(text, (flags, method, crc, compressed, length, offset), fault))
    if at != size:
        raise Error(f"found {size - at} bytes behind the last member of the directory")
    return members


def _widen(extra: bytes, *narrow: int) -> list[int]:
    """Size, compressed size, offset and disk in 64 bits."""
    wide, at, numbers = _zip64(extra), 0, []
    for number, unknown, form in zip(narrow, (_WIDE, _WIDE, _WIDE, 0xFFFF), "QQQI"):
        if wide is not None and number == unknown:
            try:
                (number,) = struct.unpack_from("<" + form, wide, at)
            except struct.error:
                raise Error("found a zip64 field that is too short") from None
            at += 8
        numbers.append(number)
    return numbers


def _zip64(extra: bytes) -> bytes | None:
    found, at = None, 0
    while len(extra) - at >= 4:
        ident, length = struct.unpack_from("<HH", extra, at)
        at += 4
        if at + length > len(extra) or (ident == 1 and found is not None):
            raise Error("found extra fields that do not fit, or two for zip64")
        if ident == 1:
            found = extra[at : at + length]
        at += length
    # Some tools align with up to three zero bytes.
    if any(extra[at:]):
        raise Error("found bytes behind the last extra field")
    return found


def _decode(name: bytes, flags: int) -> str:
    try:
        text = name.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError:
        raise Error(f"found the name {name!r}, expected UTF-8") from None
    if not text or "\0" in text:
        raise Error(f"found the name {text!r}, expected one without NUL")
    return text


def _set_limits(members: list[Member], directory: int) -> None:
    """Tells every member where the next one starts. Several at one offset have no room at all."""
    following = directory
    at = None
    for member in sorted(members, key=lambda member: member.offset, reverse=True):
        if at is not None and member.offset < at.offset:
            following = min(following, at.offset)
        elif at is not None and member.offset == at.offset:
            at.limit = following = member.offset
        member.limit = following
        at = member
