"""Are two sets of mask files the same masks? Shapes by exclusive or, names by the labels on conductors.

A format may write the name of a net on more of its shapes than another does (Gerber: on every one). Such a label is
right where the layout has a shape of that net; where the shapes are equal, that says as much as a label of the other.
"""

from __future__ import annotations

from collections.abc import Iterator

import klayout.db as kdb

from snn2circuit.ir.layout import Layout
from snn2circuit.layout.masks.drawing import labels, list_masks
from snn2circuit.layout.signoff.stack import MaskStack, Place


def differences(stack: MaskStack, reference: MaskStack, layout: Layout) -> Iterator[str]:
    """How ``stack`` differs from ``reference``, mask by mask in printing order; nothing if they are the same masks."""
    every = {(mask.sheet, mask.layer.name): set(labels(mask, layout.nets, every=True)) for mask in list_masks(layout)}
    for sheet in range(1, max(stack.sheets, reference.sheets) + 1):
        for layer in stack.process.layers:
            place = sheet, layer.name
            yield from _shape_differences(stack, reference, place)
            if layer.role == "conductor":
                yield from _name_differences(stack, reference, place, every.get(place, set()))


def _shape_differences(stack: MaskStack, reference: MaskStack, place: Place) -> Iterator[str]:
    found, wanted = (kdb.Region(each.top.begin_shapes_rec(each.index(place))) for each in (stack, reference))
    if (found ^ wanted).is_empty():
        return
    for what, more, less in (("is missing", wanted, found), ("is too much", found, wanted)):
        rest = (more - less).merged()
        if not rest.is_empty():
            spot = min((each.bbox() for each in rest.each()), key=lambda box: (box.bottom, box.left))
            yield (
                f"sheet {place[0]}, {place[1]}: against {reference.path.name}, {what} in {rest.count():,} places, "
                f"first from ({spot.left}, {spot.bottom}) to ({spot.right}, {spot.top}) nm"
            )


def _name_differences(
    stack: MaskStack, reference: MaskStack, place: Place, every: set[tuple[str, int, int]]
) -> Iterator[str]:
    found, wanted = (
        {(text.string, text.x, text.y) for text in (shape.text for shape in shapes.each(kdb.Shapes.STexts))}
        for shapes in (each.top.shapes(each.index(place)) for each in (stack, reference))
    )
    for what, names in (("is missing", wanted - found), ("is wrong", found - wanted - every)):
        if names:
            net, x, y = min(names)
            yield (
                f"sheet {place[0]}, {place[1]}: against {reference.path.name}, the name of {len(names):,} nets {what}, "
                f"first {net[:80]} at ({x}, {y}) nm"
            )
