"""The command that trains."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from snn2circuit.cli.console import (
    OUT,
    OUT_FOLDER,
    bar,
    design_option,
    engine_option,
    read_design,
    say,
    tensorboard_option,
)


@click.command()
@design_option
@click.option("-o", "--out", type=OUT, required=True, help="Network file to write, e.g. network.npz.")
@click.option("--state-dict", type=OUT, help="File for snnTorch's own state_dict, e.g. weights.pt.")
@click.option("--history", type=OUT, help="File that gets one line of JSON per epoch as it ends.")
@click.option("--metrics", type=OUT_FOLDER, help="Folder for metrics.json, its pictures and the learning curves.")
@click.option("--resume", is_flag=True, help="Go on with the training that was cut short, bit for bit.")
@engine_option
@tensorboard_option
def train(
    design_file: Path | None,
    out: Path,
    state_dict: Path | None,
    history: Path | None,
    metrics: Path | None,
    resume: bool,
    engine: str | None,
    tensorboard: Path | None,
) -> None:
    """Train a network with snnTorch and write it.

    Ctrl-C ends the training, writes the best network so far and exits with status 130; the folder OUT.checkpoints holds
    what --resume goes on from.
    """
    design = read_design(design_file, engine)
    from snn2circuit import steps
    from snn2circuit.analysis.evaluate import evaluate
    from snn2circuit.datasets import load_dataset
    from snn2circuit.ir.claims import lock
    from snn2circuit.ir.files import save

    checkpoints = out.with_suffix(".checkpoints")
    with lock(checkpoints), bar("train") as tell:
        dataset = load_dataset(design.data.dataset, steps.data_folder(design))
        steps.check_sizes(design, dataset, whole=False)
        recipe = steps.design_recipe(design, dataset)
        trained = steps.train_module(
            dataset,
            recipe,
            seed=design.training.seed,
            history=history,
            checkpoints=checkpoints,
            resume=resume,
            tensorboard=tensorboard,
            on_progress=tell,
        )
    if design.fine_tuning.epochs and not trained.interrupted:
        with bar("fine-tune") as tell:
            tuned = steps.fine_tune(design, trained, dataset, on_progress=tell)
        say(steps.describe_tuning(tuned.as_dict()))
        trained = tuned.trained
    network = steps.read_trained(trained, dataset)
    save(network, out)
    if state_dict:
        from snn2circuit.training import save_state_dict

        save_state_dict(trained.module, state_dict)
    if trained.interrupted:
        say(f"{steps.interruption(trained)}: add --resume", err=True)
        sys.exit(130)
    evaluation = evaluate(network, dataset.test, dataset.classes)
    if metrics:
        from snn2circuit.training import plot_training

        steps.write_evaluation(evaluation, metrics)
        plot_training(trained.history, metrics / "training.png")
    low, high = evaluation.interval
    say(
        f"{out}: {'-'.join(map(str, network.sizes))}, "
        f"test accuracy {evaluation.accuracy:.2%} (95 % interval {low:.2%} to {high:.2%})"
    )
