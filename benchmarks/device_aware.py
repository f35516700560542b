"""What training against the device brings back: MNIST at few levels and under variation, before and after.

Run ``python benchmarks/device_aware.py``; the last line is one JSON object. A 784-100-10 network is trained once, then
fine-tuned for each of three devices: few levels, much variation, both. Accuracies are of the 10,000 test images with
the weights that the devices hold (the mapper's own passes), with variation the mean over draws.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace

from snn2circuit.datasets import load_dataset
from snn2circuit.design import Design
from snn2circuit.devices import DEVICES
from snn2circuit.steps import describe_tuning, design_recipe, fine_tune
from snn2circuit.training import train


def main() -> None:
    """Train, fine-tune three times, print a line each and one JSON object."""
    options = _options()
    plain = Design()
    design = replace(
        plain,
        data=replace(plain.data, dataset=options.dataset, normalize="standard"),
        network=replace(plain.network, hidden=(options.hidden,), beta=0.95),
        training=replace(plain.training, epochs=options.epochs, batch=128, learning_rate=0.003, noise=0.0),
    )
    dataset = load_dataset(options.dataset)
    started = time.perf_counter()
    trained = train(dataset, design_recipe(design, dataset), seed=options.seed)
    sys.stdout.write(
        f"{options.dataset}, {options.hidden} hidden, {options.epochs} epochs in {time.perf_counter() - started:.0f} s:"
        f" test accuracy {trained.best.test_accuracy:.2%}; device {options.device}\n"
    )
    results = {}
    for name, levels, variation in (
        (f"{options.levels} levels", options.levels, 0.0),
        (f"{options.variation:.0%} variation", 256, options.variation),
        (f"{options.levels} levels, {options.variation:.0%} variation", options.levels, options.variation),
    ):
        tuning = replace(
            design.fine_tuning, epochs=options.tuning, learning_rate=0.001, variation=variation, draws=options.draws
        )
        device = replace(design.device, preset=options.device, levels=levels)
        started = time.perf_counter()
        tuned = fine_tune(replace(design, fine_tuning=tuning, device=device), trained, dataset).as_dict()
        sys.stdout.write(f"{name}: {describe_tuning(tuned)}, {time.perf_counter() - started:.0f} s\n")
        results[name] = tuned
    sys.stdout.write(json.dumps(results) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--device", default="rram_milo", choices=list(DEVICES))
    parser.add_argument("--variation", type=float, default=0.2)
    for name, value in (("hidden", 100), ("epochs", 5), ("tuning", 3), ("levels", 8), ("draws", 10), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser.parse_args()


if __name__ == "__main__":
    main()
