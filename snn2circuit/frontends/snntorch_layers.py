"""From a recorded run to the layers of a chain, or the reason why it is none.

A layer is a thread of calls of a neuron. The current of each call is followed back to what it is made from, which has
to be the input, or the spikes that one other layer sends in the same step, by affine operations. Layers that nothing
``forward`` returns depends on are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from snn2circuit.errors import NetworkError
from snn2circuit.frontends.snntorch_fold import Unstructured, fold_chain
from snn2circuit.frontends.snntorch_matrix import fold_matrix, replay
from snn2circuit.frontends.snntorch_ops import JOINS, PICKS, WEIGHTED, nonlinear
from snn2circuit.frontends.snntorch_run import CannotRun, Layout, Run
from snn2circuit.frontends.snntorch_trace import Call, Node
from snn2circuit.ir.linear import Map, Shape


@dataclass(frozen=True)
class Link:
    """How a layer gets its current."""

    thread: int
    source: int | None  # thread of the layer before; None for the input
    path: str
    start: Shape  # of what the maps take
    maps: tuple[Map, ...]
    shape: Shape  # of the neurons


def find_links(run: Run, layout: Layout) -> list[Link]:
    """The layers that the answer of ``forward`` depends on, from the first to the last.

    Raises:
        CannotRun: the module reads the input in another order of axes.
        NetworkError: they are no chain; the text names the place.
    """
    if not run.threads:
        raise NetworkError("forward calls no snnTorch neuron; a network needs at least one layer of them")
    samples = run.inputs.shape[1]
    for thread in run.threads:
        shape = thread[0].current.shape
        if layout.batched and (not shape or shape[0] != samples):
            raise CannotRun(
                f"{thread[0].path} gets a current of shape {tuple(shape)} for {samples} samples; the input is read in "
                "another order of axes. Give input_shape=, the shape of one sample, or example=, what forward takes"
            )
    wanted = sorted(_wanted(run))
    _check_steps([run.threads[each] for each in wanted])
    sources = {each: _source(run, run.threads[each]) for each in wanted}
    order = _order(run, sources)
    _check_answer(run, order)
    return [_link(run, layout, each, sources[each]) for each in order]


def _source(run: Run, thread: Sequence[Call]) -> int | None:
    """The thread that ``thread`` gets its current from in every step; ``None`` for the input."""
    found: set[int | None] = set()
    for call in sorted(thread, key=lambda call: call.node is None):
        leaves = _leaves(call)
        if len(leaves) > 1 and call.step in (0, 1, len(thread) - 1):
            leaves = _used(call, leaves)
        elif len(leaves) > 1 and found:
            continue  # steps in between are compared by their numbers
        found |= {_judge(run, call, leaves)}
    if len(found) > 1:
        raise NetworkError(f"{thread[0].path} gets its current from another layer in one step than in the next")
    return found.pop()


def _leaves(call: Call) -> list[Node]:
    """What a current is made from, by affine operations only."""
    if call.node is None:
        raise NetworkError(
            f"the current of {call.path} ({call.where}) is made from nothing that can be followed: neither from the "
            "input nor from spikes by torch's functions"
        )
    leaves: list[Node] = []
    for node in _below(call.node):
        if node.kind != "op":
            leaves.append(node)
        elif reason := nonlinear(node):
            origin = ", ".join(_origins(node))
            raise NetworkError(f"{node.name} ({node.where}) between {origin} and {call.path}: {reason}")
    for node in leaves:
        if node.kind == "random":
            reason = (
                "dropout is active in evaluation too; pass training=self.training"
                if "dropout" in node.name
                else "forward draws random numbers, and no circuit does; give what was drawn (an encoding, noise) to "
                "forward as its input"
            )
            raise NetworkError(f"{node.name} ({node.where}) before {call.path}: {reason}")
        if node.kind == "state" and node.call is not None:
            raise NetworkError(
                f"{call.path} ({call.where}) is driven by {node.name} of {node.call.path}; only spikes leave a neuron "
                "of a circuit. Pass its spikes on"
            )
        if node.kind == "argument":
            raise NetworkError(f"{call.path} ({call.where}) is driven by {node.name}; only the input can drive it")
    return leaves


def _judge(run: Run, call: Call, leaves: Sequence[Node]) -> int | None:
    """The thread that a call gets its current from, ``None`` for the input."""
    for node in leaves:
        other = node.call
        if other is not None and (other.thread == call.thread or other.step != call.step):
            kind = (
                "recurrence, which cannot be imported yet; train a network whose layers only feed forward"
                if other.thread >= call.thread
                else "a delay between layers, which cannot be imported yet; pass on the spikes of the same step"
            )
            raise NetworkError(
                f"{call.path} in step {call.step + 1} ({call.where}) gets spikes of {other.path} of step "
                f"{other.step + 1}: {kind}"
            )
    if not leaves:
        raise NetworkError(
            f"the current of {call.path} ({call.where}) depends on nothing: its weights are zero, or it is constant"
        )
    if len(leaves) > 1 and call.node is not None:
        where = next((each for each in _below(call.node) if each.name in JOINS and len(_origins(each)) > 1), call.node)
        raise NetworkError(
            f"{where.name} ({where.where}) joins {' and '.join(_origins(where))} before {call.path}: residual and "
            "parallel connections cannot be imported yet; train a plain chain of layers"
        )
    return None if leaves[0].call is None else leaves[0].call.thread


def _below(node: Node) -> Iterator[Node]:
    """``node`` and what it is made from, each once."""
    seen, stack = {node}, [node]
    while stack:
        current = stack.pop()
        yield current
        fresh = [each for each in current.parents() if each not in seen] if current.kind == "op" else []
        seen.update(fresh)
        stack += fresh


def _origins(node: Node) -> list[str]:
    """The names of what ``node`` is made from."""
    return sorted({each.name for each in _below(node) if each.kind != "op"})


def _used(call: Call, leaves: list[Node]) -> list[Node]:
    """Those of ``leaves`` that the current depends on; a sequence that is indexed depends on one step only."""
    generator = torch.Generator().manual_seed(1)
    values = {
        each: torch.randn(each.shape, dtype=torch.float64, generator=generator).requires_grad_() for each in leaves
    }
    with torch.enable_grad():
        current = replay(_node(call), values)
        weights = torch.randn(current.shape, dtype=torch.float64, generator=generator)
        slopes = torch.autograd.grad((current * weights).sum(), list(values.values()), allow_unused=True)
    return [each for each, slope in zip(leaves, slopes, strict=True) if slope is not None and slope.any()]


def _node(call: Call) -> Node:
    if call.node is None:
        raise NetworkError(f"the current of {call.path} cannot be followed")
    return call.node


def _wanted(run: Run) -> set[int]:
    """The threads that what ``forward`` returns depends on; all of them if it returns nothing of theirs."""
    stack = [each.call for node in run.returned for each in _below(node) if each.call is not None]
    wanted: set[int] = set()
    while stack:
        thread = stack.pop().thread
        if thread not in wanted:
            wanted.add(thread)
            currents = [call.node for call in run.threads[thread] if call.node is not None]
            stack += [each.call for node in currents for each in _below(node) if each.call is not None]
    return wanted or set(range(len(run.threads)))


def _check_steps(threads: Sequence[Sequence[Call]]) -> None:
    """Every layer is called once a step, and keeps its state."""
    for path in {thread[0].path for thread in threads}:
        same = [thread for thread in threads if thread[0].path == path]
        if len(same) > 1 and all(len(each) == 1 for each in same) and len({each[0].where for each in same}) == 1:
            raise NetworkError(
                f"{path} starts from rest several times in one forward ({same[0][0].where}): its state is not kept. "
                "Make its state once, before the loop"
            )
    if len({len(each) for each in threads}) > 1:
        raise NetworkError(
            "the layers take different numbers of steps: "
            + ", ".join(f"{each[0].path} {len(each)}" for each in threads)
            + f" ({threads[-1][0].where}); call every neuron once a step, and hand on its state"
        )


def _order(run: Run, sources: dict[int, int | None]) -> list[int]:
    """The threads in the order of the chain."""
    order: list[int] = []
    after: dict[int | None, list[int]] = {}
    for each, source in sources.items():
        after.setdefault(source, []).append(each)
    current: int | None = None
    while current in after:
        if len(after[current]) > 1:
            first, second = (run.threads[each][0] for each in after[current][:2])
            what = "the input" if current is None else f"the spikes of {run.threads[current][0].path}"
            raise NetworkError(
                f"{what} drive both {first.path} ({first.where}) and {second.path} ({second.where}): branches cannot "
                "be imported yet; train a plain chain of layers, or return what one of them answers"
            )
        current = after[current][0]
        order.append(current)
    return order


def _check_answer(run: Run, order: list[int]) -> None:
    """Refuse what ``forward`` does with weights behind the last neuron; sums and decisions are not the circuit's."""
    inner = {
        node for each in order for call in run.threads[each] if call.node is not None for node in _below(call.node)
    }
    for returned in run.returned:
        for node in _below(returned) if returned not in inner else ():
            if node.kind != "op" or node in inner:
                continue
            constants = [each for each in (*node.args, *node.kwargs.values()) if isinstance(each, torch.Tensor)]
            heavy = any(each.is_floating_point() and each.numel() > 1 and bool(each.any()) for each in constants)
            if node.name in WEIGHTED and (heavy or node.name == "batch_norm"):
                raise NetworkError(
                    f"{node.name} ({node.where}) behind {', '.join(_origins(node))} has no neuron after it; add one, "
                    "every output of a circuit is a neuron"
                )
            first = node.args[0] if node.args else None
            writes = node.name.endswith("_") or node.name == "setitem"
            silences = writes and isinstance(first, Node) and first.kind == "spikes" and len(node.parents()) == 1
            if silences or node.name in PICKS or _takes_a_part(node):
                raise NetworkError(
                    f"{node.name} ({node.where}) changes {', '.join(_origins(node))} before they are returned, and no "
                    "circuit does; return them as they are, and choose behind the module"
                )


def _takes_a_part(node: Node) -> bool:
    """Whether indexing leaves outputs or steps out; one whole step may be taken."""
    if node.name != "getitem":
        return False
    index = node.args[1] if isinstance(node.args[1], tuple) else (node.args[1],)
    return not all(each is None or each is Ellipsis or isinstance(each, int) or each == slice(None) for each in index)


def _link(run: Run, layout: Layout, thread: int, source: int | None) -> Link:
    call = run.threads[thread][0]
    node = _node(call)
    every = [each for each in _below(node) if each.kind != "op"]
    leaves = _used(call, every) if len(every) > 1 else every
    (leaf,) = leaves
    lead = layout.lead if source is None else (("b",) if layout.batched else ())
    own = 0 if layout.batched else None
    shape = tuple(call.current.shape[1:] if layout.batched else call.current.shape)
    try:
        if len(every) > 1:
            raise Unstructured
        start, maps = fold_chain(node, leaf, lead, 0)
    except Unstructured:
        generator = torch.Generator().manual_seed(2)
        values = {each: torch.randn(each.shape, dtype=torch.float64, generator=generator) for each in every}
        slot = layout.slot(0, 0) if source is None else ((0,) if layout.batched else ())
        try:
            maps = [fold_matrix(node, values, leaf, slot, own)]
        except NetworkError as error:
            raise NetworkError(f"between {leaf.name} and {call.path} ({call.where}): {error}") from error
        start = tuple(leaf.shape[len(lead) :])
    return Link(
        thread=thread, source=source, path=call.path, start=start or (1,), maps=tuple(maps), shape=shape or (1,)
    )
