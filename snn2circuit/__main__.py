"""``python -m snn2circuit``."""

import sys

from snn2circuit.child import search_path

# Python looks in the current folder first, where somebody else's json.py may lie.
sys.path[:] = search_path()

from snn2circuit.cli import main  # noqa: E402

if __name__ == "__main__":
    main(prog_name="snn2circuit")
