"""Boxes of one sheet while it is drawn: positions in the sheet's own axes become boxes of the stack, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from snn2circuit.ir.layout import Shapes
from snn2circuit.ir.noun import Ints
from snn2circuit.layout.rules import LAYERS

BARE = -1  # net of shapes that carry none


class Canvas:
    """Boxes and their nets by process layer; lengths in nm."""

    def __init__(self, planes: Iterable[tuple[tuple[str, ...], int]], bottom: int, turned: bool) -> None:
        """``planes``: from ``bottom`` up, layers that share one and its thickness; ``turned``: ``(u, v) = (y, x)``."""
        self.turned = turned
        self.heights: dict[str, tuple[int, int]] = {}
        self.groups: dict[str, tuple[list[Ints], list[Ints]]] = {}
        for layers, thickness in planes:
            self.heights.update(dict.fromkeys(layers, (bottom, bottom + thickness)))
            bottom += thickness

    def boxes(self, layer: str, u0: ArrayLike, v0: ArrayLike, u1: ArrayLike, v1: ArrayLike) -> Ints:
        """Boxes in stack coordinates; the four edges broadcast against each other."""
        bottom, top = self.heights[layer]
        low, high = ((v0, u0), (v1, u1)) if self.turned else ((u0, v0), (u1, v1))
        columns = np.broadcast_arrays(*(np.atleast_1d(edge) for edge in (*low, bottom, *high, top)))
        return np.stack(columns, axis=1).astype(np.int64)

    def draw(self, layer: str, u0: ArrayLike, v0: ArrayLike, u1: ArrayLike, v1: ArrayLike, net: ArrayLike) -> None:
        """Add boxes to ``layer``, each with its net; the edges broadcast, none is fine."""
        boxes = self.boxes(layer, u0, v0, u1, v1)
        if not len(boxes):
            return
        group = self.groups.setdefault(layer, ([], []))
        group[0].append(boxes)
        group[1].append(np.broadcast_to(np.asarray(net, dtype=np.int64), (len(boxes),)))

    def draw_squares(self, layer: str, u: Ints, v: ArrayLike, side: int, net: ArrayLike) -> None:
        """Add squares around ``u, v``."""
        low = side // 2
        v = np.asarray(v)
        self.draw(layer, u - low, v - low, u - low + side, v - low + side, net)

    def shapes(self) -> tuple[Shapes, ...]:
        """Everything drawn, in printing order."""
        return tuple(
            Shapes(
                layer=layer,
                boxes=np.concatenate(boxes),
                nets=np.concatenate(owners),
                round=LAYERS[layer] == "via",
            )
            for layer, (boxes, owners) in sorted(self.groups.items(), key=lambda item: list(LAYERS).index(item[0]))
        )
