"""Neuron models with their circuits: one file a neuron, one line here."""

from snn2circuit.ir.parts import Neuron
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic

NEURONS: dict[str, type[Neuron]] = {
    Leaky.kind: Leaky,
    Lapicque.kind: Lapicque,
    Synaptic.kind: Synaptic,
    Alpha.kind: Alpha,
}
