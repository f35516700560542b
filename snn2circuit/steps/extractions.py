"""Circuits of mask files, each extracted once: what ``map`` measured, the sign-off of the same masks need not."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from snn2circuit.ir.files import fingerprint

if TYPE_CHECKING:
    from snn2circuit.layout.signoff.extract import ExtractedNetlist
    from snn2circuit.layout.signoff.stack import MaskStack


class Extractions:
    """The last circuit extracted, for a file of the same bytes in the same process.

    One file has to hold the whole stack, as in GDSII: of a set of files only one would be looked at.
    """

    def __init__(self) -> None:
        self._key = ""
        self._found: ExtractedNetlist | None = None

    def of(self, stack: MaskStack) -> ExtractedNetlist:
        """The circuit of masks that were read from ``stack.path``."""
        # KLayout takes a while to load.
        from snn2circuit.layout.signoff.extract import extract_netlist

        key = f"{hashlib.sha256(stack.path.read_bytes()).hexdigest()} {fingerprint(stack.process)}"
        if self._found is None or key != self._key:
            self._key, self._found = key, extract_netlist(stack)
        return self._found
