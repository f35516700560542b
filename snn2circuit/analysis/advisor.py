"""What to know before a deck is written: IR drop, tiles, dynamic range, and what ngspice will take.

A simulation that would take hours is refused before it starts, with what can be done instead and how long that takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from snn2circuit.analysis.ngspice_cost import REFERENCE, Cost, Laws, calibrate, estimate
from snn2circuit.analysis.wires import LayerWires, assess_wires
from snn2circuit.errors import SimulationError
from snn2circuit.ir.circuit import Circuit, Crossbar
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.noun import noun
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.netlist import build_circuit, crossbar_arrays
from snn2circuit.units import engineering

LATE = 1.5  # times its limit that a sample may be estimated at: estimates are rough, a stopped one tells nothing
MAX_LOSS = 0.01  # of a bit line's current, for the tile that is advised
ROUGH = 20  # the reference laws are trusted where they are off the budget by more than this factor
REDUCTIONS = {"none": 0, "first": 1, "all": None}  # layers whose crossbars are reduced
AFFORDABLE = 30.0  # seconds of a sample by the reference laws, up to which decks keep every device


@noun
class Advice:
    """What the advisor found."""

    layers: tuple[LayerWires, ...]
    reduce: str  # "none", "first" or "all", as asked for or chosen
    asked: str  # what the design says, "auto" too
    costs: dict[str, Cost]  # of one deck, by reduction
    samples: int
    workers: int
    max_loss: float

    def seconds(self, reduce: str, samples: int | None = None) -> float:
        """Estimated wall seconds of all decks, side by side."""
        return self.costs[reduce].seconds * math.ceil((samples or self.samples) / self.workers)

    def as_dict(self) -> dict[str, Any]:
        """The numbers as JSON takes them."""
        cost = self.costs[self.reduce]
        return {
            "max_loss": self.max_loss,
            "layers": [layer.as_dict() for layer in self.layers],
            "reduce": self.reduce,
            "reduce_asked": self.asked,
            "cards": cost.cards,
            "ngspice_seconds_per_sample": round(cost.seconds, 3),
            "ngspice_bytes": round(cost.memory),
            "estimated_from": cost.source,
        }

    def rows(self) -> list[tuple[str, str]]:
        """What a person reads."""
        rows = []
        for layer in self.layers:
            name, tiles = f"layer {layer.layer}", f" in {layer.tiles} tiles" if layer.tiles > 1 else ""
            rows.append((name, f"{layer.rows} x {layer.columns}, {layer.devices:,} devices{tiles}"))
            rows.append(("", self._drop(layer)))
            rows.append(
                (
                    "",
                    f"weights need a range of {layer.range_needed:.3g}, the levels give {layer.range_available:.3g} "
                    f"(g_max/g_min {layer.conductance_ratio:.3g}); {layer.below_step:.1%} lie below half a step",
                )
            )
            if layer.settling:
                rows.append(("", f"lines settle in {engineering(layer.settling, 's')}"))
        for reduce, cost in self.costs.items():
            rows.append(
                (
                    f'ngspice, reduce = "{reduce}"' + (" (chosen)" if reduce == self.reduce else ""),
                    f"{cost.cards:,} cards, {_duration(cost.seconds)} and {cost.memory / 2**20:,.0f} MiB a sample; "
                    f"{_duration(self.seconds(reduce))} for {self.samples} samples ({cost.source})",
                )
            )
        return rows

    def _drop(self, layer: LayerWires) -> str:
        if not layer.worst_loss:
            return "ideal lines, no IR drop"
        tile = f"{layer.largest_tile[0]} x {layer.largest_tile[1]}" if layer.largest_tile else "none, however small"
        return (
            f"IR drop takes {layer.mean_loss:.2%} of a bit line's current, {layer.worst_loss:.2%} at worst; "
            f"largest tile that loses {self.max_loss:.2%} at most: {tile}"
        )

    def check(self, budget: float, time_limit: float = math.inf) -> None:
        """Refuse a simulation that is estimated beyond ``budget`` seconds in all; 0 is no limit.

        Nor may one sample take far more than ``time_limit``, after which it would be stopped.

        Raises:
            SimulationError: with the alternatives and what they would take.
        """
        needed, one = self.seconds(self.reduce), self.costs[self.reduce].seconds
        late = bool(budget) and one > LATE * time_limit
        if not budget or (needed <= budget and not late):
            return
        ways = []
        fitting = math.floor(budget / one) * self.workers
        if fitting >= 1 and not late:
            ways.append(f"{fitting} samples at most")
        ways += [
            f'reduce = "{reduce}" in [simulation] ({_duration(self.seconds(reduce))})'
            for reduce in self.costs
            if self.costs[reduce].seconds < self.costs[self.reduce].seconds
        ]
        ways.append("the exact solver instead of ngspice")
        if any(layer.worst_loss for layer in self.layers) and all(layer.tiles == 1 for layer in self.layers):
            ways.append("smaller arrays by tile_rows and tile_columns in [circuit], whose meshes are easier to factor")
        insist = [f"budget = {math.ceil(needed)}"] if needed > budget else []
        insist += [f"time_limit = {math.ceil(one)}"] if late else []
        ways.append(f"or, if you insist, {' and '.join(insist)} in [simulation]")
        limit = f", one is stopped after {_duration(time_limit)}" if late else ""
        raise SimulationError(
            f"ngspice would take about {_duration(needed)} for {self.samples} samples of "
            f"{self.costs[self.reduce].cards:,} cards ({self.costs[self.reduce].source}), the budget is "
            f"{_duration(budget)}{limit}; choose {'; '.join(ways)}"
        )


def advise(
    crossbar: CrossbarNetwork,
    stimulus: Stimulus,
    *,
    parasitics: Parasitics | None = None,
    reduce: str = "none",
    workers: int = 1,
    max_loss: float = MAX_LOSS,
    budget: float | None = None,
    measure: Callable[[], Laws] = calibrate,
    samples: int | None = None,
    wires: bool = True,
) -> Advice:
    """Look at a network before its decks are written.

    Args:
        crossbar: the mapped network.
        stimulus: what it would be driven with.
        parasitics: resistance of lines and drivers; ``None``: ideal ones.
        reduce: which layers' crossbars would be reduced: ``none``, ``first``, ``all``; ``auto``: what lines and size
            ask for, see :func:`choose_reduction`.
        workers: simulations side by side.
        max_loss: share of a bit line's current that the advised tile may lose.
        budget: seconds that matter; this machine is measured only if the reference laws come near it. ``None``: always.
        measure: gives this machine's laws.
        samples: how many there will be; ``None``: those of ``stimulus``, whose first one is looked at.
        wires: look at lines and weights too, not only at what ngspice will take.
    """
    circuit = build_circuit(crossbar, stimulus.inputs[0], "advice", parasitics=parasitics)
    groups = crossbar_arrays(crossbar, parasitics)
    costs, asked = _costs(circuit, groups, REFERENCE), reduce
    reduce = choose_reduction(costs, resistive=parasitics is not None) if reduce == "auto" else reduce
    samples = stimulus.samples if samples is None else samples
    decks = math.ceil(samples / workers)
    if budget is None or (budget and budget / ROUGH < costs[reduce].seconds * decks < budget * ROUGH):
        costs = _costs(circuit, groups, measure())
    return Advice(
        layers=assess_wires(crossbar, parasitics, max_loss) if wires else (),
        reduce=reduce,
        asked=asked,
        costs=costs,
        samples=samples,
        workers=workers,
        max_loss=max_loss,
    )


def choose_reduction(costs: Mapping[str, Cost], *, resistive: bool) -> str:
    """Layers whose crossbars equivalents stand in for, so that ngspice comes to an end.

    A mesh of ``resistive`` lines is what ngspice is slowest at, so there every crossbar has one. With ideal lines as
    few layers as keep a sample below :data:`AFFORDABLE`; if none does, the cheapest. By the reference laws, not by
    those of the machine at hand, so that the same design gives the same decks anywhere.
    """
    if resistive:
        return "all"
    fitting = [reduce for reduce in REDUCTIONS if costs[reduce].seconds <= AFFORDABLE]
    return fitting[0] if fitting else min(REDUCTIONS, key=lambda reduce: costs[reduce].seconds)


def _costs(circuit: Circuit, groups: Sequence[Sequence[Crossbar]], laws: Laws) -> dict[str, Cost]:
    return {
        reduce: estimate(circuit, laws, {array.name for group in groups[:layers] for array in group})
        for reduce, layers in REDUCTIONS.items()
    }


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"
