"""Decks to waveforms: ngspice as the referee."""

from snn2circuit.simulate.netlist import read_waveforms, simulate_netlist

__all__ = ["read_waveforms", "simulate_netlist"]
