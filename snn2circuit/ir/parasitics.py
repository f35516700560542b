"""What the lines of a stack do that nobody wants: resistance and capacitance, tile by tile, each with its source.

A layout gives these numbers, or a designer assumes them. The netlist and the exact solver take the resistances from
here; the capacitances tell how fast a line settles, which the clocked circuit does not depend on as long as that is
short against the slot (:attr:`TileParasitics.settling`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from snn2circuit.errors import NetlistError
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork, Tile
from snn2circuit.ir.lines import PIECES, LineResistances, uniform_lines
from snn2circuit.ir.noun import Bools, Floats, Ints, freeze, noun
from snn2circuit.ir.parts import Confidence, Quantity

CAPACITANCES = ("crosspoint", "neighbour", "below", "above")


@noun
class Quantities:
    """Numbers of one kind that came from one source; as :class:`~snn2circuit.ir.parts.Quantity`."""

    values: Floats
    unit: str
    source: str
    confidence: Confidence

    def __post_init__(self) -> None:
        freeze(self, "values", np.float64)


@noun
class TileParasitics:
    """Of one crossbar as drawn; the pieces of line are those of :mod:`snn2circuit.ir.lines`.

    It is one tile of its layer, or two row tiles below and above the bit lines that they share.
    """

    rows: Ints  # (rows,), of the layer, from the neurons outwards
    columns: tuple[int, int]  # of the layer, first and behind the last
    word_segments: Quantities  # ohm, (bit lines - 1,)
    bit_segments: Quantities  # ohm, (rows - 1,)
    word_leads: Quantities  # ohm, (rows,)
    bit_leads: Quantities  # ohm, (bit lines,)
    fed_far: Bools  # (rows,)
    crosspoint: Quantity  # F, of a device with the lines that cross there
    neighbour: Quantity  # F, between two neighbouring lines, per crossing
    below: Quantity  # F, of a word line with the lines of the sheet below, per crossing
    above: Quantity  # F, of a bit line with the lines of the sheet above, per crossing

    def __post_init__(self) -> None:
        freeze(self, "fed_far", np.bool_)
        freeze(self, "rows", np.int64)
        units = {**dict.fromkeys(PIECES, "ohm"), **dict.fromkeys(CAPACITANCES, "F")}
        for name, unit in units.items():
            if (found := getattr(self, name).unit) != unit:
                raise NetlistError(f"{name} is in {found!r}; {unit} is needed")
        for name in CAPACITANCES:
            if not 0 <= getattr(self, name).value < math.inf:
                raise NetlistError(f"{name} is {getattr(self, name).value!r} F; 0 F or more is needed")
        shape = (len(self.rows), 2 * (self.columns[1] - self.columns[0]))
        if self.lines.shape != shape:
            raise NetlistError(f"resistances of {self.lines.shape} word and bit lines do not fit a tile of {shape}")

    @property
    def lines(self) -> LineResistances:
        """The resistances alone."""
        return LineResistances(fed_far=self.fed_far, **{name: getattr(self, name).values for name in PIECES})

    @property
    def settling(self) -> float:
        """Elmore delay, s, of the slowest word line and from there down the slowest bit line.

        A resistance charges what lies behind it: ``sum r_k C n_k`` with ``n_k`` crossings behind piece ``k`` (W. C.
        Elmore, J. Appl. Phys. 19, 55, 1948). At each crossing hang its own capacitance, that to both neighbours and
        that to the next sheet.
        """
        rows, bits = self.lines.shape
        both = self.crosspoint.value + 2 * self.neighbour.value
        beyond = np.arange(bits - 1, 0, -1)
        along = [float(self.word_segments.values @ each) for each in (beyond, beyond[::-1])]
        words = self.word_leads.values * bits + np.where(self.fed_far, along[1], along[0])
        down = float(self.bit_leads.values.max()) * rows + float(self.bit_segments.values @ np.arange(rows - 1, 0, -1))
        return float(words.max()) * (both + self.below.value) + down * (both + self.above.value)

    def resized(self, tile: Tile) -> TileParasitics:
        """What another tile would have: the same lines cut short, or repeated."""
        rows, bit_lines = tile_shape(tile)

        def sized(quantities: Quantities, count: int) -> Quantities:
            values = quantities.values if len(quantities.values) else np.zeros(1)
            return replace(quantities, values=np.resize(values, count))

        return replace(
            self,
            word_segments=sized(self.word_segments, bit_lines - 1),
            bit_segments=sized(self.bit_segments, rows - 1),
            word_leads=sized(self.word_leads, rows),
            bit_leads=sized(self.bit_leads, bit_lines),
            fed_far=np.resize(self.fed_far, rows),
            rows=np.arange(tile.rows.start, tile.rows.stop),
            columns=(tile.columns.start, tile.columns.stop),
        )


@noun
class LayerParasitics:
    """Of one layer's crossbars in the order of its tiles; one if it is not cut.

    Bit lines of crossbars above one another meet at joints, one for each of them and bit line. From joint to joint and
    from the last one to the neuron cell they share ``joints``; without any they meet at the cell.
    """

    tiles: tuple[TileParasitics, ...]
    joints: Quantities | None = None  # ohm, (crossbars above one another, bit lines of the layer), from there on

    def __post_init__(self) -> None:
        if self.joints is None:
            return
        ohms = self.joints.values
        if self.joints.unit != "ohm" or ohms.ndim != 2 or not (np.isfinite(ohms) & (ohms >= 0)).all():
            raise NetlistError(
                f"joints of shape {ohms.shape} in {self.joints.unit!r}; finite ohms, 0 or more, are needed"
            )

    @property
    def settling(self) -> float:
        """The slowest tile's, and the charge of all tiles through what they share, s."""
        slowest = max(tile.settling for tile in self.tiles)
        if self.joints is None:
            return slowest
        farads = max(
            tile.crosspoint.value + 2 * tile.neighbour.value + tile.below.value + tile.above.value
            for tile in self.tiles
        )
        rows = np.cumsum([len(tile.fed_far) for tile in self.tiles][:: len(self.tiles) // len(self.joints.values)])
        return slowest + float(self.joints.values.max(axis=1) @ rows) * farads


@noun
class Parasitics:
    """Of every layer's crossbar, first layer first."""

    layers: tuple[LayerParasitics, ...]

    def of_layer(self, number: int, layer: CrossbarLayer) -> tuple[TileParasitics, ...]:
        """Those of layer ``number`` (from 1), crossbar by crossbar.

        Raises:
            NetlistError: they are those of other tiles.
        """
        measured = self.layers[number - 1]
        found = [(sorted(tile.rows.tolist()), tile.columns) for tile in measured.tiles]
        parts = [(list(range(part.rows.start, part.rows.stop)), part.columns) for part in layer.tiles]
        wanted = [
            (rows, (columns.start, columns.stop))
            for rows, columns in parts
            if (rows, (columns.start, columns.stop)) in found
        ]
        wanted += [
            (one + two, (columns.start, columns.stop))
            for (one, columns), (two, others) in itertools.pairwise(sorted(parts, key=lambda part: part[1].start))
            if columns == others and (one + two, (columns.start, columns.stop)) in found
        ]
        covered = sum(len(rows) * (stop - start) for rows, (start, stop) in wanted)
        shape = (len(found) // (len(layer.column_cuts) + 1), 2 * layer.columns)
        bad_joints = measured.joints is not None and measured.joints.values.shape != shape
        if len(wanted) != len(found) or covered != layer.rows * layer.columns or bad_joints:
            raise NetlistError(
                f"layer {number} has {_listed(tile_shape(part) for part in layer.tiles)}, its parasitics are those of "
                f"{_listed(tile.lines.shape for tile in measured.tiles)}; measure them on masks of this network"
            )
        return measured.tiles

    def resized(self, crossbar: CrossbarNetwork) -> Parasitics:
        """What the layers would have if they were cut as in ``crossbar``, judged by their first tiles.

        Every tile has the way from the last joint to the cell for itself.
        """

        def first(measured: LayerParasitics) -> TileParasitics:
            tile = measured.tiles[0]
            if measured.joints is None:
                return tile
            leads = tile.bit_leads.values + measured.joints.values[-1, : len(tile.bit_leads.values)]
            return replace(tile, bit_leads=replace(tile.bit_leads, values=leads))

        return Parasitics(
            layers=tuple(
                LayerParasitics(tiles=tuple(first(measured).resized(tile) for tile in layer.tiles))
                for measured, layer in zip(self.layers, crossbar.layers, strict=True)
            )
        )


def tile_shape(tile: Tile) -> tuple[int, int]:
    """Rows and bit lines of a tile."""
    return tile.rows.stop - tile.rows.start, 2 * (tile.columns.stop - tile.columns.start)


def _listed(shapes: Iterable[tuple[int, int]]) -> str:
    return ", ".join(f"{rows} rows x {bits} bit lines" for rows, bits in shapes)


def uniform_parasitics(
    crossbar: CrossbarNetwork,
    *,
    r_word: float = 0.0,
    r_bit: float = 0.0,
    r_driver: float = 0.0,
    source: str,
    confidence: Confidence = "assumed",
) -> Parasitics:
    """The same resistances (ohm) everywhere, as :func:`~snn2circuit.ir.lines.uniform_lines`, and no capacitance."""

    def made(tile: Tile) -> TileParasitics:
        lines = uniform_lines(*tile_shape(tile), r_word=r_word, r_bit=r_bit, r_driver=r_driver)
        word_segments, bit_segments, word_leads, bit_leads = (
            Quantities(values=getattr(lines, name), unit="ohm", source=source, confidence=confidence) for name in PIECES
        )
        nothing = Quantity(value=0.0, unit="F", source=source, confidence=confidence)
        return TileParasitics(
            rows=np.arange(tile.rows.start, tile.rows.stop),
            columns=(tile.columns.start, tile.columns.stop),
            word_segments=word_segments,
            bit_segments=bit_segments,
            word_leads=word_leads,
            bit_leads=bit_leads,
            fed_far=lines.fed_far,
            crosspoint=nothing,
            neighbour=nothing,
            below=nothing,
            above=nothing,
        )

    return Parasitics(
        layers=tuple(LayerParasitics(tiles=tuple(made(tile) for tile in layer.tiles)) for layer in crossbar.layers)
    )
