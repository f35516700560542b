"""The protocol of the SNNtrainer3D paper on MNIST, run again with several seeds.

S. L. Jurj et al., "SNNtrainer3D: Training Spiking Neural Networks Using a User-Friendly
Application with 3D Architecture Visualization Capabilities", Applied Sciences 14(13), 5752 (2024),
doi:10.3390/app14135752: one hidden layer of 10 to 100 neurons, four neuron models, one epoch with Adam and batches of
128, learning rate 5e-4, beta 0.95, 25 steps of constant input. The loss is the cross-entropy of the output membranes,
summed over the steps; the output with the most spikes decides. Pixels are 0..1, all 60,000 images are trained on.

What the paper leaves open, or what its program does otherwise, is settled here:

* Lapicque is built from beta alone, as there, so a step's current counts only ``-ln(beta) = 0.051`` of itself.
* Synaptic has ``alpha = 0.5``, the default of the program's form. The networks that the paper calls "Alpha" are by
  their published files Synaptic ones with this value too; a true Alpha neuron was never trained.
* Alpha is snnTorch's; ``alpha = 0.96``, since it must exceed beta (``beta + 1e-6``, which the program would have
  forced, multiplies the rounding errors of float32 by 48,000).
* The program's forward pass runs 100 steps whatever is asked for, counts the spikes of all of them, and trains on the
  first 25. Here 25 are 25.
* Accuracy is the share of images whose digit was found. The paper printed the mean one-vs-rest accuracy ``1 - 2·(1 -
  accuracy) / 10``, see :mod:`snn2circuit.training.metrics`; it stands beside it.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snn2circuit.analysis.summary import versions
from snn2circuit.analysis.workers import run_parallel
from snn2circuit.datasets import load_dataset
from snn2circuit.errors import DataError, FileFormatError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.files import write_text
from snn2circuit.ir.noun import Ints
from snn2circuit.ir.parts import Neuron
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic
from snn2circuit.training import Recipe, accuracy, confusion_matrix, one_vs_rest_accuracy, precision_recall_f1

if TYPE_CHECKING:
    from snn2circuit.training import Trained

HIDDEN = (10, 15, 20, 25, 30, 50, 80, 100)
BETA = 0.95
PARTS: dict[str, Neuron] = {
    "leaky": Leaky(beta=BETA),
    "lapicque": Lapicque(beta=BETA),
    "synaptic": Synaptic(alpha=0.5, beta=BETA),
    "alpha": Alpha(alpha=0.96, beta=BETA),
}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One training of the experiment."""

    neuron: str  # a key of PARTS
    hidden: int
    seed: int
    dataset: str = "mnist"
    folder: str = ""  # of the dataset; empty for the default one

    def protocol(self) -> dict[str, Any]:
        """Every field of the recipe that the protocol fixes; the others have no say in it."""
        return {
            "neuron": PARTS[self.neuron],
            "hidden": (self.hidden,),
            "bias": True,
            "steps": 25,
            "epochs": 1,
            "batch": 128,
            "loss": "ce_steps",
            "surrogate_slope": 2.0,
            "learning_rate": 5e-4,
            "schedule": "constant",
            "weight_decay": 0.0,
            "noise": 0.0,
            "averaging": 0.0,
            "validation": 0.0,
        }

    def recipe(self) -> Recipe:
        """How it is trained."""
        return Recipe(**self.protocol())

    def in_words(self) -> str:
        """What decides the result beside the seed and the dataset."""
        return ", ".join(f"{name}={value!r}" for name, value in self.protocol().items())


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a training gave on the test split."""

    neuron: str
    hidden: int
    seed: int
    dataset: str
    recipe: str  # everything else that decides the result, in words
    accuracy: float  # by the most spikes, as the paper decides
    accuracy_membrane: float  # by the largest summed membrane
    accuracy_one_vs_rest: float  # as the paper prints
    f1: float  # macro
    flops: int
    seconds: float  # wall time of the training
    versions: dict[str, str]


def run_one(configuration: Configuration) -> Run:
    """Train one network and measure it."""
    from snn2circuit import training

    dataset = _dataset(configuration.dataset, configuration.folder)
    begin = time.perf_counter()
    trained = training.train(dataset, configuration.recipe(), seed=configuration.seed)
    seconds = time.perf_counter() - begin
    by_count, by_membrane = _decisions(trained, dataset)
    confusion = confusion_matrix(by_count, dataset.test.labels, len(dataset.classes))
    sizes = (int(np.prod(dataset.shape)), configuration.hidden, len(dataset.classes))
    return Run(
        neuron=configuration.neuron,
        hidden=configuration.hidden,
        seed=configuration.seed,
        dataset=configuration.dataset,
        recipe=configuration.in_words(),
        accuracy=accuracy(by_count, dataset.test.labels),
        accuracy_membrane=accuracy(by_membrane, dataset.test.labels),
        accuracy_one_vs_rest=float(one_vs_rest_accuracy(confusion).mean()),
        f1=float(np.nanmean(precision_recall_f1(confusion)[2])),
        flops=2 * (sizes[0] * sizes[1] + sizes[1] * sizes[2]),
        seconds=seconds,
        versions={name: versions("")[name] for name in ("python", "torch", "snntorch", "numpy", "snn2circuit")},
    )


def run_experiment(
    configurations: Sequence[Configuration],
    path: Path,
    *,
    workers: int = 1,
    on_progress: Callable[[float, str], None] | None = None,
) -> list[Run]:
    """Run what ``path`` does not hold yet; it gets one line of JSON for each finished run and is replaced in one piece.

    Returns:
        The runs of ``configurations``, in their order.

    Raises:
        FileFormatError: ``path`` is damaged, or holds runs of another protocol.
        DataError: nothing is to be run.
    """
    if not configurations:
        raise DataError("the experiment has no configuration; choose at least one neuron, size and seed")
    done = read_runs(path)
    for configuration in configurations:
        run = done.get(_key(configuration))
        if run is not None and run.recipe != configuration.in_words():
            raise FileFormatError(
                f"{path} holds a run of another protocol ({run.recipe}); choose another folder for this one"
            )
    missing = [each for each in configurations if _key(each) not in done]
    begin = time.perf_counter()
    for number, (configuration, run) in enumerate(run_parallel(run_one, missing, workers), start=1):
        done[_key(configuration)] = run
        lines = [json.dumps(dataclasses.asdict(done[key])) + "\n" for key in sorted(done)]
        write_text(path, "".join(lines))
        if on_progress is not None:
            left = (time.perf_counter() - begin) / number * (len(missing) - number)
            on_progress(
                1 - (len(missing) - number) / len(configurations),
                f"{run.neuron} {run.hidden}, seed {run.seed}: {run.accuracy:.2%}; {left / 60:.0f} min left",
            )
    return [done[_key(each)] for each in configurations]


def read_runs(path: Path) -> dict[tuple[str, str, int, int], Run]:
    """The finished runs in ``path``; none if there is no such file.

    Raises:
        FileFormatError: a line is not a run; the line is named.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path} cannot be read: {error}") from error
    runs = {}
    for number, line in enumerate(lines, start=1):
        try:
            run = Run(**json.loads(line))
            runs[_key(run)] = run
        except (TypeError, ValueError, RecursionError) as error:
            raise FileFormatError(f"{path}, line {number}: not a run: {error}; remove the line to repeat it") from error
    return runs


def _key(each: Configuration | Run) -> tuple[str, str, int, int]:
    return each.dataset, each.neuron, each.hidden, each.seed


@functools.lru_cache(maxsize=1)
def _dataset(name: str, folder: str) -> Dataset:
    return load_dataset(name, Path(folder) if folder else None)


def _decisions(trained: Trained, dataset: Dataset) -> tuple[Ints, Ints]:
    """Classes of the test samples by spike count and by summed membrane."""
    from snn2circuit.training.evaluation import outputs
    from snn2circuit.training.samples import Samples

    samples = Samples(dataset.test, trained.recipe.encoding, trained.recipe.steps)
    parts = [(s.sum(0).argmax(1).numpy(), u.sum(0).argmax(1).numpy()) for s, u, _ in outputs(trained.module, samples)]
    by_count, by_membrane = (np.concatenate(each) for each in zip(*parts, strict=True))
    return by_count, by_membrane
