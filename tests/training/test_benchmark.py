"""The training benchmark runs, compares equal computations, and ends with its one line of JSON."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

from snn2circuit.neurons import NEURONS

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "training.py"


def test_last_line_is_json_with_a_ratio_for_each_neuron() -> None:
    tiny = ["--inputs", "20", "--hidden", "6", "--steps", "3", "--batch", "4", "--rounds", "2", "--each", "2"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *tiny], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    assert list(results) == ["train_x_snntorch", "infer_x_snntorch", "train_x_gemm_floor"]
    for ratios in results.values():
        assert list(ratios) == list(NEURONS)
        assert all(math.isfinite(ratio) and ratio > 0 for ratio in ratios.values())
