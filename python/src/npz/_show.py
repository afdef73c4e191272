"""What a group looks like: the tree with dtypes, shapes and sizes, from headers alone."""

from __future__ import annotations

import html as escaping
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ._error import Error

if TYPE_CHECKING:
    from ._tree import Group

_MAX_LINES = 100

Row = tuple[int, str, str, str, str]


def text(group: Group) -> str:
    """The tree for a terminal."""
    rows = [("  " * depth + _plain(name), *cells) for depth, name, *cells in _rows(group)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in rows]
    return "\n".join([_title(group), *("  " + line.rstrip() for line in lines)])


def html(group: Group) -> str:
    """The tree for a notebook."""
    lines = []
    for depth, *cells in _rows(group):
        name, *others = map(escaping.escape, cells)
        style = f"text-align: left; padding-left: {depth + 0.5}em"
        lines.append(f'<tr><td style="{style}">{name}</td>' + "".join(f"<td>{cell}</td>" for cell in others) + "</tr>")
    head = "<tr><th>name</th><th>dtype</th><th>shape</th><th>size</th></tr>"
    return f"<table><caption>{escaping.escape(_title(group))}</caption>{head}{''.join(lines)}</table>"


def _title(group: Group) -> str:
    within = f"{group._name!r} in " if group._name else ""
    return f"npz.Group of {len(group)} from {within}{group._archive.path!r}"


def _plain(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _rows(group: Group) -> Iterator[Row]:
    left = _MAX_LINES
    for row in _all_rows(group, 0):
        if left == 0:
            yield (0, "..", "", "", "")
            return
        left -= 1
        yield row


def _all_rows(group: Group, depth: int) -> Iterator[Row]:
    from ._tree import Group

    for name, child in group._nested().items():
        if isinstance(child, Group):
            yield (depth, name, "", "", "")
            yield from _all_rows(child, depth + 1)
        elif isinstance(child, list):
            yield (depth, name, "comes twice", "", "")
        else:
            try:
                header = group._archive.header(child)
            except Error:
                yield (depth, name, "damaged or refused", "", "")
                continue
            if header is None:
                yield (depth, name, "json" if child.is_json else "bytes", "", _size(child.size))
                continue
            dtype = header.dtype
            shown = str(dtype.descr) if dtype.names is not None else dtype.str
            if len(shown) > 60:
                shown = shown[:57] + ".."
            if dtype == "V0" and header.shape in ((), (0,)):
                yield (depth, name, "None" if header.shape == () else "empty", "", "")
            else:
                yield (depth, name, shown, str(header.shape), _size(header.data_size))


def _size(count: int) -> str:
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}" if unit != "B" else f"{count} B"
