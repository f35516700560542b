"""The comparison counts exactly what was planted, and says where it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_waveforms import SAMPLES, STEPS, make_crossbar, perfect_waveforms

from snn2circuit.analysis import compare_circuit, compare_mapping
from snn2circuit.analysis.plots import plot_waveforms
from snn2circuit.errors import CompareError
from snn2circuit.ir.waveforms import Waveforms


def flip(waveforms: Waveforms, events: set[tuple[int, int, int, int]]) -> Waveforms:
    """Invert the spikes at (layer from 0, sample, step, neuron)."""
    spikes = [layer.copy() for layer in waveforms.spikes]
    for layer, sample, step, neuron in events:
        spikes[layer][sample, step, neuron] ^= True
    return replace(waveforms, spikes=tuple(spikes))


def test_a_perfect_circuit_is_equivalent() -> None:
    _, crossbar, stimulus = make_crossbar()
    equivalence = compare_circuit(crossbar, perfect_waveforms(crossbar, stimulus, error=1e-5))
    assert equivalence.equivalent
    assert equivalence.first_divergence is None
    assert equivalence.spikes_compared == SAMPLES * STEPS * (5 + 3)
    assert equivalence.worst_membrane_error == pytest.approx(1e-5, rel=1e-6)
    assert equivalence.samples_exact == equivalence.predictions_equal == SAMPLES
    assert json.loads(json.dumps(equivalence.as_dict()))["spike_mismatches"] == 0


event = st.tuples(st.just(0), st.integers(0, 2), st.integers(0, STEPS - 1), st.integers(0, 4)) | st.tuples(
    st.just(1), st.integers(0, 2), st.integers(0, STEPS - 1), st.integers(0, 2)
)


@settings(max_examples=100, deadline=None)
@given(events=st.sets(event, min_size=1, max_size=12))
def test_every_flipped_spike_is_counted_and_the_first_is_named(events: set[tuple[int, int, int, int]]) -> None:
    _, crossbar, stimulus = make_crossbar()
    waveforms = flip(perfect_waveforms(crossbar, stimulus), events)
    equivalence = compare_circuit(crossbar, waveforms)
    assert not equivalence.equivalent
    assert equivalence.mismatches == len(events)
    assert [layer.mismatches for layer in equivalence.layers] == [
        sum(e[0] == index for e in events) for index in (0, 1)
    ]
    assert equivalence.samples_exact == SAMPLES - len({e[1] for e in events})
    # In a sample, layer l does step t in slot t + l.
    layer, sample, step, neuron = min(events, key=lambda e: (e[1], e[2] + e[0], e[0], e[2], e[3]))
    first = equivalence.first_divergence
    assert first is not None
    assert (first.layer, first.sample, first.step, first.neuron) == (layer + 1, sample, step, neuron)
    assert first.model_spike != first.circuit_spike
    assert str(sample) in str(equivalence)


def test_margins_and_events_at_risk() -> None:
    _, crossbar, stimulus = make_crossbar()
    membranes = crossbar.network().run(stimulus.inputs).membranes
    margins = [np.abs(m - 1.0) for m in membranes]
    equivalence = compare_circuit(crossbar, perfect_waveforms(crossbar, stimulus, error=0.05))
    for layer, margin in zip(equivalence.layers, margins, strict=True):
        assert layer.smallest_margin == pytest.approx(margin.min())
        assert layer.events_at_risk == (margin < 0.05).sum() > 0
        assert layer.worst_membrane_error == pytest.approx(0.05)


def test_a_membrane_past_the_rails_is_not_equivalent() -> None:
    _, crossbar, stimulus = make_crossbar()
    waveforms = perfect_waveforms(crossbar, stimulus)
    membranes = [layer.copy() for layer in waveforms.membranes]
    membranes[1][0, 0, 0] = -1.01 * crossbar.v_rail
    equivalence = compare_circuit(crossbar, replace(waveforms, membranes=tuple(membranes)))
    assert equivalence.mismatches == 0
    assert not equivalence.equivalent


def test_files_that_do_not_belong_together_are_refused() -> None:
    network, crossbar, stimulus = make_crossbar()
    waveforms = perfect_waveforms(crossbar, stimulus)
    smaller = replace(crossbar, layers=crossbar.layers[:1])
    with pytest.raises(CompareError, match=r"the waveforms are of a \(4, 5, 3\) network, the crossbars are \(4, 5\)"):
        compare_circuit(smaller, waveforms)
    rescaled = replace(crossbar, layers=(replace(crossbar.layers[0], volts_per_unit=0.5), crossbar.layers[1]))
    with pytest.raises(CompareError, match="another mapping"):
        compare_circuit(rescaled, waveforms)
    with pytest.raises(CompareError, match="do not belong together"):
        compare_mapping(network, smaller, stimulus)


def test_what_the_mapping_changed_is_counted_apart() -> None:
    network, coarse, stimulus = make_crossbar(levels=3)
    effect = compare_mapping(network, coarse, stimulus)
    before, after = network.run(stimulus.inputs), coarse.network().run(stimulus.inputs)
    assert (
        effect.spikes_changed == sum(int((b ^ a).sum()) for b, a in zip(before.spikes, after.spikes, strict=True)) > 0
    )
    assert effect.samples == SAMPLES
    _, fine, _ = make_crossbar(levels=65536)
    assert compare_mapping(network, fine, stimulus).spikes_changed == 0
    # The circuit is still judged against its own conductances.
    assert compare_circuit(coarse, perfect_waveforms(coarse, stimulus)).equivalent


def test_the_plot_is_a_deterministic_png(tmp_path: Path) -> None:
    _, crossbar, stimulus = make_crossbar()
    waveforms = perfect_waveforms(crossbar, stimulus)
    for name in ("a.png", "b.png"):
        plot_waveforms(crossbar, waveforms, tmp_path / name)
    data = (tmp_path / "a.png").read_bytes()
    assert data == (tmp_path / "b.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    assert width > 800
    assert height > 600
