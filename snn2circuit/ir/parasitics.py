"""What the lines of a stack do that nobody wants: resistance and capacitance, tile by tile, each with its source.

A layout gives these numbers, or a designer assumes them. The netlist and the exact solver take the resistances from
here; the capacitances tell how fast a line settles, which the clocked circuit does not depend on as long as that is
short against the slot (:attr:`TileParasitics.settling`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from snn2circuit.errors import NetlistError
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.lines import PIECES, LineResistances, uniform_lines
from snn2circuit.ir.noun import Bools, Floats, freeze, noun
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
    """Of one tile's crossbar; the pieces of line are those of :mod:`snn2circuit.ir.lines`."""

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
        units = {**dict.fromkeys(PIECES, "ohm"), **dict.fromkeys(CAPACITANCES, "F")}
        for name, unit in units.items():
            if (found := getattr(self, name).unit) != unit:
                raise NetlistError(f"{name} is in {found!r}; {unit} is needed")
        for name in CAPACITANCES:
            if not 0 <= getattr(self, name).value < math.inf:
                raise NetlistError(f"{name} is {getattr(self, name).value!r} F; 0 F or more is needed")
        _ = self.lines  # refuses what no lines can have

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

    def resized(self, rows: int, bit_lines: int) -> TileParasitics:
        """What a tile of another size would have: the same lines cut short, or repeated."""

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
        )


@noun
class LayerParasitics:
    """Of one layer's crossbar, tile by tile in the layer's order; one if it is not cut.

    Bit lines of row tiles meet at joints, one for each row of tiles and bit line. From joint to joint and from the
    last one to the neuron cell they share ``joints``; without any the tiles meet at the cell.
    """

    tiles: tuple[TileParasitics, ...]
    joints: Quantities | None = None  # ohm, (rows of tiles, bit lines of the layer), from there on

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
        """Those of layer ``number`` (from 1), one a tile.

        Raises:
            NetlistError: they are those of other tiles.
        """
        measured = self.layers[number - 1]
        found, wanted = [tile.lines.shape for tile in measured.tiles], tile_shapes(layer)
        shape = (len(layer.row_cuts) + 1, 2 * layer.columns)
        if found != wanted or (measured.joints is not None and measured.joints.values.shape != shape):
            raise NetlistError(
                f"layer {number} has {_listed(wanted)}, its parasitics are those of {_listed(found)}; measure them on "
                "masks of this network"
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
                LayerParasitics(tiles=tuple(first(measured).resized(*shape) for shape in tile_shapes(layer)))
                for measured, layer in zip(self.layers, crossbar.layers, strict=True)
            )
        )


def tile_shapes(layer: CrossbarLayer) -> list[tuple[int, int]]:
    """Rows and bit lines of every tile."""
    return [(tile.rows.stop - tile.rows.start, 2 * (tile.columns.stop - tile.columns.start)) for tile in layer.tiles]


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

    def tile(rows: int, bits: int) -> TileParasitics:
        lines = uniform_lines(rows, bits, r_word=r_word, r_bit=r_bit, r_driver=r_driver)
        word_segments, bit_segments, word_leads, bit_leads = (
            Quantities(values=getattr(lines, name), unit="ohm", source=source, confidence=confidence) for name in PIECES
        )
        nothing = Quantity(value=0.0, unit="F", source=source, confidence=confidence)
        return TileParasitics(
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
        layers=tuple(
            LayerParasitics(tiles=tuple(tile(*shape) for shape in tile_shapes(layer))) for layer in crossbar.layers
        )
    )
