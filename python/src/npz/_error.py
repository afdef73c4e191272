"""What goes wrong."""

from __future__ import annotations


class Error(ValueError):
    """A file or member that cannot be read, or a value that cannot be written.

    ``member`` is the key of the member, or the path of the value; empty where the file as a whole is meant.

    >>> import npz
    >>> try:
    ...     npz.save("run", {"x": [[1, 2], [3]]})
    ... except npz.Error as err:
    ...     print(err)
    x: found rows of unequal lengths, expected equal ones (use npz.Ragged)
    """

    def __init__(self, message: str, member: str = "") -> None:
        # Names come from files: control characters in them must not reach a terminal.
        shown = member if member.isprintable() else repr(member)
        super().__init__(f"{shown}: {message}" if member else message)
        self.member = member
