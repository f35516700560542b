"""Neuron models with their circuits: one file a neuron, one line here."""

from snn2circuit.neurons.leaky import Leaky

NEURONS: dict[str, type[Leaky]] = {Leaky.kind: Leaky}
