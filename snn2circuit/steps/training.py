"""From a design and a dataset to the trained network."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snn2circuit.design import Design
from snn2circuit.errors import CheckpointRefused, FileFormatError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.network import Network
from snn2circuit.ir.parts import Neuron
from snn2circuit.neurons import NEURONS

if TYPE_CHECKING:
    from torch.nn import Module

    from snn2circuit.training import Progress, Recipe, Trained


def make_neuron(design: Design) -> Neuron:
    """The neuron part a design describes; it takes the keys it knows, the others belong to other neurons."""
    part = NEURONS[design.network.neuron]
    values = {**dataclasses.asdict(design.network), **dataclasses.asdict(design.circuit)}
    return part(**{name: values[name] for name in inspect.signature(part).parameters if name in values})


def design_recipe(design: Design) -> Recipe:
    """The training recipe a design describes."""
    from snn2circuit.training import Recipe

    section = design.network
    return Recipe(
        hidden=section.hidden,
        neuron=make_neuron(design),
        steps=section.steps,
        bias=section.bias,
        epochs=design.training.epochs,
        batch=design.training.batch,
        learning_rate=design.training.learning_rate,
        weight_decay=design.training.weight_decay,
        temperature=design.training.temperature,
        averaging=design.training.averaging,
        noise=design.training.noise,
        validation=design.training.validation,
        surrogate_slope=design.training.surrogate_slope,
    )


def train_module(
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    history: Path | None = None,
    checkpoints: Path | None = None,
    resume: bool = False,
    tensorboard: Path | None = None,
    on_progress: Callable[[float, str], None] | None = None,
) -> Trained:
    """Train with snnTorch, see :func:`snn2circuit.training.train`; progress is a share and words."""
    # torch and snnTorch take seconds to import, and only this stage and the final judgement need them.
    from snn2circuit import training

    def report(progress: Progress) -> None:
        if on_progress:
            on_progress(progress.share, str(progress))

    return training.train(
        dataset,
        recipe,
        seed=seed,
        history=history,
        checkpoints=checkpoints,
        resume=resume,
        tensorboard=tensorboard,
        on_progress=report,
    )


def train_or_go_on(
    design: Design,
    dataset: Dataset,
    out: Path,
    *,
    fresh: bool,
    tensorboard: Path | None,
    on_progress: Callable[[float, str], None],
) -> Trained:
    """Train into ``out``, from the checkpoint of the very same training if there is one; any other is written over."""

    def start(resume: bool) -> Trained:
        return train_module(
            dataset,
            design_recipe(design),
            seed=design.training.seed,
            history=out / "history.jsonl",
            checkpoints=out / "checkpoints",
            resume=resume,
            tensorboard=tensorboard,
            on_progress=on_progress,
        )

    try:
        return start(resume=not fresh)
    except (CheckpointRefused, FileFormatError):
        return start(resume=False)


def interruption(trained: Trained) -> str:
    """What to tell a person of a training that was cut short."""
    finished, planned = trained.history[-1].epoch, trained.recipe.epochs
    return (
        f"interrupted after epoch {finished} of {planned}; the best so far, epoch {trained.best.epoch}, is kept, "
        "and the training can go on"
    )


def read_trained(trained: Trained, dataset: Dataset) -> Network:
    """The network of a finished training, with the circuit values of the recipe's neuron."""
    recipe = trained.recipe
    capacitance = getattr(recipe.neuron, "capacitance", None)
    circuit = {} if capacitance is None else {"capacitance": capacitance}
    return from_snntorch(trained.module, name=dataset.name, steps=recipe.steps, dataset=dataset.name, circuit=circuit)


def train(
    dataset: Dataset,
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
    on_progress: Callable[[float, str], None] | None = None,
) -> Network:
    """Train with snnTorch and hand over the best network; after Ctrl-C, the best so far."""
    from snn2circuit.training import Recipe

    recipe = recipe or Recipe(neuron=NEURONS["leaky"]())
    return read_trained(train_module(dataset, recipe, seed=seed, on_progress=on_progress), dataset)


def from_snntorch(
    module: Module,
    *,
    name: str,
    steps: int,
    dataset: str = "",
    circuit: Mapping[str, float] | None = None,
    input_shape: tuple[int, ...] | None = None,
) -> Network:
    """A trained snnTorch module as a :class:`Network`; refuses, with the reason, what no circuit here can do.

    ``circuit`` sets fields of the neurons that snnTorch knows nothing of, such as ``capacitance``. ``input_shape`` is
    that of one sample, ``(channels, height, width)``, for a module that begins with a convolution.
    """
    from snn2circuit.frontends.snntorch import from_snntorch

    return from_snntorch(
        module, neurons=NEURONS, name=name, steps=steps, dataset=dataset, circuit=circuit, input_shape=input_shape
    )


def data_folder(design: Design) -> Path | None:
    """The data folder the design names, or ``None`` for the default one."""
    return Path(design.data.folder) if design.data.folder else None
