"""Names as groups: an archive as nested mappings and lists.

::

    dt.npy  layers/0/w.npy  layers/1/w.npy  note.json      {"dt": array, "layers": [{"w": array}, {"w": array}], "note": ..}
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _masks, _npy, _show, _zip
from ._error import Error

# More levels than this are no groups: such a name stays whole.
_MAX_GROUPS = 64


def load(path: str | os.PathLike[str], *, verify: bool = False, max_header_size: int = _npy.MAX_HEADER) -> Any:
    """Opens an archive or a lone array, whatever the file is called.

    An archive is a `Group`, or a list where its names are 0, 1, ..; a lone ``.npy`` is the array. The file is mapped: data
    is read when it is looked at, and stays as it is in the file, so arrays cannot be written to. Compressed members are
    inflated each time they are asked for.

    With ``verify=True`` the checksum of a stored member is checked before it is handed out, which reads all of it;
    that of a compressed member always is. A lone ``.npy`` has none.

    >>> import npz
    >>> path = npz.save("run", {"dt": 0.5, "layers": [{"w": np.ones(3)}, {"w": np.ones(4)}]})
    >>> run = npz.load(path)
    >>> float(run["dt"]), run.layers[1].w.shape
    (0.5, (4,))

    :raises Error: for a file that is neither or is damaged; of a damaged member only where it is asked for.
    :raises OSError: where the file cannot be opened.
    """
    shown, data = _zip.open_mapped(path)
    try:
        if data[:6] == _npy.MAGIC:
            return _lone(data, max_header_size)
        if data[:4] not in (b"PK\3\4", b"PK\5\6"):
            raise Error(f"found {data[:6]!r}, expected an array or an archive")
        archive = _zip.Archive(shown, data, verify, max_header_size)
    except Error as err:
        raise Error(f"{shown!r}: {err}") from None
    return _natural(Group(archive, [(_split(member.key), member) for member in archive.members], 0, ""))


def _lone(data: Any, max_header: int) -> NDArray[Any]:
    header = _npy.parse(data[: max_header + 12], max_header)
    if header.length + header.data_size > len(data):
        raise Error(
            f"found {len(data) - header.length} bytes of data, expected the {header.data_size} of "
            f"{header.dtype} and the shape {header.shape}"
        )
    array: NDArray[Any] = _masks.of_records(header.over(data, header.length))
    return array


def _split(key: str) -> tuple[str, ...]:
    names = tuple(key.split("/"))
    # `a//b` and `/a` are names.
    return names if all(names) and len(names) <= _MAX_GROUPS else (key,)


class Ragged(list[Any]):
    """Rows of unequal lengths, written as ``x/values`` and ``x/offsets``; `load` makes such a list of them.

    >>> import npz
    >>> path = npz.save("run", {"tokens": npz.Ragged([[7, 8], [], [9]])})
    >>> npz.load(path).tokens
    Ragged([array([7, 8]), array([], dtype=int64), array([9])])
    """

    def __repr__(self) -> str:
        return f"Ragged({super().__repr__()})"


class Group(Mapping[str, Any]):
    """Members by name, each read when it is asked for.

    A name with ``/`` in it leads into groups, also past lists and masks: ``run["layers/1/w"]`` reads no other layer.

    >>> import npz
    >>> run = npz.load(npz.save("run", {"dt": 0.5, "at": {"x": 1, "y": 2}}))
    >>> list(run), "at/x" in run, int(run.at.y)
    (['dt', 'at'], True, 2)
    >>> run
    npz.Group of 2 from 'run.npz'
      dt   <f8  ()  8 B
      at
        x  <i8  ()  8 B
        y  <i8  ()  8 B
    """

    __slots__ = ("_archive", "_members", "_depth", "_name", "_children")

    def __init__(
        self, archive: _zip.Archive, members: list[tuple[tuple[str, ...], _zip.Member]], depth: int, name: str
    ) -> None:
        self._archive = archive
        self._members = members
        self._depth = depth
        self._name = name
        self._children: dict[str, _Child] | None = None

    def __getitem__(self, name: str) -> Any:
        child = self._find(name)
        if child is None:
            near = difflib.get_close_matches(str(name), self._nested(), 3)
            hint = f", did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise KeyError(f"no member {name!r}{hint}")
        return self._value(child)

    def __iter__(self) -> Iterator[str]:
        return iter(self._nested())

    def __len__(self) -> int:
        return len(self._nested())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") or name in self._nested():
            child = self._find(name)
            if child is not None:
                return self._value(child)
        raise AttributeError(f"no member {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self if name.isidentifier())]

    def __repr__(self) -> str:
        return _show.text(self)

    def _repr_html_(self) -> str:
        return _show.html(self)

    def _value(self, child: _Child) -> Any:
        if isinstance(child, Group):
            return _natural(child)
        if isinstance(child, list):
            names = " and ".join(repr(member.name) for member in child)
            raise Error(f"found {names}, expected one member", child[0].key)
        value = self._archive.value(child)
        if not isinstance(value, np.ndarray):
            return value
        if value.dtype == "V0" and value.shape == ():
            return None
        if value.dtype == "V0" and value.shape == (0,):
            return Group(self._archive, [], 0, child.key)
        return _masks.of_records(value)

    def _find(self, name: str) -> _Child | None:
        found = self._step(name)
        if found is None and isinstance(name, str):
            at: _Child | None = self
            for part in name.split("/"):
                at = at._step(part) if isinstance(at, Group) else None
            found = at
        if found is None and isinstance(name, str) and name.endswith(".npy"):
            return self._find(name.removesuffix(".npy"))
        return found

    def _step(self, name: str) -> _Child | None:
        return self._nested().get(name)

    def _nested(self) -> dict[str, _Child]:
        """The members and groups in this one, a list of members where a key comes twice."""
        if self._children is None:
            self._children = _nest(self)
        return self._children


_Child = _zip.Member | Group | list[_zip.Member]


def _nest(group: Group) -> dict[str, _Child]:
    depth = group._depth
    # A directory that `zip -r` makes an entry for.
    members = [(path, m) for path, m in group._members if not (m.name.endswith("/") and m.size == 0)]
    arrays = {path[depth] for path, _ in members if len(path) == depth + 1}
    children: dict[str, _Child] = {}
    for path, member in members:
        name = path[depth]
        if len(path) > depth + 1 and name not in arrays:
            child = children.get(name)
            if not isinstance(child, Group):
                key = f"{group._name}/{name}" if group._name else name
                child = children[name] = Group(group._archive, [], depth + 1, key)
            child._members.append((path, member))
            continue
        # Members in a group that has the name of an array stay beside it.
        name = "/".join(path[depth:])
        twin = children.get(name)
        if twin is None:
            children[name] = member
        else:
            assert not isinstance(twin, Group)
            children[name] = [*(twin if isinstance(twin, list) else [twin]), member]
    return children


def _natural(group: Group) -> Any:
    """A list, rows, or a masked array where the names say so; else the group."""
    children = group._nested()
    if _is_list(children):
        return [group._value(children[str(number)]) for number in range(len(children))]
    if children.keys() == {"values", "values?"} or children.keys() == {"values", "offsets"}:
        parts = [group._value(child) for child in children.values()]
        if all(isinstance(part, np.ndarray) and not isinstance(part, np.ma.MaskedArray) for part in parts):
            named = dict(zip(children, parts))
            if "offsets" in named:
                found = _ragged(named["values"], named["offsets"])
            else:
                found = _masks.of_members(named["values"], named["values?"])
            return group if found is None else found
    return group


def _is_list(children: Mapping[str, object]) -> bool:
    return len(children) > 0 and all(str(number) in children for number in range(len(children)))


def _ragged(values: NDArray[Any], offsets: NDArray[Any]) -> Ragged | None:
    """The rows, or ``None`` where the offsets do not fit the values."""
    if values.ndim == 0 or offsets.ndim != 1 or offsets.dtype.kind not in "iu" or len(offsets) == 0:
        return None
    if offsets[0] != 0 or offsets[-1] != len(values) or (offsets[1:] < offsets[:-1]).any():
        return None
    ends = offsets.tolist()
    return Ragged(values[start:end] for start, end in zip(ends, ends[1:]))
