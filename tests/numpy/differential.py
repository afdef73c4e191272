"""Loads a batch of files with np.load and tells of each what it saw: one JSON line a file.

The batch is a sequence of files, each behind its length as four little-endian bytes.
"""

import io
import json
import resource
import struct
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
# A claim of memory is refused like any other lie.
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


def show(x):
    if isinstance(x, np.ndarray):
        return [show(item) for item in x] if x.ndim else show(x[()])
    if isinstance(x, np.void):
        if x.dtype.names is None:
            return list(x.tobytes())
        return [[show(np.str_(name)), show(x[name])] for name in x.dtype.names]
    if isinstance(x, (np.datetime64, np.timedelta64)):
        return int(x.astype("i8"))
    if isinstance(x, np.complexfloating):
        return [show(x.real), show(x.imag)]
    if isinstance(x, np.floating):
        return "nan" if np.isnan(x) else struct.pack(">d", float(x)).hex()
    if isinstance(x, np.bytes_):
        # A text where it is UTF-8.
        try:
            return bytes(x).decode()
        except UnicodeDecodeError:
            return list(bytes(x))
    if isinstance(x, np.str_):
        text = str(x)
        text.encode()
        # NumPy makes texts of characters that Python does not have.
        if max(map(ord, text), default=0) > sys.maxunicode:
            raise ValueError("no character")
        return text
    return x.item()


def array(a):
    if not isinstance(a, np.ndarray):
        return {"raw": list(a)}
    # Rows are shown even where they hold nothing.
    rows = most = 1
    for axis in a.shape:
        rows *= axis
        most = max(most, rows)
    if most > 1 << 16:
        return {"error": "too many rows to show"}
    squeezed = np.atleast_1d(a.squeeze())
    dtype = a.dtype.str if a.dtype.names is None else repr(a.dtype.descr) if a.dtype.names else "[]"
    return {
        "dtype": dtype, "shape": list(a.shape), "values": show(a),
        # The only long axis, or nothing.
        "row": show(squeezed) if squeezed.ndim == 1 and a.dtype.kind in "biufcmM" else None,
    }


def guarded(load):
    try:
        return array(load())
    except BaseException as err:
        return {"error": f"{type(err).__name__}: {err}"[:2000].encode(errors="replace").decode()}


def file(data):
    try:
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
    except BaseException as err:
        return {"error": f"{type(err).__name__}: {err}"[:2000].encode(errors="replace").decode()}
    if isinstance(loaded, np.ndarray):
        return {"lone": guarded(lambda: loaded)}
    members = [[name, guarded(lambda: loaded[name])] for name in loaded.files]
    for _, member in members:
        member.pop("row", None)
    return {"members": members}


with open(sys.argv[1], "rb") as batch:
    while head := batch.read(4):
        print(json.dumps(file(batch.read(struct.unpack("<I", head)[0]))))
