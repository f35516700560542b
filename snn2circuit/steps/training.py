"""From a design and a dataset to the trained network."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snn2circuit.design import Design
from snn2circuit.design.sections import PER_LAYER
from snn2circuit.errors import CheckpointRefused, DataError, DesignError, FileFormatError, NetworkWarning, OutputError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.encoding import PROBABILITIES, Encoding
from snn2circuit.ir.network import Network
from snn2circuit.ir.parts import Neuron
from snn2circuit.ir.reach import describe_silence
from snn2circuit.neurons import NEURONS
from snn2circuit.training.architecture import count_layers

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from snn2circuit.training import Progress, Recipe, Trained


def make_neurons(design: Design) -> tuple[Neuron, ...]:
    """The neuron part of each layer; it takes the keys it knows, the others belong to other neurons."""
    neurons = []
    for layer in range(count_layers(design.network.convolution, design.network.hidden)):
        keys = {**dataclasses.asdict(design.network), **dataclasses.asdict(design.circuit)}
        lists = {name: keys[name][layer] for name in PER_LAYER if isinstance(keys[name], tuple)}
        values = {**keys, **lists}
        part = NEURONS[values["neuron"]]
        neurons.append(part(**{name: values[name] for name in inspect.signature(part).parameters if name in values}))
    return tuple(neurons)


def design_encoding(design: Design, dataset: Dataset) -> Encoding:
    """Normalisation and encoding as a design describes them, with numbers from the training inputs where it asks.

    Raises:
        DesignError: the normalisation leaves the range that the encoding takes.
        DataError: the training inputs are all the same, which no scale can spread.
    """
    data, section = design.data, design.network
    offset, scale = (data.offset, data.scale) if data.normalize == "fixed" else (0.0, 1.0)
    inputs = dataset.train.inputs
    if data.normalize == "standard":
        if section.encoding in PROBABILITIES:
            raise DesignError(
                f"[data] normalize = 'standard' gives inputs below 0, which cannot be {section.encoding} encoded; "
                "use 'range' or 'none', or [network] encoding = 'constant'"
            )
        offset, scale = float(inputs.mean()), float(inputs.std())
    elif data.normalize == "range":
        # Over both splits: an encoding of 0..1 refuses whatever lies outside, and a range tells nothing of the labels.
        splits = (dataset.train.inputs, dataset.test.inputs)
        low, high = min(float(each.min()) for each in splits), max(float(each.max()) for each in splits)
        offset, scale = low, high - low
    if scale == 0:
        raise DataError(f"every training input of {dataset.name} is {offset:g}; they cannot be normalised")
    return Encoding(
        kind=section.encoding,
        offset=offset,
        scale=scale,
        seed=section.encoding_seed,
        threshold=section.latency_threshold,
        linear=section.latency_linear,
        clip=section.latency_clip,
    )


def design_recipe(design: Design, dataset: Dataset) -> Recipe:
    """The training recipe a design describes, for this dataset."""
    from snn2circuit.training import Recipe

    section = design.network
    return Recipe(
        convolution=section.convolution,
        hidden=section.hidden,
        neuron=make_neurons(design),
        steps=section.steps,
        encoding=design_encoding(design, dataset),
        bias=section.bias,
        epochs=design.training.epochs,
        batch=design.training.batch,
        learning_rate=design.training.learning_rate,
        schedule=design.training.schedule,
        weight_decay=design.training.weight_decay,
        loss=design.training.loss,
        temperature=design.training.temperature,
        correct_rate=design.training.correct_rate,
        incorrect_rate=design.training.incorrect_rate,
        averaging=design.training.averaging,
        noise=design.training.noise,
        validation=design.training.validation,
        surrogate_slope=design.training.surrogate_slope,
        learn_beta=section.learn_beta,
        learn_threshold=section.learn_threshold,
        engine=design.training.engine,
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
    on_note: Callable[[str], None],
) -> Trained:
    """Train into ``out``, from the checkpoint of the very same training if there is one.

    Any other checkpoint, or a damaged one, is put aside with its history, and ``on_note`` is told why and where.
    ``fresh`` asks for writing over what is there.
    """

    def start(resume: bool) -> Trained:
        return train_module(
            dataset,
            design_recipe(design, dataset),
            seed=design.training.seed,
            history=out / "history.jsonl",
            checkpoints=out / "checkpoints",
            resume=resume,
            tensorboard=tensorboard,
            on_progress=on_progress,
        )

    try:
        return start(resume=not fresh)
    except (CheckpointRefused, FileFormatError) as error:
        on_note(f"starts anew, and the training that was there is kept in {_put_aside(out)}: {error}")
        return start(resume=False)


def _put_aside(out: Path) -> Path:
    """Rename the checkpoints in ``out`` to the first free number and move the history that they belong to in there."""
    kept = next(path for number in itertools.count(1) if not (path := out / f"checkpoints.{number}").exists())
    history = out / "history.jsonl"
    try:
        (out / "checkpoints").rename(kept)
        if history.exists():
            history.rename(kept / history.name)
    except OSError as error:
        raise OutputError(
            f"cannot put {out / 'checkpoints'} aside as {kept}: {error.strerror or error}; choose another folder"
        ) from error
    return kept


def interruption(trained: Trained) -> str:
    """What to tell a person of a training that was cut short."""
    finished, planned = trained.history[-1].epoch, trained.recipe.epochs
    return (
        f"interrupted after epoch {finished} of {planned}; the best so far, epoch {trained.best.epoch}, is kept, "
        "and the training can go on"
    )


def read_trained(trained: Trained, dataset: Dataset) -> Network:
    """The network of a finished training, made from the recipe's own neurons."""
    from snn2circuit.training import read_network

    return read_network(trained.module, trained.recipe, dataset)


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
    example: Tensor | tuple[object, ...] | None = None,
) -> Network:
    """A trained snnTorch module as a :class:`Network`; refuses, with the reason, what no circuit here can do.

    What the module computes is learnt by running a copy of it, and compared with the module step by step. ``circuit``
    sets fields of the neurons that snnTorch knows nothing of, such as ``capacitance``. ``input_shape`` is that of one
    sample, ``(channels, height, width)``, for a module that begins with a convolution. ``example`` is what its
    ``forward`` takes, the input or a tuple of all arguments, where that cannot be guessed. A layer that no input lets
    spike gives a :class:`~snn2circuit.errors.NetworkWarning`.
    """
    from snn2circuit.frontends.snntorch import from_snntorch

    network = from_snntorch(
        module,
        neurons=NEURONS,
        name=name,
        steps=steps,
        dataset=dataset,
        circuit=circuit,
        input_shape=input_shape,
        example=example,
    )
    for text in describe_silence(network):
        warnings.warn(f"{name}: {text}", NetworkWarning, stacklevel=2)
    return network


def data_folder(design: Design) -> Path | None:
    """The data folder the design names, or ``None`` for the default one."""
    return Path(design.data.folder) if design.data.folder else None
