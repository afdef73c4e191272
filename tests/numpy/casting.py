"""Converts edge values of every dtype of numbers to every other one; tells what NumPy makes of each, and whether it
survives: one JSON line a value."""

import json
import math
import warnings

import numpy as np

np.seterr(all="ignore")
warnings.simplefilter("ignore")

KINDS = ["|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"]

INTS = [0, 1, -1, 2, 3, 100, 127, 128, -128, -129, 255, 256, 2047, 2048, 2049, 32767, 32768, 65504, 65505, 65519, 65520, 65535]
for bits in (11, 15, 16, 24, 31, 32, 52, 53, 63, 64):
    INTS += [2**bits - 1, 2**bits, 2**bits + 1, -(2**bits) - 1, -(2**bits), -(2**bits) + 1]
INTS += [3 * 2**61, 2**63 - 1024, 2**63 - 512, 2**64 - 2048]

FLOATS = [float(n) for n in INTS] + [0.5, -0.5, 0.1, 1.5, 2.5, -0.0, math.inf, -math.inf, math.nan, -math.nan]
FLOATS += [1e300, -1e300, 1e-300, 5e-324, 2.0**-149, 2.0**-126, 2.0**-150, 2.0**-24, 2.0**-14, 2.0**-25, 6.1e-5, 1e38, 3.5e38]
# A tie of halves that is none in f8, and the other way round.
FLOATS += [1.0 + 2.0**-11, 1.0 + 2.0**-11 + 2.0**-40, 1.0 + 2.0**-11 - 2.0**-40, 65519.99, 65519.999999, 2.0**-25 + 2.0**-60]
FLOATS += [1.0 + 2.0**-24 + 2.0**-50, 16777217.0]
PAYLOADS = [0x7FF8000000000001, 0x7FF4000000000000, 0xFFF8DEADBEEF0000]


def values(kind):
    dtype = np.dtype(kind)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return np.array([n for n in INTS if info.min <= n <= info.max] + [info.min, info.max], dtype)
    floats = np.concatenate([np.array(FLOATS), np.array(PAYLOADS, "u8").view("f8")])
    if dtype.kind == "f":
        return floats.astype(dtype)
    half = np.dtype(f"f{dtype.itemsize // 2}")
    found = np.zeros((4, len(floats)), dtype)
    found.real[:2] = found.imag[2:] = floats.astype(half)
    found.imag[1] = -0.0
    found.real[3] = 3.0
    return found.reshape(-1)


def float_survives(x, y):
    wide, back = np.float64(x), np.float64(y)
    return bool(np.isnan(wide) and np.isnan(back)) or wide.tobytes() == back.tobytes()


def survives(x, to):
    """Whether a number is one of this dtype, bit for bit where bits are told apart."""
    to = np.dtype(to)
    y = x.astype(to)
    if x.dtype.kind in "biu":
        n = int(x)
        if to.kind == "b":
            return n in (0, 1)
        if to.kind in "iu":
            return np.iinfo(to).min <= n <= np.iinfo(to).max
        return bool(np.isfinite(y.real)) and int(y.real) == n
    if x.dtype.kind == "c" and to.kind == "c":
        return float_survives(x.real, y.real) and float_survives(x.imag, y.imag)
    if x.dtype.kind == "c":
        if x.imag != 0 or np.signbit(x.imag):
            return False
        x = x.real
        y = x.astype(to)
    if to.kind in "fc":
        return float_survives(x, y.real)
    if not np.isfinite(x) or x != np.floor(x) or (x == 0 and np.signbit(x)):
        return False
    return survives(Whole(int(x)), to)


class Whole:
    """An integer of any size, as far as `survives` looks at it."""

    def __init__(self, n):
        self.n, self.dtype = n, np.dtype("i8")

    def __int__(self):
        return self.n

    def astype(self, to):
        return None


for kind in KINDS:
    for x in values(kind):
        for to in KINDS:
            y = x.astype(to)
            nan = bool(np.isnan(y)) if y.dtype.kind in "fc" else False
            print(json.dumps({
                "from": kind, "data": x.tobytes().hex(), "to": to, "text": str(x), "nan": nan,
                "safe": bool(np.can_cast(kind, to, "safe")), "survives": survives(x, to), "value": y.tobytes().hex(),
            }))
