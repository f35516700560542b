"""What a design can choose from, as rows for people, read from the dicts that design files are checked against."""

from __future__ import annotations

import inspect

from snn2circuit.datasets import DATASETS
from snn2circuit.devices import DEVICES
from snn2circuit.devices.models import MODELS
from snn2circuit.electronics import ELECTRONICS
from snn2circuit.ir.parts import Quantity
from snn2circuit.layout.processes import PROCESSES
from snn2circuit.neurons import NEURONS
from snn2circuit.units import engineering


def rows(what: str) -> list[tuple[str, ...]]:
    """Rows for ``devices``, ``models``, ``electronics``, ``neurons``, ``datasets`` or ``processes``.

    What no source gives ends in ``(assumed)``.
    """
    match what:
        case "devices":
            return [
                (
                    name,
                    f"{_quantity(device.g_min)} to {_quantity(device.g_max)}",
                    f"read at {_quantity(device.v_read)}",
                    device.technology,
                )
                for name, device in DEVICES.items()
            ]
        case "electronics":
            return [
                (
                    name,
                    ", ".join(f"{key} {_quantity(value)}" for key, value in part.values.items()) or "no limit",
                    part.technology,
                )
                for name, part in ELECTRONICS.items()
            ]
        case "neurons":
            return [
                (
                    name,
                    ", ".join(f"{each.name}={each.default}" for each in inspect.signature(neuron).parameters.values()),
                    _first_line(neuron),
                )
                for name, neuron in NEURONS.items()
            ]
        case "datasets":
            return [
                (
                    name,
                    source.title,
                    f"{' x '.join(map(str, source.shape))} inputs, {len(source.classes)} classes"
                    if source.shape
                    else "inputs and classes as the files have them",
                    source.origin,
                )
                for name, source in DATASETS.items()
            ]
        case "models":
            return [
                (
                    name,
                    ", ".join(
                        f"{each.name}={each.default}" for each in inspect.signature(type(model)).parameters.values()
                    ),
                    _first_line(type(model)),
                )
                for name, model in MODELS.items()
            ]
        case _:
            return [
                (
                    name,
                    f"width {_quantity(process.min_width)}, space {_quantity(process.min_space)}, "
                    f"overlay {_quantity(process.overlay)}",
                    process.technology,
                )
                for name, process in PROCESSES.items()
            ]


def _quantity(quantity: Quantity) -> str:
    return engineering(quantity.value, quantity.unit) + " (assumed)" * (quantity.confidence == "assumed")


def _first_line(part: type) -> str:
    return (part.__doc__ or "").strip().splitlines()[0]
