"""The public names: one list for readers and type checkers, one for the lazy import, and they agree."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import snn2circuit


def declared_for_type_checkers() -> dict[str, str]:
    tree = ast.parse(Path(snn2circuit.__file__).read_text(encoding="utf-8"))
    imports = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("snn2circuit.")
    ]
    return {alias.name: node.module.removeprefix("snn2circuit.") for node in imports for alias in node.names}


def test_both_lists_of_public_names_agree() -> None:
    assert declared_for_type_checkers() == snn2circuit._HOMES


@pytest.mark.parametrize("name", sorted(snn2circuit._HOMES))
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(snn2circuit, name) is getattr(
        importlib.import_module(f"snn2circuit.{snn2circuit._HOMES[name]}"), name
    )


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = snn2circuit.nothing  # type: ignore[attr-defined]
