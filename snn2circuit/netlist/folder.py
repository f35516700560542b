"""A folder of decks: what a person opens, and exactly what is simulated.

The dialect decides the files; ``netlist.npz`` says how to read what the decks give.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from snn2circuit.errors import NetlistError
from snn2circuit.ir.circuit import NortonCrossbar
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.files import save, write_text
from snn2circuit.ir.network import Stimulus
from snn2circuit.ir.parasitics import Parasitics
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
    decks: list[str] = []
    written: set[Path] = set()
    for number in range(stimulus.samples):
        label = f", labelled {stimulus.labels[number]}" if stimulus.labels[number] >= 0 else ""
        title = f"{crossbar.name} {'-'.join(map(str, crossbar.sizes))}: test sample {stimulus.indices[number]}{label}"
        circuit = build_circuit(crossbar, stimulus.inputs[number], title, parasitics=parasitics, reduced=reduced)
        files = writer.sample(circuit, f"sample_{number}")
        for name, text in {**(writer.shared(circuit) if number == 0 else {}), **files}.items():
            write_text(folder / name, text)
        decks.append(next(iter(files)))
        written |= {folder / name for name in files}
    netlist = Netlist(decks=tuple(decks), stimulus=stimulus, readout=circuit.readout)
    save(netlist, folder / INDEX)
    kinds = {path.suffix for path in written}
    for stale in set(folder.glob("sample_*")) - written:
        if stale.suffix in kinds:  # never a result that a simulator left beside its deck
            stale.unlink()
    return netlist
