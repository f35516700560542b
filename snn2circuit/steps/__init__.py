"""The stages as the command line and the flow use them: each composes rooms, from nouns and a design to a noun."""

from snn2circuit.steps.circuit import (
    advise_design,
    check_circuit,
    choose_samples,
    deck_digest,
    find_causes,
    inference_energy,
    judge_with_snntorch,
    map_crossbar,
    simulate_exactly,
    write_equivalence,
)
from snn2circuit.steps.compensation import SAMPLES, Compensation, compensate_parts
from snn2circuit.steps.data import find_dataset, needed_dataset
from snn2circuit.steps.decks import simulate_decks, write_decks
from snn2circuit.steps.evaluation import write_evaluation
from snn2circuit.steps.exchange import FORMATS, Protocol, export_network, import_network
from snn2circuit.steps.extractions import Extractions
from snn2circuit.steps.files import PARTS, load, load_crossbar, save
from snn2circuit.steps.fine_tuning import Tuned, describe_tuning, device_weights, fine_tune
from snn2circuit.steps.lines import Wired, line_parasitics, printed_circuit, reference_circuit, reference_lines
from snn2circuit.steps.mapping import Mapped, map_and_trim
from snn2circuit.steps.reduction import reduce_crossbars
from snn2circuit.steps.signoff import SignOff, as_printed, check_drc, check_lvs, draw_masks, sign_off
from snn2circuit.steps.sizes import check_sizes
from snn2circuit.steps.stack import build_stack, check_process, describe_values, printable_values
from snn2circuit.steps.training import (
    data_folder,
    design_encoding,
    design_recipe,
    from_snntorch,
    interruption,
    make_neurons,
    read_trained,
    train,
    train_module,
    train_or_go_on,
)

__all__ = [
    "FORMATS",
    "PARTS",
    "SAMPLES",
    "Compensation",
    "Extractions",
    "Mapped",
    "Protocol",
    "SignOff",
    "Tuned",
    "Wired",
    "advise_design",
    "as_printed",
    "build_stack",
    "check_circuit",
    "check_drc",
    "check_lvs",
    "check_process",
    "check_sizes",
    "choose_samples",
    "compensate_parts",
    "data_folder",
    "deck_digest",
    "describe_tuning",
    "describe_values",
    "design_encoding",
    "design_recipe",
    "device_weights",
    "draw_masks",
    "export_network",
    "find_causes",
    "find_dataset",
    "fine_tune",
    "from_snntorch",
    "import_network",
    "inference_energy",
    "interruption",
    "judge_with_snntorch",
    "line_parasitics",
    "load",
    "load_crossbar",
    "make_neurons",
    "map_and_trim",
    "map_crossbar",
    "needed_dataset",
    "printable_values",
    "printed_circuit",
    "read_trained",
    "reduce_crossbars",
    "reference_circuit",
    "reference_lines",
    "save",
    "sign_off",
    "simulate_decks",
    "simulate_exactly",
    "train",
    "train_module",
    "train_or_go_on",
    "write_decks",
    "write_equivalence",
    "write_evaluation",
]
