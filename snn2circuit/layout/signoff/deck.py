"""The design rules of a process, as data: a named list that a checker works through.

With width ``w``, space ``s``, overlay ``o``, via diameter ``d`` and drop grid ``g`` of the process, for every layer; a
conductor or via layer may have a ``w`` and an ``s`` of its own:

=============================  =================================================================================
``CONDUCTOR.width``            lines are at least ``w`` wide
``CONDUCTOR.space``            lines are at least ``s`` apart
``CONDUCTOR.density``          in every window at most the process's share is covered
``VIA.size``, ``VIA.space``    a via's outline is ``d`` by ``d``; vias are ``s`` apart
``VIA.landing.CONDUCTOR``      below and above every via lies a pad that encloses it by ``o``
``DEVICE.space``               patches are ``s - 2·o`` apart, so that no two of them meet where both are ``o`` off
``DEVICE.clear.CONDUCTOR``     a patch keeps ``o`` from lines that are not its own, in the planes below and above it
``DEVICE.overlap``             a patch covers the crossing of its two lines and ``o`` more on every side
``DEVICE.stray``               a patch lies at a crossing; a resistor joins one line below to one line above
``DEVICE.width``               resistors are at least ``w`` wide
``DEVICE.notch``               legs of one resistor are ``s`` apart
``DEVICE.contact``             the ends of a resistor cover their line and ``o`` more, so that ``o`` off they still do
``CELL.space``                 cells are ``s`` apart
``CONDUCTOR.crossover``        where two conductors cross without a via, something insulating lies between them
``CONDUCTOR.crossover.margin`` and reaches ``o`` beyond the crossing; ``.crossover.OTHER``, ``.crossover.OTHER.margin``:
                               the same where the two are no neighbours in the order of printing and only what is
                               between them and no conductor keeps them apart
``plane.overlap``              what shares the plane between two conductors does not overlap
``LAYER.edge``                 everything lies on its foil or interlayer, ``o`` from its edge
``LAYER.grid``                 edges of printed layers lie on multiples of ``g``
``SUBSTRATE.size``             the foil is no larger than the process's sheet
``LAYER.plan``                 where the layout is at hand: the layer's shapes are the planned ones
=============================  =================================================================================

What the device layer prints at a crossing is a patch. In a process that gives its ink a sheet resistance, what it
prints elsewhere is a resistor in the plane.

A value that the process does not give makes no rule. Rules follow roles, never names, so a process with other layers
gets its own deck.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from snn2circuit.errors import LayoutError
from snn2circuit.ir.layout import Process, ProcessLayer
from snn2circuit.ir.noun import noun
from snn2circuit.layout.rules import least_space, least_width, nanometres


@noun
class Rule:
    """One design rule; it holds on every sheet."""

    name: str
    check: str  # key of drc.CHECKS, or plan
    layer: str  # process layer it speaks of
    other: str = ""  # second process layer, where two are compared
    limit: int = 0  # nm
    extra: float = 0.0  # second number: density (share), or the shorter side of a sheet (nm)
    text: str


def rule_deck(process: Process) -> tuple[Rule, ...]:
    """Every rule of ``process``."""
    rules = tuple(_rules(process))
    names = [rule.name for rule in rules]
    if len(set(names)) != len(names):
        raise LayoutError(f"process {process.name}: two rules are called {max(names, key=names.count)}")
    return rules


def plan_rules(process: Process) -> tuple[Rule, ...]:
    """A rule for each layer that asks for what the layout plans; :func:`rule_deck` needs no layout and has none."""
    return tuple(
        Rule(name=f"{layer.name}.plan", check="plan", layer=layer.name, text="the shapes of the layout, each in place")
        for layer in process.layers
    )


def _rules(process: Process) -> Iterator[Rule]:
    s = nanometres(process, "min_space", process.min_space)
    o, d = nanometres(process, "overlay", process.overlay, 0), nanometres(process, "via_diameter", process.via_diameter)
    conductors = [layer.name for layer in process.layers if layer.role == "conductor"]
    foils = [layer.name for layer in process.layers if layer.role == "substrate"]
    for layer in process.layers:
        name = layer.name
        match layer.role:
            case "conductor":
                least = nanometres(process, *least_width(process, layer))
                text = f"width at least {_um(least)}"
                yield Rule(name=f"{name}.width", check="width", layer=name, limit=least, text=text)
                yield _space(process, layer)
                if process.max_density is not None and process.density_window is not None:
                    window, share = (
                        nanometres(process, "density_window", process.density_window),
                        process.max_density.value,
                    )
                    text = f"at most {share:.0%} covered in any window of {_um(window)}"
                    yield Rule(
                        name=f"{name}.density", check="density", layer=name, limit=window, extra=share, text=text
                    )
            case "via":
                yield Rule(name=f"{name}.size", check="via_size", layer=name, limit=d, text=f"diameter {_um(d)}")
                yield _space(process, layer)
                for side in ("below", "above"):
                    text = f"lands on a pad {side} that encloses it by {_um(o)}"
                    yield Rule(name=f"{name}.landing.{side}", check=f"landing_{side}", layer=name, limit=o, text=text)
            case "device":
                free = s - 2 * o
                text = f"space at least {_um(free)}: {_um(s)} less twice the overlay"
                yield Rule(name=f"{name}.space", check="space", layer=name, limit=free, text=text)
                for other in _around(process, layer):
                    text = f"at least {_um(o)} from {other} that are not its own"
                    rule = f"{name}.clear.{other}"
                    yield Rule(name=rule, check="clear", layer=name, other=other, limit=o, text=text)
                text = f"covers its crossing and {_um(o)} around it"
                yield Rule(name=f"{name}.overlap", check="overlap", layer=name, limit=o, text=text)
                if layer.sheet_resistance is None:
                    yield Rule(name=f"{name}.stray", check="stray", layer=name, text="lies at a crossing")
                else:
                    text = "lies at a crossing, or joins one line below to one line above, and each in one place"
                    yield Rule(name=f"{name}.stray", check="join", layer=name, text=text)
                    least = nanometres(process, *least_width(process, layer))
                    text = f"width at least {_um(least)}"
                    yield Rule(name=f"{name}.width", check="width", layer=name, limit=least, text=text)
                    text = f"legs of a resistor at least {_um(s)} apart"
                    yield Rule(name=f"{name}.notch", check="notch", layer=name, limit=s, text=text)
                    text = f"a resistor's end covers its line and {_um(o)} beyond"
                    yield Rule(name=f"{name}.contact", check="contact", layer=name, limit=o, text=text)
            case "cell":
                yield _space(process, layer)
            case "substrate":
                if process.sheet_length is not None and process.sheet_width is not None:
                    length, width = (
                        nanometres(process, what, quantity)
                        for what, quantity in (
                            ("sheet_length", process.sheet_length),
                            ("sheet_width", process.sheet_width),
                        )
                    )
                    text = f"no larger than {_um(length)} by {_um(width)}"
                    yield Rule(name=f"{name}.size", check="sheet", layer=name, limit=length, extra=width, text=text)
        if layer.role != "substrate":
            text = f"on the {' or '.join(foils)}, at least {_um(o)} from its edge"
            yield Rule(name=f"{name}.edge", check="edge", layer=name, limit=o, text=text)
        if process.drop_grid is not None and layer.role in ("conductor", "device", "dielectric", "cell"):
            grid = nanometres(process, "drop_grid", process.drop_grid)
            yield Rule(
                name=f"{name}.grid", check="grid", layer=name, limit=grid, text=f"edges on a grid of {_um(grid)}"
            )
    for low, high in itertools.combinations(conductors, 2):
        is_next = conductors.index(high) == conductors.index(low) + 1
        name = f"{low}.crossover" if is_next else f"{low}.crossover.{high}"
        yield Rule(
            name=name, check="crossover", layer=low, other=high, text=f"insulated from {high} wherever they cross"
        )
        text = f"insulated from {high} and {_um(o)} around their crossing"
        yield Rule(name=f"{name}.margin", check="crossover_margin", layer=low, other=high, limit=o, text=text)
        if is_next:
            text = f"what lies between {low} and {high} does not overlap"
            yield Rule(name=f"{low}.plane.overlap", check="plane", layer=low, other=high, text=text)


def _around(process: Process, layer: ProcessLayer) -> Iterator[str]:
    """The conductors printed last before ``layer`` and first after it."""
    at = process.layers.index(layer)
    for side in (process.layers[:at][::-1], process.layers[at + 1 :]):
        yield from [each.name for each in side if each.role == "conductor"][:1]


def _space(process: Process, layer: ProcessLayer) -> Rule:
    least = nanometres(process, *least_space(process, layer))
    text = f"space at least {_um(least)}"
    return Rule(name=f"{layer.name}.space", check="space", layer=layer.name, limit=least, text=text)


def _um(nm: int) -> str:
    return f"{nm / 1e3:g} um"
