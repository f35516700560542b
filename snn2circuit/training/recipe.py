"""How a network is trained: everything that decides the result, apart from the data and the seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from snn2circuit.errors import TrainingError
from snn2circuit.ir.encoding import CONSTANT, Encoding
from snn2circuit.ir.parts import Neuron
from snn2circuit.training.architecture import count_layers
from snn2circuit.training.losses import LOSSES

ENGINES = ("fused", "snntorch")  # our compiled time loop; the plain loop over snnTorch's modules
SCHEDULES = ("cosine", "constant")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The protocol of surrogate-gradient training; the defaults are tuned on the digits with 32 hidden neurons.

    A sample is presented for ``steps`` steps as ``encoding`` says. The default loss is the cross-entropy of the output
    membranes summed over the steps and divided by ``temperature``. Summed alone (temperature 1) it is content as soon
    as the right neuron leads by a fraction of a threshold per step, and a single spike more or less then turns the
    answer; a higher temperature asks for a lead that survives quantised conductances. Dividing does not change which
    neuron leads, so predictions know no temperature. ``noise`` serves the same end, and keeps a small network from
    learning its samples by heart. ``averaging`` evens out the steps of the optimiser, each of which moves some spikes.
    """

    neuron: Neuron | tuple[Neuron, ...]  # of every layer, or one for each
    convolution: str = ""  # layers before the hidden ones, see snn2circuit.training.architecture
    hidden: tuple[int, ...] = (32,)  # neurons of each hidden layer; empty for a single layer
    steps: int = 25  # that an input is presented for
    encoding: Encoding = CONSTANT
    epochs: int = 60
    batch: int = 64  # samples
    learning_rate: float = 0.01  # of Adam at the start
    schedule: str = "cosine"  # one of SCHEDULES: the learning rate falls to 0 along half a cosine, or stays
    weight_decay: float = 0.0  # of Adam, the L2 penalty's factor
    bias: bool = True
    loss: str = "ce_membrane"  # a key of LOSSES; it also decides what makes an output win
    temperature: float = 25.0  # of ce_membrane
    correct_rate: float = 0.8  # share of the steps in which the right output should spike (mse_count)
    incorrect_rate: float = 0.2  # the same of the other outputs (mse_count)
    noise: float = 0.2  # standard deviation of the Gaussian noise on normalised training inputs, new in every epoch
    averaging: float = 0.99  # share of the old value in the running mean of the weights, per batch; 0 for no mean
    validation: float = 0.1  # share of the training split, per class, that is held back to choose the best epoch
    surrogate_slope: float = 2.0  # alpha of snnTorch's `atan`, the gradient that stands in for a spike's
    learn_beta: bool = False  # whether each layer's beta is trained like a weight, from the value its neuron has
    learn_threshold: bool = False  # whether each layer's threshold is
    engine: str = "fused"  # what runs the time loop, one of ENGINES; the result is the same up to rounding

    @property
    def neurons(self) -> tuple[Neuron, ...]:
        """The neuron of each layer."""
        return (
            self.neuron
            if isinstance(self.neuron, tuple)
            else (self.neuron,) * count_layers(self.convolution, self.hidden)
        )

    def __post_init__(self) -> None:
        for each in self.neuron if isinstance(self.neuron, tuple) else (self.neuron,):
            if isinstance(each, type) or not isinstance(each, Neuron):
                raise TrainingError(
                    f"{each!r:.80} is not a neuron: it lacks a method of snn2circuit.ir.parts.Neuron; give a neuron "
                    "part, or a tuple with one for each layer"
                )
        if len(self.neurons) != (layers := count_layers(self.convolution, self.hidden)):
            raise TrainingError(f"neuron lists {len(self.neurons)} neurons; {layers} layers need one each")
        if self.engine not in ENGINES:
            raise TrainingError(f"engine is {self.engine!r}; allowed: {', '.join(ENGINES)}")
        for name, least in (("steps", 1), ("epochs", 1), ("batch", 1)):
            if getattr(self, name) < least:
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        if any(size < 1 for size in self.hidden):
            raise TrainingError(f"hidden is {self.hidden}; every hidden layer needs at least 1 neuron")
        for name in ("learning_rate", "temperature", "surrogate_slope"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be finite and above 0")
        for name in ("weight_decay", "noise"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be finite and not negative")
        if self.schedule not in SCHEDULES:
            raise TrainingError(f"schedule is {self.schedule!r}; allowed: {', '.join(SCHEDULES)}")
        if self.loss not in LOSSES:
            raise TrainingError(f"loss is {self.loss!r}; allowed: {', '.join(LOSSES)}")
        if not 0 <= self.incorrect_rate < self.correct_rate <= 1:
            raise TrainingError(
                f"correct_rate is {self.correct_rate} and incorrect_rate {self.incorrect_rate}; "
                "0 <= incorrect_rate < correct_rate <= 1 is needed"
            )
        for name in ("averaging", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(f"{name} is {getattr(self, name)}; it is a share, 0 <= {name} < 1")
