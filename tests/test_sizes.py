"""Sizes are refused from the design alone: before training or asking for memory, with numbers and the way out."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import snn2circuit as s2c
from snn2circuit import flow, steps
from snn2circuit.analysis.advisor import advise
from snn2circuit.design import Design, keys, parse_design
from snn2circuit.errors import DataError, DesignError, Snn2CircuitError, TrainingError
from snn2circuit.ir.dataset import Dataset
from snn2circuit.layout.build import plan_layout
from snn2circuit.mapping import unrolled_sizes
from snn2circuit.steps.sizes import stand_in, unrolled_design
from snn2circuit.training import Recipe
from snn2circuit.training.memory import training_memory

DIGITS = s2c.load_dataset("digits")
XOR = s2c.load_dataset("xor")
EXACT = "\n[simulation]\nsolver = 'exact'"

# A design, and what its refusal has to say: the key or its subject, the value, the limit, the way out.
TOO_LARGE = [
    ("[network]\nhidden = [100000, 100000, 100000]", r"452\.6 GiB .*weights.*gradients.*Adam.*hidden = \[100000.*free"),
    ("[network]\nhidden = [100000, 100000, 100000]", r"40,015,400,020 devices .* limit is 20,000,000.*max_devices"),
    ("[network]\nhidden = [50000]\n[device]\nmax_devices = 1000000", r"devices .* limit is 1,000,000"),
    ("[network]\nconvolution = '99999c5-p2'", r"devices .*layer 1 .65 word lines.*max_devices"),
    ("[network]\nconvolution = '4c3-20000c3'", r"devices .*layer 2 .145 word lines"),
    ("[network]\nconvolution = '8c9'", r"convolution '8c9': an image of 8 x 8 is smaller than a window of 9 x 9"),
    ("[network]\nconvolution = '8c3-p4-8c2'", r"an image of 1 x 1 is smaller than a window of 2 x 2"),
    ("[network]\nsteps = 100000\nhidden = [100000]\n[training]\nbatch = 9999", r"activations of a batch.*smaller b"),
    ("[simulation]\nsamples = 1000000", r"samples = 1,000,000 .*digits has 360 test samples.*1 to 360"),
    ("[simulation]\nsamples = 10\nfirst = 355", r"samples = 10 from first = 355 on: .*1 to 5 can"),
    ("[simulation]\nfirst = 360\nsamples = 1", r"first = 360: digits has 360 test samples, 0 to 359"),
    ("[network]\nhidden = [150]\nsteps = 1000\n[simulation]\nbudget = 1", r"would take .* budget is 1\.0 s.*; choose"),
    ("[network]\nhidden = [150]\nsteps = 1000\n[simulation]\nbudget = 1", r"exact solver .*budget = \d+"),
    ("[network]\nhidden = [7000]\n[device]\nmax_devices = 200000000", r"ngspice would take|sheet 1 is"),
    (f"[network]\nhidden = [1500]{EXACT}", r"sheet 1 is 3200.* mm .*at most 420 mm by 297 mm.*or tile_rows"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), TOO_LARGE)
def test_a_size_is_refused_from_the_design_alone(text: str, says: str) -> None:
    with pytest.raises(Snn2CircuitError, match=f"(?s){says}"):
        steps.check_sizes(parse_design(text), DIGITS)


def test_nothing_heavy_is_loaded_or_asked_for_to_refuse() -> None:
    program = f"""
import resource, sys
from snn2circuit import steps
from snn2circuit.datasets import load_dataset
from snn2circuit.design import parse_design
from snn2circuit.errors import Snn2CircuitError
digits = load_dataset("digits")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for text in {sorted({text for text, _ in TOO_LARGE})!r}:
    try:
        steps.check_sizes(parse_design(text), digits)
    except Snn2CircuitError:
        continue
    raise SystemExit(f"not refused: {{text}}")
print("torch" in sys.modules, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    torch, megabytes = done.stdout.split()
    assert torch == "False"
    assert int(megabytes) < 300


@pytest.mark.parametrize("text", [TOO_LARGE[0][0], TOO_LARGE[8][0], TOO_LARGE[11][0], TOO_LARGE[14][0]])
def test_a_run_is_refused_before_it_trains(text: str, tmp_path: Path) -> None:
    with pytest.raises(Snn2CircuitError):
        flow.run(parse_design(text), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"design.toml", ".snn2circuit"}


def test_what_is_only_trained_need_not_fit_a_sheet() -> None:
    for text in (TOO_LARGE[11][0], TOO_LARGE[14][0]):
        steps.check_sizes(parse_design(text), DIGITS, whole=False)
    for text in (TOO_LARGE[0][0], TOO_LARGE[3][0], TOO_LARGE[5][0], TOO_LARGE[8][0]):
        with pytest.raises(Snn2CircuitError):
            steps.check_sizes(parse_design(text), DIGITS, whole=False)


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = "[network]\nhidden = [100000, 100000]\n[simulation]\nsamples = 1000"
    with pytest.raises(DesignError, match=r"(?s)GiB.*; and the network takes .* devices.*; and .*samples = 1,000"):
        steps.check_sizes(parse_design(text), DIGITS)


@pytest.mark.parametrize("fields", [
    {"hidden": (100_000,) * 3}, {"hidden": (10**9,)}, {"steps": 10**9}, {"steps": 10**12, "hidden": ()},
    {"convolution": "99999c5-99999c3"}, {"batch": 10**9, "steps": 10**6, "hidden": (10**6,)},
])  # fmt: skip
def test_a_recipe_made_in_python_is_refused_too(fields: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match=r"training takes at least [\d,.]+ GiB of memory .* are free here"):
        s2c.train(DIGITS, Recipe(**{"neuron": s2c.Leaky(), **fields}))


def test_a_batch_larger_than_the_data_is_the_data() -> None:
    recipes = [Recipe(neuron=s2c.Leaky(), batch=batch) for batch in (4, 10**9)]
    one, other = (training_memory(XOR, recipe) for recipe in recipes)
    assert one == other


@pytest.mark.parametrize(("count", "first"), [(5, 0), (1, 4), (0, 4), (-1, 0), (1, -1), (2, 3), (10**30, 0)])
def test_samples_that_are_not_there_cannot_be_chosen(count: int, first: int) -> None:
    network = s2c.Network(name="n", layers=(s2c.Layer(weight=np.ones((2, 2)), neuron=s2c.Leaky()),), steps=2)
    crossbar = s2c.map_network(network, s2c.DEVICES["printed_resistor_kit"])
    with pytest.raises(DataError, match=r"xor has 4 test samples"):
        s2c.choose_samples(crossbar, XOR, count=count, first=first)
    assert s2c.choose_samples(crossbar, XOR, count=4).samples == 4
    assert s2c.choose_samples(crossbar, XOR).samples == 4
    assert s2c.choose_samples(crossbar, XOR, first=3).samples == 1
    assert steps.circuit.count_samples(DIGITS, 0, 0) == 10


# --- what is foreseen is what comes ------------------------------------------------------------------


def few(dataset: Dataset, count: int) -> Dataset:
    return dataclasses.replace(
        dataset,
        **{
            name: dataclasses.replace(split, inputs=split.inputs[:count], labels=split.labels[:count])
            for name, split in (("train", dataset.train), ("test", dataset.test))
        },
    )


@pytest.mark.parametrize("text", [
    "hidden = [6]",
    "hidden = []\nbias = false",
    "convolution = '2c3-p2'\nhidden = [5]",
    "convolution = 'p2-3c3p1-s2-2c2s1'\nhidden = []",
    "convolution = 'p2'\nhidden = [4]",
])  # fmt: skip
@pytest.mark.parametrize("circuit", [
    "lines = 'given'", "lines = 'given'\ntile_rows = 9", "lines = 'given'\nr_word = 1.0\nr_bit = 2.0",
    "lines = 'measured'",
])  # fmt: skip
def test_a_stand_in_foretells_what_the_trained_network_meets(text: str, circuit: str) -> None:
    design = parse_design(f"[network]\nsteps = 3\n{text}\n[circuit]\n{circuit}\n[training]\nepochs = 1")
    data = few(DIGITS, 60)
    network = s2c.train(data, steps.design_recipe(design, data))
    layers = unrolled_design(design, data)
    assert [dataclasses.astuple(each) for each in layers] == [
        dataclasses.astuple(each) for each in unrolled_sizes(network)
    ]
    real, foreseen = steps.map_crossbar(design, network, data), stand_in(design, data, layers)
    process = s2c.PROCESSES["inkjet"]
    (_, plan), (_, other) = plan_layout(real, process), plan_layout(foreseen, process)
    assert [(sheet.near, sheet.far) for sheet in plan.sheets] == [(sheet.near, sheet.far) for sheet in other.sheets]
    stimulus = steps.choose_samples(real, data, count=2)
    costs = [
        advise(each, stimulus, parasitics=steps.line_parasitics(design, each), budget=0, wires=False).costs
        for each in (real, foreseen)
    ]
    for reduce, cost in costs[0].items():
        assert costs[1][reduce].cards == pytest.approx(cost.cards, rel=0.05)
        assert costs[1][reduce].seconds == pytest.approx(cost.seconds, rel=0.1)


# --- every number of a design ------------------------------------------------------------------------


def numeric_keys() -> list[tuple[str, str]]:
    found = []
    for section, value in Design().sections():
        for name in keys(type(value)):
            given = getattr(value, name)
            first = given[0] if isinstance(given, tuple) and given else given
            if isinstance(first, (int, float)) and not isinstance(first, bool):
                found.append((section, name))
    return found


@pytest.mark.parametrize(("section", "name"), numeric_keys())
@pytest.mark.parametrize("value", ["0", "-1", "1e30", "nan", "inf", str(2**63)])
def test_no_number_gives_anything_but_a_design_or_our_error(section: str, name: str, value: str) -> None:
    default = getattr(getattr(Design(), section), name)
    text = f"[{section}]\n{name} = " + (f"[{value}]" if isinstance(default, tuple) else value)
    extra = "" if section == "fine_tuning" else "\n[fine_tuning]\nepochs = 1\nvariation = 0.1"
    try:
        design = parse_design(text + extra)
        steps.check_circuit(design)
        steps.check_process(design)
        steps.check_sizes(design, DIGITS)
        parse_design(design.as_toml())
    except Snn2CircuitError:
        return
    number = getattr(getattr(design, section), name)
    assert all(math.isfinite(each) for each in (number if isinstance(number, tuple) else (number,)))
