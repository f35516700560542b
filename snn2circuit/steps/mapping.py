"""From the trained network to the crossbar that is printed: mapped, its lines measured, its conductances trimmed."""

from __future__ import annotations

from snn2circuit.design import Design
from snn2circuit.errors import CircuitNotLinear, MappingError, SimulationDiverged
from snn2circuit.ir.crossbar import CrossbarNetwork
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import noun
from snn2circuit.steps.circuit import choose_samples, map_crossbar
from snn2circuit.steps.compensation import SAMPLES, Compensation, compensate_parts
from snn2circuit.steps.extractions import Extractions
from snn2circuit.steps.lines import line_parasitics
from snn2circuit.steps.stack import describe_values, printable_values


@noun
class Mapped:
    """A network on its devices."""

    crossbar: CrossbarNetwork  # trimmed, if the design asks for it
    compensation: Compensation | None  # None: nothing was trimmed
    remarks: tuple[str, ...] = ()  # what a person should know of it


def map_and_trim(
    design: Design, network: Network, dataset: Dataset | None, extractions: Extractions | None = None
) -> Mapped:
    """Map ``network`` and trim it as the design says, against the lines that the design says.

    The circuit of measured masks stays in ``extractions`` for who judges the same masks later.

    Raises:
        MappingError: the device cannot hold the weights, or the circuit cannot be trimmed.
        LayoutError: lines are to be measured on masks that cannot be drawn.
    """
    crossbar = map_crossbar(design, network, dataset)
    values = printable_values(design, crossbar)
    remarks = () if values is None else (describe_values(crossbar),)
    if not design.circuit.compensate:
        return Mapped(crossbar=crossbar, compensation=None, remarks=remarks)
    parasitics = line_parasitics(design, crossbar, extractions)
    if parasitics is None and not crossbar.electronics.values:
        return Mapped(crossbar=crossbar, compensation=None, remarks=remarks)  # ideal parts and lines add exactly
    count = 0 if dataset is None else min(SAMPLES, len(dataset.test.labels))
    several = choose_samples(crossbar, dataset, count=count) if dataset is not None else None
    try:
        crossbar, compensation = compensate_parts(
            crossbar, several, parasitics, values, lambda trimmed: line_parasitics(design, trimmed, extractions)
        )
    except (CircuitNotLinear, SimulationDiverged) as error:
        raise MappingError(
            f"conductances cannot be trimmed against these parts: {error}; set compensate = false in [circuit]"
        ) from error
    return Mapped(crossbar=crossbar, compensation=compensation, remarks=(str(compensation),))
