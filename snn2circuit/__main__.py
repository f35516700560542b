"""``python -m snn2circuit``."""

from snn2circuit.cli import main

if __name__ == "__main__":
    main(prog_name="snn2circuit")
