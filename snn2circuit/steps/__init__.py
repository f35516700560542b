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
    reduce_crossbars,
    simulate_exactly,
    write_equivalence,
)
from snn2circuit.steps.compensation import SAMPLES, Compensation, compensate_parts
from snn2circuit.steps.data import find_dataset, needed_dataset
from snn2circuit.steps.evaluation import write_evaluation
from snn2circuit.steps.exchange import FORMATS, Protocol, export_network, import_network
from snn2circuit.steps.files import PARTS, load, load_crossbar, save
from snn2circuit.steps.fine_tuning import Tuned, describe_tuning, device_weights, fine_tune
from snn2circuit.steps.lines import line_parasitics
from snn2circuit.steps.signoff import check_drc, check_lvs, draw_masks, line_effect, sign_off
from snn2circuit.steps.sizes import check_sizes
from snn2circuit.steps.stack import build_stack, check_process
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
    "Protocol",
    "Tuned",
    "advise_design",
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
    "line_effect",
    "line_parasitics",
    "load",
    "load_crossbar",
    "make_neurons",
    "map_crossbar",
    "needed_dataset",
    "read_trained",
    "reduce_crossbars",
    "save",
    "sign_off",
    "simulate_exactly",
    "train",
    "train_module",
    "train_or_go_on",
    "write_equivalence",
    "write_evaluation",
]
