"""What reading a foreign file gives: the network, and what a person has to know about how it was read."""

from __future__ import annotations

from dataclasses import dataclass

from snn2circuit.ir.network import Network


@dataclass(frozen=True, kw_only=True, eq=False)
class Imported:
    """A network from a file of another program."""

    network: Network
    warnings: tuple[str, ...] = ()  # where the file said one thing and held another, or was approximated
    if_silent: str = ""  # what to try if a layer of it can never spike
