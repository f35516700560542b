"""The weights file of SNNtrainer3D (S. L. Jurj et al., Applied Sciences 14, 2024), read and written.

It is JSON. ``parameters`` names the neuron type and the layer sizes; ``weights`` is the ``state_dict`` of the module,
each tensor as ``{"data": nested lists or one number, "dtype": "torch.float32"}``::

    fc1.weight  fc1.bias  fcs.0.weight ... fc2.weight  fc2.bias      (without hidden layers only fc1)
    lifs.N.threshold  .graded_spikes_factor  .reset_mechanism_val    (0 subtract, 1 zero, 2 none)
    lifs.N.beta       of every neuron; .alpha of Synaptic and Alpha; .R .C .time_step of Lapicque

What the files in the world have taught this reader:

* The neuron type is spelt ``Lapicque``, ``Lapique`` or ``RealisticLapicque``. The update uses R, C and the time step,
  never beta, so these decide where they are there; a file that has beta alone is read as snnTorch builds it.
* Numbers that belong to a neuron stand alone or in a list of one.
* ``.mem`` and ``.syn`` are the state of the last training batch and are dropped.
* The program builds Synaptic neurons when asked for Alpha. Alpha neurons need alpha > beta and reset to zero; a file
  that says Alpha and holds anything else, or a Synaptic state, is read as Synaptic, with a warning.

The file says nothing of time or encoding: the program holds each input constant, trains on the membranes summed over
25 steps by default, and runs 100. What we write says it in a section of its own, ``snn2circuit``, with the neurons
whole; the program does not look there.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from snn2circuit.errors import FileFormatError, NetworkError, Snn2CircuitError
from snn2circuit.frontends import annotation
from snn2circuit.frontends.imported import Imported
from snn2circuit.ir.files import write_text
from snn2circuit.ir.layer import Layer
from snn2circuit.ir.network import Network
from snn2circuit.ir.noun import Floats
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.per_neuron import value_at, varying

MAX_BYTES = 256 * 2**20
RESETS = ("subtract", "zero", "none")
TRANSIENT = ("mem", "syn", "syn_exc", "syn_inh")
SPELLINGS: Mapping[str, str] = {
    "leaky": "Leaky",
    "lapicque": "Lapicque",
    "lapique": "Lapicque",
    "realisticlapicque": "Lapicque",
    "synaptic": "Synaptic",
    "alpha": "Alpha",
}
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Leaky": ("beta",),
    "Lapicque": ("R", "C", "time_step"),
    "Synaptic": ("alpha", "beta"),
    "Alpha": ("alpha", "beta"),
}
_COMMON = ("threshold", "graded_spikes_factor", "reset_mechanism_val")


def read_snntrainer3d(path: Path, *, neurons: Mapping[str, type[Neuron]], steps: int | None = None) -> Imported:
    """Read a weights file.

    Args:
        path: the file.
        neurons: the neuron parts to choose from.
        steps: time steps a sample is presented for; ``None`` takes what a file of ours says, or 25.

    Raises:
        FileFormatError: the file is missing, too large, damaged or not of this format; the text names the key.
        NetworkError: it holds a network that cannot be one here.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FileFormatError(f"{path.stat().st_size:,} bytes; more than {MAX_BYTES:,} are not read")
        tree = json.loads(path.read_bytes())
        return _File(tree).network(path.stem, neurons, steps)
    except Snn2CircuitError as error:
        raise type(error)(f"{path}: {error}") from error
    except FileNotFoundError:
        raise FileFormatError(f"{path} does not exist") from None
    except (OSError, ValueError, RecursionError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise FileFormatError(f"{path} is damaged or not JSON: {error}") from error


class _File:
    """The tree of a file, with every access checked."""

    def __init__(self, tree: Any) -> None:
        if not isinstance(tree, dict) or not all(isinstance(tree.get(key), dict) for key in ("weights", "parameters")):
            raise FileFormatError("not a weights file of SNNtrainer3D: it has no sections 'weights' and 'parameters'")
        self.weights, self.parameters = tree["weights"], tree["parameters"]
        self.note = tree.get(annotation.KEY, {})
        if not isinstance(self.note, dict):
            raise FileFormatError(f"its section {annotation.KEY!r} is no table")
        self.warnings: list[str] = []

    def network(self, name: str, neurons: Mapping[str, type[Neuron]], steps: int | None) -> Imported:
        hidden = self.parameters.get("hidden_layers")
        if not isinstance(hidden, list):
            raise FileFormatError(f"parameters.hidden_layers is {hidden!r:.40}; a list of sizes is needed")
        sizes = [self.parameters.get("num_inputs"), *hidden, self.parameters.get("num_outputs")]
        if not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes):
            raise FileFormatError(f"parameters give the layer sizes {sizes!r:.80}; whole numbers above 0 are needed")
        names = ["fc1", *(f"fcs.{index}" for index in range(len(hidden) - 1)), *["fc2"] * bool(hidden)]
        kind = self.neuron_kind()
        self.check_keys(names, kind)
        noted = [self.noted(index, kind, neurons) for index in range(len(names))]
        layers = []
        for index, (fc, (inputs, outputs)) in enumerate(zip(names, itertools.pairwise(sizes), strict=True)):
            bias = self.array(f"{fc}.bias", (outputs,))
            part, biased = noted[index]
            layers.append(
                Layer(
                    weight=self.array(f"{fc}.weight", (outputs, inputs)),
                    bias=bias if biased or bias.any() else None,
                    neuron=part,
                )
            )
        protocol = annotation.read_protocol(self.note.get("protocol", {}), name, steps)
        return Imported(network=Network(layers=tuple(layers), **protocol), warnings=tuple(self.warnings))

    def noted(self, index: int, kind: str, neurons: Mapping[str, type[Neuron]]) -> tuple[Neuron, bool]:
        """The neuron of a layer and whether it has a bias, with what a note of ours knows beyond the weights."""
        part = self.neuron(index, kind, neurons)
        if not self.note:
            return part, True
        layer = self.note["layers"][index]
        whole = annotation.read_neuron(layer["neuron"], neurons)
        shared = (*_FIELDS[part.snntorch], "threshold", "reset_mechanism")
        if type(whole) is not type(part) or any(getattr(whole, each) != getattr(part, each) for each in shared):
            raise FileFormatError(
                f"the annotation says {whole} for layer {index + 1}, weights.lifs.{index} say {part}; was the file "
                f"changed? Remove its section {annotation.KEY!r} to read the weights"
            )
        return whole, layer["bias"] is True

    def neuron_kind(self) -> str:
        """SnnTorch's name of the neuron that the file really holds."""
        said = self.parameters.get("neuron_type")
        kind = SPELLINGS.get(re.sub("[^a-z]", "", str(said).lower()))
        if kind is None:
            raise FileFormatError(
                f"parameters.neuron_type is {said!r:.40}; known are Leaky, Lapicque, Lapique, RealisticLapicque, "
                "Synaptic and Alpha"
            )
        if kind == "Alpha" and (reason := self.not_alpha()):
            self.warnings.append(f"the file says Alpha, but {reason}: it holds Synaptic neurons and was read as such")
            kind = "Synaptic"
        if kind == "Lapicque":
            realistic = "realistic" in str(said).lower()
            if not self.physical():
                if realistic:
                    self.warnings.append(f"the file says {said}, but has no R and C: they were computed from beta")
            elif not realistic and (self.number("lifs.0.R"), self.number("lifs.0.time_step")) != (1, 1):
                self.warnings.append(f"the file says {said}, but has an R and a time step of its own: they were read")
        return kind

    def physical(self) -> bool:
        """Whether Lapicque neurons come with R and C, not with beta alone."""
        spare = self.parameters.get("hyperparameters")
        return "lifs.0.C" in self.weights or (isinstance(spare, dict) and "C" in spare)

    def not_alpha(self) -> str:
        """Why these cannot be Alpha neurons; empty if they can."""
        if "lifs.0.syn" in self.weights:
            return "it keeps one synaptic state, .syn"
        if "lifs.0.syn_exc" in self.weights:
            return ""
        if self.number("lifs.0.alpha") <= self.number("lifs.0.beta"):
            return "alpha is not above beta"
        return "" if self.number("lifs.0.reset_mechanism_val", 1) == 1 else "a spike does not reset to zero"

    def check_keys(self, names: list[str], kind: str) -> None:
        """Refuse what the reader would have to ignore without knowing what it does."""
        known = {f"{fc}.{what}" for fc in names for what in ("weight", "bias")}
        parts = {*_COMMON, *_FIELDS[kind], *TRANSIENT, "beta"}
        known |= {f"lifs.{index}.{part}" for index in range(len(names)) for part in parts}
        for key in self.weights:
            if key not in known:
                raise FileFormatError(
                    f"weights.{key:.60} does not belong to a {kind} network with {len(names)} layers; "
                    "does parameters.hidden_layers say what the file holds?"
                )

    def neuron(self, index: int, kind: str, neurons: Mapping[str, type[Neuron]]) -> Neuron:
        prefix = f"lifs.{index}."
        if (factor := self.number(prefix + "graded_spikes_factor", 1.0)) != 1:
            raise NetworkError(f"weights.{prefix}graded_spikes_factor is {factor:g}; spikes of a circuit are 0 or 1")
        reset = self.number(prefix + "reset_mechanism_val", 1 if kind == "Alpha" else 0)
        if reset not in (0, 1, 2):
            raise FileFormatError(f"weights.{prefix}reset_mechanism_val is {reset:g}; it must be 0, 1 or 2")
        fields = ("beta",) if kind == "Lapicque" and not self.physical() else _FIELDS[kind]
        values: dict[str, Any] = {field: self.number(prefix + field) for field in fields}
        values |= {"threshold": self.number(prefix + "threshold", 1.0), "reset_mechanism": RESETS[int(reset)]}
        part = next((each for each in neurons.values() if each.snntorch == kind), None)
        if part is None:
            raise NetworkError(f"there is no circuit for {kind} neurons")
        try:
            return part(**values)
        except NetworkError as error:
            raise NetworkError(f"weights.{prefix[:-1]}: {error}") from error

    def number(self, key: str, default: float | None = None) -> float:
        """One number, alone or in a list of one; of the hyperparameters if it is none of the weights."""
        name = key.rpartition(".")[2]
        spare = self.parameters.get("hyperparameters")
        if key not in self.weights:
            value = spare.get(name, default) if isinstance(spare, dict) else default
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
                raise FileFormatError(f"weights.{key} is missing, and hyperparameters.{name} does not give it")
            return float(value)
        values = self.array(key)
        if values.size != 1:
            raise NetworkError(
                f"weights.{key} has {values.size} values, one per neuron; SNNtrainer3D's layers have one {name} for all"
            )
        return float(values.reshape(()))

    def array(self, key: str, shape: tuple[int, ...] | None = None) -> Floats:
        """Finite numbers, of this shape if one is given."""
        entry = self.weights.get(key)
        if not isinstance(entry, dict) or "data" not in entry:
            raise FileFormatError(f"weights.{key} is missing or has no 'data'")
        try:
            values = np.asarray(entry["data"])
        except ValueError as error:
            raise FileFormatError(f"weights.{key}: its rows differ in length") from error
        if values.dtype.kind not in "fiu":
            raise FileFormatError(f"weights.{key} holds something other than numbers")
        if shape is not None and values.shape != shape:
            raise FileFormatError(f"weights.{key} has shape {values.shape}; the sizes in parameters need {shape}")
        if not np.isfinite(values).all():
            where = tuple(int(each) for each in np.argwhere(~np.isfinite(values))[0])
            raise FileFormatError(f"weights.{key} at {where} is {values[where]}; only finite numbers become devices")
        return values.astype(np.float64)


def write_snntrainer3d(network: Network, path: Path, *, approximate: bool = False) -> tuple[str, ...]:
    """Write a weights file that SNNtrainer3D reads; the written network spikes as ``network`` does.

    Args:
        network: fully connected, one neuron type, snnTorch's default reset; layers without bias get one of zeros.
        path: the file to write.
        approximate: round weights that are no float32 instead of refusing them.

    Returns:
        What was approximated, in words.

    Raises:
        NetworkError: the format or the program cannot hold the network; the text says what, and in which layer.
    """
    kinds = {layer.neuron.snntorch for layer in network.layers}
    if len(kinds) > 1:
        raise NetworkError(f"SNNtrainer3D has one neuron type per network; this one has {', '.join(sorted(kinds))}")
    kind = kinds.pop()
    count = len(network.layers)
    weights: dict[str, Any] = {}
    rounded = 0
    for index, layer in enumerate(network.layers):
        if not isinstance(layer, Layer):
            raise NetworkError(f"layer {index + 1} is a convolution; SNNtrainer3D has fully connected layers only")
        name = "fc1" if index == 0 else "fc2" if index == count - 1 else f"fcs.{index - 1}"
        bias = np.zeros(layer.outputs) if layer.bias is None else layer.bias
        for what, values in (("weight", layer.weight), ("bias", bias)):
            single = values.astype(np.float32)
            rounded += int((single != values).sum())
            weights[f"{name}.{what}"] = {"data": single.tolist(), "dtype": "torch.float32"}
        weights |= {f"lifs.{index}.{field}": entry for field, entry in _neuron_entries(layer.neuron, index).items()}
    if rounded and not approximate:
        raise NetworkError(
            f"{rounded:,} weights are not float32 numbers, and the format holds no others; "
            "allow the approximation (`approximate=True`) to round them"
        )
    first = network.layers[0].neuron
    hyper = {field: getattr(first, field) for field in ("alpha", "beta") if hasattr(first, field)}
    if kind == "Lapicque":
        hyper = {"beta": weights["lifs.0.beta"]["data"]}
    parameters = {
        "neuron_type": "Lapique" if kind == "Lapicque" else kind,
        "num_inputs": network.sizes[0],
        "hidden_layers": list(network.sizes[1:-1]),
        "num_outputs": network.sizes[-1],
        "hyperparameters": hyper,
    }
    protocol = {key: value for key, value in annotation.describe_protocol(network).items() if key != "name"}
    note = {
        "protocol": protocol,
        "layers": [
            {"neuron": annotation.describe_neuron(each.neuron), "bias": each.bias is not None}
            for each in network.layers
        ],
    }
    tree = {"weights": weights, "parameters": parameters, annotation.KEY: note}
    write_text(path, json.dumps(tree, allow_nan=False))
    return (f"{rounded:,} weights were rounded to float32",) if rounded else ()


def _neuron_entries(neuron: Neuron, index: int) -> dict[str, Any]:
    """The tensors of a neuron that the program's own constructor can take."""
    kind = neuron.snntorch
    if kind not in _FIELDS:
        raise NetworkError(f"layer {index + 1}: SNNtrainer3D has no {kind} neurons")
    if own := varying(neuron):
        raise NetworkError(
            f"layer {index + 1} has {' and '.join(own)} of its own for each neuron; SNNtrainer3D reads one number for "
            "a layer. NIR and snnTorch hold one for each"
        )
    values: dict[str, float] = {field: float(getattr(neuron, field)) for field in _FIELDS[kind]}
    reset = getattr(neuron, "reset_mechanism", None)
    usual = "zero" if kind == "Alpha" else "subtract"
    if reset != usual:
        raise NetworkError(
            f"layer {index + 1} resets by {reset!r}; SNNtrainer3D builds {kind} neurons with {usual!r} and cannot read "
            "another reset"
        )
    integers = {"reset_mechanism_val": RESETS.index(usual)}
    if kind == "Lapicque":
        # The program makes R and the time step whole numbers, and loading truncates anything else.
        if values["time_step"] != 1 or values["R"] != int(values["R"]):
            raise NetworkError(
                f"layer {index + 1} has R = {values['R']:g} and time_step = {values['time_step']:g}; SNNtrainer3D can "
                "write physical Lapicque neurons but not read them: it needs time_step 1 and a whole R"
            )
        integers |= {"R": int(values.pop("R")), "time_step": 1}
        values.pop("time_step")
        values["beta"] = float(np.float32(math.exp(-1 / (integers["R"] * values["C"]))))
    floats = {"threshold": value_at(neuron.threshold, 0), "graded_spikes_factor": 1.0, **values}
    return {
        **{name: {"data": value, "dtype": "torch.float32"} for name, value in floats.items()},
        **{name: {"data": value, "dtype": "torch.int64"} for name, value in integers.items()},
    }
