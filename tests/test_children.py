"""Somebody else's folder holds a json.py: no Python process of ours takes it for a module."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from snn2circuit.child import python_command, search_path
from snn2circuit.devices import DEVICES
from snn2circuit.frontends.nir_write import write_nir
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.mapping import map_network
from snn2circuit.netlist import write_netlist
from snn2circuit.neurons import NEURONS

TRAP = "import pathlib\npathlib.Path({canary!r}).open('a').write(__name__ + '\\n')\nraise SystemExit('trapped')\n"
# An empty package tells what `python -m` itself loads before any package is asked.
PROBE = "import sys; print('\\n'.join({name.partition('.')[0] for name in sys.modules}))"


def top_level_names() -> set[str]:
    """Every module of the standard library and of what is installed here."""
    return {
        name
        for name in (*sys.stdlib_module_names, *metadata.packages_distributions(), "sitecustomize", "usercustomize")
        if name.isidentifier() and name != "snn2circuit"
    }


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("probe")
    (folder / "probe").mkdir()
    (folder / "probe" / "__init__.py").touch()
    (folder / "probe" / "__main__.py").write_text(PROBE)
    done = subprocess.run([sys.executable, "-m", "probe"], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def trapped(before: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with inputs for the commands and a trap of every name."""
    folder = tmp_path_factory.mktemp("trapped")
    weights = np.array([[0.8, 0.4], [0.3, 0.9]])
    network = Network(name="two", layers=(Layer(weight=weights, neuron=NEURONS["leaky"]()),), steps=2, dataset="xor")
    inputs = np.array([[1.0, 0.5]])
    crossbar = map_network(network, DEVICES["printed_resistor_kit"], inputs=inputs)
    stimulus = Stimulus(inputs=network.encode(inputs), labels=np.array([0]), indices=np.array([0]))
    write_netlist(crossbar, stimulus, folder / "netlist")
    write_nir(network, folder / "two.nir", approximate=True)
    for name in top_level_names() - before:
        (folder / f"{name}.py").write_text(TRAP.format(canary=str(folder / "canary")))
    (folder / "canary").touch()
    return folder


def run(folder: Path, *command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | environment,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert (folder / "canary").read_text() == "", said
    assert "trapped" not in said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["import", "two.nir", "--dt", "1e-3", "-o", "two.npz"], "two.npz"),
        (["simulate", "netlist", "-o", "waveforms.npz"], "1 samples, ngspice"),
        (["doctor"], "libngspice"),
        (["list", "devices"], "printed_resistor_kit"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_no_command_loads_a_module_of_the_current_folder(command: list[str], words: str, trapped: Path) -> None:
    assert words in run(trapped, "-m", "snn2circuit", *command)


PARALLEL = """
from snn2circuit.analysis.workers import run_parallel
from snn2circuit.datasets import load_dataset
for name, dataset in run_parallel(load_dataset, ["xor", "xor"], 2):
    print(name, len(dataset.test.labels))
"""


def test_no_worker_loads_a_module_of_the_current_folder(trapped: Path) -> None:
    assert run(trapped, "-P", "-c", PARALLEL).split()[0] == "xor"


def test_a_trap_works_where_python_looks_in_the_current_folder(trapped: Path) -> None:
    """The judge can fail."""
    done = subprocess.run([sys.executable, "-c", "import wave"], cwd=trapped, capture_output=True, check=False)
    assert b"trapped" in done.stderr
    assert (trapped / "canary").read_text() == "wave\n"
    (trapped / "canary").write_text("")


def test_a_child_finds_what_its_parent_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that the parent was given, not the current one, in whatever language they are named."""
    given = tmp_path / "an ä folder'"
    given.mkdir()
    monkeypatch.chdir(tmp_path)
    for entry in ("", str(tmp_path), str(given), "relative"):
        monkeypatch.syspath_prepend(entry)
    assert str(given) in search_path()
    assert not {"", str(tmp_path), "relative"} & set(search_path())
    (given / "wanted.py").write_text("VALUE = 3\n")
    code = python_command("snn2circuit.doctor", "x")
    code[3] = code[3].rpartition("runpy.run_module")[0] + "import wanted, snn2circuit; print(snn2circuit.__file__)"
    done = subprocess.run(code, capture_output=True, text=True, check=True)
    import snn2circuit

    assert done.stdout.strip() == str(Path(snn2circuit.__file__).resolve())


def test_a_child_runs_the_parents_package_without_an_installation(tmp_path: Path) -> None:
    """From a checkout that lies in the current folder, by ``python -m``."""
    import snn2circuit

    (tmp_path / "snn2circuit").symlink_to(Path(snn2circuit.__file__).parent)
    command = [sys.executable, "-m", "snn2circuit", "doctor"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert "libngspice" in done.stdout + done.stderr
