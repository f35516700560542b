"""The faster matrix solver is switched on where ngspice says that it was compiled in, and only there."""

from __future__ import annotations

from snn2circuit.simulate.ngspice import choose_solver

DECK = "* title\n.include x\nR1 a 0 1\n.end\n"
WITH = "** ngspice-44.2 : Circuit level simulation program\n** Compiled with KLU Direct Linear Solver\n"


def test_the_option_follows_the_title() -> None:
    assert choose_solver(DECK, WITH).splitlines()[:3] == ["* title", ".options klu", ".include x"]


def test_a_build_without_it_gets_the_deck_as_it_is() -> None:
    assert choose_solver(DECK, "** ngspice-39 : Circuit level simulation program\n") == DECK
