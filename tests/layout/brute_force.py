"""The connectivity of a small stack, found by trying every pair of solids in plain Python: judge of the fast way."""

from __future__ import annotations

from dataclasses import dataclass, field

from snn2circuit.ir.layout import Layout

Box = tuple[int, ...]


@dataclass
class Solid:
    """One drawn solid."""

    sheet: int
    layer: str
    role: str
    box: Box
    round: bool
    net: str | None
    index: int  # in its group of shapes


@dataclass
class Drawing:
    """All solids of a stack, and which metal hangs together."""

    solids: list[Solid]
    piece: dict[int, int] = field(default_factory=dict)  # conductor or via -> smallest solid of its component
    touching: dict[int, set[int]] = field(default_factory=dict)  # conductors and vias against each solid
    device: dict[int, int] = field(default_factory=dict)  # solid of a device -> smallest one of its piece


def touch(a: Solid, b: Solid) -> bool:
    common = [min(a.box[i + 3], b.box[i + 3]) - max(a.box[i], b.box[i]) for i in range(3)]
    if min(common) < 0 or common.count(0) > 1:
        return False
    if a.round and b.round:
        distance = sum((a.box[i] + a.box[i + 3] - b.box[i] - b.box[i + 3]) ** 2 for i in (0, 1))
        return distance < (a.box[3] - a.box[0] + b.box[3] - b.box[0]) ** 2
    if b.round:
        a, b = b, a
    if a.round:
        twice = [a.box[i] + a.box[i + 3] for i in (0, 1)]
        nearest = [min(max(twice[i], 2 * b.box[i]), 2 * b.box[i + 3]) for i in (0, 1)]
        return sum((t - n) ** 2 for t, n in zip(twice, nearest, strict=True)) < (a.box[3] - a.box[0]) ** 2
    return True


def overlap(a: Solid, b: Solid) -> bool:
    return all(min(a.box[i + 3], b.box[i + 3]) > max(a.box[i], b.box[i]) for i in range(3))


def read_drawing(layout: Layout) -> Drawing:
    solids = []
    for number, sheet in enumerate(layout.sheets):
        for shapes in layout.solids(sheet):
            role = layout.process.layer(shapes.layer).role
            for index, (box, net) in enumerate(zip(shapes.boxes.tolist(), shapes.nets.tolist(), strict=True)):
                name = layout.nets[net] if net >= 0 else None
                solids.append(Solid(number, shapes.layer, role, tuple(box), shapes.round, name, index))

    drawing = Drawing(solids)
    metal = [i for i, solid in enumerate(solids) if solid.role in ("conductor", "via")]
    drawing.touching = {i: set() for i, solid in enumerate(solids) if solid.role not in ("substrate", "dielectric")}
    for i, others in drawing.touching.items():
        others |= {j for j in metal if j != i and touch(solids[i], solids[j])}
    for i in metal:
        if i in drawing.piece:
            continue
        front = {i}
        while front:
            drawing.piece |= dict.fromkeys(front, i)
            front = {k for j in front for k in drawing.touching[j]} - drawing.piece.keys()
    ink = [i for i, solid in enumerate(solids) if solid.role == "device"]
    for i in ink:
        front = {i} - drawing.device.keys()
        while front:
            drawing.device |= dict.fromkeys(front, i)
            front = {k for j in front for k in ink if k not in drawing.device and touch(solids[j], solids[k])}
    return drawing
