"""The house keeps its shape: one-way imports, heavy libraries in their rooms, small documented files, one a part."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import source_rules as rules

Rule = Callable[[list[rules.Source]], list[str]]
PACKAGE = Path(__file__).parents[1] / "snn2circuit"
SOURCES = rules.read_sources(PACKAGE)
HEAVY = tuple("torch snntorch torchvision PySpice sklearn matplotlib scipy numba nir h5py klayout schemdraw".split())  # noqa: SIM905
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
REGISTRIES = {
    "devices": "DEVICES",
    "electronics": "ELECTRONICS",
    "devices.models": "MODELS",
    "neurons": "NEURONS",
    "datasets": "DATASETS",
    "layout.processes": "PROCESSES",
    "netlist.dialects": "DIALECTS",
}
RULES = [
    rules.wrong_directions,
    rules.misplaced_libraries,
    rules.long_files,
    rules.unfinished,
    rules.asserts_and_prints,
    rules.undocumented,
    rules.untyped,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Rule) -> None:
    assert len(SOURCES) > 20
    assert rule(SOURCES) == []


def test_every_folder_is_a_planned_room() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert folders == rules.ROOMS | {"ir", "cli", "design", "steps"}


# --- nothing heavy is loaded before it is needed --------------------------------------------------


def loaded_by(code: str) -> set[str]:
    """Heavy libraries in memory after a fresh interpreter has run ``code``."""
    tail = f"\nimport sys; sys.stderr.write('LOADED ' + ' '.join(sorted(set(sys.modules) & set({HEAVY!r}))))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("module", ["snn2circuit", "snn2circuit.doctor", *(f"snn2circuit.{room}" for room in ROOMS)])
def test_importing_a_room_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import {module}") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["list", "devices"], ["--version"]])
def test_the_command_line_answers_without_heavy_libraries(arguments: list[str]) -> None:
    code = f"""
from snn2circuit.cli import main
try:
    main({arguments!r}, prog_name="snn2circuit")
except SystemExit as end:
    assert not end.code, end.code
"""
    assert loaded_by(code) == set()


def test_the_check_sees_a_heavy_library() -> None:
    assert loaded_by("import scipy") == {"scipy"}


# --- a part is one file plus one line -------------------------------------------------------------


def home_of(entry: object, room: str) -> str | None:
    """Module of the room that makes the entry: where its class stands, or where a value of that identity stands."""
    if isinstance(entry, type):
        return entry.__module__
    homes = [
        name
        for name, module in sys.modules.items()
        if name.startswith(f"{room}.")
        and any(
            value is entry or (isinstance(value, tuple) and any(each is entry for each in value))
            for value in vars(module).values()
        )
    ]
    return min(homes, key=len, default=getattr(entry, "__module__", None))


@pytest.mark.parametrize("room", sorted(REGISTRIES))
def test_every_part_has_its_own_file(room: str) -> None:
    module = importlib.import_module(f"snn2circuit.{room}")
    registry = getattr(module, REGISTRIES[room])
    assert registry
    homes = {name: home_of(entry, module.__name__) for name, entry in registry.items()}
    # The variants of one part may share its file, if they carry its name: emnist_letters, emnist_digits, ...
    files = [home if name.startswith(f"{str(home).split('.')[-1]}_") else name for name, home in homes.items()]
    alone = [home for home in homes.values() if home not in files]
    assert len(set(alone)) == len(alone), f"entries share a file: {homes}"
    for name, home in homes.items():
        assert home is not None, f"{name} stands in no file of {room}"
        assert home.startswith(f"{module.__name__}."), f"{name} comes from {home}"


# --- the checker itself can fail ------------------------------------------------------------------

CLEAN = '"""A file."""\n\n\ndef build(width: int, *rest: str) -> int:\n    """Build it."""\n    return width\n'
PLANTED: list[tuple[Rule, str, str]] = [
    (rules.wrong_directions, "netlist/build.py", "from snn2circuit.mapping import map_network"),
    (rules.wrong_directions, "netlist/build.py", "import snn2circuit.devices.ohmic"),
    (rules.wrong_directions, "netlist/build.py", "from ..mapping import map_network"),
    (rules.wrong_directions, "netlist/dialects/ngspice.py", "from ...mapping.passes import map_network"),
    (rules.wrong_directions, "netlist/build.py", "from .. import layout"),
    (rules.wrong_directions, "netlist/build.py", "from snn2circuit import flow"),
    (rules.wrong_directions, "netlist/build.py", "def f() -> None:\n    '''F.'''\n    from snn2circuit import devices"),
    (rules.wrong_directions, "netlist/build.py", "import importlib\nimportlib.import_module('snn2circuit.mapping')"),
    (rules.wrong_directions, "netlist/__init__.py", "from snn2circuit.viewer import page"),
    (rules.wrong_directions, "ir/network.py", "from snn2circuit.neurons.leaky import Leaky"),
    (rules.wrong_directions, "ir/network.py", "from snn2circuit import cli"),
    (rules.wrong_directions, "errors.py", "from snn2circuit.ir import network"),
    (rules.wrong_directions, "units.py", "from snn2circuit.errors import NetlistError"),
    (rules.wrong_directions, "analysis/report.py", "from snn2circuit.flow import run"),
    (rules.wrong_directions, "viewer/page.py", "from snn2circuit.layout import build_layout"),
    (rules.wrong_directions, "doctor.py", "from snn2circuit.simulate import ngspice"),
    (rules.wrong_directions, "flow.py", "from snn2circuit.cli import main"),
    (rules.wrong_directions, "utils.py", ""),
    (rules.wrong_directions, "helpers/text.py", ""),
    (rules.misplaced_libraries, "mapping/passes.py", "import torch.nn as nn"),
    (rules.misplaced_libraries, "frontends/nir.py", "from torch import nn"),
    (rules.misplaced_libraries, "simulate/jobs.py", "def f() -> None:\n    '''F.'''\n    import PySpice.Spice"),
    (rules.misplaced_libraries, "layout/build.py", "from matplotlib import pyplot"),
    (rules.misplaced_libraries, "ir/network.py", "from scipy.sparse import csr_matrix"),
    (rules.misplaced_libraries, "training/models.py", "__import__('sklearn.datasets')"),
    (rules.misplaced_libraries, "flow.py", "if True:\n    from torch.nn import Module"),
    (
        rules.misplaced_libraries,
        "mapping/lower.py",
        "TYPE_CHECKING = 0\nif TYPE_CHECKING:\n    from torch.nn import Module",
    ),
    (rules.long_files, "ir/network.py", "\n" * 400),
    (rules.unfinished, "ir/network.py", "# TODO: later"),
    (rules.unfinished, "ir/network.py", "def f() -> None:\n    '''F.'''\n    raise NotImplementedError"),
    (rules.unfinished, "ir/network.py", "def f() -> None:\n    '''F.'''\n    raise NotImplementedError('soon')"),
    (rules.asserts_and_prints, "ir/network.py", "def f(a: int) -> None:\n    '''F.'''\n    assert a > 0"),
    (rules.asserts_and_prints, "flow.py", "print('hello')"),
    (rules.undocumented, "ir/network.py", "def f() -> None:\n    return None"),
    (rules.undocumented, "ir/network.py", "class A:\n    '''A.'''\n\n    def f(self) -> None:\n        return None"),
    (rules.untyped, "ir/network.py", "def f(a) -> None:\n    '''F.'''"),
    (rules.untyped, "ir/network.py", "def f(a: int):\n    '''F.'''"),
    (rules.untyped, "ir/network.py", "def f(*a, **b) -> None:\n    '''F.'''"),
]
ALLOWED = [
    ("flow.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from torch.nn import Module"),
    ("netlist/build.py", "from snn2circuit.ir.network import Network\nfrom snn2circuit import errors, units"),
    ("netlist/dialects/ngspice.py", "from ..build import build_circuit\nfrom ...ir import circuit"),
    ("analysis/report.py", "from snn2circuit import __version__, mapping\nfrom snn2circuit.design import Design"),
    ("viewer/server.py", "from snn2circuit.layout import build_layout"),
    ("flow.py", "from snn2circuit.design import Design\nfrom snn2circuit import doctor, layout, netlist"),
    ("cli/run.py", "import click\nfrom snn2circuit import flow\nprint('hello')"),
    ("__main__.py", "from snn2circuit.cli import main"),
    ("ir/files.py", "from snn2circuit.errors import OutputError\nfrom .network import Network"),
    ("frontends/snntorch.py", "import torch\nimport snntorch"),
    (
        "simulate/ngspice.py",
        "def f() -> None:\n    '''F.'''\n    from PySpice.Spice.NgSpice.Shared import NgSpiceShared",
    ),
    ("ir/parts.py", "try:\n    import json\nexcept NotImplementedError:\n    pass"),
]


def write(folder: Path, place: str, text: str) -> list[rules.Source]:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CLEAN + text + "\n")
    return rules.read_sources(folder)


@pytest.mark.parametrize(("rule", "place", "text"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_violation_is_found(rule: Rule, place: str, text: str, tmp_path: Path) -> None:
    """Exactly this rule finds it, once, and names the file."""
    sources = write(tmp_path, place, text)
    found = {each.__name__: each(sources) for each in RULES if each(sources)}
    assert list(found) == [rule.__name__]
    (violation,) = found[rule.__name__]
    assert violation.startswith(place)


@pytest.mark.parametrize(("place", "text"), ALLOWED)
def test_what_is_allowed_is_not_reported(place: str, text: str, tmp_path: Path) -> None:
    sources = write(tmp_path, place, text)
    assert [violation for rule in RULES for violation in rule(sources)] == []


def test_two_parts_in_one_file_are_found() -> None:
    from snn2circuit import devices

    preset = next(iter(devices.DEVICES.values()))
    assert home_of(preset, devices.__name__) not in (None, devices.__name__)
    assert home_of(object(), devices.__name__) is None
