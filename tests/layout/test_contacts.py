"""Contacts of random solids against trying every pair."""

from __future__ import annotations

import numpy as np
import pytest
from brute_force import Solid, touch
from hypothesis import given, settings
from hypothesis import strategies as st

from snn2circuit.layout import contacts
from snn2circuit.layout.contacts import Solids, find_contacts

coordinate = st.integers(-12, 12)
size = st.sampled_from([1, 2, 3, 5, 20])


@st.composite
def solids(draw: st.DrawFn) -> Solids:
    boxes, flags = [], []
    for _ in range(draw(st.integers(0, 12))):
        x, y, z = draw(coordinate), draw(coordinate), draw(st.integers(0, 3))
        is_round = draw(st.booleans())
        dx = draw(size)
        dy = dx if is_round else draw(size)
        boxes.append([x, y, z, x + dx, y + dy, z + draw(st.integers(1, 2))])
        flags.append(is_round)
    return Solids(boxes=np.array(boxes, dtype=np.int64).reshape(-1, 6), round=np.array(flags, dtype=bool))


def all_pairs(first: Solids, second: Solids) -> list[list[int]]:
    one, two = (
        [
            Solid(0, "", "", tuple(box), flag, None, 0)
            for box, flag in zip(s.boxes.tolist(), s.round.tolist(), strict=True)
        ]
        for s in (first, second)
    )
    return [[i, j] for i, a in enumerate(one) for j, b in enumerate(two) if touch(a, b)]


@given(solids(), solids())
@settings(deadline=None, max_examples=300)
def test_same_as_trying_every_pair(first: Solids, second: Solids) -> None:
    assert find_contacts(first, second).tolist() == all_pairs(first, second)


def test_same_when_candidates_come_in_many_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    low = random.integers(0, 40, (60, 3))
    some = Solids(boxes=np.hstack([low, low + random.integers(1, 9, (60, 3))]), round=np.zeros(60, dtype=bool))
    monkeypatch.setattr(contacts, "CHUNK", 7)
    assert find_contacts(some, some).tolist() == all_pairs(some, some)


@pytest.mark.parametrize(
    ("other", "meets"),
    [
        ((10, 0, 0, 20, 10, 10), True),  # face to face
        ((0, 0, 10, 10, 10, 20), True),  # on top
        ((9, 9, 9, 20, 20, 20), True),  # overlapping
        ((10, 10, 0, 20, 20, 10), False),  # edge to edge
        ((10, 10, 10, 20, 20, 20), False),  # corner to corner
        ((11, 0, 0, 20, 10, 10), False),  # apart
    ],
)
def test_a_contact_needs_an_area(other: tuple[int, ...], meets: bool) -> None:
    cube = Solids(boxes=np.array([[0, 0, 0, 10, 10, 10]]), round=np.zeros(1, dtype=bool))
    probe = Solids(boxes=np.array([other]), round=np.zeros(1, dtype=bool))
    assert len(find_contacts(cube, probe)) == int(meets)


def test_a_pillar_is_not_its_bounding_box() -> None:
    pillar = Solids(boxes=np.array([[0, 0, 0, 100, 100, 10]]), round=np.ones(1, dtype=bool))
    corner = Solids(
        boxes=np.array([[90, 90, 10, 100, 100, 20], [80, 80, 10, 90, 90, 20]]), round=np.zeros(2, dtype=bool)
    )
    # The circle's rim crosses the diagonal at 85.36 of 100.
    assert find_contacts(pillar, corner).tolist() == [[0, 1]]
