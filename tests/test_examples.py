"""Every example runs, and does what it says."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from trained import go_on_with

import snn2circuit
from snn2circuit import flow
from snn2circuit.design import Design, read_design

EXAMPLES = Path(__file__).parents[1] / "examples"


def load_example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_example_is_forgotten() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {
        "quickstart",
        "own_network",
        "planted_fault",
        "write_and_verify",
    }
    assert {path.stem for path in EXAMPLES.glob("*.toml")} == {"digits", "xor", "mnist", "printed_resistors"}


def test_quickstart_ends_without_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on_with("digits", monkeypatch, snn2circuit, "train")
    equivalence = load_example("quickstart").main(tmp_path, epochs=2, samples=1)
    assert equivalence.equivalent
    assert (tmp_path / "stack.glb").stat().st_size > 100_000


def test_a_network_of_ones_own_spikes_as_snntorch(tmp_path: Path) -> None:
    assert load_example("own_network").main(tmp_path) == 0


def test_the_planted_fault_is_seen(tmp_path: Path) -> None:
    before, after = load_example("planted_fault").main(tmp_path)
    assert before.equivalent
    assert after.mismatches > 0
    assert after.first_divergence.layer == 1


def test_a_device_is_brought_to_its_level_and_ngspice_confirms_it(tmp_path: Path) -> None:
    example = load_example("write_and_verify")
    done, conductance, disturb = example.main(tmp_path)
    assert done.reached
    assert abs(conductance / example.LEVEL - 1) < 0.04
    assert {name for name, each in disturb.items() if each.change > 1e-9} == {"biolek"}
    assert (tmp_path / "write_and_verify.png").stat().st_size > 10_000


def test_the_digits_design_is_the_built_in_one() -> None:
    text = (EXAMPLES / "digits.toml").read_text()
    assert read_design(EXAMPLES / "digits.toml") == Design()
    assert text.endswith(Design().as_toml().rstrip() + "\n"), (
        "run: snn2circuit design > examples/digits.toml, keep the title"
    )


def test_xor_is_learned_mapped_and_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on_with("xor", monkeypatch)
    summary = flow.run(read_design(EXAMPLES / "xor.toml"), tmp_path)
    assert summary["accuracy_trained"] == summary["accuracy_mapped"] == 1.0
    assert summary["images_simulated"] == 4
    assert summary["spike_mismatches"] == summary["spike_mismatches_snntorch"] == 0


def test_printed_resistors_have_the_conductances_of_the_crossbar_on_the_masks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_with("xor", monkeypatch)
    summary = flow.run(read_design(EXAMPLES / "printed_resistors.toml"), tmp_path)
    assert summary["spike_mismatches"] == 0
    assert summary["drc"]["violations"] == 0
    assert summary["lvs"]["match"]
    assert summary["lvs"]["devices"] == summary["devices"] == 44
    assert 0 < summary["lvs"]["largest_conductance_error"] < 1e-11
    trimmed = summary["compensation"]
    assert trimmed["spike_mismatches_before"] > 0 == trimmed["spike_mismatches_after"]
    assert all(layer["worst_after"] < 1e-4 < 1e-2 < layer["worst_before"] for layer in trimmed["layers"])


def test_the_mnist_design_runs_on_the_real_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One epoch and one sample of it: 15,920 devices, to masks and back, the whole network in ngspice."""
    design = read_design(EXAMPLES / "mnist.toml")
    design = replace(
        design,
        data=replace(design.data, folder=str(EXAMPLES.parent / ".cache")),
        training=replace(design.training, epochs=1),
        simulation=replace(design.simulation, samples=1),
    )
    go_on_with("mnist", monkeypatch)
    summary = flow.run(design, tmp_path)
    assert summary["devices"] == 2 * (785 * 10 + 11 * 10)
    assert summary["accuracy_mapped"] > 0.7
    assert summary["stack_mm"] == pytest.approx([27.18, 192.9, 0.257])
    assert (summary["drc"]["violations"], summary["lvs"]["match"]) == (0, True)
    assert summary["compensation"]["spike_mismatches_before"] > 1000, "its own lines matter"
    assert summary["compensation"]["spike_mismatches_after"] == 0
    assert summary["measured_lines"]["spikes_changed"] == 0
    assert summary["spike_mismatches"] == summary["spike_mismatches_snntorch"] == 0
