"""A folder of decks: what a person opens, and exactly what is simulated.

The dialect decides the files; ``netlist.npz`` says how to read what the decks give, and what was written beside it.
Decks of an earlier and longer stimulus are removed while they are as they were written; a file of the user, or one that
was edited, is never lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from snn2circuit.errors import FileFormatError, NetlistError
from snn2circuit.ir.circuit import NortonCrossbar
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.files import load, save, write_text
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.parasitics import Parasitics
from snn2circuit.ir.record import digest, is_ours
from snn2circuit.ir.waveforms import Netlist
from snn2circuit.netlist.build import build_circuit
from snn2circuit.netlist.dialects import DIALECTS, Dialect

INDEX = "netlist.npz"


def write_netlist(
    crossbar: CrossbarNetwork,
    stimulus: Stimulus,
    folder: Path | str,
    *,
    dialect: str | Dialect = "ngspice",
    parasitics: Parasitics | None = None,
    reduced: Mapping[str, NortonCrossbar] | None = None,
) -> Netlist:
    """Write one deck per sample of ``stimulus`` into ``folder``, and return what says how to read them.

    ``dialect`` is a key of :data:`~snn2circuit.netlist.dialects.DIALECTS`, or a dialect of one's own; ``parasitics``
    and ``reduced`` are as for :func:`~snn2circuit.netlist.build.build_circuit`.

    Raises:
        NetlistError: unknown dialect, no sample, or a sample the circuit cannot take.
        OutputError: the folder cannot be written.
    """
    if isinstance(dialect, str) and dialect not in DIALECTS:
        raise NetlistError(f"unknown dialect {dialect!r}; allowed: {', '.join(DIALECTS)}")
    if stimulus.samples == 0:
        raise NetlistError("the stimulus has no sample; give at least one")
    writer, folder = DIALECTS[dialect] if isinstance(dialect, str) else dialect, Path(folder)
    before = _written(folder)
    decks: list[str] = []
    written: dict[str, str] = {}
    for number in range(stimulus.samples):
        label = f", labelled {stimulus.labels[number]}" if stimulus.labels[number] >= 0 else ""
        title = f"{crossbar.name} {'-'.join(map(str, crossbar.sizes))}: test sample {stimulus.indices[number]}{label}"
        circuit = build_circuit(crossbar, stimulus.inputs[number], title, parasitics=parasitics, reduced=reduced)
        files = writer.sample(circuit, f"sample_{number}")
        for name, text in {**(writer.shared(circuit) if number == 0 else {}), **files}.items():
            write_text(folder / name, text, known=before.get(name, ""))
            written[name] = hashlib.sha256(text.encode()).hexdigest()
        decks.append(next(iter(files)))
    netlist = Netlist(
        decks=tuple(decks), stimulus=stimulus, readout=circuit.readout, written=tuple(sorted(written.items()))
    )
    save(netlist, folder / INDEX)
    kinds = {Path(name).suffix for name in written}  # decks of another dialect may lie in the same folder
    for stale in folder.glob("sample_*"):
        if stale.name not in written and stale.suffix in kinds and stale.is_file() and not stale.is_symlink():
            contents = digest(stale)
            if contents == before.get(stale.name) or is_ours(stale, contents):
                stale.unlink()
    return netlist


def _written(folder: Path) -> dict[str, str]:
    """SHA-256 by name of the files that the index in ``folder`` says were written there."""
    try:
        return dict(load(folder / INDEX, Netlist).written)
    except FileFormatError:  # none yet, or of another version
        return {}
