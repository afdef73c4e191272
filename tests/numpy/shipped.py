"""unpack WHEELS INTO: the .npy and .npz files of all wheels. compare FILES AGAIN: whether ours hold what theirs do."""

import sys
import zipfile
from pathlib import Path

import numpy as np


def unpack(wheels, into):
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith((".npy", ".npz")):
                    file = into / f"{wheel.name.split('-')[0]}--{name.replace('/', '--')}"
                    file.write_bytes(archive.read(name))
                    print(file.name)


def native(x):
    return np.ascontiguousarray(x, x.dtype.newbyteorder("=")).reshape(x.shape)


def equal(a, b):
    a, b = native(a), native(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def compare(files, again):
    members = left_out = 0
    for file in sorted(files.iterdir()):
        theirs, ours = np.load(file), np.load(again / file.name)
        if isinstance(theirs, np.ndarray):
            assert equal(theirs, ours), file.name
            members += 1
            continue
        for name in theirs.files:
            try:
                value = theirs[name]
            except ValueError:
                # Objects.
                value = None
            if value is None or value.dtype.char in "gG":
                assert name not in ours.files, (file.name, name)
                left_out += 1
            else:
                assert equal(value, ours[name]), (file.name, name)
                members += 1
    print(members, left_out)


{"unpack": unpack, "compare": compare}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
