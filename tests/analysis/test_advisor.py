"""The advisor: losses against dense nodal analysis, tiles, card counts against emitted decks, refused budgets."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snn2circuit.analysis import ngspice_cost
from snn2circuit.analysis.advisor import REDUCTIONS, advise, choose_reduction
from snn2circuit.analysis.ngspice_cost import REFERENCE, Cost, Laws, calibrate, count_cards, virtual_grounds
from snn2circuit.analysis.wires import assess_wires
from snn2circuit.devices import DEVICES
from snn2circuit.errors import SimulationError
from snn2circuit.ir.crossbar import CrossbarNetwork, Tile
from snn2circuit.ir.layer import Layer
from snn2circuit.ir.network import Network, Stimulus
from snn2circuit.ir.parasitics import Parasitics, Quantities, TileParasitics, uniform_parasitics
from snn2circuit.ir.parts import Quantity
from snn2circuit.mapping import cut_tiles, map_network
from snn2circuit.netlist import build_circuit, write_netlist
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate.deck import read_deck
from snn2circuit.steps import reduce_crossbars


def network(rows: int = 30, columns: int = 6) -> tuple[CrossbarNetwork, Stimulus]:
    rng = np.random.default_rng(1)
    layers = tuple(
        Layer(weight=rng.normal(0, 0.3, (b, a)), bias=rng.normal(0, 0.1, b), neuron=NEURONS["leaky"]())
        for a, b in ((rows, columns), (columns, 3))
    )
    made = Network(name="advice", layers=layers, steps=4)
    inputs = rng.uniform(0, 1, (2, rows))
    stimulus = Stimulus(inputs=made.encode(inputs), labels=np.full(2, -1), indices=np.arange(2))
    return map_network(made, DEVICES["printed_resistor_kit"], inputs=inputs), stimulus


def wires(crossbar: CrossbarNetwork, **ohms: float) -> Parasitics:
    return uniform_parasitics(crossbar, source="made up", **ohms)


def no_measure() -> Laws:
    raise AssertionError("this machine must not be measured here")


def test_ideal_lines_lose_nothing() -> None:
    for layer in assess_wires(network()[0], None, 0.01):
        assert layer.worst_loss == layer.mean_loss == 0
        assert layer.largest_tile == (layer.rows, layer.columns)


def test_a_single_device_loses_what_the_divider_says() -> None:
    crossbar, _ = network()
    first = replace(
        crossbar.layers[0],
        **{
            name: getattr(crossbar.layers[0], name)[:1, :1]
            for name in ("trained", "target_pos", "target_neg", "level_pos", "level_neg", "g_pos", "g_neg")
        },
        has_bias=False,
    )
    single = replace(crossbar, layers=(first,))
    (found,) = assess_wires(single, uniform_parasitics(single, r_bit=1000.0, source="made up"), 0.01)
    siemens = max(first.g_pos[0, 0], first.g_neg[0, 0])
    assert found.worst_loss == pytest.approx(1 - 1 / (1 + 1000 * siemens), rel=1e-9)


def test_smaller_tiles_lose_less_and_the_advised_one_keeps_its_promise() -> None:
    crossbar, _ = network(100, 20)
    whole = assess_wires(crossbar, wires(crossbar, r_word=5.0, r_bit=5.0), 0.01)[0]
    assert whole.worst_loss > 0.01
    assert whole.largest_tile is not None
    rows, columns = whole.largest_tile
    tiled, larger = (
        assess_wires(cut, wires(cut, r_word=5.0, r_bit=5.0), 0.01)[0]
        for cut in (cut_tiles(crossbar, rows=k * rows, columns=k * columns) for k in (1, 2))
    )
    assert tiled.tiles > 1
    assert tiled.worst_loss <= 0.01 < whole.worst_loss
    assert larger.worst_loss > 0.01
    assert assess_wires(crossbar, wires(crossbar, r_word=1e7, r_bit=1e7), 0.01)[0].largest_tile is None


def test_capacitances_give_a_settling_time() -> None:
    def ohms(*values: float) -> Quantities:
        return Quantities(values=np.array(values), unit="ohm", source="made up", confidence="assumed")

    def farads(value: float) -> Quantity:
        return Quantity(value=value, unit="F", source="made up", confidence="assumed")

    tile = TileParasitics(
        rows=np.arange(3), columns=(0, 2),
        word_segments=ohms(1, 10, 2), bit_segments=ohms(4, 8), word_leads=ohms(20, 20, 21), bit_leads=ohms(5, 5, 6, 5),
        fed_far=np.array([False, True, False]), crosspoint=farads(1e-12), neighbour=farads(5e-13), below=farads(1e-12),
        above=farads(2e-12),
    )  # fmt: skip
    # From the far end 20 ohm charge 4 crossings, 2 ohm 3, 10 ohm 2, 1 ohm 1; from column 0 it is 21, then 1, 10, 2.
    words = max(20 * 4 + 2 * 3 + 10 * 2 + 1, 21 * 4 + 1 * 3 + 10 * 2 + 2)
    assert tile.settling == pytest.approx((words * 3 + (6 * 3 + 4 * 2 + 8) * 4) * 1e-12)


def test_a_hypothetical_tile_has_the_lines_of_the_measured_one() -> None:
    crossbar, _ = network()
    measured = wires(crossbar, r_word=1.0, r_driver=3.0).layers[0].tiles[0]
    drawn = replace(measured, word_segments=replace(measured.word_segments, values=np.resize([1.0, 8.0], 11)))
    smaller = drawn.resized(Tile(slice(3, 10), slice(1, 3))).lines
    assert smaller.shape == (7, 4)
    np.testing.assert_array_equal(smaller.word_segments, [1.0, 8.0, 1.0])
    np.testing.assert_array_equal(smaller.word_leads, np.full(7, 4.0))
    assert drawn.resized(Tile(slice(0, 90), slice(0, 20))).lines.shape == (90, 40)


@pytest.mark.parametrize("ohms", [{}, {"r_word": 1.0, "r_bit": 1.0, "r_driver": 5.0}, {"r_bit": 2.0}])
@pytest.mark.parametrize("reduce", list(REDUCTIONS))
def test_the_cards_counted_are_the_cards_written(ohms: dict[str, float], reduce: str, tmp_path: Path) -> None:
    crossbar, stimulus = network()
    lines = wires(crossbar, **ohms) if ohms else None
    reduced = reduce_crossbars(crossbar, lines, reduce)
    circuit = build_circuit(crossbar, stimulus.inputs[0], "x", parasitics=lines)
    counted = count_cards(circuit, reduced, virtual_grounds(circuit))
    write_netlist(crossbar, stimulus, tmp_path, parasitics=lines, reduced=reduced)
    text = read_deck(tmp_path / "sample_0.cir").text
    cells = {
        name: len(re.findall(r"^[A-Za-z]", body, re.MULTILINE))
        for name, body in re.findall(r"^\.subckt (\S+)(.*?)^\.ends", text, re.MULTILINE | re.DOTALL)
    }
    top = re.sub(r"^\.subckt .*?^\.ends", "", text, flags=re.MULTILINE | re.DOTALL)
    instances = re.findall(r"^X[^\n]*(?:\n\+[^\n]*)*", top, re.MULTILINE)
    written = len(re.findall(r"^[A-Za-z]", top, re.MULTILINE)) - len(instances)
    written += sum(cells[each.split()[-1]] for each in instances)
    assert sum(counted.values()) == pytest.approx(written, rel=0.02)


def test_a_job_beyond_the_budget_is_refused_with_what_can_be_done_instead() -> None:
    crossbar, stimulus = network()
    slow = replace(REFERENCE, kinds={**REFERENCE.kinds, "wires": replace(REFERENCE.kinds["wires"], seconds=1e4)})
    advice = advise(crossbar, stimulus, parasitics=wires(crossbar, r_word=1.0, r_bit=1.0), measure=lambda: slow)
    with pytest.raises(SimulationError) as refused:
        advice.check(3600.0)
    text = str(refused.value)
    named = ("2 samples", "the budget is 60.0 min", 'reduce = "first"', 'reduce = "all"', "exact solver", "tile_rows")
    for words in named:
        assert words in text
    insisted = re.search(r"budget = (\d+)", text)
    assert insisted
    advice.check(float(insisted[1]))
    advice.check(0.0)  # no limit
    advice.check(advice.seconds("none"))
    # Enough time for all, but each would be stopped on its way.
    with pytest.raises(
        SimulationError, match=r"one is stopped after 10.0 min; choose .* if you insist, time_limit = \d+"
    ):
        advice.check(advice.seconds("none"), 600.0)
    advice.check(advice.seconds("none"), advice.costs["none"].seconds)


def test_a_small_job_needs_no_measurement() -> None:
    crossbar, stimulus = network()
    advice = advise(crossbar, stimulus, budget=3600.0, workers=2, measure=no_measure)
    advice.check(3600.0)
    assert advice.costs["none"].source == REFERENCE.source
    assert len(advice.rows()) == 2 * 3 + 3


def test_a_machine_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngspice_cost, "PROBES", dict.fromkeys(REFERENCE.kinds, ((4, 2), (8, 4))))
    laws = calibrate(tmp_path)
    for law in laws.kinds.values():
        assert law.seconds > 0
        assert law.exponent >= 1
    assert laws.start_bytes > 1e7
    monkeypatch.setattr(ngspice_cost, "run_jobs", None)  # a second measurement would fail
    again = calibrate(tmp_path)
    assert again.kinds["wires"].seconds == laws.kinds["wires"].seconds
    (kept,) = tmp_path.iterdir()
    kept.write_text("{")
    with pytest.raises(TypeError):  # a damaged file is measured anew
        calibrate(tmp_path)


@pytest.mark.parametrize(("seconds", "resistive", "chosen"), [
    ((10.0, 1.0, 0.5), False, "none"), ((31.0, 1.0, 0.5), False, "first"), ((90.0, 50.0, 2.0), False, "all"),
    ((90.0, 50.0, 60.0), False, "first"), ((0.1, 0.1, 0.1), True, "all"),
])  # fmt: skip
def test_equivalents_are_chosen_by_lines_and_size(seconds: tuple[float, ...], resistive: bool, chosen: str) -> None:
    costs = {
        reduce: Cost(cards=1, seconds=each, memory=0.0, source="this test")
        for reduce, each in zip(REDUCTIONS, seconds, strict=True)
    }
    assert choose_reduction(costs, resistive=resistive) == chosen


def test_what_was_chosen_is_said() -> None:
    crossbar, stimulus = network()
    lines = uniform_parasitics(crossbar, r_word=1.0, source="this test")
    for parasitics, chosen in ((None, "none"), (lines, "all")):
        advice = advise(crossbar, stimulus, parasitics=parasitics, reduce="auto", budget=0)
        assert (advice.reduce, advice.asked) == (chosen, "auto")
        assert (advice.as_dict()["reduce"], advice.as_dict()["reduce_asked"]) == (chosen, "auto")
        assert any(f'reduce = "{chosen}" (chosen)' in name for name, _ in advice.rows())
