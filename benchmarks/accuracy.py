"""What training reaches: the built-in digits design over seeds, trained and as its devices hold it.

Run ``python benchmarks/accuracy.py``; the last line is one JSON object. These numbers follow from the rounding of the
processor, which is why no test asserts them: look at the mean and the deviation, not at a seed.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np

from snn2circuit.datasets import load_dataset
from snn2circuit.design import Design
from snn2circuit.steps import design_recipe, map_crossbar, read_trained
from snn2circuit.training import train


def main() -> None:
    """Train with each seed, print a line each and one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=10)
    design, dataset = Design(), load_dataset("digits")
    accuracies: dict[str, list[float]] = {"trained": [], "mapped": []}
    for seed in range(parser.parse_args().seeds):
        network = read_trained(train(dataset, design_recipe(design, dataset), seed=seed), dataset)
        mapped = map_crossbar(design, network, dataset).network()
        for name, each in (("trained", network), ("mapped", mapped)):
            accuracies[name].append(float(np.mean(each.predict(dataset.test.inputs) == dataset.test.labels)))
        sys.stdout.write(
            f"seed {seed}: " + ", ".join(f"{name} {all_[-1]:.2%}" for name, all_ in accuracies.items()) + "\n"
        )
    results = {name: {"mean": np.mean(all_), "deviation": np.std(all_, ddof=1)} for name, all_ in accuracies.items()}
    sys.stdout.write(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
