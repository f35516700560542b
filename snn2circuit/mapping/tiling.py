"""Cutting crossbars into arrays that can be made, and whose lines are short enough.

Line resistance grows with the square of an array's side: twice as long a line carries twice the current. Cut into tiles
of at most ``rows`` by ``columns``, every tile has word lines and drivers of its own, and the bit lines of tiles above
one another join at the neuron's virtual ground, where their currents add up as before.
"""

from __future__ import annotations

from dataclasses import replace

from snn2circuit.errors import MappingError
from snn2circuit.ir.crossbar import CrossbarNetwork, even_cuts


def cut_tiles(crossbar: CrossbarNetwork, *, rows: int = 0, columns: int = 0) -> CrossbarNetwork:
    """Cut every layer into as few tiles as the limits allow, all of nearly the same size.

    Args:
        crossbar: the mapped network; earlier cuts are forgotten.
        rows: word lines a tile may have, the bias row counted; 0 for no limit.
        columns: neurons a tile may have, a pair of bit lines each; 0 for no limit.

    Raises:
        MappingError: a limit below 0.
    """
    if rows < 0 or columns < 0:
        raise MappingError(f"tiles of {rows} rows and {columns} columns are asked for; 1 or more, or 0 for no limit")
    return replace(
        crossbar,
        layers=tuple(
            replace(layer, row_cuts=even_cuts(layer.rows, rows), column_cuts=even_cuts(layer.columns, columns))
            for layer in crossbar.layers
        ),
    )
