"""Two differences that must never be mixed: trained against mapped, and mapped against circuit.

The mapping changes the weights, so some spikes differ from the trained network; that is a cost, reported by
:func:`compare_mapping`. The circuit is judged against the network that its own conductances stand for, and there every
spike of every neuron in every step has to agree; :func:`compare_circuit` says whether it does, and where and when it
first does not.

A membrane that lies within the circuit's error of the threshold could fall on either side. The *margin* of an event is
its distance ``|membrane - threshold|`` in the model; agreement is comfortable when the worst membrane error is far
below the smallest margin, and luck when it is not, so both are reported.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from snn2circuit.errors import CompareError
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.network import Activity, Network, Stimulus
from snn2circuit.ir.noun import noun
from snn2circuit.ir.per_neuron import numbers, value_at
from snn2circuit.ir.waveforms import Waveforms


@noun
class LayerAgreement:
    """Model and circuit in one layer, over all samples, steps and neurons."""

    layer: int  # from 1
    spikes_compared: int  # (sample, step, neuron) events
    spikes_model: int
    spikes_circuit: int
    mismatches: int
    worst_membrane_error: float  # dimensionless: of a unit of membrane
    smallest_margin: float  # dimensionless
    events_at_risk: int  # events whose margin is below the worst membrane error
    peak_volts: float  # largest |membrane| in the circuit, V


@noun
class Divergence:
    """The first event in which the circuit does not do what the model does; later ones may follow from it."""

    sample: int  # index among the simulated samples
    layer: int  # from 1
    step: int  # from 0
    neuron: int  # from 0
    model_spike: bool
    circuit_spike: bool
    model_membrane: float  # dimensionless
    circuit_membrane: float  # dimensionless
    threshold: float  # dimensionless


@noun
class Equivalence:
    """Does the circuit spike as its network does?"""

    layers: tuple[LayerAgreement, ...]
    first_divergence: Divergence | None
    samples: int
    samples_exact: int  # samples in which no spike differs
    predictions_equal: int  # samples with the same winning class
    v_rail: float  # V
    simulator: str

    @property
    def spikes_compared(self) -> int:
        """Events compared in all layers."""
        return sum(layer.spikes_compared for layer in self.layers)

    @property
    def mismatches(self) -> int:
        """Events that differ in all layers."""
        return sum(layer.mismatches for layer in self.layers)

    @property
    def worst_membrane_error(self) -> float:
        """Largest membrane error of all layers, dimensionless."""
        return max(layer.worst_membrane_error for layer in self.layers)

    @property
    def equivalent(self) -> bool:
        """No spike differs, and no membrane left the rails."""
        return self.mismatches == 0 and all(layer.peak_volts <= self.v_rail for layer in self.layers)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, totals first."""
        return {
            "equivalent": self.equivalent,
            "spikes_compared": self.spikes_compared,
            "spike_mismatches": self.mismatches,
            "worst_membrane_error": self.worst_membrane_error,
            **dataclasses.asdict(self),
        }

    def __str__(self) -> str:
        lines = [
            f"{self.mismatches:,} of {self.spikes_compared:,} spikes differ "
            f"over {self.samples} samples ({self.simulator})"
        ]
        if (first := self.first_divergence) is not None:
            lines.append(
                f"first at sample {first.sample}, layer {first.layer}, step {first.step}, neuron {first.neuron}: "
                "model "
                f"{'spikes' if first.model_spike else 'is silent'} at {first.model_membrane:.6g}, circuit "
                f"{'spikes' if first.circuit_spike else 'is silent'} at {first.circuit_membrane:.6g}, "
                f"threshold {first.threshold:g}"
            )
        return "\n".join(lines)


@noun
class MappingEffect:
    """What the mapping changed in the network's behaviour, before any circuit."""

    spikes_compared: int
    spikes_trained: int
    spikes_mapped: int
    spikes_changed: int
    predictions_changed: int  # samples with another winning class
    samples: int


def compare_circuit(crossbar: CrossbarNetwork, waveforms: Waveforms) -> Equivalence:
    """Hold simulated waveforms against the network that the crossbar's conductances stand for.

    Raises:
        CompareError: the waveforms are of a network of another shape.
    """
    _check_shapes(crossbar, waveforms)
    network = crossbar.network()
    model = network.run(waveforms.stimulus.inputs)
    circuit = circuit_activity(waveforms)
    return Equivalence(
        layers=tuple(
            _layer_agreement(network, model, circuit, waveforms, index) for index in range(len(network.layers))
        ),
        first_divergence=first_divergence(network, model, circuit),
        samples=waveforms.stimulus.samples,
        samples_exact=int(
            np.all([(m == c).all(axis=(1, 2)) for m, c in zip(model.spikes, circuit.spikes, strict=True)], axis=0).sum()
        ),
        predictions_equal=int((model.predictions(network.decision) == circuit.predictions(network.decision)).sum()),
        v_rail=crossbar.v_rail,
        simulator=waveforms.simulator,
    )


def compare_mapping(trained: Network, crossbar: CrossbarNetwork, stimulus: Stimulus) -> MappingEffect:
    """Count what the mapping changed in spikes and decisions on ``stimulus``.

    Raises:
        CompareError: trained and mapped network differ in shape.
    """
    if trained.sizes != crossbar.sizes:
        raise CompareError(
            f"the trained network is {trained.sizes}, the mapped one {crossbar.sizes}; they do not belong together"
        )
    before, after = trained.run(stimulus.inputs), crossbar.network().run(stimulus.inputs)
    decided = before.predictions(trained.decision), after.predictions(crossbar.decision)
    return MappingEffect(
        spikes_compared=sum(spikes.size for spikes in before.spikes),
        spikes_trained=sum(int(spikes.sum()) for spikes in before.spikes),
        spikes_mapped=sum(int(spikes.sum()) for spikes in after.spikes),
        spikes_changed=sum(int((b != a).sum()) for b, a in zip(before.spikes, after.spikes, strict=True)),
        predictions_changed=int((decided[0] != decided[1]).sum()),
        samples=stimulus.samples,
    )


@noun
class LineEffect:
    """What printing changes in the circuit, on the same samples: lines as measured on the masks, and trims."""

    samples: int
    spikes_compared: int
    spikes_before: int
    spikes_after: int
    spikes_changed: int
    decisions_changed: int
    accuracy_before: float
    accuracy_after: float


def compare_lines(crossbar: CrossbarNetwork, before: Waveforms, after: Waveforms) -> LineEffect:
    """Two circuits of one network that differ in their lines and in how their conductances were trimmed.

    Raises:
        CompareError: the waveforms do not belong to the crossbar or to the same samples.
    """
    for waveforms in (before, after):
        _check_shapes(crossbar, waveforms)
    if not np.array_equal(before.stimulus.indices, after.stimulus.indices):
        raise CompareError("waveforms before and after extraction are of different samples")
    labels = before.stimulus.labels
    one, two = (circuit_activity(waveforms).predictions(crossbar.decision) for waveforms in (before, after))
    pairs = list(zip(before.spikes, after.spikes, strict=True))
    return LineEffect(
        samples=len(labels),
        spikes_compared=sum(a.size for a, _ in pairs),
        spikes_before=sum(int(a.sum()) for a, _ in pairs),
        spikes_after=sum(int(b.sum()) for _, b in pairs),
        spikes_changed=sum(int((a != b).sum()) for a, b in pairs),
        decisions_changed=int((one != two).sum()),
        accuracy_before=float((one == labels).mean()),
        accuracy_after=float((two == labels).mean()),
    )


def accuracies(
    trained: Network, crossbar: CrossbarNetwork, circuit: Waveforms, printed: Waveforms | None
) -> dict[str, float | None]:
    """Share of the samples of ``circuit`` that are decided right at each stage; ``None``: not simulated."""
    stimulus = circuit.stimulus

    def share(activity: Activity) -> float:
        return float((activity.predictions(crossbar.decision) == stimulus.labels).mean())

    return {
        "trained": share(trained.run(stimulus.inputs)),
        "mapped": share(crossbar.network().run(stimulus.inputs)),
        "circuit": share(circuit_activity(circuit)),
        "printed": None if printed is None else share(circuit_activity(printed)),
    }


def circuit_activity(waveforms: Waveforms) -> Activity:
    """The circuit's behaviour in the model's units."""
    scales = waveforms.readout.volts_per_unit
    return Activity(
        membranes=tuple(volts / scale for volts, scale in zip(waveforms.membranes, scales, strict=True)),
        spikes=waveforms.spikes,
    )


def first_divergence(network: Network, model: Activity, circuit: Activity) -> Divergence | None:
    """The earliest differing event of the first sample with one; layers run one slot apart: time is step + layer."""
    candidates = []
    for index, (expected, found) in enumerate(zip(model.spikes, circuit.spikes, strict=True)):
        differing = np.argwhere(expected != found)
        candidates += [(int(s), int(t) + index, index, int(t), int(n)) for s, t, n in differing]
    if not candidates:
        return None
    sample, _, index, step, neuron = min(candidates)
    where = (sample, step, neuron)
    return Divergence(
        sample=sample,
        layer=index + 1,
        step=step,
        neuron=neuron,
        model_spike=bool(model.spikes[index][where]),
        circuit_spike=bool(circuit.spikes[index][where]),
        model_membrane=float(model.membranes[index][where]),
        circuit_membrane=float(circuit.membranes[index][where]),
        threshold=value_at(network.layers[index].neuron.threshold, neuron),
    )


def _layer_agreement(
    network: Network, model: Activity, circuit: Activity, waveforms: Waveforms, index: int
) -> LayerAgreement:
    expected, found = model.spikes[index], circuit.spikes[index]
    margins = np.abs(model.membranes[index] - numbers(network.layers[index].neuron.threshold))
    worst = float(np.abs(model.membranes[index] - circuit.membranes[index]).max())
    return LayerAgreement(
        layer=index + 1,
        spikes_compared=expected.size,
        spikes_model=int(expected.sum()),
        spikes_circuit=int(found.sum()),
        mismatches=int((expected != found).sum()),
        worst_membrane_error=worst,
        smallest_margin=float(margins.min()),
        events_at_risk=int((margins < worst).sum()),
        peak_volts=float(np.abs(waveforms.membranes[index]).max()),
    )


def _check_shapes(crossbar: CrossbarNetwork, waveforms: Waveforms) -> None:
    neurons = tuple(len(nodes) for nodes in waveforms.readout.membranes)
    if neurons != crossbar.sizes[1:] or waveforms.stimulus.inputs.shape[2] != crossbar.sizes[0]:
        raise CompareError(
            f"the waveforms are of a {(waveforms.stimulus.inputs.shape[2], *neurons)} network, "
            f"the crossbars are {crossbar.sizes}; "
            "compare files of one run"
        )
    if waveforms.readout.volts_per_unit != tuple(layer.volts_per_unit for layer in crossbar.layers):
        raise CompareError(
            "waveforms and crossbars have different voltage scales; the netlist was built from another mapping"
        )
