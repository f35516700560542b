"""What a module's ``forward`` does with its tensors, learnt by watching it run.

While a :class:`Recorder` is active, every torch function that takes a tensor made from the input or from a neuron's
answer leaves a :class:`Node`: the function, its arguments, and the line of the user's code that called it. Between the
spikes of one layer and the current of the next there is then the exact chain of operations, whichever way it was
written: modules, functions, operators, hooks, wrappers, parametrisations.

Neurons are not looked into. Each of their calls is one :class:`Call`, and calls are linked by the state that is handed
on: what one call leaves is what the next starts from. Such a thread of calls is a layer, so a neuron module may serve
two layers as long as they keep their states apart.

Everything is computed in float64 on the CPU, whatever types and devices the code asks for: a cast between floating
types rounds, and rounding is no part of what a network computes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import snntorch
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch_ops import CASTS, CONSTANTS, RANDOM, READERS, canonical, changes_in_place

_LIBRARIES = tuple(
    str(path) for path in (Path(torch.__file__).parent, Path(snntorch.__file__).parent, Path(__file__).parents[1])
)
Injection = Callable[["Call"], Tensor]


@dataclass(eq=False)
class Node:
    """One tensor that depends on the input, or on what a neuron answered."""

    kind: str  # input, argument, spikes, state, random, op
    name: str  # of the function, or of what it stands for
    shape: tuple[int, ...]
    where: str = ""
    function: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    part: int | None = None  # of a function that answers several tensors, which
    call: Call | None = None
    step: int = 0  # of an input that is given step by step
    stamp: int = 0

    def parents(self) -> list[Node]:
        """The nodes among the arguments."""
        return [each for each in tree_leaves((self.args, self.kwargs)) if isinstance(each, Node)]


@dataclass(eq=False)
class Call:
    """One call of a neuron."""

    path: str
    neuron: snntorch.SpikingNeuron
    thread: int
    step: int  # of the thread, from 0
    current: Tensor
    node: Node | None  # of the current
    where: str
    before: Node | None = None  # the state it starts from; None at rest
    membrane: Tensor = field(default_factory=lambda: torch.zeros(0))
    fired: Tensor = field(default_factory=lambda: torch.zeros(0))
    sent: Tensor = field(default_factory=lambda: torch.zeros(0))  # what went on in place of the spikes


class Recorder(TorchFunctionMode):
    """Watches one run; see the module's text."""

    def __init__(self, inject: Injection | None = None) -> None:
        """Let every neuron send on what ``inject`` makes of its call, or its own spikes."""
        super().__init__()
        self.calls: list[Call] = []
        self.refusal: NetworkError | None = None
        self.path: list[str] = []  # of the modules that are being called
        self._inject = inject
        self._nodes: dict[int, tuple[Tensor, Node]] = {}
        self._written: dict[int, Node] = {}
        self._paused = False
        self._clock = 0
        self._threads: list[Call] = []  # the latest call of each
        self._takers: dict[int, list[tuple[int, str]]] = {}

    # --- tensors and their nodes ------------------------------------------------------------------

    def mark(self, tensor: Tensor, node: Node) -> None:
        """Let ``tensor`` be the value of ``node``."""
        self._clock += 1
        node.stamp = self._clock
        self._nodes[id(tensor)] = (tensor, node)  # held, so that its id is not given to another

    def node(self, value: object) -> Node | None:
        """What ``value`` was made by; ``None`` for a constant."""
        if not isinstance(value, Tensor):
            return None
        own = self._nodes.get(id(value), (None, None))[1]
        written = self._written.get(_storage(value)) if self._written else None
        if written is None or (own is not None and own.stamp >= written.stamp):
            return own
        name = f"{written.name}, which changes the memory of several tensors at once"
        return dataclasses.replace(written, kind="op", name=name, function=None, args=(written,), kwargs={})

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is recorded in here."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    def refuse(self, text: str) -> NetworkError:
        """A refusal that holds even if the user's code catches it."""
        self.refusal = self.refusal or NetworkError(text)
        return self.refusal

    def here(self) -> str:
        """Where the user's code is now: ``in fc1 (Linear), at net.py:31``."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not users_own(frame.f_code.co_filename):
            frame = frame.f_back
        inside = f"in {self.path[-1]}" if self.path else ""
        line = "" if frame is None else f"at {frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno}"
        return ", ".join(filter(None, (inside, line)))

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one torch function, in float64, and write down what it did."""
        kwargs = dict(kwargs or {})
        if self._paused:
            return func(*args, **kwargs)
        name = canonical(func)
        changes = changes_in_place(name) or "out" in kwargs
        _to_cpu(name, kwargs)
        tracked = [tensor for tensor in tree_leaves((args, kwargs)) if self.node(tensor) is not None]
        if tracked and (name in READERS or _chooses(self, name, args)):
            raise self.refuse(
                f"forward reads the values of a signal with {name} ({self.here()}): what it does then can depend on "
                "them, and no circuit branches; take that out of forward"
            )
        if tracked or changes:
            written = tree_map(lambda each: self.node(each) or each, (args, kwargs))
            if changes and isinstance(args[0], Tensor) and self.node(args[0]) is None:
                written = ((args[0].clone(), *written[0][1:]), written[1])
        if name in CASTS and isinstance(args[0], Tensor):
            result = _cast(name, args, kwargs, func)
        else:
            own = (args[0], *tree_map(_double, args[1:])) if changes else tree_map(_double, args)
            result = func(*own, **kwargs)
        target = kwargs.get("out", args[0] if args else None) if changes else None
        result = tree_map(_double, result) if target is None else result
        random = name in RANDOM or ("dropout" in name and _trains(name, args, kwargs))
        if not (tracked or random) or (name in CONSTANTS and not random):
            return result
        where = self.here()
        if random:
            written = ((), {})
        for part, tensor in enumerate([target] if target is not None else _tensors(result)):
            node = Node(
                kind="random" if random else "op",
                name=name,
                shape=tuple(tensor.shape),
                where=where,
                function=func,
                args=written[0],
                kwargs=written[1],
                part=part if target is None and not isinstance(result, Tensor) else None,
            )
            # A function that answers its own argument, as dropout does in evaluation, leaves its node as it is.
            if target is None and not random and any(tensor is each for each in tracked):
                continue
            self.mark(tensor, node)
            if target is not None and (place := _storage(tensor)):
                self._written[place] = node
        return result

    def takers(self, value: Tensor) -> list[tuple[int, str]]:
        """Threads that started from ``value``, and as which of their states."""
        return self._takers.get(id(value), [])

    # --- neurons ----------------------------------------------------------------------------------

    def call(
        self, path: str, neuron: Any, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """One call of a neuron: what drives it, what it starts from, what it answers."""
        bound = inspect.signature(forward).bind(*args, **kwargs)
        bound.apply_defaults()
        (_, current), *states = bound.arguments.items()
        with self.paused():
            if not isinstance(current, Tensor):
                raise self.refuse(f"{path} is called with a {type(current).__name__}, not a tensor ({self.here()})")
            current = current.double()
            names = [name for name, _ in states]
            before = [getattr(neuron, name) if value is None else value for name, value in states]
            call = Call(
                path, neuron, -1, 0, current.clone(), self.node(bound.args[0]), self.here(),
                before=self._start(path, names, before, current),
            )  # fmt: skip
            latest = call.before.call if call.before is not None else None
            if latest is not None:
                call.thread, call.step = latest.thread, latest.step + 1
                if self._threads[latest.thread] is not latest:
                    raise self.refuse(
                        f"{path} starts from a state that it had several steps ago ({call.where}); hand on the last one"
                    )
                self._threads[latest.thread] = call
            else:
                call.thread = len(self._threads)
                self._threads.append(call)
            for name, value in states:
                if value is not None:
                    self._takers.setdefault(id(value), []).append((call.thread, name))
            answer = forward(*tree_map(_double, args), **tree_map(_double, kwargs))
            spikes = answer[0] if isinstance(answer, tuple) else answer
            call.fired, call.membrane = spikes.double().clone(), neuron.mem.double().clone()
            self.calls.append(call)
            sent = spikes.double() if self._inject is None else self._inject(call)
            call.sent = sent.clone()
            sent = sent.clone()
            self.mark(sent, Node("spikes", f"spikes of {path}", tuple(sent.shape), call.where, call=call))
            for name in names:
                state = getattr(neuron, name)
                self.mark(state, Node("state", name, tuple(state.shape), call.where, call=call))
        return (sent, *answer[1:]) if isinstance(answer, tuple) else sent

    def _start(self, path: str, names: list[str], before: list[Any], current: Tensor) -> Node | None:
        """The state that a call starts from, ``None`` at rest."""
        nodes: list[Node | None] = []
        for name, value in zip(names, before, strict=True):
            node = self.node(value)
            while node is not None and node.kind == "op" and node.name in ("clone", "detach", *CASTS):
                node = node.parents()[0]
            if value.shape != current.shape or (node is None and not value.any()):
                nodes.append(None)  # snnTorch starts from zero where the shape is another
            elif node is not None and node.kind == "state" and node.name == name:
                nodes.append(node)
            else:
                what = "a given value" if node is None else _describe(node)
                raise self.refuse(
                    f"{name} of {path} is not what {path} left in the step before, but {what} ({self.here()}): "
                    "a circuit's neuron starts at rest and keeps its own state; hand it on unchanged"
                )
        calls = {id(node.call) if node is not None else 0 for node in nodes}
        if len(calls) > 1:
            raise self.refuse(f"{path} starts from states of different steps ({self.here()}); hand on the last of each")
        return nodes[0]


def users_own(file: str) -> bool:
    """Whether code stands in none of the libraries that call it here."""
    return not file.startswith(_LIBRARIES)


def _describe(node: Node) -> str:
    """A node in the words of a refusal."""
    match node.kind:
        case "op":
            return f"the result of {node.name} ({node.where})"
        case "state":
            return f"{node.name} of {node.call.path}" if node.call else node.name
        case "random":
            return f"a random draw by {node.name} ({node.where})"
    return node.name


def _storage(tensor: Tensor) -> int:
    return 0 if tensor.layout != torch.strided else tensor.untyped_storage().data_ptr()


def _double(value: Any) -> Any:
    rough = isinstance(value, Tensor) and value.is_floating_point() and value.dtype != torch.float64
    return value.double() if rough else value


def _tensors(result: Any) -> list[Tensor]:
    return [each for each in tree_leaves(result) if isinstance(each, Tensor)]


def _to_cpu(name: str, kwargs: dict[str, Any]) -> None:
    """Ask for no other device, and for float64 where another floating type is asked for."""
    if name not in CASTS:
        if kwargs.get("device") is not None:
            kwargs["device"] = "cpu"
        if isinstance(kwargs.get("dtype"), torch.dtype) and kwargs["dtype"].is_floating_point:
            kwargs["dtype"] = torch.float64


def _cast(name: str, args: Any, kwargs: dict[str, Any], func: Any) -> Any:
    """A change of type or device: to float64 whatever floating type is meant, and to whole numbers as it says."""
    wanted = [each for each in (*args[1:], *kwargs.values()) if isinstance(each, torch.dtype | Tensor)]
    types = [each.dtype if isinstance(each, Tensor) else each for each in wanted]
    if name in ("to", "type", "type_as") and types and not types[0].is_floating_point:
        return args[0].to(types[0])
    stays = name in ("cpu", "cuda") or (name in ("to", "type") and not types)
    return args[0] if stays and not args[0].is_floating_point() else args[0].double()


def _chooses(recorder: Recorder, name: str, args: Any) -> bool:
    """Whether the shape of the answer depends on values: what is picked by a condition on a signal."""
    if name == "where":
        return len(args) == 1
    return name == "getitem" and any(recorder.node(each) is not None for each in tree_leaves(args[1:]))


def _trains(name: str, args: Any, kwargs: dict[str, Any]) -> bool:
    given = [*args[2:3], *(kwargs[each] for each in ("training", "train") if each in kwargs)]
    return bool(given[0]) if given else "alpha" not in name
