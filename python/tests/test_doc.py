"""The examples of the docstrings and of the README."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

import npz

MODULES = ["npz", *(f"npz.{module.name}" for module in pkgutil.iter_modules(npz.__path__))]


@pytest.mark.parametrize("module", MODULES)
def test_docstrings(module: str) -> None:
    found: Any = importlib.import_module(module)
    assert doctest.testmod(found, extraglobs={"np": np}).failed == 0


def test_readme() -> None:
    path = str(ROOT / "python" / "README.md")
    assert doctest.testfile(path, module_relative=False).failed == 0
