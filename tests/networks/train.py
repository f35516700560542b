"""Train the networks that the tests go on with: run ``python tests/networks/train.py``, commit what it writes.

Each comes from the design that its tests use. The tests hold circuits against these networks, not trainings against
numbers: any training of the same design would do, as long as the tests pass with it.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from conftest import SMALL  # noqa: E402 - the tests' own design

from snn2circuit.datasets import load_dataset  # noqa: E402
from snn2circuit.design import Design, parse_design, read_design  # noqa: E402
from snn2circuit.ir.files import save  # noqa: E402
from snn2circuit.steps import data_folder, read_trained, train_or_go_on  # noqa: E402

ROOT = HERE.parents[1]


def designs() -> dict[str, Design]:
    """The design of every file."""
    mnist = read_design(ROOT / "examples" / "mnist.toml")
    return {
        "digits": Design(),
        "small": parse_design(SMALL),
        "xor": read_design(ROOT / "examples" / "xor.toml"),
        "mnist": replace(
            mnist,
            data=replace(mnist.data, folder=str(ROOT / ".cache")),
            training=replace(mnist.training, epochs=1),
        ),
    }


def main() -> None:
    """Train each and save it beside this file."""
    for name, design in designs().items():
        dataset = load_dataset(design.data.dataset, data_folder(design))
        with tempfile.TemporaryDirectory() as folder:
            trained = train_or_go_on(
                design, dataset, Path(folder), fresh=True, tensorboard=None,
                on_progress=lambda *_: None, on_note=lambda _: None,
            )  # fmt: skip
        save(read_trained(trained, dataset), HERE / f"{name}.npz")


if __name__ == "__main__":
    main()
