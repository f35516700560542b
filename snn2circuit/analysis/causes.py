"""Why spikes differ: the causes of a circuit's faults, switched off one at a time in the exact solver.

Whatever keeps a circuit from spiking as its network does is a difference from the ideal circuit that can be taken out
alone: finite gain, offsets, switches and sources, slow latches, lines with resistance. The circuit without it is
simulated again, and the spikes that it no longer gets wrong are those the cause is to blame for. Causes need not add
up: a wrong spike may need two of them, and later ones follow from earlier ones.

Two causes are of another kind. *Solver tolerance* is what the exact solver no longer finds in the same circuit.
*Quantisation* is not the circuit's fault, which is judged against the conductances it has; its toll is counted against
the network before quantisation.
"""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

from snn2circuit.analysis.compare import compare_circuit
from snn2circuit.errors import CircuitNotLinear, SimulationDiverged
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.noun import Bools, noun
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.waveforms import Waveforms
from snn2circuit.netlist import build_circuit

SOLVER = "solver tolerance"
QUANTISATION = "quantisation"
WIRES = "wires"
PARTS: dict[str, tuple[str, ...]] = {
    # An amplifier without a pole has neither rails nor a slew rate, so they go together.
    "gain": ("gain", "bandwidth", "r_out", "v_low", "v_high", "slew"),
    "offset": ("offset", "comparator_offset"),
    "switches and sources": ("r_on", "r_off", "r_source"),
    "latch": ("comparator_delay", "gate_threshold", "gate_delay"),
}


@noun
class Cause:
    """One difference from the ideal circuit, and the spikes that are wrong with and without it alone."""

    name: str
    before: int  # spikes that differ with it
    without: int | None  # spikes that differ when only this is taken out; None: the exact solver cannot take that
    against: str = "mapped"  # the network that is right: "mapped", or "unquantised"

    @property
    def removed(self) -> int:
        """Spikes that taking it out puts right; below 0 if it hid others."""
        return 0 if self.without is None else self.before - self.without


@noun
class Explanation:
    """What a circuit's wrong spikes come from."""

    samples: int
    spikes_compared: int
    mismatches: int  # in the waveforms, against the mapped network
    simulator: str
    trimmed: bool  # conductances were trimmed against the parts' faults, so that one fault less may be one too many
    causes: tuple[Cause, ...]
    remaining: int | None  # spikes that differ with all causes and trims taken out; None: could not be simulated

    @property
    def main(self) -> Cause | None:
        """The cause that puts most spikes right against the mapped network; ``None`` if no cause alone does."""
        found = [cause for cause in self.causes if cause.against == "mapped" and cause.removed > 0]
        return max(found, key=lambda cause: cause.removed, default=None)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, the verdict first."""
        plain = dataclasses.asdict(self)
        plain["causes"] = [
            {**dataclasses.asdict(cause), "removed": None if cause.without is None else cause.removed}
            for cause in self.causes
        ]
        return {"main_cause": None if self.main is None else self.main.name, **plain}

    def rows(self) -> list[tuple[str, str, str, str]]:
        """A table for people: cause, spikes that differ with it and without it, and against which network."""
        return [
            (each.name, f"{each.before:,}", "not simulated" if each.without is None else f"{each.without:,}",
             each.against)
            for each in self.causes
        ]  # fmt: skip

    def __str__(self) -> str:
        head = f"{self.mismatches:,} of {self.spikes_compared:,} spikes differ from the mapped network"
        if self.mismatches == 0:
            return head
        if self.main is None:
            verdict = "no cause alone puts any right"
        else:
            verdict = f"main cause: {self.main.name}, without which {self.main.without:,} differ"
        rest = "" if self.remaining is None else f"; {self.remaining:,} with ideal parts and lines"
        trims = "; conductances are trimmed against the parts, so one fault less may be too little" * self.trimmed
        return f"{head}; {verdict}{rest}{trims}"


def explain_mismatches(
    crossbar: CrossbarNetwork, waveforms: Waveforms, parasitics: Parasitics | None = None
) -> Explanation:
    """Find the causes of the spikes that differ in ``waveforms``.

    Args:
        crossbar: the mapped network.
        waveforms: of its circuit, from any simulator.
        parasitics: resistance of lines and drivers that the circuit was simulated with.

    Raises:
        CompareError: the waveforms are of another network.
        CircuitNotLinear: the exact solver cannot take the circuit; the message says which element.
        SimulationDiverged: an amplifier left the range in which it is linear.
    """
    # numba is loaded only where the solver is used.
    from snn2circuit.simulate.exact import ExactSolver

    inputs = waveforms.stimulus.inputs
    before = compare_circuit(crossbar, waveforms)
    free = _unquantised(crossbar)
    mapped, unquantised = (each.network().run(inputs).spikes for each in (crossbar, free))

    def spikes(variant: CrossbarNetwork, lines: Parasitics | None) -> tuple[Bools, ...]:
        circuit = build_circuit(variant, inputs[0], variant.name, parasitics=lines)
        return ExactSolver(circuit).simulate(waveforms.stimulus, traces=False).spikes

    def wrong(variant: CrossbarNetwork, lines: Parasitics | None, right: tuple[Bools, ...] = mapped) -> int | None:
        try:
            return _differing(spikes(variant, lines), right)
        except (CircuitNotLinear, SimulationDiverged):
            return None

    found = spikes(crossbar, parasitics)
    exact = _differing(found, mapped)
    causes = []
    if waveforms.simulator != "exact solver":
        causes.append(Cause(name=SOLVER, before=before.mismatches, without=exact))
    present = crossbar.electronics.values
    for name, fields in PARTS.items():
        if present.keys() & set(fields):
            ideal_ones: dict[str, Any] = dict.fromkeys(fields)
            better = replace(crossbar.electronics, **ideal_ones)
            causes.append(
                Cause(name=name, before=exact, without=wrong(replace(crossbar, electronics=better), parasitics))
            )
    if parasitics is not None:
        causes.append(Cause(name=WIRES, before=exact, without=wrong(crossbar, None)))
    causes.append(
        Cause(
            name=QUANTISATION, before=_differing(found, unquantised), without=wrong(free, parasitics, unquantised),
            against="unquantised",
        )
    )  # fmt: skip
    trimmed = any(layer.trim_pos is not None or layer.gain != 1 for layer in crossbar.layers)
    ideal = replace(
        crossbar,
        electronics=type(crossbar.electronics)(),
        layers=tuple(replace(layer, trim_pos=None, trim_neg=None, gain=1.0) for layer in crossbar.layers),
    )
    return Explanation(
        samples=before.samples,
        spikes_compared=before.spikes_compared,
        mismatches=before.mismatches,
        simulator=waveforms.simulator,
        trimmed=trimmed,
        causes=tuple(causes),
        remaining=wrong(ideal, None),
    )


def _unquantised(crossbar: CrossbarNetwork) -> CrossbarNetwork:
    """The crossbars with every conductance as it was wanted, off the levels."""
    layers = tuple(replace(layer, g_pos=layer.target_pos, g_neg=layer.target_neg) for layer in crossbar.layers)
    return replace(crossbar, layers=layers)


def _differing(found: tuple[Bools, ...], right: tuple[Bools, ...]) -> int:
    return sum(int((a != b).sum()) for a, b in zip(found, right, strict=True))
