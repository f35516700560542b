"""From a trained spiking network to a circuit that provably spikes the same, and to its printed 3D stack."""
