"""A comparison is worth what it catches: each fault below is planted in the deck that is run, and must be seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from networks import random_crossbar, simulate

from snn2circuit.analysis import Equivalence, compare_circuit
from snn2circuit.simulate import simulate_netlist


def judge_after(fault: tuple[str, str, str], tmp_path: Path, reset: str = "subtract") -> Equivalence:
    """Edit one file of a netlist folder (file, pattern, replacement), simulate, compare."""
    crossbar, stimulus = random_crossbar((3, 5, 2), beta=0.9, threshold=1.0, reset=reset, seed=11, samples=1, steps=25)
    assert compare_circuit(crossbar, simulate(crossbar, stimulus, tmp_path)).equivalent
    name, pattern, replacement = fault
    path = tmp_path / name
    edited, count = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.MULTILINE)
    assert count == 1, "the fault was not planted"
    path.write_text(edited)
    return compare_circuit(crossbar, simulate_netlist(tmp_path))


@pytest.mark.parametrize(
    ("fault", "layer"),
    [
        pytest.param(
            ("network.lib", r"^(Rp_l1_r1_n0 \S+) bp_l1_n0", r"\1 bn_l1_n0"), 1, id="a device on the wrong bit line"
        ),
        pytest.param(
            ("network.lib", r"^(Rp_l1_r3_n2 \S+ \S+) \S+", r"\1 10000000"), 1, id="a device at the wrong level"
        ),
        pytest.param(("cells.lib", r"^(Babove above 0 V=1\*u\(V\(mem\)-)", r"\g<1>0.4*"), 1, id="a wrong threshold"),
        pytest.param(("cells.lib", r"^Breset .*$", ""), 1, id="a missing reset"),
        pytest.param(("cells.lib", r"^(Rleak_mem mem 0) \S+", r"\1 1e9"), 1, id="a missing leak"),
        pytest.param(("network.lib", r"spike_l1_n0(\)-0\.5\))", r"spike_l1_n1\1"), 2, id="two neurons swapped"),
        pytest.param(("sample_0.cir", r"^Vbias_l1 .*$", "Vbias_l1 bias_l1 0 0"), 1, id="a dead bias line"),
    ],
)
def test_a_planted_fault_is_caught_in_its_layer(fault: tuple[str, str, str], layer: int, tmp_path: Path) -> None:
    equivalence = judge_after(fault, tmp_path)
    assert equivalence.mismatches > 0
    assert not equivalence.equivalent
    assert equivalence.first_divergence is not None
    assert equivalence.first_divergence.layer == layer
    assert "first at sample 0" in str(equivalence)


def test_a_missing_reset_to_zero_is_caught(tmp_path: Path) -> None:
    equivalence = judge_after(("cells.lib", r"^Sclear .*$", ""), tmp_path, reset="zero")
    assert equivalence.mismatches > 0
    assert not equivalence.equivalent
