"""Training and inference: the plain snnTorch loop, this trainer, and the bare matrix products, interleaved in one run.

Run ``make bench-training``; the last line is one JSON object of ratios per neuron:

* ``train_x_snntorch``: seconds per batch of the plain loop over ours, forward, backward and Adam.
* ``infer_x_snntorch``: the same without gradients.
* ``train_x_gemm_floor``: ours over the five products that no training can do without (first layer forward and weight
  gradient, once per batch; second layer forward and both gradients, once for all steps).

The plain loop is what snnTorch's tutorials teach: both layers in every step, membranes stacked, summed. Both sides run
the same weights on the same batches, with Adam. Times are CPU seconds of one thread; each round times some batches of
one after the other, and a ratio is that of the fastest rounds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from snn2circuit.neurons import NEURONS
from snn2circuit.training import SpikingNet

BATCHES = 40  # different ones, so that nothing is learnt by heart and inputs come from memory, as in training
Run = Callable[[int], None]
PART_OF_LAYER = {"leaky": {"beta": 0.95}, "lapicque": {"beta": 0.95}, "synaptic": {"alpha": 0.9, "beta": 0.85}}


class Tutorial(nn.Module):
    """The network of snnTorch's tutorials, with any of its neurons."""

    def __init__(self, ours: SpikingNet, steps: int) -> None:
        """Take over the weights and neurons of ``ours``."""
        super().__init__()
        self.fc1, self.lif1, self.fc2, self.lif2 = ours.children()
        self.steps = steps

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Spikes and membranes of the output layer, ``(steps, samples, outputs)``."""
        state1: tuple[Tensor, ...] = ()
        state2: tuple[Tensor, ...] = ()
        spikes, membranes = [], []
        for _ in range(self.steps):
            spk1, *state1 = self.lif1(self.fc1(x), *state1)  # type: ignore[assignment]
            spk2, *state2 = self.lif2(self.fc2(spk1), *state2)  # type: ignore[assignment]
            spikes.append(spk2)
            membranes.append(state2[-1])
        self.lif1.reset_mem()  # type: ignore[operator]
        self.lif2.reset_mem()  # type: ignore[operator]
        return torch.stack(spikes), torch.stack(membranes)


def main() -> None:
    """Measure, print a table, and one JSON line."""
    options = _options()
    torch.set_num_threads(1)
    results: dict[str, dict[str, float]] = {
        key: {} for key in ("train_x_snntorch", "infer_x_snntorch", "train_x_gemm_floor")
    }
    sizes = f"{options.inputs}-{options.hidden}-10, {options.steps} steps, batch {options.batch}"
    pair = f"{'snnTorch':>10}{'ours':>8}{'x':>7}"
    sys.stdout.write(f"{sizes}, one thread; CPU ms a batch\n{'':<10}{pair}{'floor':>8}{'x':>7}   inference {pair}\n")
    for name in NEURONS:
        theirs, ours, floor, infer_theirs, infer_ours = (1e3 * each for each in _measure(name, options))
        results["train_x_snntorch"][name] = round(theirs / ours, 2)
        results["infer_x_snntorch"][name] = round(infer_theirs / infer_ours, 2)
        results["train_x_gemm_floor"][name] = round(ours / floor, 2)
        sys.stdout.write(
            f"{name:<10}{theirs:10.2f}{ours:8.2f}{theirs / ours:7.1f}{floor:8.2f}{ours / floor:7.2f}"
            f"             {infer_theirs:10.2f}{infer_ours:8.2f}{infer_theirs / infer_ours:7.1f}\n"
        )
    sys.stdout.write(json.dumps(results) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, value in (("inputs", 784), ("hidden", 100), ("steps", 25), ("batch", 128), ("rounds", 40), ("each", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser.parse_args()


def _measure(name: str, options: argparse.Namespace) -> tuple[float, ...]:
    """Seconds per batch: training of theirs, of ours, the floor, inference of theirs, of ours."""
    inputs, labels = _data(options)
    part = NEURONS[name](**PART_OF_LAYER.get(name, {}))
    torch.manual_seed(0)
    ours = SpikingNet((options.inputs, options.hidden, 10), (part, part), steps=options.steps)
    torch.manual_seed(0)
    theirs = Tutorial(
        SpikingNet((options.inputs, options.hidden, 10), (part, part), steps=options.steps), options.steps
    )
    _check_equal(theirs, ours, inputs[0], labels[0])
    runs = (
        _training(theirs, inputs, labels, fused=False),
        _training(ours, inputs, labels, fused=True),
        _floor(inputs, options),
        _inference(theirs, inputs),
        _inference(ours, inputs),
    )
    seconds = np.full((options.rounds, len(runs)), np.inf)
    for number in range(options.rounds):
        for which, run in enumerate(runs):
            first = number * (options.each + 1)
            run(first % BATCHES)  # what the run before it left in the caches is not its fault
            started = time.process_time()
            for batch in range(first + 1, first + 1 + options.each):
                run(batch % BATCHES)
            seconds[number, which] = (time.process_time() - started) / options.each
    return tuple(seconds.min(axis=0).tolist())


def _data(options: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Random images with the share and brightness of ink that MNIST has, normalised as is usual."""
    generator = torch.Generator().manual_seed(0)
    shape = (BATCHES, options.batch, options.inputs)
    ink = torch.rand(shape, generator=generator) < 0.19
    images = ink * (0.35 + 0.65 * torch.rand(shape, generator=generator))
    return (images - 0.1307) / 0.3081, torch.randint(0, 10, shape[:2], generator=generator)


def _check_equal(theirs: nn.Module, ours: nn.Module, inputs: Tensor, labels: Tensor) -> None:
    """What is compared has to be the same computation: gradients within 1e-5 of each other."""
    gradients = []
    for module in (theirs, ours):
        cross_entropy(module(inputs)[1].sum(0), labels).backward()
        gradients.append([each.grad for each in module.parameters()])
    for a, b in zip(*gradients, strict=True):
        if (a - b).norm() > 1e-5 * a.norm():
            raise SystemExit(f"the two differ: {float((a - b).norm() / a.norm()):g} of a gradient")


def _training(module: nn.Module, inputs: Tensor, labels: Tensor, *, fused: bool) -> Run:
    optimizer = torch.optim.Adam(module.parameters(), lr=5e-4, fused=fused or None)

    def run(batch: int) -> None:
        loss = cross_entropy(module(inputs[batch])[1].sum(0), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return run


def _inference(module: nn.Module, inputs: Tensor) -> Run:
    def run(batch: int) -> None:
        with torch.no_grad():
            module(inputs[batch])[1].sum(0).argmax(1)

    return run


def _floor(inputs: Tensor, options: argparse.Namespace) -> Run:
    rows = options.steps * options.batch
    first, second = torch.randn(options.hidden, options.inputs), torch.randn(10, options.hidden)
    spikes = (torch.rand(rows, options.hidden) < 0.1).float()
    on_first, on_second = torch.randn(options.batch, options.hidden), torch.randn(rows, 10)

    def run(batch: int) -> None:
        _ = inputs[batch] @ first.t()
        _ = on_first.t() @ inputs[batch]
        _ = second @ spikes.t()  # half the time of the usual `spikes @ second.t()`
        _ = on_second @ second
        _ = on_second.t() @ spikes

    return run


if __name__ == "__main__":
    main()
