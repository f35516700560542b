"""Progress where there is no terminal: what is under way is said at once, then every ten seconds, and at the end."""

from __future__ import annotations

import pytest

from snn2circuit.cli import console


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The hour, set by its only entry."""
    now = [100.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def test_a_command_of_one_stage_says_what_it_does_from_the_first_second(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with console.bar("verify") as tell:
        tell(0.0, "lines")
        assert capsys.readouterr().err.split() == ["verify", "0%,", "lines"]
        for second in range(1, 31):
            clock[0] += 1.0
            tell(second / 40, f"{250 * second} samples")
        assert [line.split()[2] for line in capsys.readouterr().err.splitlines()] == ["2500", "5000", "7500"]
        tell(1.0, "done")
    assert capsys.readouterr().err.split() == ["verify", "done"]


def test_a_run_says_more_than_the_end_of_a_stage_only_where_it_takes_long(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with console.stage_bars() as tell:
        for stage, second in (("train", 9.0), ("map", 11.0)):
            tell(stage, 0.0, "")
            clock[0] += second
            tell(stage, 0.5, "half of it")
            tell(stage, 1.0, "all of it")
    assert capsys.readouterr().err.splitlines() == [
        "train          all of it",
        "map            50%, half of it",
        "map            all of it",
    ]
