"""What a training takes of memory, from its sizes alone, held against what there is before any of it is asked for.

Counted is what is certain to be held at once: single-precision weights with their gradients, Adam's two moments, the
running mean and the best epoch's copy; the currents, membranes and spikes of one batch in all steps, which are needed
for backpropagation; and the samples. A training needs more than that, so what does not fit in this estimate does not
fit.
"""

from __future__ import annotations

import contextlib
import math
import resource
from pathlib import Path

from snn2circuit.errors import TrainingError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.ir.encoding import PROBABILITIES
from snn2circuit.training.architecture import layer_sizes
from snn2circuit.training.recipe import Recipe

WORD = 4  # bytes of a number in single precision


def training_memory(dataset: Dataset, recipe: Recipe) -> dict[str, int]:
    """Bytes that a training takes at least, by what takes them.

    Raises:
        TrainingError: the convolution does not fit the samples.
    """
    layers = layer_sizes(dataset.shape, recipe.convolution, (*recipe.hidden, len(dataset.classes)), bias=recipe.bias)
    parameters = sum(layer.parameters for layer in layers)
    inputs = math.prod(dataset.shape)
    samples = len(dataset.train.labels)
    batch = min(recipe.batch, samples)
    per_step = 3 * sum(layer.outputs for layer in layers) + (inputs if recipe.encoding.varies else 0)
    kept = inputs * (recipe.steps if recipe.encoding.kind == "given" else 1)
    width = 2 * WORD if recipe.encoding.kind in PROBABILITIES else WORD
    return {
        "weights": WORD * parameters,
        "gradients": WORD * parameters,
        "Adam's moments": 2 * WORD * parameters,
        "running mean and best epoch": 2 * WORD * parameters,
        "activations of a batch": WORD * per_step * recipe.steps * batch,
        "samples": width * kept * (samples + len(dataset.test.labels)),
    }


def check_memory(dataset: Dataset, recipe: Recipe) -> None:
    """Refuse a training that does not fit into memory.

    Raises:
        TrainingError: with the estimate, what it is made of, what there is, and the way out.
    """
    needed = training_memory(dataset, recipe)
    available = available_memory()
    if (total := sum(needed.values())) <= available:
        return
    parts = ", ".join(f"{gib(size)} for {what}" for what, size in needed.items() if size >= total / 100)
    activations = 2 * needed["activations of a batch"] > total
    way = (
        "a smaller batch, fewer steps or fewer neurons"
        if activations
        else "fewer or smaller layers (hidden, convolution)"
    )
    convolution = f'convolution = "{recipe.convolution}", ' if recipe.convolution else ""
    raise TrainingError(
        f"training takes at least {gib(total)} of memory ({parts}) with [network] {convolution}hidden = "
        f"{list(recipe.hidden)}, steps = {recipe.steps} and [training] batch = {recipe.batch}; {gib(available)} are "
        f"free here: take {way}, or a machine with more memory"
    )


def available_memory() -> int:
    """Bytes that this process may still take: free and reclaimable memory and swap, within the limits set for it."""
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    bounds = [limit for limit in limits if limit != resource.RLIM_INFINITY]
    try:
        lines = (line.split() for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        table = {words[0]: 1024 * int(words[1]) for words in lines if len(words) == 3}
        bounds.append(table["MemAvailable:"] + table.get("SwapFree:", 0))
    except (OSError, KeyError, ValueError):
        bounds.append(2**63)  # a system that does not say; only the limits set for the process are known
    with contextlib.suppress(OSError, ValueError):  # no such limit
        bounds.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(bounds)


def gib(size: float) -> str:
    """A number of bytes for people."""
    return f"{size / 2**30:,.1f} GiB"
