"""The processes as data: every number has a unit and a source, and derived numbers follow from their formulas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from layout_crossbars import make_crossbar

from snn2circuit.ir.layout import Process
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.build import build_layout
from snn2circuit.layout.connectivity import check_connectivity
from snn2circuit.layout.processes import PROCESSES

EPSILON_0 = 8.8541878128e-12  # F/m, CODATA 2018


def quantities(process: Process) -> Iterator[tuple[Quantity, str]]:
    for layer in process.layers:
        yield layer.thickness, "m"
        if layer.sheet_resistance is not None:
            yield layer.sheet_resistance, "ohm/sq"
        if layer.permittivity is not None:
            yield layer.permittivity, "1"
    for quantity in (process.min_width, process.min_space, process.overlay, process.via_diameter):
        yield quantity, "m"


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_every_process_is_complete_and_makes_a_connected_stack(name: str) -> None:
    process = PROCESSES[name]
    assert process.name == name
    for quantity, unit in quantities(process):
        assert quantity.unit == unit
        assert quantity.value > 0
        assert quantity.source
        assert ("no source found" in quantity.source) <= (quantity.confidence == "assumed")
    for layer in process.layers:
        has_ink = layer.name == "devices" and name.endswith("_resistor")
        assert (layer.role == "conductor" or has_ink) == (layer.sheet_resistance is not None)
        assert len(layer.color) == 7
        int(layer.color[1:], 16)
    assert len({layer.color for layer in process.layers}) == len(process.layers)
    crossbar = make_crossbar(3, 4, 2, process=name)
    assert check_connectivity(build_layout(crossbar, process), crossbar).devices == crossbar.devices


def test_derived_numbers_follow_from_their_sources() -> None:
    lines = PROCESSES["inkjet"].layer("word_lines")
    assert lines.sheet_resistance is not None
    assert lines.sheet_resistance.value == pytest.approx(1 / (5.56e6 * lines.thickness.value), rel=2e-3)
    dielectric = PROCESSES["inkjet"].layer("dielectric")
    assert dielectric.permittivity is not None
    per_area = 2.82e-9 / (10e-3 * 10e-3)  # F/m2
    assert dielectric.permittivity.value == pytest.approx(per_area * dielectric.thickness.value / EPSILON_0, rel=2e-3)
    thin = PROCESSES["gravure"].layer("word_lines")
    assert thin.sheet_resistance is not None
    assert thin.sheet_resistance.value == pytest.approx(1 / (5.56e6 * thin.thickness.value), rel=2e-3)
    inch = 25.4e-3
    assert PROCESSES["screen"].min_width.value == pytest.approx(0.020 * inch, rel=0.02)
