"""From a trained network to one that was trained on against its device, with the mapper's own passes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snn2circuit.design import Design
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.noun import Floats
from snn2circuit.mapping import held_weights
from snn2circuit.steps.circuit import design_device

if TYPE_CHECKING:
    from snn2circuit.training import OnDevice, Progress, Trained


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuned:
    """A fine-tuned network, and what it was good for."""

    trained: Trained
    before: OnDevice
    after: OnDevice
    levels: int
    variation: float

    def as_dict(self) -> dict[str, Any]:
        """For ``fine_tuning.json``."""
        return {
            "levels": self.levels,
            "variation": self.variation,
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
        }


def device_weights(design: Design) -> Callable[[int, Floats, int], Floats]:
    """What the design's devices hold of a layer's weights in each draw."""
    section, device, variation = design.device, design_device(design), design.fine_tuning.variation

    def hold(layer: int, weights: Floats, draw: int) -> Floats:
        return held_weights(
            weights,
            device,
            layer=layer,
            levels=section.levels,
            spacing=section.spacing,
            weight_range=section.weight_range or None,
            saturate=section.saturate,
            variation=variation,
            random=np.random.Generator(np.random.PCG64([draw, layer])),
        )

    return hold


def fine_tune(
    design: Design,
    trained: Trained,
    dataset: Dataset,
    *,
    history: Path | None = None,
    on_progress: Callable[[float, str], None] | None = None,
) -> Tuned:
    """Train on for the design's ``[fine_tuning]``; raises what :func:`snn2circuit.training.train` and the mapper do."""
    from snn2circuit import training

    section, device = design.fine_tuning, device_weights(design)
    recipe = dataclasses.replace(trained.recipe, epochs=section.epochs, learning_rate=section.learning_rate)
    draws = section.draws if section.variation else 1

    def report(progress: Progress) -> None:
        if on_progress:
            on_progress(progress.share, f"fine-tuning: {progress}")

    before = training.measure_on_device(trained.module, device, dataset, recipe, draws=draws)
    start = {name: value.clone() for name, value in trained.module.state_dict().items()}
    tuned = training.train(
        dataset, recipe, seed=trained.seed, history=history, on_progress=report, start=start, device=device
    )
    return Tuned(
        trained=tuned,
        before=before,
        after=training.measure_on_device(tuned.module, device, dataset, recipe, draws=draws),
        levels=design.device.levels,
        variation=section.variation,
    )


def describe_tuning(result: Mapping[str, Any]) -> str:
    """Before and after in words, from what ``fine_tuning.json`` holds."""
    spread = f" and {result['variation']:.0%} variation" if result["variation"] else ""
    before, after = (
        f"{result[when]['mean']:.2%}" + (f" ± {result[when]['std']:.2%}" if result["variation"] else "")
        for when in ("before", "after")
    )
    return (
        f"fine-tuning: test accuracy with {result['levels']} levels{spread} was {before}, is {after} "
        f"({result['before']['trained']:.2%} before mapping)"
    )
