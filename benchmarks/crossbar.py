"""The crossbar solver against badcrossbar and ngspice; ``make bench-crossbar``, the last line is one JSON object.

badcrossbar 1.1.0 goes into an environment of its own below ``.cache``, made on the first run. Its drawing code wants
cairo and warns without it; only its solver is used here. Both sides get one thread, CPU seconds are compared, rounds
alternate between them, and a ratio is the median over the rounds.

* ``one_vector_784x100_x_badcrossbar``: currents for one drive, 1 ohm a segment, node voltages not extracted.
* ``ten_thousand_256_x_badcrossbar``: currents for 10,000 drives. badcrossbar would need 10 GB, so its time is that of
  one drive plus 9,999 times the slope between 1 and 65 drives: as if it factored once.
* ``max_relative_error``: largest ``|dI| / max |I|`` against badcrossbar, on 200 random arrays and the two above.
* ``max_relative_error_ngspice``: the same against ngspice's ``.op`` of the emitted elements, on 200 random arrays.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402 - after the number of threads is set

from snn2circuit.ir.circuit import Crossbar  # noqa: E402
from snn2circuit.ir.lines import uniform_lines  # noqa: E402
from snn2circuit.netlist.arrays import crossbar_cards  # noqa: E402
from snn2circuit.simulate.crossbar import bit_line_currents  # noqa: E402

ROUNDS, ARRAYS, MANY, SOME = 3, 200, 10_000, 65
PEER = Path(__file__).parents[1] / ".cache" / "badcrossbar"
PEER_PROGRAM = """
import sys, time, warnings
warnings.simplefilter("ignore")
import logging, numpy as np, badcrossbar
logging.disable(logging.CRITICAL)
for line in sys.stdin:
    path = line.strip()
    data = np.load(path)
    start = time.process_time()
    solved = badcrossbar.compute(data["volts"].T, data["ohms"], r_i_word_line=float(data["r_word"]),
                                 r_i_bit_line=float(data["r_bit"]), node_voltages=False, all_currents=False)
    seconds = time.process_time() - start
    np.save(path + ".npy", solved.currents.output)
    print(seconds, flush=True)
"""


class Peer:
    """badcrossbar in its own environment and process."""

    def __init__(self, folder: Path) -> None:
        python = PEER / "bin" / "python"
        if not (PEER / "ready").exists():
            venv.create(PEER, with_pip=True, clear=True)
            pip = [str(python), "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, "numpy", "scipy", "pathvalidate"], check=True)
            subprocess.run([*pip, "--no-deps", "badcrossbar==1.1.0"], check=True)
            (PEER / "ready").touch()
        command = [str(python), "-W", "ignore", "-c", PEER_PROGRAM]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.path = folder / "job.npz"

    def solve(self, siemens: np.ndarray, volts: np.ndarray, r_word: float, r_bit: float) -> tuple[np.ndarray, float]:
        """Currents ``(drives, columns)`` and CPU seconds."""
        # Its bit lines leave after the last row, ours at row 0.
        np.savez(self.path, ohms=1 / siemens[::-1], volts=volts[:, ::-1], r_word=r_word, r_bit=r_bit)
        self.process.stdin.write(f"{self.path}\n")
        self.process.stdin.flush()
        seconds = float(self.process.stdout.readline())
        return np.load(f"{self.path}.npy"), seconds


def main() -> None:
    """Measure, print a table, and one JSON line."""
    rng = np.random.default_rng(2)
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(Path(folder))
        errors, op_errors = agreement(peer, Path(folder), rng)
        ratios: dict[str, list[float]] = {"one": [], "many": []}
        print(f"{'':>6} {'784x100, one drive, ms':>26} {'256x256, 10,000 drives, s':>28}")
        print(f"{'round':>6} {'badcrossbar':>14} {'ours':>11} {'badcrossbar':>16} {'ours':>11}")
        for number in range(ROUNDS):
            siemens, volts = rng.uniform(1e-6, 1e-4, (784, 100)), rng.uniform(0, 0.5, (1, 784))
            theirs, one = peer.solve(siemens, volts, 1.0, 1.0)
            ours, own_one = timed(siemens, volts)
            errors.append(relative(ours, theirs))
            siemens, volts = rng.uniform(1e-6, 1e-4, (256, 256)), rng.uniform(0, 0.5, (MANY, 256))
            first = peer.solve(siemens, volts[:1], 1.0, 1.0)[1]
            theirs, some = peer.solve(siemens, volts[:SOME], 1.0, 1.0)
            many = first + (MANY - 1) * (some - first) / (SOME - 1)
            ours, own_many = timed(siemens, volts)
            errors.append(relative(ours[:SOME], theirs))
            ratios["one"].append(one / own_one)
            ratios["many"].append(many / own_many)
            print(f"{number:>6} {one * 1e3:>14.1f} {own_one * 1e3:>11.2f} {many:>16.1f} {own_many:>11.3f}")
        peer.process.terminate()
    result = {
        "one_vector_784x100_x_badcrossbar": round(statistics.median(ratios["one"]), 1),
        "ten_thousand_256_x_badcrossbar": round(statistics.median(ratios["many"]), 1),
        "max_relative_error": max(errors),
        "max_relative_error_ngspice": max(op_errors),
    }
    print(json.dumps(result))


def timed(siemens: np.ndarray, volts: np.ndarray) -> tuple[np.ndarray, float]:
    """Our currents and CPU seconds, the best of three."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        currents = bit_line_currents(siemens, volts, uniform_lines(*siemens.shape, r_word=1.0, r_bit=1.0))
        seconds.append(time.process_time() - start)
    return currents, min(seconds)


def agreement(peer: Peer, folder: Path, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Relative errors against badcrossbar and against ngspice, on random arrays of one to eight neurons."""
    errors, op_errors = [], []
    for _ in range(ARRAYS):
        rows, columns = int(rng.integers(1, 21)), int(rng.integers(1, 9))
        g_pos, g_neg = np.exp(rng.uniform(np.log(1e-6), np.log(1e-3), (2, rows, columns)))
        r_word, r_bit, r_driver = np.exp(rng.uniform(np.log(1e-2), np.log(1e2), 3)) * (rng.random(3) < 0.8)
        array = Crossbar(
            name="a",
            word_lines=tuple(f"w{row}" for row in range(rows)),
            bits_pos=tuple(f"p{column}" for column in range(columns)),
            bits_neg=tuple(f"n{column}" for column in range(columns)),
            g_pos=g_pos,
            g_neg=g_neg,
            lines=uniform_lines(rows, 2 * columns, r_word=r_word, r_bit=r_bit, r_driver=r_driver),
        )
        volts = rng.uniform(-0.5, 0.5, (1, rows))
        lines = uniform_lines(rows, 2 * columns, r_word=r_word, r_bit=r_bit)
        ours = bit_line_currents(array.siemens, volts, lines)
        errors.append(relative(ours, peer.solve(array.siemens, volts, r_word, r_bit)[0]))
        ours = bit_line_currents(array.siemens, volts, array.lines)
        op_errors.append(relative(ours, operating_point(array, volts[0], folder)[None]))
    return errors, op_errors


def operating_point(array: Crossbar, volts: np.ndarray, folder: Path) -> np.ndarray:
    """Currents out of the bit lines by ngspice's ``.op``."""
    deck = ["* crossbar", *crossbar_cards(array)]
    deck += [f"Vw{row} {array.word_lines[row]} 0 {volt:.15g}" for row, volt in enumerate(volts)]
    deck += [f"Vb{column} {bit} 0 0" for column, bit in enumerate(array.bits)]
    (folder / "op.cir").write_text("\n".join([*deck, ".op", ".end", ""]))
    command = ["ngspice", "-n", "-b", "-r", "op.raw", "op.cir"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    head, _, data = (folder / "op.raw").read_bytes().partition(b"Binary:\n")
    names = [line.split()[1] for line in head.decode().split("Variables:\n")[1].splitlines()]
    values = dict(zip(names, np.frombuffer(data), strict=True))
    return np.array([values[f"i(vb{column})"] for column in range(len(array.bits))])


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference over the largest current."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


if __name__ == "__main__":
    sys.exit(main())
