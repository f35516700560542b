"""Write docs/images/cell_*.svg: the neuron cells of docs/circuits.md, drawn from the elements themselves.

Run it after a change of a neuron's circuit; a test holds the committed drawings against what it would write.
"""

from __future__ import annotations

from pathlib import Path

from snn2circuit.analysis.schematics import draw_cell
from snn2circuit.ir.parts import Drive
from snn2circuit.ir.timing import Timing
from snn2circuit.neurons import NEURONS

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
DRIVE = Drive(timing=Timing(), v_read=0.1, siemens_per_unit=1e-4, r_feedback=1e5, volts_per_unit=0.1)


def drawings() -> dict[str, str]:
    """File name -> SVG of every neuron's default cell."""
    return {f"cell_{kind}.svg": draw_cell(neuron().cell(kind, DRIVE)) for kind, neuron in NEURONS.items()}


if __name__ == "__main__":
    for name, svg in drawings().items():
        (IMAGES / name).write_text(svg, encoding="utf-8")
