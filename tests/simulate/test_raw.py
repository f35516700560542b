"""Raw files of ngspice and LTspice in every layout, and files that are damaged or hostile."""

from __future__ import annotations

import os
import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from snn2circuit.errors import FileFormatError
from snn2circuit.simulate.raw import read_raw

NODES = ("mem_l1_n0", "spike_l1_n0", "mem_l1_n1")
TIME = np.array([0.0, 1e-6, 2.5e-6, 2.5e-6, 1e-5])
VOLTS = np.array([[0.0, 0.75, -0.25, 0.5, 1.5], [0, 0, 1, 1, 0.0], [3.0, 2.0, 1.0, 0.5, 0.125]])


def header(kind: str, *, flags: str = "real", points: int = 5, extra: str = "") -> str:
    names = ["time", "V(Mem_l1_n1)", "v(mem_l1_n0)", "I(R1)", "V(spike_l1_n0)"]
    listing = "".join(f"\t{n}\t{name}\t{'time' if n == 0 else 'voltage'}\n" for n, name in enumerate(names))
    return (
        f"Title: * a deck\nDate: today\nPlotname: Transient Analysis\nFlags: {flags}\nNo. Variables: 5\n"
        f"No. Points: {points}\n{extra}Variables:\n{listing}{kind}:\n"
    )


def table() -> np.ndarray:
    """Columns in the order of the header."""
    return np.column_stack([TIME, VOLTS[2], VOLTS[0], np.full(5, 7.0), VOLTS[1]])


def ngspice_binary() -> bytes:
    return header("Binary").encode() + table().astype("<f8").tobytes()


def ngspice_text() -> bytes:
    rows = (f"{n}\t" + "\n\t".join(f"{value:.15e}" for value in row) + "\n" for n, row in enumerate(table()))
    return (header("Values") + "\n".join(rows)).encode()


def ltspice_binary(*, compressed: bool = False) -> bytes:
    record = np.zeros(5, dtype=[("t", "<f8"), ("v", "<f4", (4,))])
    record["t"] = TIME * np.array([1, 1, -1, 1, 1]) if compressed else TIME
    record["v"] = table()[:, 1:]
    text = header("Binary", flags="real forward", extra="Command: Linear Technology Corporation LTspice XVII\n")
    return text.encode("utf-16-le") + record.tobytes()


def ltspice_double() -> bytes:
    return header("Binary", flags="real forward double").encode("utf-16-le") + table().astype("<f8").tobytes()


def ltspice_fast() -> bytes:
    columns = [TIME.astype("<f8").tobytes(), *(column.astype("<f4").tobytes() for column in table().T[1:])]
    return header("Binary", flags="real forward fastaccess").encode("utf-16-le") + b"".join(columns)


def ltspice_text() -> bytes:
    rows = (f"{n}\t\t" + "\r\n\t".join(f"{value:.15e}" for value in row) + "\r\n" for n, row in enumerate(table()))
    return (header("Values").replace("\n", "\r\n") + "".join(rows)).encode("utf-16-le")


FORMS = {
    "ngspice binary": ngspice_binary(),
    "ngspice text": ngspice_text(),
    "LTspice binary": ltspice_binary(),
    "LTspice compressed": ltspice_binary(compressed=True),
    "LTspice double": ltspice_double(),
    "LTspice fast access": ltspice_fast(),
    "LTspice text": ltspice_text(),
}


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_voltages(form: str, tmp_path: Path) -> None:
    raw = read_raw(write(tmp_path / "x.raw", FORMS[form]), NODES)
    assert raw.title == "a deck"
    np.testing.assert_array_equal(raw.time, TIME)
    np.testing.assert_array_equal(raw.traces, VOLTS)  # the numbers chosen are exact in 32 bits


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda d: b"", "no raw file"),
        (lambda d: b"\x89PNG" + d, "no raw file"),
        (lambda d: d[:-1], "cut short or damaged"),
        (lambda d: d + b"\0", "cut short or damaged"),
        (lambda d: d.replace(b"No. Points: 5", b"No. Points: 0"), "broke off"),
        (lambda d: d.replace(b"No. Points: 5", b"No. Points: 999999999999"), "cut short or damaged"),
        (lambda d: d.replace(b"No. Points: 5", b"No. Points: many"), "not a number"),
        (lambda d: d.replace(b"No. Variables: 5", b"No. Variables: 6"), "announces 6 variables and lists 5"),
        (lambda d: d.replace(b"\t2\tv(mem", b"\t3\tv(mem"), "variable 3 stands where variable 2"),
        (lambda d: d.replace(b"v(mem_l1_n0)", b"v(other_one)"), r"lacks 1 of 3 voltages, the first is V\(mem_l1_n0\)"),
        (lambda d: d.replace(b"\ttime\ttime", b"\tfreq\tfreq"), "not time"),
        (lambda d: d.replace(b"Flags: real", b"Flags: complex"), "complex numbers"),
        (lambda d: d.replace(b"Flags: real", b"Flags: real stepped"), "several runs"),
        (lambda d: d.replace(np.float64(-0.25).tobytes(), np.float64(np.nan).tobytes()), "not finite at point 2"),
        (lambda d: d.replace(np.float64(1e-5).tobytes(), np.float64(1e-7).tobytes()), "time goes back at point 4"),
    ],
)
def test_what_is_wrong_is_named(damage: object, words: str, tmp_path: Path) -> None:
    assert callable(damage)
    path = write(tmp_path / "x.raw", damage(ngspice_binary()))
    with pytest.raises(FileFormatError, match=words) as caught:
        read_raw(path, NODES)
    assert "x.raw" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"none\.raw cannot be read"):
        read_raw(tmp_path / "none.raw", NODES)


def test_ten_thousand_mutations_raise_only_our_error_and_little_memory(tmp_path: Path) -> None:
    rng = random.Random(7)
    path, forms = tmp_path / "x.raw", list(FORMS.values())
    accepted = 0
    for number in range(10_000):
        if number == 9_000:
            tracemalloc.start()  # slows everything tenfold
        data = bytearray(rng.choice(forms))
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] = rng.randrange(256)
                case 1:
                    del data[at : at + rng.randint(1, 40)]
                case 2:
                    data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 8)))
                case _:
                    data[at:at] = str(10 ** rng.randint(1, 14)).encode()
            if not data:
                break
        path.write_bytes(data)
        try:
            raw = read_raw(path, NODES)
        except FileFormatError:
            continue
        accepted += 1
        assert raw.traces.shape == (3, len(raw.time))
        assert np.isfinite(raw.traces).all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 100 < accepted < 9_000
    assert peak < 64 * 2**20


# --- several plots in one file --------------------------------------------------------------------


def operating_point(kind: str = "Binary") -> bytes:
    values = np.arange(4.0)
    listing = "".join(
        f"\t{n}\t{name}\tvoltage\n"
        for n, name in enumerate(("v(mem_l1_n0)", "v(mem_l1_n1)", "v(spike_l1_n0)", "i(v1)"))
    )
    head = (
        "Title: * a deck\nDate: today\nPlotname: Operating Point\nFlags: real\nNo. Variables: 4\nNo. Points: 1\n"
        f"Variables:\n{listing}{kind}:\n"
    ).encode()
    text = ("0\t" + "\n\t".join(f"{value:.15e}" for value in values) + "\n\n").encode()
    return head + (values.astype("<f8").tobytes() if kind == "Binary" else text)


def small_signal(kind: str = "Binary") -> bytes:
    values = np.arange(12.0)
    head = (
        "Title: * a deck\nDate: today\nPlotname: AC Analysis\nFlags: complex\nNo. Variables: 2\nNo. Points: 3\n"
        f"Variables:\n\t0\tfrequency\tfrequency\n\t1\tv(mem_l1_n0)\tvoltage\n{kind}:\n"
    ).encode()
    rows = (f"{n}\t{values[4 * n]:e},0\n\t1.0,{values[4 * n + 1]:e}\n" for n in range(3))
    return head + (values.astype("<f8").tobytes() if kind == "Binary" else "\n".join(rows).encode())


FEWER_NODES = ngspice_binary().replace(b"V(spike_l1_n0)", b"V(other_l1_n0)")
ENDS_EARLY = ngspice_binary().replace(np.float64(1e-5).tobytes(), np.float64(3e-6).tobytes())
BROKEN_OFF = header("Binary", points=1).encode() + table()[:1].astype("<f8").tobytes()
SEVERAL = {
    "operating point first": [operating_point(), ngspice_binary()],
    "operating point last": [ngspice_binary(), operating_point()],
    "small signal between": [operating_point(), small_signal(), ngspice_binary()],
    "text": [operating_point("Values"), small_signal("Values"), ngspice_text()],
    "text last": [ngspice_text(), b"\n", operating_point("Values")],
    "text and binary": [operating_point("Values"), ngspice_binary()],
    "binary and text": [operating_point(), ngspice_text()],
    "another with other nodes": [FEWER_NODES, ngspice_binary()],
    "another that ends early": [ngspice_binary(), ENDS_EARLY],
    "another that broke off": [BROKEN_OFF, ngspice_binary()],
    "LTspice": [ltspice_double(), ltspice_double().replace(b"s\0p\0i\0k\0e\0_\0", b"o\0t\0h\0e\0r\0_\0")],
}


@pytest.mark.parametrize("plots", SEVERAL)
def test_the_transient_is_found_among_several_plots(plots: str, tmp_path: Path) -> None:
    raw = read_raw(write(tmp_path / "x.raw", b"".join(SEVERAL[plots])), NODES, reach=9e-6)
    np.testing.assert_array_equal(raw.time, TIME)
    np.testing.assert_array_equal(raw.traces, VOLTS)


@pytest.mark.parametrize(
    ("plots", "words"),
    [
        ([operating_point(), small_signal()], "none of its 2 plots .* Operating Point: .*; AC Analysis: .*complex"),
        ([operating_point()], "not time"),
        ([ngspice_binary(), ngspice_binary()], r"2 transients that could be meant, plots 1 \(Transient .*, 2 "),
        ([operating_point(), ngspice_binary()[:-1]], "cut short or damaged"),
        ([operating_point()[:-1], ngspice_binary()], "cut short or damaged"),
        ([ngspice_binary(), b"Title: more\n"], "no header"),
        ([operating_point()] * 1001, "more than 1000 plots"),
    ],
)
def test_what_is_wrong_with_several_plots_is_named(plots: list[bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=words):
        read_raw(write(tmp_path / "x.raw", b"".join(plots)), NODES, reach=9e-6)


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.raw")
    with pytest.raises(FileFormatError, match="no regular file"):
        read_raw(tmp_path / "x.raw", NODES)
