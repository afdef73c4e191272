"""Every test runs in a directory of its own; the files of the Rust side are written once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("npz", deadline=None, derandomize=True, database=None)
settings.load_profile("npz")

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"

Rust = Callable[..., None]


@pytest.fixture(autouse=True)
def in_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def rust() -> Rust:
    """Runs `tests/ecosystem/examples/for_python.rs`: ``write DIR``, ``read DIR``, ``copy FROM TO ..``."""
    program = os.environ.get("SERDE_NPZ_FOR_PYTHON")
    if program is None:
        cargo = ["cargo", "build", "--quiet", "-p", "serde_npz-ecosystem", "--example", "for_python"]
        subprocess.run(cargo, cwd=ROOT, check=True)
        target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
        program = str(ROOT / target / "debug" / "examples" / "for_python")

    def run(*args: str | os.PathLike[str]) -> None:
        subprocess.run([program, *args], check=True)

    return run


@pytest.fixture(scope="session")
def from_rust(rust: Rust, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with one archive for each value of the Rust side."""
    directory = tmp_path_factory.mktemp("rust")
    rust("write", directory)
    return directory
