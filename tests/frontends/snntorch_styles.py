"""Modules as people write them with snnTorch, each with how its author would run it, and what has to come of it.

A style is imported and equal to its own output, or refused with words that name the place and a way out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import snntorch as snn
import torch
import torch.utils.checkpoint
from snntorch import spikegen, surrogate, utils
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name
from torch.nn.utils import parametrizations, parametrize, spectral_norm, weight_norm

STEPS, INPUTS, HIDDEN, OUTPUTS = 12, 6, 9, 4
IMAGE = (1, 8, 8)


# --- how an author runs a module on inputs (steps, samples, *sample) ------------------------------


def first(answer: Any) -> Tensor:
    return answer[0] if isinstance(answer, tuple) else answer


def static(module: nn.Module, inputs: Tensor) -> Tensor:
    return first(module(inputs[0]))


def timed(module: nn.Module, inputs: Tensor) -> Tensor:
    return first(module(inputs))


def batch_first(module: nn.Module, inputs: Tensor) -> Tensor:
    return first(module(inputs.transpose(0, 1)))


def stepwise(module: nn.Module, inputs: Tensor) -> Tensor:
    utils.reset(module)
    return torch.stack([first(module(each)) for each in inputs])


@dataclass(frozen=True)
class Style:
    """One way to write a network."""

    build: Callable[[], nn.Module]
    run: Callable[[nn.Module, Tensor], Tensor] = static
    shape: tuple[int, ...] = (INPUTS,)
    refused: str = ""  # pattern of the refusal; empty if it is imported
    reads: Callable[[Tensor], Tensor] = lambda spikes: spikes  # of output spikes (steps, samples, outputs)
    options: dict[str, object] = field(default_factory=dict)
    steps_differ: bool = False  # its author gives it inputs that vary from step to step

    @property
    def varies(self) -> bool:
        """Whether each step sees inputs of its own."""
        return self.steps_differ or self.run in (timed, batch_first, stepwise, handing_on)


STYLES: dict[str, Style] = {}


def style(name: str, run: Callable[[nn.Module, Tensor], Tensor] = static, **keys: Any) -> Callable[[Any], Any]:
    def keep(build: Any) -> Any:
        STYLES[name] = Style(build=build, run=run, **keys)
        return build

    return keep


class Loop(nn.Module):
    """The tutorials' network: two layers, a loop over the steps, everything that a variant may change."""

    beta: Any = 0.9

    def __init__(self, **neuron: Any) -> None:
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(INPUTS, HIDDEN), snn.Leaky(beta=self.beta, **neuron)
        self.fc2, self.lif2 = nn.Linear(HIDDEN, OUTPUTS), snn.Leaky(beta=self.beta, **neuron)

    def drive(self, x: Tensor) -> Tensor:
        return self.fc1(x)

    def between(self, spk: Tensor) -> Tensor:
        return self.fc2(spk)

    def answer(self, spikes: list[Tensor], membranes: list[Tensor]) -> Any:
        return torch.stack(spikes, dim=0), torch.stack(membranes, dim=0)

    def forward(self, x: Tensor) -> Any:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spikes, membranes = [], []
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.drive(x), mem1)
            spk2, mem2 = self.lif2(self.between(spk1), mem2)
            spikes.append(spk2)
            membranes.append(mem2)
        return self.answer(spikes, membranes)


style("loop of the tutorials")(Loop)
style("fast sigmoid surrogate")(lambda: Loop(spike_grad=surrogate.fast_sigmoid(slope=25)))
style("reset to zero")(lambda: Loop(reset_mechanism="zero"))
style("no reset")(lambda: Loop(reset_mechanism="none", threshold=2.0))
style("learnt beta and threshold")(lambda: Loop(learn_beta=True, learn_threshold=True))


@style("linears first, neurons after")
class LinearsFirst(Loop):
    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.fc1, self.fc2 = nn.Linear(INPUTS, HIDDEN), nn.Linear(HIDDEN, OUTPUTS)
        self.lif1, self.lif2 = snn.Leaky(beta=0.9), snn.Leaky(beta=0.7)


@style("other order of registration")
class OtherOrder(Loop):
    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.fc2, self.lif2 = nn.Linear(HIDDEN, OUTPUTS), snn.Leaky(beta=0.8)
        self.fc1, self.lif1 = nn.Linear(INPUTS, HIDDEN), snn.Leaky(beta=0.9)


@style("unused head")
class UnusedHead(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.head, self.fire = nn.Linear(OUTPUTS, 2), snn.Leaky(beta=0.5)


@style("head that runs and is not returned")
class IdleHead(UnusedHead):
    def between(self, spk: Tensor) -> Tensor:
        self.fire(self.head(torch.ones(1, OUTPUTS)))
        return self.fc2(spk)


@style("all betas equal, one per neuron")
class EqualBetas(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.lif1 = snn.Leaky(beta=torch.full((HIDDEN,), 0.75))


@style("input given step by step", timed)
class TimeMajor(Loop):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2 = self.lif1.reset_mem(), self.lif2.reset_mem()
        spikes, membranes = [], []
        for step in range(x.size(0)):
            spk1, mem1 = self.lif1(self.drive(x[step]), mem1)
            spk2, mem2 = self.lif2(self.between(spk1), mem2)
            spikes.append(spk2)
            membranes.append(mem2)
        return self.answer(spikes, membranes)


@style("for step in x", timed)
class Iterated(Loop):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for each in x:
            spk1, mem1 = self.lif1(self.fc1(each), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
        return torch.stack(spikes)


@style("samples before steps", batch_first)
class BatchFirst(Loop):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for step in range(x.shape[1]):
            spk1, mem1 = self.lif1(self.fc1(x[:, step]), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
        return torch.stack(spikes)


@style("permuted to steps first", batch_first)
class Permuted(TimeMajor):
    def forward(self, x: Tensor) -> Any:
        return super().forward(x.permute(1, 0, 2))


@style("layer by layer", timed)
class LayerByLayer(Loop):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2, hidden, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), [], []
        current = self.fc1(x)
        for step in range(len(x)):
            spk1, mem1 = self.lif1(current[step], mem1)
            hidden.append(spk1)
        current = self.fc2(torch.stack(hidden))
        for step in range(len(x)):
            spk2, mem2 = self.lif2(current[step], mem2)
            spikes.append(spk2)
        return torch.stack(spikes)


def one_by_one(module: nn.Module, inputs: Tensor) -> Tensor:
    return torch.stack([first(module(inputs[:, sample])) for sample in range(inputs.shape[1])], 1)


@style("one sample without a batch", one_by_one, steps_differ=True)
class Unbatched(TimeMajor):
    def drive(self, x: Tensor) -> Tensor:
        return self.fc1(x.view(INPUTS))


@style("records written into a buffer")
class Buffered(Loop):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        out = torch.zeros(STEPS, len(x), OUTPUTS)
        for step in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            out[step], mem2 = self.lif2(self.fc2(spk1), mem2)
        return out


@style("counts are returned", reads=lambda spikes: spikes.sum(0))
class Counts(Loop):
    def answer(self, spikes: list[Tensor], membranes: list[Tensor]) -> Any:
        return torch.stack(spikes).sum(0)


@style("counts grow in place", reads=lambda spikes: spikes.sum(0))
class Accumulated(Loop):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2, count = self.lif1.init_leaky(), self.lif2.init_leaky(), torch.zeros(len(x), OUTPUTS)
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            count += spk2
        return count


@style("rates over classes of a population", reads=lambda spikes: spikes.view(*spikes.shape[:2], 2, 2).sum(-1).mean(0))
class Population(Loop):
    def answer(self, spikes: list[Tensor], membranes: list[Tensor]) -> Any:
        return torch.stack(spikes).view(STEPS, -1, 2, 2).sum(-1).mean(0)


@style("hidden states in a Sequential", stepwise)
def sequential() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(INPUTS, HIDDEN),
        snn.Leaky(beta=0.8, init_hidden=True),
        nn.Dropout(0.5),
        nn.Linear(HIDDEN, OUTPUTS),
        snn.Leaky(beta=0.8, init_hidden=True, output=True),
    )


@style("utils.reset in forward")
class Hidden(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(INPUTS, HIDDEN), snn.Leaky(beta=0.8, init_hidden=True))
        self.fc, self.lif = nn.Linear(HIDDEN, OUTPUTS), snn.Leaky(beta=0.9, init_hidden=True, output=True)

    def forward(self, x: Tensor) -> Any:
        utils.reset(self.net)
        self.lif.reset_mem()
        return torch.stack([self.lif(self.fc(self.net(x)))[0] for _ in range(STEPS)])


@style("nested blocks in a ModuleList")
class Blocks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        sizes = (INPUTS, HIDDEN, 7, OUTPUTS)
        self.fcs = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.lifs = nn.ModuleList(snn.Leaky(beta=0.9) for _ in sizes[1:])

    def forward(self, x: Tensor) -> Any:
        mems, spikes = [lif.init_leaky() for lif in self.lifs], []
        for _ in range(STEPS):
            signal = x
            for index, (fc, lif) in enumerate(zip(self.fcs, self.lifs, strict=True)):
                signal, mems[index] = lif(fc(signal), mems[index])
            spikes.append(signal)
        return torch.stack(spikes)


@style("one neuron object for two layers")
class Shared(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.lif2 = self.lif1


@style("num_steps as an argument", lambda net, x: first(net(x[0], STEPS)))
class NumSteps(Loop):
    def forward(self, x: Tensor, num_steps: int) -> Any:
        mem1, mem2, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for _ in range(num_steps):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
        return torch.stack(spikes)


def handing_on(module: nn.Module, inputs: Tensor) -> Tensor:
    mem1, mem2, spikes = module.lif1.init_leaky(), module.lif2.init_leaky(), []
    for each in inputs:
        spk, mem1, mem2 = module(each, mem1, mem2)
        spikes.append(spk)
    return torch.stack(spikes)


@style("states as arguments", handing_on)
class Stateless(Loop):
    def forward(self, x: Tensor, mem1: Tensor, mem2: Tensor) -> Any:
        spk1, mem1 = self.lif1(self.fc1(x), mem1)
        spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
        return spk2, mem1, mem2


@style("states as arguments that may be left out", handing_on)
class MaybeStateless(Stateless):
    def forward(self, x: Tensor, mem1: Tensor | None = None, mem2: Tensor | None = None) -> Any:
        mem1 = self.lif1.init_leaky() if mem1 is None else mem1
        mem2 = self.lif2.init_leaky() if mem2 is None else mem2
        return super().forward(x, mem1, mem2)


@style("state that is not handed back", handing_on, refused="forward takes mem1.* and does not return")
class Forgetting(Stateless):
    def forward(self, x: Tensor, mem1: Tensor, mem2: Tensor) -> Any:
        spk2, mem1, mem2 = super().forward(x, mem1, mem2)
        return spk2, mem1 * 0.5, mem2


@style("an argument that nobody can guess", refused="needs an argument 'gain'.*example=")
class Gained(Loop):
    def forward(self, x: Tensor, gain: float) -> Any:
        return super().forward(gain * x)


STYLES["an argument given by example"] = Style(
    build=Gained, run=lambda net, x: first(net(x[0], 0.5)), options={"example": (torch.zeros(2, INPUTS), 0.5)}
)


class Typed(Loop):
    kind: type[snn.SpikingNeuron]
    settings: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.lif1, self.lif2 = self.kind(**self.settings), self.kind(**self.settings)

    def forward(self, x: Tensor) -> Any:
        self.lif1.reset_mem()
        self.lif2.reset_mem()
        state1, state2, spikes = (), (), []
        for _ in range(STEPS):
            spk, *state1 = self.lif1(self.fc1(x), *state1)
            spk, *state2 = self.lif2(self.fc2(spk), *state2)
            spikes.append(spk)
        return torch.stack(spikes)


def typed(kind: type[snn.SpikingNeuron], **settings: Any) -> Callable[[], nn.Module]:
    return type(kind.__name__, (Typed,), {"kind": kind, "settings": settings})


style("Lapicque")(typed(snn.Lapicque, beta=0.5, threshold=0.3))
style("Lapicque of R and C")(typed(snn.Lapicque, R=5.0, C=1.5, time_step=0.5, threshold=0.3))
style("Synaptic")(typed(snn.Synaptic, alpha=0.7, beta=0.8, reset_mechanism="zero"))
style("Alpha")(typed(snn.Alpha, alpha=0.9, beta=0.6, threshold=0.3))
style("graded spikes", refused=r"lif2: graded_spikes_factor.*set it to 1")(
    typed(snn.Leaky, beta=0.9, graded_spikes_factor=2.0)
)
style("RLeaky", refused="lif1: no circuit for .*RLeaky: recurrence cannot be imported yet; train with")(
    typed(snn.RLeaky, beta=0.9, all_to_all=False)
)
style("RSynaptic", refused="lif1: no circuit for .*RSynaptic: recurrence cannot")(
    typed(snn.RSynaptic, alpha=0.5, beta=0.9, all_to_all=False)
)
style("SLSTM", refused="lif1: no circuit for .*SLSTM: .*train with")(
    typed(snn.SLSTM, input_size=HIDDEN, hidden_size=HIDDEN)
)
style("LeakyParallel", refused="1: no circuit for .*LeakyParallel: .*train with")(
    lambda: nn.Sequential(nn.Linear(INPUTS, HIDDEN), snn.LeakyParallel(input_size=HIDDEN, hidden_size=HIDDEN))
)
style("no reset delay", refused="lif1: reset_delay is False.*train with reset_delay=True")(
    typed(snn.Leaky, beta=0.9, reset_delay=False)
)
style("inhibition", refused="lif1: inhibition is True.*train without")(typed(snn.Leaky, beta=0.9, inhibition=True))


@style("graded spikes of a hidden layer")
class Graded(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.lif1 = snn.Leaky(beta=0.9, graded_spikes_factor=0.5)


@style("subclass of a neuron", refused="lif1: no circuit for .*Louder: a subclass may do anything; use snntorch.Leaky")
class WithSubclass(Loop):
    def __init__(self) -> None:
        class Louder(snn.Leaky):
            def forward(self, input_: Tensor, mem: Tensor | None = None) -> Any:
                return super().forward(2 * input_, mem)

        super().__init__()
        self.lif1 = Louder(beta=0.9)


@style("threshold changed after it was made")
class Lowered(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.lif1.threshold = torch.tensor(0.6)


@style("reset changed after it was made", refused="lif1: its settings read as .*behaves otherwise.*Make a new one")
class ResetChanged(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.lif1.reset_mechanism = "zero"


# --- what happens between two layers --------------------------------------------------------------


def driven(name: str, drive: Callable[[Any, Tensor], Tensor], **keys: Any) -> None:
    STYLES[name] = Style(build=type("Driven", (Loop,), {"drive": drive}), **keys)


def linked(name: str, between: Callable[[Any, Tensor], Tensor], **keys: Any) -> None:
    STYLES[name] = Style(build=type("Linked", (Loop,), {"between": between}), **keys)


driven("scaled input", lambda net, x: net.fc1(0.3 * x))
driven("normalised input", lambda net, x: net.fc1((x - 0.13) / 0.31))
driven("scaled current", lambda net, x: 0.7 * net.fc1(x) + 0.05)
driven("flattened by view", lambda net, x: net.fc1(x.view(x.size(0), -1)))
driven("reshaped and cast", lambda net, x: net.fc1(torch.reshape(x, (len(x), -1)).float().to("cpu").detach().clone()))
driven("weights by function", lambda net, x: F.linear(x, net.fc1.weight, net.fc1.bias))
driven("weights by operator", lambda net, x: x @ net.fc1.weight.T + net.fc1.bias)
driven("weights by einsum", lambda net, x: torch.einsum("bi,oi->bo", x, net.fc1.weight))
driven("summed in place", lambda net, x: torch.zeros(len(x), HIDDEN).add_(net.fc1(x)).mul_(0.9))
driven("no gradient", lambda net, x: torch.no_grad()(net.fc1)(x))
driven("rectified current", lambda net, x: F.relu(net.fc1(x)), refused="relu .*snntorch_styles.py:.* between the input")
driven("clamped input", lambda net, x: net.fc1(x.clamp(-9, 9)), refused="clamp .* between the input and lif1")
driven("softmax of the input", lambda net, x: net.fc1(x.softmax(-1)), refused="softmax .* between the input and lif1")
driven("layer norm", lambda net, x: net.fc1(F.layer_norm(x, (INPUTS,))), refused="layer_norm .*BatchNorm in evaluation")
driven("gate", lambda net, x: net.fc1(x) * net.fc1(x), refused="mul .*product of two signals")
driven("noise", lambda net, x: net.fc1(x) + torch.randn(HIDDEN), refused="randn .*random numbers")
driven("rate encoding inside", lambda net, x: net.fc1(spikegen.rate(x.sigmoid(), 1)[0]), refused="bernoulli .*encoding")
driven("dropout that is always on", lambda net, x: F.dropout(net.fc1(x)), refused="dropout .*training=self.training")
driven("mean of the batch", lambda net, x: net.fc1(x - x.mean(0)), refused="mixes samples of a batch")
driven(
    "branch on data",
    lambda net, x: net.fc1(x) if x.sum() > 0 else net.fc1(-x),
    refused="forward reads the values of a signal with __bool__ .*take that out of forward",
)
driven(
    "values through numpy",
    lambda net, x: net.fc1(torch.from_numpy(x.numpy())),
    refused="forward reads the values of a signal with numpy",
)
driven("reads a number for a log", lambda net, x: [net.fc1(x), x.mean().item()][0], refused="signal with item")

linked("residual of the same spikes", lambda net, spk: net.fc2(spk + 0.5 * spk.roll(1, 1)))
linked("dropout by function", lambda net, spk: net.fc2(F.dropout(spk, 0.5, training=net.training)))
linked("mask on spikes", lambda net, spk: net.fc2(spk * torch.tensor([0.0, 1, 1, 0, 1, 1, 1, 1, 1])))
linked("spikes silenced in place", lambda net, spk: net.fc2(silenced(spk)))
linked("half of the neurons", lambda net, spk: F.linear(spk[:, ::2], net.fc2.weight[:, ::2], net.fc2.bias))
linked(
    "maximum by function",
    lambda net, spk: net.fc2(F.max_pool1d(spk[:, None], 3, 1, 1)[:, 0]),
    refused="max_pool1d .*nn.AvgPool2d",
)
linked("spikes as truth values", lambda net, spk: net.fc2(spk.bool().float()), refused="bool .* between spikes of lif1")


def silenced(spk: Tensor) -> Tensor:
    spk[:, 0] = 0
    return spk


@style("residual over a layer", refused="add .*joins spikes of lif1 and spikes of lif3 before lif2: residual")
class Residual(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.fc3, self.lif3 = nn.Linear(HIDDEN, HIDDEN), snn.Leaky(beta=0.5, init_hidden=True)

    def between(self, spk: Tensor) -> Tensor:
        return self.fc2(spk + self.lif3(self.fc3(spk)))


@style("input beside spikes", refused="cat .*joins spikes of lif1 and the input before lif2")
class Concatenated(Loop):
    def drive(self, x: Tensor) -> Tensor:
        self.seen = x
        return self.fc1(x)

    def between(self, spk: Tensor) -> Tensor:
        return self.fc2(torch.cat([spk[:, INPUTS:], self.seen], 1))


@style("recurrence by hand", refused="lif1 in step 2 .*gets spikes of lif1 of step 1: recurrence")
class RecurrentByHand(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.back = nn.Linear(HIDDEN, HIDDEN)
        self.last = torch.zeros(HIDDEN)

    def drive(self, x: Tensor) -> Tensor:
        return self.fc1(x) + self.back(self.last)

    def between(self, spk: Tensor) -> Tensor:
        self.last = spk
        return self.fc2(spk)


@style("spikes of the step before", refused="lif2 in step 2 .*gets spikes of lif1 of step 1: a delay")
class Delayed(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.last = torch.zeros(1, HIDDEN)

    def between(self, spk: Tensor) -> Tensor:
        last, self.last = self.last, spk
        return self.fc2(last.expand(len(spk), -1))


@style("membrane as a signal", refused="lif2 .*is driven by mem of lif1; only spikes")
class MembraneOut(Loop):
    def between(self, spk: Tensor) -> Tensor:
        return self.fc2(self.lif1.mem)


@style("membrane decays once more", refused="mem of lif1 is not what lif1 left.*mul.*hand it on unchanged")
class Decaying(Loop):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            mem1 *= 0.9
            spikes.append(spk2)
        return torch.stack(spikes)


@style("state made in the loop", refused="starts from rest several times")
class Restarting(Loop):
    def forward(self, x: Tensor) -> Any:
        spikes = []
        for _ in range(STEPS):
            spk1, _ = self.lif1(self.fc1(x), self.lif1.init_leaky() * 0)
            spikes.append(self.lif2(self.fc2(spk1), None)[0])
        return torch.stack(spikes)


@style("starts from a given membrane", refused="mem of lif1 is not what lif1 left.*starts at rest")
class Charged(Loop):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2, spikes = torch.full((len(x), HIDDEN), 0.4), self.lif2.init_leaky(), []
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
        return torch.stack(spikes)


@style("two steps of one layer for each of the other", refused="different numbers of steps: lif1 24, lif2 12")
class SubSteps(Loop):
    def forward(self, x: Tensor) -> Any:
        mem1, mem2, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for _ in range(STEPS):
            _, mem1 = self.lif1(self.fc1(x), mem1)
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
        return torch.stack(spikes)


@style("other weights in later steps", refused=r"in step 4 the current of .*fc3 .*but .*fc1 .*in step 1")
class Switching(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.fc3, self.count = nn.Linear(INPUTS, HIDDEN), 0

    def drive(self, x: Tensor) -> Tensor:
        self.count += 1
        return (self.fc1 if self.count < 4 else self.fc3)(x)


@style("scale that grows", refused="in step 2 the current of .*same weights and operations in every step")
class Growing(Switching):
    def drive(self, x: Tensor) -> Tensor:
        self.count += 1
        return self.fc1(x) * self.count


@style("weights that learn while it runs", refused="lif2|lif1")
class Plastic(Loop):
    def between(self, spk: Tensor) -> Tensor:
        current = self.fc2(spk)
        self.fc2.weight.data += 0.01 * current.mean(0)[:, None]
        return current


@style("linear behind the last neuron", refused="linear .*behind spikes of lif2.* has no neuron after it; add one")
class LinearReadout(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.readout = nn.Linear(OUTPUTS, 2)

    def answer(self, spikes: list[Tensor], membranes: list[Tensor]) -> Any:
        return self.readout(torch.stack(spikes).mean(0))


@style("output spikes changed", refused="setitem .*changes spikes of lif2 before they are returned")
class OutputSilenced(Loop):
    def forward(self, x: Tensor) -> Any:
        spikes: list[Tensor] = []
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(silenced(spk2))
        return torch.stack(spikes)


@style("two heads", refused="spikes of lif1 drive both lif. .*and lif. .*branches cannot be imported yet")
class TwoHeads(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.fc3, self.lif3 = nn.Linear(HIDDEN, 2), snn.Leaky(beta=0.5, init_hidden=True)
        self.other: list[Tensor] = []

    def between(self, spk: Tensor) -> Tensor:
        self.other.append(self.lif3(self.fc3(spk)))
        return self.fc2(spk)

    def answer(self, spikes: list[Tensor], membranes: list[Tensor]) -> Any:
        return torch.stack(spikes), self.other[-1]


@style("membranes of a quiet readout", lambda net, x: net(x[0]), reads=lambda spikes: spikes)
class MembraneReadout(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.lif2 = snn.Leaky(beta=0.9, reset_mechanism="none")

    def answer(self, spikes: list[Tensor], membranes: list[Tensor]) -> Any:
        return (torch.stack(membranes) > 1).float()


def returning(name: str, answer: Callable[[Tensor], Tensor], **keys: Any) -> None:
    changes = {"answer": lambda net, spikes, membranes: answer(torch.stack(spikes))}
    STYLES[name] = Style(build=type("Returning", (Loop,), changes), **keys)


returning("first step left out", lambda spikes: spikes[1:], refused="getitem .*changes spikes of lif2 before they are")
returning(
    "some outputs masked",
    lambda spikes: spikes.masked_fill(torch.arange(OUTPUTS) < 2, 0.0),
    refused="masked_fill .*changes spikes of lif2",
)
returning(
    "outputs weighted", lambda spikes: spikes * torch.arange(4.0), refused="mul .*behind spikes of lif2.* has no neuron"
)
returning("as a dictionary", lambda spikes: {"spikes": spikes}, run=lambda net, x: net(x[0])["spikes"])
returning(
    "softmax of rates", lambda spikes: spikes.mean(0).softmax(-1), reads=lambda spikes: spikes.mean(0).softmax(-1)
)


@style("branch on a shape that depends on data", refused="reads the values of a signal with nonzero")
class ShapeBranch(Loop):
    def between(self, spk: Tensor) -> Tensor:
        return self.fc2(spk) if spk.nonzero().shape[0] > 3 else 0 * self.fc2(spk)


@style("threshold that adapts", refused="layer 1 .lif1.* in step 2 .*differ from the module's own")
class Adaptive(Loop):
    def between(self, spk: Tensor) -> Tensor:
        self.lif1.threshold = 1 + 0.1 * spk.mean()
        return self.fc2(spk)


class Rounding(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        return slope


@torch.jit.script
def hidden_relu(x: Tensor) -> Tensor:
    return torch.relu(x)


driven(
    "straight-through rounding", lambda net, x: net.fc1(x) + Rounding.apply(x).mean(), refused="round .*lif1: it is not"
)
driven("scripted function", lambda net, x: hidden_relu(net.fc1(x)), refused="nothing that can be followed")
driven(
    "scripted function beside",
    lambda net, x: net.fc1(x) + hidden_relu(x).mean(),
    refused="layer 1 .*is not what the weights",
)
driven(
    "noise of numpy",
    lambda net, x: net.fc1(x) + float(np.random.default_rng().normal()),
    refused="layer 1 .*is not what the weights",
)
driven("input through a list", lambda net, x: net.fc1(torch.tensor(x.tolist())), refused="with tolist")
driven("gradient switched on", lambda net, x: torch.enable_grad()(net.fc1)(x))
driven("checkpointed", lambda net, x: torch.utils.checkpoint.checkpoint(net.fc1, x, use_reentrant=False))
driven("matrix in two halves", lambda net, x: torch.cat([net.fc1(x)[:, :4], net.fc1(x)[:, 4:]], 1))
driven(
    "input straight to the neurons", lambda net, x: 1.5 * x.repeat(1, 2)[:, :HIDDEN], options={"input_shape": (INPUTS,)}
)


@style("counter over calls", stepwise, refused="in step 10 the current of .*is not what the weights of step 1")
class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lif, self.calls = nn.Linear(INPUTS, OUTPUTS), snn.Leaky(beta=0.9, init_hidden=True), 0

    def forward(self, x: Tensor) -> Any:
        self.calls += 1
        return self.lif(self.fc(x if self.calls < 10 else 2 * x))


@style("linear kept in a plain list")
class PlainList(Loop):
    def __init__(self) -> None:
        super().__init__()
        self.linears = [self.fc1]

    def drive(self, x: Tensor) -> Tensor:
        return self.linears[0](x)


@style("neurons kept in a plain list", refused="no snnTorch neuron.*nn.ModuleList, not a plain list")
class HiddenNeurons(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.lifs = nn.Linear(INPUTS, OUTPUTS), [snn.Leaky(beta=0.9)]

    def forward(self, x: Tensor) -> Any:
        return self.lifs[0](self.fc(x))


# --- wrappers, norms, hooks -----------------------------------------------------------------------


class Normed(Loop):
    def __init__(self, norm: nn.Module | None = None) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(HIDDEN) if norm is None else norm
        for each in self.norm.modules():
            if isinstance(each, nn.BatchNorm1d) and each.running_mean is not None:
                each.running_mean.uniform_(-0.5, 0.5)
                each.running_var.uniform_(0.5, 2.0)

    def drive(self, x: Tensor) -> Tensor:
        return self.norm(self.fc1(x))


style("batch norm")(Normed)
style("batch norm without parameters")(lambda: Normed(nn.BatchNorm1d(HIDDEN, affine=False)))
style("batch norm of the batch", refused="batch_norm .*keep running statistics")(
    lambda: Normed(nn.BatchNorm1d(HIDDEN, track_running_stats=False))
)


@style("batch norm through time", refused=r"in step 2 the current of .*norm.1 .*norm.0 .*in step 1")
class ThroughTime(Normed):
    def __init__(self) -> None:
        super().__init__(snn.BatchNormTT1d(HIDDEN, STEPS))

    def forward(self, x: Tensor) -> Any:
        self.step = -1
        return super().forward(x)

    def drive(self, x: Tensor) -> Tensor:
        self.step = (self.step + 1) % STEPS
        return self.norm[self.step](self.fc1(x))


style("DataParallel")(lambda: nn.DataParallel(Loop()))
style("compiled")(lambda: torch.compile(Loop()))


def changed(change: Callable[[Loop], object]) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        module = Loop()
        change(module)
        return module

    return build


class Halved(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight / 2


style("weight norm")(changed(lambda net: weight_norm(net.fc1)))
style("weight norm by parametrisation")(changed(lambda net: parametrizations.weight_norm(net.fc1)))
style("spectral norm")(changed(lambda net: spectral_norm(net.fc1)))
style("a parametrisation of one's own")(
    changed(lambda net: parametrize.register_parametrization(net.fc1, "weight", Halved()))
)
style("hook that scales")(changed(lambda net: net.fc1.register_forward_hook(lambda module, given, out: out * 0.5)))
style("hook before that scales")(
    changed(lambda net: net.fc2.register_forward_pre_hook(lambda module, given: (2 * given[0],)))
)
style("hook that rectifies", refused="relu .*between the input and lif1")(
    changed(lambda net: net.fc1.register_forward_hook(lambda module, given, out: out.relu()))
)
style("half precision")(changed(lambda net: net.half()))
style("a lazy linear that has run")(changed(lambda net: setattr(net, "fc1", lazy())))
style("script", refused="fc1 is a compiled script.*import the module that it was made from")(
    changed(lambda net: setattr(net, "fc1", torch.jit.script(net.fc1)))
)


style("a lazy linear that has not run", refused="fc1 .*has no weights yet; run the module once")(
    changed(lambda net: setattr(net, "fc1", nn.LazyLinear(HIDDEN)))
)


def lazy() -> nn.Module:
    module = nn.LazyLinear(HIDDEN)
    module(torch.zeros(1, INPUTS))
    return module


# --- images ---------------------------------------------------------------------------------------


class Images(nn.Module):
    """The tutorials' convolutional network with pooling to choose."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.lif1 = nn.Conv2d(1, 3, 3), snn.Leaky(beta=0.8, threshold=0.5)
        self.conv2, self.lif2 = nn.Conv2d(3, 4, 2), snn.Leaky(beta=0.8, threshold=0.3)
        self.fc, self.lif3 = nn.Linear(16, OUTPUTS), snn.Leaky(beta=0.8, threshold=0.3)

    def pool(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2)

    def late(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Any:
        mems, spikes = [lif.init_leaky() for lif in (self.lif1, self.lif2, self.lif3)], []
        for _ in range(STEPS):
            spk, mems[0] = self.lif1(self.pool(self.conv1(x)), mems[0])
            spk, mems[1] = self.lif2(self.conv2(spk), mems[1])
            spk, mems[2] = self.lif3(self.fc(self.late(spk).flatten(1)), mems[2])
            spikes.append(spk)
        return torch.stack(spikes)


def images(name: str, build: Any, **keys: Any) -> None:
    STYLES[name] = Style(build=build, shape=IMAGE, options={"input_shape": IMAGE}, **keys)


images("images", Images)
images("images, adaptive pooling", type("A", (Images,), {"pool": lambda net, x: F.adaptive_avg_pool2d(x, 3)}))
images(
    "images, uneven adaptive pooling",
    type(
        "U",
        (Images,),
        {
            "pool": lambda net, x: F.adaptive_avg_pool2d(x, (3, 3)),
            "late": lambda net, x: F.interpolate(F.adaptive_avg_pool2d(x, 1), 2),
        },
    ),
)
images("images, ceil mode", type("C", (Images,), {"pool": lambda net, x: F.avg_pool2d(x, 2, ceil_mode=True)}))
images("images, sums", type("S", (Images,), {"pool": lambda net, x: F.lp_pool2d(x, 1, 2)}))
images("images, channels scaled", type("M", (Images,), {"late": lambda net, x: x * torch.arange(4.0).view(-1, 1, 1)}))
images("images, permuted", type("P", (Images,), {"late": lambda net, x: x.permute(0, 2, 3, 1).reshape(len(x), -1)}))
images(
    "images, maximum of a current",
    type("X", (Images,), {"pool": lambda net, x: F.max_pool2d(x, 2)}),
    refused="max_pool2d .*snntorch_styles.py:.* between the input and lif1: the maximum is not linear.*nn.AvgPool2d",
)


@style("images without a shape", refused="give input_shape=.*example=", shape=IMAGE)
def pictures() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 3, 3), snn.Leaky(beta=0.8, init_hidden=True))


STYLES["images by example"] = Style(build=Images, shape=IMAGE, options={"example": torch.zeros(2, *IMAGE)})


def convolutions() -> nn.Module:
    norms = [nn.BatchNorm2d(1), nn.BatchNorm2d(3)]
    for norm in norms:
        norm.running_mean.uniform_(-0.3, 0.3)
        norm.running_var.uniform_(0.5, 2)
    return nn.Sequential(
        norms[0],
        nn.Conv2d(1, 3, 3, padding=1, padding_mode="reflect"),
        norms[1],
        nn.AvgPool2d(3, 2, 1, count_include_pad=False),
        snn.Leaky(beta=0.8, threshold=0.3, init_hidden=True),
        nn.Dropout2d(0.2),
        nn.Conv2d(3, 4, 2, padding="same"),
        snn.Leaky(beta=0.8, threshold=0.3, init_hidden=True),
        nn.Flatten(),
        nn.AlphaDropout(0.2),
        nn.Linear(64, OUTPUTS),
        snn.Leaky(beta=0.8, threshold=0.5, init_hidden=True, output=True),
    )


STYLES["images, norms and paddings"] = Style(
    build=convolutions, run=stepwise, shape=IMAGE, options={"input_shape": IMAGE}
)


def lines() -> nn.Module:
    norm = nn.BatchNorm1d(3)
    norm.running_mean.uniform_(-0.3, 0.3)
    return nn.Sequential(
        nn.Unflatten(1, (1, 12)),
        nn.Conv1d(1, 3, 3, padding=1),
        norm,
        nn.AvgPool1d(2),
        snn.Leaky(beta=0.8, threshold=0.3, init_hidden=True),
        nn.Conv1d(3, 2, 2),
        snn.Leaky(beta=0.8, threshold=0.3, init_hidden=True),
        nn.AdaptiveAvgPool1d(5),
        nn.FeatureAlphaDropout(0.2),
        nn.Flatten(),
        nn.Linear(10, OUTPUTS),
        snn.Leaky(beta=0.8, threshold=0.5, init_hidden=True, output=True),
    )


STYLES["lines"] = Style(build=lines, run=stepwise, shape=(12,))
STYLES["lines, image row by row"] = Style(
    build=lambda: nn.Sequential(
        nn.Linear(4, 2),
        snn.Leaky(beta=0.8, init_hidden=True),
        nn.Flatten(),
        nn.Linear(6, OUTPUTS),
        snn.Leaky(beta=0.8, threshold=0.5, init_hidden=True),
    ),
    run=stepwise,
    shape=(3, 4),
    options={"input_shape": (3, 4)},
)
