"""What training minimises, and what the trained network then decides by; one function a loss, one line in ``LOSSES``.

The *votes* of the outputs, one number an output and sample, decide the class: the membrane summed over the steps, or
the number of spikes (:meth:`snn2circuit.ir.network.Activity.predictions`). A loss judges these votes, so a network is
not trained on one thing and judged by another; ``ce_steps`` alone does so, because the literature does. With the votes
``v``, the true class ``c``, the membranes ``u_t`` and ``T`` steps:

``ce_membrane``
    ``-ln softmax(v / temperature)[c]`` on summed membranes. See :class:`~snn2circuit.training.recipe.Recipe` for the
    temperature.
``ce_count``
    ``-ln softmax(v)[c]`` on spike counts, as ``snntorch.functional.ce_count_loss``.
``mse_count``
    ``mean over the outputs of (v - target)² / T`` on spike counts, where ``target`` is ``int(correct_rate · T)`` for
    the true class and ``int(incorrect_rate · T)`` for the others, as ``snntorch.functional.mse_count_loss``.
``ce_steps``
    ``sum over the steps of -ln softmax(u_t)[c]``, a lead demanded in every single step; the spike counts decide. The
    loss of snnTorch's tutorials and of the SNNtrainer3D paper.

All are means over the samples. Nothing here loads torch before a loss is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from snn2circuit.training.recipe import Recipe


@dataclass(frozen=True)
class Loss:
    """A loss and the decision rule that belongs to it."""

    decision: str  # "membrane" or "count": what the votes are
    judge: Callable[[Tensor, Tensor, Recipe], Tensor]  # of votes (samples, classes) and labels (samples,)
    stepwise: bool = False  # judges the membranes (steps, samples, classes) in place of the votes

    def value(self, spikes: Tensor, membranes: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
        """Mean loss of outputs ``(steps, samples, classes)``."""
        return self.judge(membranes if self.stepwise else self.votes(spikes, membranes), labels, recipe)

    def votes(self, spikes: Tensor, membranes: Tensor) -> Tensor:
        """Votes ``(samples, classes)`` of outputs ``(steps, samples, classes)``."""
        return (membranes if self.decision == "membrane" else spikes).sum(0)


def _ce_membrane(votes: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    from torch.nn.functional import cross_entropy

    return cross_entropy(votes / recipe.temperature, labels)


def _ce_count(votes: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    from torch.nn.functional import cross_entropy

    return cross_entropy(votes, labels)


def _mse_count(votes: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    from torch.nn.functional import mse_loss, one_hot

    wanted, unwanted = (int(recipe.steps * rate) for rate in (recipe.correct_rate, recipe.incorrect_rate))
    target = unwanted + (wanted - unwanted) * one_hot(labels, votes.shape[1]).to(votes)
    return mse_loss(votes, target) / recipe.steps


def _ce_steps(membranes: Tensor, labels: Tensor, recipe: Recipe) -> Tensor:
    from torch.nn.functional import cross_entropy

    steps = membranes.shape[0]
    return steps * cross_entropy(membranes.flatten(0, 1), labels.repeat(steps))


LOSSES: dict[str, Loss] = {
    "ce_membrane": Loss("membrane", _ce_membrane),
    "ce_count": Loss("count", _ce_count),
    "mse_count": Loss("count", _mse_count),
    "ce_steps": Loss("count", _ce_steps, stepwise=True),
}
