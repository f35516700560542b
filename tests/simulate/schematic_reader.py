"""An independent reader of ``.asc`` and ``.asy``: the way from a schematic to a netlist as the help describes it.

Wire ends and pins that share a point are one net; a flag names it. A symbol with the prefix X gives the line ``X<name>
<nets in SpiceOrder> <value>``; text that starts with ``!`` holds directives, ``\\n`` breaks their lines.
"""

from __future__ import annotations

from pathlib import Path

import networkx as nx

Point = tuple[int, int]


def netlist_of(schematic: Path) -> str:
    """The deck that the schematic stands for."""
    nets: nx.Graph = nx.Graph()
    names: dict[Point, str] = {}
    symbols: list[tuple[str, Point]] = []
    instances: list[str] = []
    directives: list[str] = []
    for line in schematic.read_text("utf-8").splitlines():
        word, _, rest = line.partition(" ")
        match word:
            case "WIRE":
                x1, y1, x2, y2 = map(int, rest.split())
                assert x1 == x2 or y1 == y2
                assert all(value % 16 == 0 for value in (x1, y1, x2, y2)), "off LTspice's grid"
                nets.add_edge((x1, y1), (x2, y2))
            case "FLAG":
                x, y, name = rest.split()
                assert names.setdefault((int(x), int(y)), name) == name
            case "SYMBOL":
                kind, x, y, turned = rest.split()
                assert turned == "R0"
                symbols.append((kind, (int(x), int(y))))
            case "SYMATTR":
                instances.append(rest.removeprefix("InstName "))
            case "TEXT":
                text = rest.split(maxsplit=4)[4]
                directives += text[1:].split("\\n") if text.startswith("!") else []
            case _:
                assert word in ("Version", "SHEET"), line
    net_of = {}
    for part in nx.connected_components(nets):
        found = {names[point] for point in part if point in names}
        assert len(found) == 1, f"a net with the names {found}"
        net_of |= dict.fromkeys(part, found.pop())
    lines = ["* from the schematic"]
    used: set[Point] = set()
    for (kind, (x, y)), name in zip(symbols, instances, strict=True):
        value, pins = read_symbol(schematic.parent / f"{kind}.asy")
        points = [(x + dx, y + dy) for dx, dy in pins]
        assert used.isdisjoint(points), "two pins in one place"
        used |= set(points)
        lines.append(" ".join([name, *(net_of[point] for point in points), value]))
    return "\n".join([*lines, *directives, ".end"]) + "\n"


def read_symbol(path: Path) -> tuple[str, list[Point]]:
    """Value and pins, in SpiceOrder, of a symbol with the prefix X."""
    value, prefix = "", ""
    places: list[Point] = []
    orders: list[int] = []
    for line in path.read_text("utf-8").splitlines():
        words = line.split()
        if words[:2] == ["SYMATTR", "Value"]:
            value = words[2]
        elif words[:2] == ["SYMATTR", "Prefix"]:
            prefix = words[2]
        elif words[0] == "PIN":
            places.append((int(words[1]), int(words[2])))
        elif words[:2] == ["PINATTR", "SpiceOrder"]:
            orders.append(int(words[2]))
    assert prefix == "X"
    assert sorted(orders) == list(range(1, len(places) + 1))
    assert len(set(places)) == len(places)
    return value, [place for _, place in sorted(zip(orders, places, strict=True))]
