"""Models trained elsewhere, read into a :class:`~snn2circuit.ir.network.Network`."""
