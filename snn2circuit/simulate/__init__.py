"""Decks to waveforms: ngspice as the referee."""

from snn2circuit.simulate.netlist import simulate_netlist

__all__ = ["simulate_netlist"]
