"""Makes badcrossbar.json, with badcrossbar 1.1.0 installed: python make_badcrossbar.py > badcrossbar.json.

Its drawing code wants cairo, which is not needed here: pip install numpy scipy pathvalidate, then
pip install --no-deps badcrossbar==1.1.0. `benchmarks/crossbar.py` makes such an environment.
"""

import json
import logging
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
import badcrossbar  # noqa: E402 - it warns about cairo when it is imported

logging.disable(logging.CRITICAL)
CASES = [  # rows, columns, ohm per word line segment, ohm per bit line segment
    (1, 1, 1.0, 1.0),
    (1, 7, 5.0, 2.0),
    (6, 1, 3.0, 40.0),
    (5, 4, 0.5, 0.5),
    (9, 13, 20.0, 1.0),
    (17, 6, 1.0, 300.0),
    (4, 5, 2.0, 0.0),
    (4, 5, 0.0, 2.0),
    (3, 4, 0.0, 0.0),
]


def main() -> None:
    """Solve the cases and print them as JSON."""
    rng = np.random.default_rng(20)
    cases = []
    for rows, columns, r_word, r_bit in CASES:
        ohms = 1 / np.exp(rng.uniform(np.log(1e-6), np.log(1e-3), (rows, columns)))
        volts = rng.uniform(-0.5, 0.5, (rows, 2))
        solved = badcrossbar.compute(volts, ohms, r_i_word_line=r_word, r_i_bit_line=r_bit)
        cases.append(
            {
                "r_word": r_word,
                "r_bit": r_bit,
                "ohms": ohms.tolist(),
                "volts": volts.T.tolist(),
                "amperes": solved.currents.output.tolist(),
            }
        )
    json.dump(
        {"made_by": "badcrossbar 1.1.0, netlists/reference/make_badcrossbar.py", "cases": cases}, sys.stdout, indent=1
    )
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
