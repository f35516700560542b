"""Emitted decks, byte for byte, and the same decks run: a changed deck is a decision, not an accident."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_networks import GOLDEN, NETWORKS, write

from snn2circuit.analysis import compare_circuit
from snn2circuit.netlist import write_netlist
from snn2circuit.simulate import simulate_netlist


def test_decks_equal_the_golden_ones_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path)
    emitted = {path.relative_to(tmp_path): path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    golden = {path.relative_to(GOLDEN): path.read_bytes() for path in sorted(GOLDEN.rglob("*")) if path.is_file()}
    assert sorted(emitted) == sorted(golden)
    different = [str(name) for name in emitted if emitted[name] != golden[name]]
    assert different == [], "read the diff after: python tests/netlist/golden_networks.py"


@pytest.mark.parametrize("name", NETWORKS)
def test_the_golden_networks_spike_as_their_models(name: str, tmp_path: Path) -> None:
    crossbar, stimulus = NETWORKS[name]()
    write_netlist(crossbar, stimulus, tmp_path)
    equivalence = compare_circuit(crossbar, simulate_netlist(tmp_path))
    assert equivalence.equivalent, str(equivalence)
    assert all(layer.spikes_model > 0 for layer in equivalence.layers), "a silent layer proves nothing"
    assert equivalence.worst_membrane_error < 5e-5
