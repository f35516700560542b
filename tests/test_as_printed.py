"""What is printed: every device's value is in its shape, where LVS measures it, or in the programming table."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snn2circuit import steps
from snn2circuit.analysis.placement import write_placement
from snn2circuit.devices import DEVICES
from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.errors import LayoutError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Layer, Network
from snn2circuit.layout.build import build_layout, printable_conductances
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.layout.signoff.lvs import LvsReport
from snn2circuit.mapping import cut_tiles, map_network, pair_errors, print_pairs
from snn2circuit.neurons.leaky import Leaky

SHAPING = [name for name, process in PROCESSES.items() if process.layer("devices").sheet_resistance is not None]
SHAPED = [name for name, device in DEVICES.items() if device.by_shape]
CASES = [
    *((device, process, rows) for device in SHAPED for process in SHAPING for rows in (0, 2)),
    ("foil_memristor", "inkjet", 0),
    ("foil_memristor", "inkjet_resistor", 0),
    ("moox_mos2_foil", "screen", 2),
]


def device_for(name: str, process: str) -> OhmicDevice:
    """The preset over 100 : 1, up to what the shortest meander of a process that shapes it can have."""
    device = DEVICES[name]
    if not device.by_shape:
        return device
    top = {"inkjet_resistor": 1e-4, "aerosol_jet_resistor": 1e-4}[process]
    return device.within(g_min=max(device.g_min.value, top / 100), g_max=top)


def mapped(device: str, process: str, tile_rows: int, seed: int = 1) -> CrossbarNetwork:
    random = np.random.default_rng(seed)
    layers = tuple(
        Layer(weight=random.normal(0, 1, (columns, rows)), bias=random.normal(0, 1, columns), neuron=Leaky(beta=0.9))
        for rows, columns in ((3, 2), (2, 2))
    )
    network = Network(name="net", layers=layers, steps=4)
    crossbar = cut_tiles(map_network(network, device_for(device, process), levels=256), rows=tile_rows)
    values = printable_conductances(crossbar, PROCESSES[process])
    assert (values is None) is not crossbar.device.by_shape
    return crossbar if values is None else print_pairs(crossbar, values)


def read_table(path: Path, crossbar: CrossbarNetwork) -> tuple[CrossbarNetwork, set[str]]:
    """``crossbar`` with the conductances of a placement table and nothing else; how its devices are made."""
    pairs = [np.full((2, layer.rows, layer.columns), np.nan) for layer in crossbar.layers]
    made = set()
    with path.open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            at = int(line["polarity"] == "-"), int(line["row"]), int(line["column"])
            pairs[int(line["layer"]) - 1][at] = float(line["conductance_S"])
            made.add(line["made"])
    layers = (
        replace(layer, trim_pos=pair[0] - layer.g_pos, trim_neg=pair[1] - layer.g_neg)
        for layer, pair in zip(crossbar.layers, pairs, strict=True)
    )
    return replace(crossbar, layers=tuple(layers)), made


@pytest.mark.parametrize(("device", "process", "tile_rows"), CASES)
def test_masks_and_table_hold_every_value(device: str, process: str, tile_rows: int, tmp_path: Path) -> None:
    crossbar = mapped(device, process, tile_rows)
    assert max(pair_errors(crossbar)) < 1e-4
    layout = build_layout(crossbar, PROCESSES[process])
    signoff = steps.sign_off(layout, crossbar, tmp_path)
    assert (signoff.drc["violations"], signoff.lvs["faults"]) == (0, 0)
    printed = signoff.crossbar
    assert printed is not None
    write_placement(crossbar, layout, tmp_path / "placement.csv")
    table, made = read_table(tmp_path / "placement.csv", crossbar)
    assert made == {"printed in its shape" if crossbar.device.by_shape else "programmed"}
    for layer, measured, told in zip(crossbar.layers, printed.layers, table.layers, strict=True):
        np.testing.assert_allclose(measured.programmed, layer.programmed, rtol=1e-11)
        np.testing.assert_allclose(told.programmed, measured.programmed, rtol=1e-11)
        np.testing.assert_array_equal(measured.weights, layer.weights)
        assert measured.gain == layer.gain
    if not crossbar.device.by_shape:
        assert printed is not None
        assert "largest_conductance_error" not in signoff.lvs


def test_what_is_not_on_the_masks_stands_for_nothing() -> None:
    crossbar = mapped("printed_resistor_kit", "aerosol_jet_resistor", 0)
    layout = build_layout(crossbar, PROCESSES["aerosol_jet_resistor"])
    holes = tuple((pos.copy(), neg.copy()) for pos, neg in (layer.programmed for layer in crossbar.layers))
    holes[1][0][2, 1] = np.nan
    report = LvsReport(nets=1, devices=1, cells=1, faults=(), conductances=holes)
    with pytest.raises(LayoutError, match="1 devices of layer 2 are not on the masks"):
        steps.as_printed(crossbar, layout, report)
