"""Op-amps, comparators, switches and gates that neurons can be built from: one file a preset, one line here.

A preset says only what its part does: an op-amp nothing of switches. :func:`select` puts several together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from snn2circuit.electronics.cd4066b import CD4066B
from snn2circuit.electronics.dg411le import DG411LE
from snn2circuit.electronics.finite_gain import FINITE_GAIN
from snn2circuit.electronics.hc_gates import HC_GATES
from snn2circuit.electronics.howland import HOWLAND
from snn2circuit.electronics.ideal import IDEAL
from snn2circuit.electronics.lm311 import LM311
from snn2circuit.electronics.lm393 import LM393
from snn2circuit.electronics.mcp6002 import MCP6002
from snn2circuit.electronics.mcp6022 import MCP6022
from snn2circuit.electronics.offset import OFFSET
from snn2circuit.electronics.opa2277 import OPA2277
from snn2circuit.electronics.rails_slew import RAILS_SLEW
from snn2circuit.electronics.slow_comparator import SLOW_COMPARATOR
from snn2circuit.electronics.tl072 import TL072
from snn2circuit.electronics.ts5a23166 import TS5A23166
from snn2circuit.errors import NetlistError
from snn2circuit.ir.parts import Electronics

ELECTRONICS: dict[str, Electronics] = {
    each.name: each
    for each in (
        IDEAL, FINITE_GAIN, RAILS_SLEW, OFFSET, SLOW_COMPARATOR, HOWLAND, TL072, OPA2277, MCP6022, MCP6002, LM393,
        LM311, TS5A23166, DG411LE, CD4066B, HC_GATES,
    )
}  # fmt: skip


def select(names: Sequence[str]) -> Electronics:
    """The named presets together; what none of them says is ideal.

    Raises:
        NetlistError: an unknown name, or two presets that say the same property.
    """
    chosen = IDEAL
    for name in names:
        if name not in ELECTRONICS:
            raise NetlistError(f"unknown electronics {name!r}; allowed: {', '.join(ELECTRONICS)}")
        part = ELECTRONICS[name]
        twice = sorted(part.values.keys() & chosen.values.keys())
        if twice:
            raise NetlistError(f"{chosen.name} and {name} both say {', '.join(twice)}; name one of them")
        if part is IDEAL:
            continue
        ideal = chosen is IDEAL
        chosen = replace(
            chosen,
            **part.values,
            name=name if ideal else f"{chosen.name} + {name}",
            technology=part.technology if ideal else f"{chosen.technology}; {part.technology}",
        )
    return chosen
