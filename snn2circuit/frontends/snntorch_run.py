"""A copy of a user's module, and how its ``forward`` is called.

The module itself is never run: the copy is in evaluation, in float64, on the CPU, without its wrappers
(``DataParallel``, ``torch.compile``). A module without a ``forward`` of its own, and an ``nn.Sequential`` whose neurons
keep no hidden state, stand for the plain chain of their children.

What ``forward`` takes is learnt by trying: a batch of samples that every step sees, samples step by step with the steps
or the samples first, one step a call, a single sample. States that are arguments (``mem1``) are handed from call to
call; an argument that counts steps (``num_steps``) gets their number.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import snntorch
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import UninitializedParameter
from torch.utils._pytree import tree_leaves

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch_neurons import detached_memo, forget
from snn2circuit.frontends.snntorch_trace import Call, Injection, Node, Recorder, users_own
from snn2circuit.ir.linear import Shape

_STATE = re.compile(r"mem|syn|spk|spike|state|hidden", re.IGNORECASE)
_STEPS = re.compile(r"steps|num_|n_t|^T$", re.IGNORECASE)
_STEP = re.compile(r"^(t|step|time|time_step|timestep)$")
_ONCE = 100  # steps that a module of one step is called for at most


class CannotRun(NetworkError):
    """``forward`` does not run on these inputs, or reads them in another order of axes."""


@dataclass(frozen=True)
class Layout:
    """The axes of what ``forward`` takes, before those of a sample."""

    lead: tuple[str, ...]  # b: samples, t: steps

    @property
    def batched(self) -> bool:
        """Whether it takes several samples at once."""
        return "b" in self.lead

    @property
    def timed(self) -> bool:
        """Whether it takes all steps at once."""
        return "t" in self.lead

    def arrange(self, inputs: Tensor, step: int) -> Tensor:
        """What a call gets of ``inputs`` ``(steps, samples, *sample)``; ``step`` if it takes one."""
        chosen = inputs if self.batched else inputs[:, 0]
        chosen = chosen if self.timed else chosen[step]
        return (chosen.transpose(0, 1) if self.lead == ("b", "t") else chosen).clone()

    def slot(self, sample: int, step: int) -> tuple[int, ...]:
        """Index of one sample in one step."""
        return tuple(sample if axis == "b" else step for axis in self.lead)


LAYOUTS = (Layout(("b",)), Layout(("t", "b")), Layout(("b", "t")), Layout(()), Layout(("t",)))


@dataclass(frozen=True)
class Run:
    """One run of a module, from rest."""

    inputs: Tensor  # (steps, samples, *sample)
    threads: tuple[tuple[Call, ...], ...]  # the calls of each layer
    recorder: Recorder
    returned: tuple[Node, ...]  # what forward answered
    varies: bool  # whether each step saw inputs of its own


class Runner:
    """The copy of a module, and how to call it."""

    def __init__(self, module: nn.Module, *, steps: int, extra: tuple[Any, ...] | None = None) -> None:
        """Copy ``module``; ``extra`` are the arguments after the input, ``None`` if they have to be guessed."""
        module = unwrap(module)
        self.module = copy.deepcopy(module, detached_memo(module)).eval().requires_grad_(False)
        self.steps = steps
        self._extra = extra
        self._once: bool | None = None  # whether forward runs one step; not known before the first call
        self._recorder: Recorder | None = None
        self.admit: Callable[[str, nn.Module], object] = lambda path, neuron: None  # raises for a neuron of no circuit
        self._prepare()

    def run(self, layout: Layout, inputs: Tensor, inject: Injection | None = None) -> Run:
        """Run on ``inputs`` ``(steps, samples, *sample)``.

        Raises:
            CannotRun: ``forward`` raised an error.
            NetworkError: it does what no circuit does.
        """
        recorder = self._recorder = Recorder(inject)
        for neuron in self.neurons.values():
            forget(neuron)
        returned: list[Node] = []
        handed: dict[str, Tensor] = {}
        before: tuple[tuple[Call, ...], ...] = ()
        with self._isolated():
            for step in range(len(inputs)):
                answer, states = self._call(recorder, layout, layout.arrange(inputs, step), step, handed)
                returned += [node for each in tree_leaves(answer) if (node := recorder.node(each)) is not None]
                threads = _threads(recorder)
                if self._once is None:
                    self._once = not layout.timed and max(map(len, threads), default=0) == 1
                if not self._once:
                    break
                if len(threads) > len(before) > 0:
                    return self._forgetful(Run(inputs, before, recorder, tuple(returned), varies=True), threads)
                before = threads
                handed = self._hand_on(recorder, answer, states)
        varies = layout.timed or bool(self._once)
        return Run(inputs, _threads(recorder), recorder, tuple(returned), varies=varies)

    def length(self, layout: Layout) -> int:
        """Steps of inputs to prepare."""
        if layout.timed:
            return max(self.steps, 1)
        return min(max(self.steps, 4), _ONCE)

    def _forgetful(self, first: Run, threads: tuple[tuple[Call, ...], ...]) -> Run:
        path = threads[len(first.threads)][0].path
        if self.steps == 1:
            return first
        raise NetworkError(
            f"{path} starts from rest in every call of forward, which runs one step: the network would never see "
            f"{self.steps} steps. Loop over the steps in forward, or keep the state (init_hidden=True, or an argument)"
        )

    def _call(
        self, recorder: Recorder, layout: Layout, signal: Tensor, step: int, handed: dict[str, Tensor]
    ) -> tuple[Any, dict[str, Tensor]]:
        """One call of ``forward``: its answer, and the states it was given by name."""
        recorder.mark(signal, Node("input", "the input", tuple(signal.shape), step=step))
        args, kwargs, states = self._arguments(step, handed)
        for name, value in states.items():
            if name not in handed:
                recorder.mark(value, Node("argument", f"argument {name} of forward", tuple(value.shape)))
        try:
            with recorder:
                answer = self.module(signal, *args, **kwargs, **states)
        except Exception as error:
            if recorder.refusal is not None:
                raise recorder.refusal from error
            if isinstance(error, NetworkError):
                raise
            inside = f" in {recorder.path[-1]}" if recorder.path else ""
            raise CannotRun(
                f"forward could not be run on inputs of shape {tuple(signal.shape)}:{inside}{_place(error)} "
                f"{type(error).__name__}: {str(error).partition(chr(10))[0]}; "
                "give input_shape=, the shape of one sample, or example=, what forward takes"
            ) from error
        if recorder.refusal is not None:
            raise recorder.refusal
        return answer, states

    def _arguments(
        self, step: int, handed: dict[str, Tensor]
    ) -> tuple[tuple[Any, ...], dict[str, Any], dict[str, Tensor]]:
        if self._extra is not None:
            return self._extra, {}, {}
        kwargs: dict[str, Any] = {}
        states: dict[str, Tensor] = {}
        for each in list(inspect.signature(self.module.forward).parameters.values())[1:]:
            if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
                continue
            needed = each.default is each.empty
            if _STATE.search(each.name) and (needed or each.default is None):
                states[each.name] = handed.get(each.name, torch.zeros(0, dtype=torch.float64))
            elif needed and _STEP.search(each.name):
                kwargs[each.name] = step
            elif _STEPS.search(each.name) and (needed or type(each.default) is int):
                kwargs[each.name] = self.steps
            elif needed:
                raise NetworkError(
                    f"forward needs an argument {each.name!r} that cannot be guessed; "
                    f"give example=(input, ...), what forward takes, {each.name} included"
                )
        return (), kwargs, states

    def _hand_on(self, recorder: Recorder, answer: Any, states: dict[str, Tensor]) -> dict[str, Tensor]:
        """The states that ``forward`` answered, under the names of the arguments they came in by."""
        answers = [(each, recorder.node(each)) for each in tree_leaves(answer) if isinstance(each, Tensor)]
        handed: dict[str, Tensor] = {}
        for name, value in states.items():
            takers = recorder.takers(value)
            if not takers:
                continue  # not a neuron's state: where it is used as a signal, the trace says so
            thread, state = takers[0]
            last = _threads(recorder)[thread][-1]
            becomes = [
                tensor
                for tensor, node in answers
                if node is not None and node.kind == "state" and node.name == state and node.call is last
            ]
            if not becomes:
                raise NetworkError(
                    f"forward takes {name}, the {state} of {last.path}, and does not return what it becomes; "
                    "return it, so that the next step can start from it"
                )
            handed[name] = becomes[0]
        return handed

    def _prepare(self) -> None:
        for parent in list(self.module.modules()):
            for name, child in parent._modules.items():
                if child is not None:
                    parent._modules[name] = unwrap(child)
            for name, value in vars(parent).items():
                if isinstance(value, Tensor) and value.is_floating_point():
                    vars(parent)[name] = value.detach().double().cpu()
        self.module.double().cpu()
        self.neurons = {path or "the module": each for path, each in self.module.named_modules() if _spiking(each)}
        for path, each in self.module.named_modules():
            self._watch(path, each)

    def _watch(self, path: str, module: nn.Module) -> None:
        """Let the recorder know of calls of ``module``."""
        if _spiking(module):
            forward = module.forward
            name = path or "the module"

            def call(*args: Any, **kwargs: Any) -> Any:
                try:
                    self.admit(name, module)
                except NetworkError as error:
                    raise self._live.refuse(str(error)) from error
                return self._live.call(name, module, forward, args, kwargs)

            module.forward = call
            # An engine of its own that does not call its neurons has to see that someone watches.
            module.register_forward_pre_hook(lambda *_: None)
            return
        if type(module).forward in (nn.Sequential.forward, nn.Module.forward):
            module.forward = lambda signal: _chain(module, signal)
        if path:
            label = f"{path} ({type(module).__name__})"
            module.register_forward_pre_hook(lambda *_: self._live.path.append(label), prepend=True)
            module.register_forward_hook(lambda *_: self._live.path.pop() and None)

    @property
    def _live(self) -> Recorder:
        if self._recorder is None:
            raise NetworkError("the copy of a module can only be run by its runner")
        return self._recorder

    @contextlib.contextmanager
    def _isolated(self) -> Iterator[None]:
        """Nothing global changes: random numbers, snnTorch's list of neurons, gradients, compilation, threads."""
        states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the user's forward may draw from it
        instances = snntorch.SpikingNeuron.instances
        snntorch.SpikingNeuron.instances = list(self.neurons.values())
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # a few samples are too little work to share
        try:
            with torch.random.fork_rng(devices=[]), torch.no_grad(), torch.compiler.set_stance("force_eager"):
                yield
        finally:
            torch.set_num_threads(threads)
            snntorch.SpikingNeuron.instances = instances
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


def check_module(module: nn.Module) -> None:
    """Refuse a module that cannot be followed, or holds nothing to follow.

    Raises:
        NetworkError: it is a script, has no weights yet, or holds no neuron.
    """
    for path, each in module.named_modules():
        if isinstance(each, torch.jit.ScriptModule):
            raise NetworkError(
                f"{path or 'the module'} is a compiled script, whose operations cannot be followed; "
                "import the module that it was made from"
            )
        if any(isinstance(tensor, UninitializedParameter) for tensor in each._parameters.values()):
            raise NetworkError(f"{path} ({type(each).__name__}) has no weights yet; run the module once, and train it")
    if not any(map(_spiking, module.modules())):
        raise NetworkError(
            "the module holds no snnTorch neuron; a network needs at least one layer of them, as children of a module "
            "(nn.ModuleList, not a plain list)"
        )


def unwrap(module: nn.Module) -> nn.Module:
    """The module inside of wrappers that compute the same."""
    while True:
        if isinstance(module, nn.DataParallel | DistributedDataParallel):
            module = module.module
        elif isinstance(inner := module._modules.get("_orig_mod"), nn.Module):  # torch.compile
            module = inner
        else:
            return module


def _spiking(module: nn.Module) -> bool:
    """A neuron of snnTorch, or of a class derived from one."""
    homes = {each.__module__ for each in type(module).__mro__}
    return isinstance(module, snntorch.SpikingNeuron) or any(home.startswith("snntorch._neurons") for home in homes)


def _chain(module: nn.Module, signal: Any) -> Any:
    """The children in their order, each on the spikes of the one before."""
    for child in module._modules.values():  # not `children`, which passes over a module that occurs twice
        if child is not None:
            signal = child(signal[0] if isinstance(signal, tuple) else signal)
    return signal


def _threads(recorder: Recorder) -> tuple[tuple[Call, ...], ...]:
    threads: dict[int, list[Call]] = {}
    for call in recorder.calls:
        threads.setdefault(call.thread, []).append(call)
    return tuple(tuple(threads[each]) for each in sorted(threads))


def _place(error: Exception) -> str:
    """Where in the user's code an error came from."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if users_own(name):
            place = f" at {name.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def guess_shapes(module: nn.Module) -> list[Shape]:
    """Shapes that one sample may have, from the modules that say what they take, the first one first."""
    found: list[Shape] = []
    for each in unwrap(module).modules():
        sizes: list[int] = []
        if isinstance(each, nn.Linear):
            sizes = [each.in_features]
        elif isinstance(each, nn.BatchNorm1d):
            sizes = [each.num_features]
        elif isinstance(each, nn.Unflatten) and all(size > 0 for size in each.unflattened_size):
            sizes = [int(np.prod([int(size) for size in each.unflattened_size]))]
        found += [(size,) for size in sizes if size > 0 and (size,) not in found]
    return found
