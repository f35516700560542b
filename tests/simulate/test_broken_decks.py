"""Decks that must not pass for a result: each gives a typed error that names the culprit."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from snn2circuit import errors
from snn2circuit.errors import DeckRejected, SimulationDiverged, SimulationError, SimulationTimeout, SimulatorMissing
from snn2circuit.simulate.deck import CheckedDeck, read_deck
from snn2circuit.simulate.jobs import Job, Result, run_jobs
from snn2circuit.simulate.ngspice import check_result
from snn2circuit.simulate.raw import read_raw

GOOD = "* divider\nV1 in 0 1\nR1 in a 1k\nR2 a 0 1k\n.tran 1u 1m uic\n.end\n"


def run(text: str, *, nodes: tuple[str, ...] = ("a",), time_limit: float = 30) -> Result:
    return run_jobs(
        [Job(deck=CheckedDeck(text, name="broken.cir"), nodes=nodes, stop=1e-3)], workers=1, time_limit=time_limit
    )[0]


def deck(*lines: str, tran: str = ".tran 1u 1m uic") -> str:
    return "\n".join(["* broken", "V1 a 0 1", *lines, tran, ".end", ""])


def test_a_good_deck_passes_whatever_harmless_notes_are_printed() -> None:
    result = run(GOOD)
    assert result.traces[0][-1] == pytest.approx(0.5)
    assert result.version.startswith("ngspice")


def test_a_note_on_standard_error_that_pyspice_takes_for_a_failure_is_not_one() -> None:
    """ngspice says there that a measurement lies outside the run, PySpice raises, and the waveforms are whole."""
    result = run(GOOD.replace(".tran", ".meas tran late find v(a) at=5\n.tran"))
    assert result.traces[0][-1] == pytest.approx(0.5)
    assert result.time[-1] == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("text", "error", "names"),
    [
        pytest.param("* only a title\n.end\n", DeckRejected, "broken.cir", id="empty"),
        pytest.param("", DeckRejected, "broken.cir", id="nothing at all"),
        pytest.param(deck("R1 a 0 1k", tran=""), DeckRejected, "no transient analysis", id="no analysis"),
        pytest.param(deck("R1 a b"), DeckRejected, "r1", id="missing value"),
        pytest.param(deck("S1 a b a 0 nomodel", "R1 b 0 1k"), DeckRejected, "nomodel", id="unknown model"),
        pytest.param(deck("X1 a b nosub", "R1 b 0 1k"), DeckRejected, "nosub", id="unknown subcircuit"),
        pytest.param(deck("B1 b 0 V=nofunc(3)", "R1 b a 1k"), DeckRejected, "nofunc", id="unknown function"),
        pytest.param(deck("R1 a 0 abc"), DeckRejected, "abc", id="value that is no number"),
        pytest.param(deck("%R1 a 0 1k"), DeckRejected, "%R1", id="unknown element"),
        pytest.param(deck("R1 a 0 1", "R1 a 0 2"), DeckRejected, "r1", id="name used twice"),
        pytest.param(deck(".subckt s x y", "R1 x y 1", ".ends", "X1 a s"), DeckRejected, "xx1", id="too few ports"),
        pytest.param(deck('.include "gone.lib"', "R1 a 0 1k"), DeckRejected, "gone.lib", id="missing include"),
        pytest.param(deck("R1 a 0 1k", "C1 e f 1n"), SimulationDiverged, "check node", id="floating node"),
        pytest.param(deck("V2 a 0 2"), SimulationDiverged, "singular", id="loop of voltage sources"),
        pytest.param(deck("B1 b 0 V=sqrt(-V(a))", "R1 b 0 1k"), SimulationDiverged, "b1", id="not a number"),
        pytest.param(
            deck("R1 a 0 1k", tran=".tran 1u 0.5m uic"), SimulationDiverged, "0.0005 s of 0.001 s", id="short run"
        ),
    ],
)
def test_a_broken_deck_is_an_error_that_names_the_culprit(text: str, error: type[SimulationError], names: str) -> None:
    with pytest.raises(error) as caught:
        run(text)
    assert isinstance(caught.value, error)
    assert "broken.cir" in str(caught.value)
    assert names.lower() in str(caught.value).lower()


def run_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    run(GOOD)


def read_truncated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "Title: t\nFlags: real\nNo. Variables: 2\nNo. Points: 3\nVariables:\n"
    head += "\t0\ttime\ttime\n\t1\tv(a)\tvoltage\nBinary:\n"
    (tmp_path / "x.raw").write_bytes(head.encode() + b"\0" * 40)
    read_raw(tmp_path / "x.raw", ("a",))


def include_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deck.cir").write_text('* title\n.include "gone.lib"\n.end\n')
    read_deck(tmp_path / "deck.cir")


def run_without_simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "/nonexistent/libngspice.so")
    run(GOOD)


TWELVE = {
    "missing node": (lambda *_: run(GOOD, nodes=("a", "mem")), errors.NodeMissing, "'mem'"),
    "floating node": (lambda *_: run(deck("R1 a 0 1k", "C1 e f 1n")), errors.NodeFloating, "check node"),
    "singular": (lambda *_: run(deck("V2 a 0 2")), errors.MatrixSingular, "#branch"),
    "not converging": (lambda *_: run(deck("B1 b 0 V=sqrt(-V(a))", "R1 b 0 1k")), errors.NotConverging, "b1"),
    "unknown model": (lambda *_: run(deck("S1 a b a 0 nomodel", "R1 b 0 1k")), errors.ModelUnknown, "nomodel"),
    "missing include": (include_nothing, errors.IncludeMissing, "gone.lib"),
    "empty": (lambda *_: run("* only a title\n.end\n"), errors.DeckEmpty, "broken.cir"),
    "truncated raw": (read_truncated, errors.FileTruncated, "x.raw"),
    "not a number": (
        lambda *_: check_result(np.array([0, 1e-3]), np.array([[0, np.nan]]), ["mem"], 1e-3),
        errors.ValueNotFinite,
        "mem",
    ),
    "short run": (lambda *_: run(deck("R1 a 0 1k", tran=".tran 1u 0.5m uic")), errors.RunTooShort, "0.0005 s"),
    "disk full": (run_full_disk, errors.OutputError, "TMPDIR"),
    "no ngspice": (run_without_simulator, errors.SimulatorMissing, "libngspice0"),
}


@pytest.mark.parametrize("fault", TWELVE)
def test_twelve_faults_have_an_error_of_their_own(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, error, names = TWELVE[fault]
    assert len({kind for _, kind, _ in TWELVE.values()}) == 12
    with pytest.raises(error) as caught:
        make(tmp_path, monkeypatch)
    assert type(caught.value) is error
    assert names in str(caught.value)


def test_a_node_that_is_not_there_is_named() -> None:
    with pytest.raises(DeckRejected, match="'mem_l1_n0' is not in the circuit"):
        run(GOOD, nodes=("a", "mem_l1_n0"))


def test_a_broken_deck_after_a_good_one_does_not_return_the_good_ones_result() -> None:
    with pytest.raises(DeckRejected, match="second"):
        run_jobs(
            [
                Job(deck=CheckedDeck(GOOD, name="first"), nodes=("a",), stop=1e-3),
                Job(deck=CheckedDeck(deck("X1 a b nosub"), name="second"), nodes=("a",), stop=1e-3),
            ],
            workers=1,
            time_limit=30,
        )


def test_a_deck_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(SimulationTimeout, match=r"broken\.cir: not finished after 1 s"):
        run(deck("R1 a 0 1k", tran=".tran 1n 1 0 1n uic"), time_limit=1)


def test_a_missing_simulator_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", "/nonexistent/libngspice.so")
    with pytest.raises(SimulatorMissing, match="apt-get install libngspice0"):
        run(GOOD)


@pytest.mark.parametrize("line", [".control", " .CONTROL", ".endc", ".lib 'x' y", "a\0b", ".exec rm"])
def test_a_deck_that_could_run_commands_is_refused_before_any_simulator_sees_it(line: str, tmp_path: Path) -> None:
    path = tmp_path / "deck.cir"
    path.write_text(f"* title\nR1 a 0 1k\n{line}\n.end\n")
    with pytest.raises(DeckRejected, match="line 3"):
        read_deck(path)


def test_includes_stay_in_their_folder(tmp_path: Path) -> None:
    (tmp_path / "decks").mkdir()
    (tmp_path / "secret.lib").write_text("R1 a 0 1k\n")
    path = tmp_path / "decks" / "deck.cir"
    path.write_text('* title\n.include "../secret.lib"\n.end\n')
    with pytest.raises(DeckRejected, match="outside the deck's folder"):
        read_deck(path)
    path.write_text('* title\n.include "inner.lib"\n.end\n')
    with pytest.raises(DeckRejected, match=r"inner\.lib does not exist"):
        read_deck(path)
    (tmp_path / "decks" / "inner.lib").write_text("R1 a 0 1k\n.control\n")
    with pytest.raises(DeckRejected, match=r"inner\.lib line 2"):
        read_deck(path)
    (tmp_path / "decks" / "inner.lib").write_text('.include "deck.cir"\n')
    with pytest.raises(DeckRejected, match="circle"):
        read_deck(path)
