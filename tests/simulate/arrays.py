"""Random crossbars, and their nodal equations written out densely: the judge of the solvers."""

from __future__ import annotations

import numpy as np

from snn2circuit.ir.circuit import Crossbar
from snn2circuit.ir.lines import LineResistances


def random_siemens(rows: int, columns: int, seed: int) -> np.ndarray:
    """Conductances over three decades."""
    return np.exp(np.random.default_rng(seed).uniform(np.log(1e-6), np.log(1e-3), (rows, columns)))


def random_lines(rows: int, bits: int, seed: int, ideal: float = 0.0) -> LineResistances:
    """Every piece another resistance over four decades, a share of them 0; rows fed at either end."""
    random = np.random.default_rng(seed)

    def ohms(count: int) -> np.ndarray:
        return np.exp(random.uniform(np.log(1e-2), np.log(1e2), count)) * (random.random(count) >= ideal)

    return LineResistances(
        word_segments=ohms(bits - 1),
        bit_segments=ohms(rows - 1),
        word_leads=ohms(rows),
        bit_leads=ohms(bits),
        fed_far=random.random(rows) < random.choice([0.0, 0.2, 0.5, 1.0]),
    )


def random_array(rows: int, columns: int, seed: int, lines: LineResistances) -> Crossbar:
    """A crossbar element with ``columns`` pairs of bit lines."""
    return Crossbar(
        name="a",
        word_lines=tuple(f"w{row}" for row in range(rows)),
        bits_pos=tuple(f"p{column}" for column in range(columns)),
        bits_neg=tuple(f"n{column}" for column in range(columns)),
        g_pos=random_siemens(rows, columns, seed),
        g_neg=random_siemens(rows, columns, seed + 1000),
        lines=lines,
    )


def dense_norton(siemens: np.ndarray, lines: LineResistances) -> tuple[np.ndarray, np.ndarray]:
    """Transfer and load by Kirchhoff's law node by node; a resistance of 0 joins its two nodes."""
    rows, columns = siemens.shape
    parent: dict[object, object] = {}

    def find(node: object) -> object:
        while node in parent:
            node = parent[node]
        return node

    branches: list[tuple[object, object, float]] = []

    def resistor(a: object, b: object, ohms: float) -> None:
        if ohms == 0:
            parent[find(b)] = find(a)
        else:
            branches.append((a, b, 1 / ohms))

    for i in range(rows):
        resistor(("source", i), ("w", i, columns - 1 if lines.fed_far[i] else 0), lines.word_leads[i])
        for j in range(1, columns):
            resistor(("w", i, j - 1), ("w", i, j), lines.word_segments[j - 1])
    for j in range(columns):
        resistor(("end", j), ("b", 0, j), lines.bit_leads[j])
        for i in range(1, rows):
            resistor(("b", i - 1, j), ("b", i, j), lines.bit_segments[i - 1])
    branches += [(("w", i, j), ("b", i, j), siemens[i, j]) for i in range(rows) for j in range(columns)]
    known = [find(("source", i)) for i in range(rows)] + [find(("end", j)) for j in range(columns)]
    nodes = list(dict.fromkeys([*known, *(find(end) for a, b, _ in branches for end in (a, b))]))
    index = {node: number for number, node in enumerate(nodes)}
    matrix = np.zeros((len(nodes), len(nodes)))
    for a, b, g in branches:
        a, b = index[find(a)], index[find(b)]
        matrix[a, a] += g
        matrix[b, b] += g
        matrix[a, b] -= g
        matrix[b, a] -= g
    k = len(known)
    reduced = matrix[:k, :k]
    if len(nodes) > k:
        reduced = reduced - matrix[:k, k:] @ np.linalg.solve(matrix[k:, k:], matrix[k:, :k])
    return -reduced[:rows, rows:], reduced[rows:, rows:]
