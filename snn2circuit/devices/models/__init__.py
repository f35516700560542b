"""Memristor models with a state that moves: one file a model, one line here.

The state ``x`` of every model runs from 0 to 1; each file says what it stands for. The presets of
:mod:`snn2circuit.devices` say what a device holds when it is read; these models say what pulses do to it.
"""

from snn2circuit.devices.models.biolek import Biolek
from snn2circuit.devices.models.linear import Linear
from snn2circuit.devices.models.nonlinear import Nonlinear
from snn2circuit.devices.models.stanford_pku import StanfordPku
from snn2circuit.devices.models.vteam import Vteam
from snn2circuit.devices.models.yakopcic import Yakopcic
from snn2circuit.ir.memristor import MemristorModel

MODELS: dict[str, MemristorModel] = {
    "linear": Linear(),
    "nonlinear": Nonlinear(),
    "vteam": Vteam(),
    "yakopcic": Yakopcic(),
    "stanford_pku": StanfordPku(),
    "biolek": Biolek(),
}
