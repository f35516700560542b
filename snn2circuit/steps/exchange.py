"""Files of other programs: which formats there are, and the way in and out of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from snn2circuit.errors import FileFormatError, Snn2CircuitError
from snn2circuit.ir.network import Network
from snn2circuit.ir.reach import describe_silence, silent_layers
from snn2circuit.neurons import NEURONS

if TYPE_CHECKING:
    from snn2circuit.frontends.imported import Imported


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What a file may not say, or a reader may know better."""

    steps: int | None = None  # time steps per sample; None: what the file says, or 25
    dt: float | None = None  # s, length of a step (nir); None: what the file says, or 1 ms when writing
    discretisation: str | None = None  # "exact" or "euler" (nir); None: what the file says, or exact
    approximate: bool = False  # allow the nearest thing, annotated, where there is no equal one


@dataclass(frozen=True, kw_only=True)
class Format:
    """One file format; ``write`` returns what it approximated, in words."""

    title: str
    suffixes: tuple[str, ...]
    write: Callable[[Network, Path, Protocol], tuple[str, ...]]
    read: Callable[[Path, Protocol], Imported]


def _read_nir(path: Path, protocol: Protocol) -> Imported:
    from snn2circuit.frontends.nir_read import read_nir

    return read_nir(
        path,
        neurons=NEURONS,
        steps=protocol.steps,
        dt=protocol.dt,
        discretisation=protocol.discretisation,
        approximate=protocol.approximate,
    )


def _write_nir(network: Network, path: Path, protocol: Protocol) -> tuple[str, ...]:
    from snn2circuit.frontends.nir_write import write_nir

    return write_nir(
        network,
        path,
        dt=1e-3 if protocol.dt is None else protocol.dt,
        discretisation=protocol.discretisation or "exact",
        approximate=protocol.approximate,
    )


def _read_snntrainer3d(path: Path, protocol: Protocol) -> Imported:
    from snn2circuit.frontends.snntrainer3d import read_snntrainer3d

    return read_snntrainer3d(path, neurons=NEURONS, steps=protocol.steps)


def _write_snntrainer3d(network: Network, path: Path, protocol: Protocol) -> tuple[str, ...]:
    from snn2circuit.frontends.snntrainer3d import write_snntrainer3d

    return write_snntrainer3d(network, path, approximate=protocol.approximate)


def _write_snntorch(network: Network, path: Path, protocol: Protocol) -> tuple[str, ...]:
    from snn2circuit.frontends.snntorch_file import state_of
    from snn2circuit.training import save_state_dict

    save_state_dict(state_of(network), path)
    return ()


def _read_snntorch(path: Path, protocol: Protocol) -> Imported:
    from snn2circuit.frontends.snntorch_file import read_state
    from snn2circuit.training import load_state_dict

    state = load_state_dict(path)
    try:
        return read_state(state, neurons=NEURONS, name=path.stem, steps=protocol.steps)
    except Snn2CircuitError as error:
        raise type(error)(f"{path}: {error}") from error


FORMATS: Mapping[str, Format] = {
    "nir": Format(title="NIR graph", suffixes=(".nir", ".h5", ".hdf5"), read=_read_nir, write=_write_nir),
    "snntrainer3d": Format(
        title="weights of SNNtrainer3D", suffixes=(".json",), read=_read_snntrainer3d, write=_write_snntrainer3d
    ),
    "snntorch": Format(
        title="state_dict of nn.Sequential(*to_snntorch(network))",
        suffixes=(".pt", ".pth"),
        read=_read_snntorch,
        write=_write_snntorch,
    ),
}


def import_network(
    path: Path, *, kind: str | None = None, dataset: str | None = None, protocol: Protocol | None = None
) -> Imported:
    """Read a network from a file of another program.

    Args:
        path: the file.
        kind: a key of :data:`FORMATS`; ``None`` goes by the file's suffix.
        dataset: the dataset it was trained on, if it is one of ours and the file does not say.
        protocol: what the file may not say.

    Returns:
        The network, and in words what was approximated, what the file leaves open, and which layers can never spike.

    Raises:
        FileFormatError: the file is missing, damaged, hostile or of no format that can be read.
        NetworkError: it holds a network that cannot be one here.
    """
    path = Path(path)
    name = kind or next((name for name, each in FORMATS.items() if path.suffix.lower() in each.suffixes), "")
    if name not in FORMATS:
        known = ", ".join(f"{name} ({' '.join(each.suffixes)})" for name, each in FORMATS.items())
        raise FileFormatError(f"{path}: networks are read from {known}; say which it is (`kind`)")
    imported = FORMATS[name].read(path, protocol or Protocol())
    network = imported.network if dataset is None else replace(imported.network, dataset=dataset)
    silent = describe_silence(network)
    # Another time step helps a layer that is driven at all.
    driven = imported.if_silent and any(share > 0 for _, share in silent_layers(network))
    hint = (imported.if_silent,) if driven else ()
    return replace(imported, network=network, warnings=(*imported.warnings, *silent, *hint))


def export_network(network: Network, path: Path, *, kind: str, protocol: Protocol | None = None) -> tuple[str, ...]:
    """Write a network for another program, ``kind`` being a key of :data:`FORMATS`.

    Returns:
        What was approximated, in words; nothing is unless ``protocol`` allows it.

    Raises:
        NetworkError: the format cannot hold the network; the text says what, and in which layer.
    """
    if kind not in FORMATS:
        raise FileFormatError(f"format {kind!r} is not known (`kind`); allowed: {', '.join(FORMATS)}")
    return FORMATS[kind].write(network, Path(path), protocol or Protocol())
