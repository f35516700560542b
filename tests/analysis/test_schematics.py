"""Drawings of neuron cells: every element is there, with the value that the deck has."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path

import pytest

from snn2circuit.analysis.schematics import draw_cell
from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import Amplifier, Block, Capacitor, Instance, Resistor, Subcircuit, Switch
from snn2circuit.ir.parts import Drive, Neuron
from snn2circuit.ir.timing import Timing
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.units import engineering

ROOT = Path(__file__).parents[2]
DRIVE = Drive(timing=Timing(), v_read=0.1, siemens_per_unit=1e-4, r_feedback=1e5, volts_per_unit=0.1)


def texts(svg: str) -> list[str]:
    ET.fromstring(svg.replace('xmlns:xlink="http://www.w3.org/1999/xlink"', ""))  # noqa: S314 - our own text
    return [unescape(each) for each in re.findall(r"<tspan[^>]*>([^<]*)</tspan>", svg)]


@pytest.mark.parametrize("reset", ["zero", "none"])
@pytest.mark.parametrize("kind", NEURONS)
def test_every_part_of_every_neuron_is_drawn_with_its_value(kind: str, reset: str) -> None:
    neuron: Neuron = NEURONS[kind](reset_mechanism=reset)
    cell = neuron.cell(f"{kind}_l1", DRIVE)
    words = texts(draw_cell(cell))
    elements = [element for block in cell.blocks for element in block.elements]
    for element in elements:
        if isinstance(element, Resistor):
            assert engineering(element.ohms, "Ω") in words
        if isinstance(element, Capacitor):
            assert engineering(element.farads, "F") in words
        if isinstance(element, Switch):
            assert f"V({element.control}) > {element.threshold:g} V" in words
    for block in cell.blocks:
        assert block.comment.split()[0] in " ".join(words)
    assert {"mem", "spike"} <= {word.strip() for word in words}
    drawn = sum(word.endswith("Ω") and word[0].isdigit() for word in words)
    assert drawn == sum(isinstance(element, Resistor | Switch) for element in elements)


def test_the_same_cell_gives_the_same_drawing() -> None:
    first, again = (draw_cell(Leaky().cell("leaky_l1", DRIVE)) for _ in range(2))
    assert first == again
    assert first != draw_cell(Leaky(beta=0.5).cell("leaky_l1", DRIVE))


def test_a_real_amplifier_says_what_limits_it() -> None:
    real = Amplifier(name="a", out="x", plus="0", minus="in", gain=1e5, bandwidth=1e7, offset=1e-3, low=-2.5, high=2.5)
    cell = Subcircuit(name="c", ports=("in", "x"), comment="c", blocks=(Block(comment="one", elements=(real,)),))
    assert {"A0 1e+05", "GBW 10 MHz", "offset 1 mV", "-2.5 to 2.5 V"} <= set(texts(draw_cell(cell)))


def test_what_is_not_drawn_is_refused() -> None:
    inner = Instance(name="i", subcircuit="other", nodes=("a",))
    cell = Subcircuit(name="nested", ports=("a",), comment="c", blocks=(Block(comment="one", elements=(inner,)),))
    with pytest.raises(NetlistError, match="cell nested: a Instance is not drawn"):
        draw_cell(cell)


def test_the_drawings_in_the_documentation_are_todays() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    import draw_cells

    for name, svg in draw_cells.drawings().items():
        assert (draw_cells.IMAGES / name).read_text("utf-8") == svg, f"{name}: run python scripts/draw_cells.py"
