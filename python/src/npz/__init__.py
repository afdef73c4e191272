"""NumPy archives as trees: ``.npz`` files to nested dicts and lists and back.

>>> import npz
>>> path = npz.save("run", {"dt": 0.5, "layers": [{"w": np.ones((2, 3))}], "note": None})
>>> run = npz.load(path)
>>> run.layers[0].w.shape, run["note"]
((2, 3), None)

`load` maps the file and reads nothing that is not looked at. `save` writes what the Rust crate ``serde_npz`` writes
for the same value, byte for byte, and reads what it wrote.
"""

from ._error import Error
from ._save import Json, save
from ._tree import Group, Ragged, load

__all__ = ["Error", "Group", "Json", "Ragged", "load", "save"]
__version__ = "0.1.0"
