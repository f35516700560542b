"""Decks from elsewhere: nothing in them runs, nothing outside the folder is shown, honest edits pass."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import hostile_decks
import numpy as np
import pytest

from snn2circuit.child import python_command
from snn2circuit.devices import DEVICES
from snn2circuit.errors import CompareError, DeckRejected, NetlistError
from snn2circuit.ir.network import Layer, Network, Stimulus
from snn2circuit.ir.waveforms import Netlist
from snn2circuit.mapping import map_network
from snn2circuit.netlist import DIALECTS, write_netlist
from snn2circuit.neurons import NEURONS
from snn2circuit.simulate import simulate_netlist
from snn2circuit.simulate.deck import CheckedDeck, read_deck
from snn2circuit.simulate.grammar import DIRECTIVES
from snn2circuit.simulate.jobs import Job, run_jobs
from snn2circuit.simulate.raw import read_raw

MARK = "swordfish-4711"  # in a file that must not be shown
GOLDEN = Path(__file__).parents[2] / "netlists" / "golden"
DIVIDER = "* divider\nV1 in 0 1\nR1 in a 1k\nC1 a 0 1u\n.tran 10u 1m uic\n.end\n"


def netlist(folder: Path, dialect: str = "ngspice") -> Netlist:
    """Two samples of a network of two neurons."""
    weights = np.array([[0.8, 0.4], [0.3, 0.9]])
    network = Network(name="two", layers=(Layer(weight=weights, neuron=NEURONS["leaky"]()),), steps=2)
    inputs = np.array([[1.0, 0.5], [0.2, 1.0]])
    crossbar = map_network(network, DEVICES["printed_resistor_kit"], inputs=inputs)
    stimulus = Stimulus(inputs=network.encode(inputs), labels=np.array([0, 1]), indices=np.array([5, 7]))
    return write_netlist(crossbar, stimulus, folder, dialect=dialect)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as we write it."""
    folder = tmp_path_factory.mktemp("written") / "decks"
    netlist(folder)
    return folder


@pytest.fixture
def hostile(written: Path, tmp_path: Path) -> Path:
    """A copy of it with traps, beside a secret."""
    shutil.copytree(written, tmp_path / "decks")
    (tmp_path / "secret.txt").write_text(f"{MARK}\n.control\nshell touch {tmp_path / 'canary'}\n.endc\n")
    hostile_decks.plant_traps(tmp_path / "decks", tmp_path / "secret.txt")
    return tmp_path / "decks"


def inject(folder: Path, kind: str, place: str) -> None:
    root = folder.parent
    text = hostile_decks.LINES[kind].format(canary=root / "canary", secret=root / "secret.txt")
    hostile_decks.PLACES[place](folder, text)


def test_there_are_enough_injections() -> None:
    assert len(hostile_decks.LINES) >= 100
    assert len(hostile_decks.LINES) * len(hostile_decks.PLACES) >= 600


def read(path: Path) -> tuple[str, str]:
    """What the simulator would get, and what is said instead."""
    try:
        return read_deck(path).text, ""
    except DeckRejected as error:
        return "", str(error)


@pytest.mark.parametrize("place", hostile_decks.PLACES)
def test_no_injection_reaches_the_simulator(place: str, written: Path, hostile: Path) -> None:
    """Each is refused, or nothing of it is left in what ngspice gets; messages show nothing of the secret."""
    clean = read_deck(written / "sample_0.cir").text
    files = {path.name: path.read_bytes() for path in written.iterdir()}
    refused = 0
    for kind in hostile_decks.LINES:
        inject(hostile, kind, place)
        text, said = read(hostile / "sample_0.cir")
        assert text in ("", clean), kind
        if said:
            refused += 1
            assert str(hostile) in said, kind
            assert MARK not in said, kind
            assert "\n" not in said, kind
        for name, content in files.items():
            (hostile / name).write_bytes(content)
    assert refused >= len(hostile_decks.LINES) * (0.1 if place == "title" else 0.9)
    assert not (hostile.parent / "canary").exists()


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("control section", "second line"),
        ("control section", "behind the end"),
        ("command in a comment", "second line"),
        ("command in a comment", "included"),
        ("script", "title"),
        ("script with a name", "included"),
        ("include in quotes", "title"),
        ("command in a comment", "title"),
        ("include behind a dollar", "before the end"),
        ("include of a pipe", "second line"),
    ],
)
def test_an_injected_folder_simulates_as_before_or_not_at_all(kind: str, place: str, hostile: Path) -> None:
    inject(hostile, kind, place)
    _, refused = read(hostile / "sample_0.cir")
    if refused:
        with pytest.raises(DeckRejected) as caught:
            simulate_netlist(hostile, samples=[0], workers=1)
        assert MARK not in str(caught.value)
    else:
        assert simulate_netlist(hostile, samples=[0], workers=1).stimulus.samples == 1
    assert not (hostile.parent / "canary").exists()


def test_the_canary_sings_when_ngspice_itself_runs_the_folder(hostile: Path) -> None:
    """The judge can fail: what is refused here does run in ngspice."""
    inject(hostile, "control section", "second line")
    subprocess.run(["ngspice", "-b", "-n", "sample_0.cir"], cwd=hostile, capture_output=True, timeout=60, check=False)
    assert (hostile.parent / "canary").exists()


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "utf-7"])
def test_a_deck_in_another_coding_is_refused_or_read_as_it_stands(coding: str, hostile: Path) -> None:
    path = hostile / "sample_0.cir"
    path.write_bytes(path.read_text().replace("* clocks", "* Größe\n* clocks").encode(coding))
    if coding == "utf-7":
        assert "* " not in read_deck(path).text.removeprefix("* deck")
    else:
        with pytest.raises(DeckRejected, match=r"sample_0\.cir"):
            read_deck(path)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("link", "/sample_0.cir is a link"),
        ("pipe", "/sample_0.cir is no regular file"),
        ("folder", "/sample_0.cir is no regular file"),
        ("circle", "/sample_0.cir cannot be read"),
        ("nothing", "/sample_0.cir does not exist"),
    ],
)
def test_a_deck_that_is_no_file_of_the_folder_is_refused(what: str, words: str, hostile: Path) -> None:
    path = hostile / "sample_0.cir"
    path.unlink()
    if what == "link":
        path.symlink_to(hostile.parent / "secret.txt")
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "circle":
        path.symlink_to(path)
    with pytest.raises(DeckRejected, match=words) as caught:
        simulate_netlist(hostile)
    assert MARK not in str(caught.value)


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "", "..", "a/b.cir"])
def test_an_index_names_decks_of_its_folder_only(name: str, written: Path) -> None:
    from snn2circuit.ir.files import load

    good = load(written / "netlist.npz", Netlist)
    with pytest.raises(NetlistError, match="file name without a folder"):
        Netlist(decks=(name, "b.cir"), stimulus=good.stimulus, readout=good.readout)


def test_includes_of_includes_are_bounded(hostile: Path) -> None:
    for level in range(7):
        (hostile / f"bomb{level}.lib").write_text(f".include bomb{level + 1}.lib\n" * 10)
    (hostile / "bomb7.lib").write_text("R1 a b 1\n")
    hostile_decks.put_second(hostile, ".include bomb0.lib")
    with pytest.raises(DeckRejected, match="more than 1000"):
        read_deck(hostile / "sample_0.cir")


def test_a_file_of_a_folder_within_is_included(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "load.lib").write_text('.include "more.lib"\n')
    (tmp_path / "parts" / "more.lib").write_text("R9 a 0 3k\n")
    (tmp_path / "deck.cir").write_text(DIVIDER.replace(".tran", '.include "parts/load.lib" $ the load\n.tran'))
    assert "R9 a 0 3k" in read_deck(tmp_path / "deck.cir").text.splitlines()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_every_dialect_writes_passes_line_by_line(dialect: str, tmp_path: Path) -> None:
    for deck in netlist(tmp_path, dialect).decks:
        source = "\n".join(
            (tmp_path / name).read_text() for name in (deck, "cells.lib", "network.lib") if (tmp_path / name).exists()
        )
        elements = [line for line in source.replace("\n+ ", " ").split("\n")[1:] if line[:1] not in ("", "*")]
        wanted = [line for line in elements if not line.startswith((".include", ".end")) or line.startswith(".ends")]
        assert sorted(read_deck(tmp_path / deck).text.splitlines()[1:-1]) == sorted(wanted)


def test_mutated_decks_are_refused_or_stay_within_the_lines() -> None:
    """2,000 mutations of golden decks: only our exception, and never a character or a line that could mean more."""
    rng = random.Random(0)
    golden = (GOLDEN / "xor_2_4_2" / "cells.lib").read_text()
    alphabet = [
        *"\n\t +*.#$`\"';{}()=\\<>|&!%",
        "\r",
        "\0",
        "\x0b",
        "\u2028",
        "é",
        ".control\n",
        "*#",
        ".include x",
        "1e9",
    ]
    passed = 0
    for _ in range(2000):
        text = list(rng.choice((golden, DIVIDER)))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text))
            text[at : at + rng.choice((0, 1, 9))] = [rng.choice(alphabet)]
        try:
            deck = CheckedDeck("".join(text), name="mutated")
        except DeckRejected:
            continue
        passed += 1
        first, *lines = deck.text.splitlines()
        assert first == "* deck"
        assert lines[-1] == ".end"
        assert deck.text.isascii()
        assert all(line.isprintable() and line[:1].isalnum() | (line[:1] == ".") for line in lines)
        assert not set('$`"\\;') & set(deck.text)
        assert not any(line.lower().startswith((".c", ".inc", ".lib")) for line in lines)
    assert passed > 200


# --- the second wall ------------------------------------------------------------------------------

UNCHECKED = """* unchecked
V1 a 0 1
R1 a 0 1k
.tran 1u 1m uic
.control
echo inside > here.txt
shell touch {outside}/shell
echo outside > {outside}/echo
run
write {outside}/raw v(a)
shell touch shelled
source {outside}/secret.txt
.endc
.end
"""


def run_unchecked(folder: Path, outside: Path, before: str = "", text: str = UNCHECKED) -> str:
    """A worker on a deck that nobody checked; what it says."""
    folder.mkdir()
    outside.mkdir()
    (outside / "secret.txt").write_text(f"{MARK}\nshell touch {outside}/shell\n")
    (folder / "deck.cir").write_text(text.format(outside=outside))
    (folder / "nodes.json").write_text(json.dumps(["a"]))
    arguments = ["deck.cir", "nodes.json", "result.npz", "20", "1e-3"]
    code = (
        "import os, sys; import snn2circuit.simulate.ngspice as worker;"
        f"{before}; status = worker.main({arguments!r}); sys.stdout.flush(); os._exit(status)"
    )
    command = [sys.executable, "-c", code] if before else python_command("snn2circuit.simulate.ngspice", *arguments)
    reading, writing = os.pipe()  # a worker ends when its parent's end closes
    done = subprocess.run(command, cwd=folder, stdin=reading, capture_output=True, text=True, timeout=60, check=False)
    os.close(reading)
    os.close(writing)
    return done.stdout + done.stderr


def test_a_deck_that_slipped_through_does_nothing_outside_its_folder(tmp_path: Path) -> None:
    from snn2circuit import confine

    if confine.available() != (confine.SECCOMP, confine.LANDLOCK):
        pytest.skip("this kernel has not both walls, as doctor says")
    said = run_unchecked(tmp_path / "worker", tmp_path / "outside")
    assert (tmp_path / "worker" / "here.txt").exists(), f"ngspice never saw the deck: {said}"
    assert not (tmp_path / "worker" / "shelled").exists()
    assert sorted(path.name for path in (tmp_path / "outside").iterdir()) == ["secret.txt"]
    assert MARK not in said
    including = "* unchecked\nV1 a 0 1\n.include {outside}/secret.txt\n.tran 1u 1m uic\n.end\n"
    said = run_unchecked(tmp_path / "includes", tmp_path / "there", text=including)
    assert MARK not in said
    assert "include" in said


def test_without_that_wall_it_would(tmp_path: Path) -> None:
    run_unchecked(tmp_path / "worker", tmp_path / "outside", "worker.shut_in = lambda folder: None")
    assert (tmp_path / "outside" / "shell").exists()


def test_the_simulator_has_an_environment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from snn2circuit.simulate import jobs

    seen: list[dict[str, str]] = []
    start = subprocess.Popen

    def note(*arguments: object, **options: object) -> object:
        seen.append(options["env"])  # type: ignore[arg-type]
        return start(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setenv("SNN2CIRCUIT_TOKEN", MARK)
    monkeypatch.setattr(jobs.subprocess, "Popen", note)
    run_jobs([Job(deck=CheckedDeck(DIVIDER, name="divider"), nodes=("a",), stop=1e-3)], workers=1, time_limit=60)
    (environment,) = seen
    assert MARK not in environment.values()
    assert not Path(environment["PATH"]).exists()
    assert environment["HOME"] != os.environ.get("HOME")


# --- honest edits ---------------------------------------------------------------------------------

EDITS = {
    "another value": ("R1 in a 1k", "R1 in a 1.5k"),
    "more resistors": ("C1", "R2 a b 2.2k\nR3 b 0 3.3Meg\nC1"),
    "a tolerance in a comment": ("R1 in a 1k", "R1 in a 1.02k ; 2 % high"),
    "a dollar comment": ("C1 a 0 1u", "C1 a 0 1.1u $ as measured"),
    "a slash comment": ("C1 a 0 1u", "C1 a 0 0.9u // as measured"),
    "a comment in another language": ("C1", "* Größe des Kondensators: 1 µF ± 5 %\nC1"),
    "an inductor": ("R1 in a 1k", "R1 in l 1k\nL1 l a 10m"),
    "an initial value": ("C1 a 0 1u", "C1 a 0 1u ic=0.25"),
    "a pulse": ("V1 in 0 1", "V1 in 0 PULSE(0 1 100u 1u 1u 300u 600u)"),
    "a sine": ("V1 in 0 1", "V1 in 0 DC 0 SIN(0 1 2k)"),
    "corners over several lines": ("V1 in 0 1", "V1 in 0 PWL(0 0\n+ 0.2m 1\n* half way\n+ 0.5m 0.25\n+)"),
    "an exponential": ("V1 in 0 1", "V1 in 0 EXP(0 1 0.1m 50u 0.5m 80u)"),
    "a current source": ("C1", "I9 0 a 0.2m\nC1"),
    "a dependent source": ("C1", "E9 e 0 in 0 0.5\nR9 e a 5k\nC1"),
    "a current mirror": ("C1", "F9 0 a V1 0.1\nC1"),
    "a formula": ("C1", "B9 0 a I=1e-4*tanh(3*(V(in)-V(a)))\nC1"),
    "a parameter": ("R1 in a 1k", ".param rload=2k scale={1+0.1}\nR1 in a {rload*scale}"),
    "a function": ("R1 in a 1k", ".func twice(x) {2*x}\nR1 in a {twice(600)}"),
    "a diode": ("C1", "D9 a 0 dio\n.model dio D(Is=1e-12 N=1.8)\nC1"),
    "a switch": ("C1", "S9 a 0 in 0 sx\n.model sx SW(Ron=500 Roff=1e9 Vt=0.4 Vh=0)\nC1"),
    "a subcircuit": ("R1 in a 1k", ".subckt wire x y r=1k\nR1 x m {r}\nR2 m y 10\n.ends wire\nX1 in a wire r=900"),
    "a measurement": (".tran", ".meas tran top max v(a) from=0 to=1m\n.tran"),
    "printing": (".tran", ".print tran v(a) v(in,a) i(v1)\n.tran"),
    "plotting": (".tran", ".plot tran v(a) (0,1)\n.tran"),
    "saving": (".tran", ".save v(a) v(in) i(V1)\n.tran"),
    "saving all": (".tran", ".save all @r1[i]\n.tran"),
    "options": (".tran", ".options reltol=1e-5 abstol=1p method=gear itl4=50\n.tran"),
    "an initial condition": (".tran", ".ic v(a)=0.1\n.tran"),
    "a node set": (".tran", ".nodeset v(a)=0.5\n.tran"),
    "a temperature": ("R1 in a 1k", ".temp 50\nR1 in a 1k tc1=0.004"),
    "an operating point": (".tran", ".op\n.tran"),
    "a small-signal analysis": (".tran", ".ac dec 3 10 1k\n.tran"),
    "finer steps": (".tran 10u 1m uic", ".TRAN 1u 1m 0 1u UIC"),
    "capitals": ("R1 in a 1k", "r1 IN A 1K"),
    "tabs": ("R1 in a 1k", "R1\tin  a\t1k"),
    "Windows line ends": ("\n", "\r\n"),
}


def edited(kinds: list[str]) -> str:
    text = DIVIDER
    for kind in kinds:
        old, new = EDITS[kind]
        assert old in text, kind
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("kind", EDITS)
def test_an_honest_edit_passes(kind: str) -> None:
    CheckedDeck(edited([kind]), name=kind)


GROUPS = [
    ["more resistors", "a dollar comment", "an inductor", "a pulse", "a measurement", "printing", "saving all"],
    ["corners over several lines", "a comment in another language", "a dependent source", "a temperature", "options"],
    ["a sine", "a current mirror", "a current source", "an initial value", "plotting", "an operating point", "a diode"],
    ["an exponential", "a function", "a formula", "an initial condition", "a small-signal analysis", "a slash comment"],
    ["a subcircuit", "a switch", "a node set", "saving", "finer steps", "Windows line ends"],
    ["a parameter", "capitals", "a tolerance in a comment", "tabs", "another value"],
]


@pytest.mark.parametrize("kinds", GROUPS[:5], ids=lambda kinds: kinds[0])
def test_honest_edits_give_what_ngspice_gives_by_hand(kinds: list[str], tmp_path: Path) -> None:
    text = edited(kinds)
    (tmp_path / "deck.cir").write_bytes(text.encode())
    command = ["ngspice", "-b", "-n", "-r", "deck.raw", "deck.cir"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=True)
    by_hand = read_raw(tmp_path / "deck.raw", ("a",))
    job = Job(deck=read_deck(tmp_path / "deck.cir"), nodes=("a",), stop=1e-3)
    (ours,) = run_jobs([job], workers=1, time_limit=60)
    np.testing.assert_array_equal(ours.time, by_hand.time)
    np.testing.assert_array_equal(ours.traces, by_hand.traces)


# --- one sample of a folder -----------------------------------------------------------------------


def test_one_sample_is_simulated_and_keeps_its_place(written: Path) -> None:
    one = simulate_netlist(written, samples=[1], workers=1)
    assert one.stimulus.indices.tolist() == [7]
    with pytest.raises(CompareError, match=r"no deck 2; .* holds decks 0 to 1"):
        simulate_netlist(written, samples=[2])
    picked = simulate_netlist(written, workers=1).pick([1])
    np.testing.assert_array_equal(picked.membranes[0], one.membranes[0])
    assert picked.traces.shape[1] == 0
    with pytest.raises(CompareError, match="no sample 1; the waveforms hold 0 to 0"):
        picked.pick([1])


FILLERS = (" ", "(", "a", "a ", "1 ", "+", "\n+", "'", "{", "a=1 ", "v(", ",", ".", "$ ", "\n* \n+")


@pytest.mark.parametrize("filler", FILLERS)
def test_long_lines_take_no_longer_than_their_length(filler: str) -> None:
    """Twenty thousand characters of anything, before something that does not fit."""
    for start in ("R1 a 0 1", "V1 a 0", "B1 a 0 V=", "X1 a", *(f".{word}" for word in DIRECTIVES)):
        text = f"* title\n{start} {filler * (20_000 // len(filler))}\t>`\n"
        begin = time.process_time()
        with contextlib.suppress(DeckRejected):
            CheckedDeck(text, name="long")
        assert time.process_time() - begin < 1
