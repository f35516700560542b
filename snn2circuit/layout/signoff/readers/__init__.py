"""Readers of mask files, one file a format; :data:`snn2circuit.layout.signoff.stack.READERS` names them."""
