"""Random crossbars, and their nodal equations written out densely: the judge of the solvers."""

from __future__ import annotations

import numpy as np

from snn2circuit.ir.circuit import Crossbar


def random_siemens(rows: int, columns: int, seed: int) -> np.ndarray:
    """Conductances over three decades."""
    return np.exp(np.random.default_rng(seed).uniform(np.log(1e-6), np.log(1e-3), (rows, columns)))


def random_array(rows: int, columns: int, seed: int, **lines: float) -> Crossbar:
    """A crossbar element with ``columns`` pairs of bit lines."""
    return Crossbar(
        name="a",
        word_lines=tuple(f"w{row}" for row in range(rows)),
        bits_pos=tuple(f"p{column}" for column in range(columns)),
        bits_neg=tuple(f"n{column}" for column in range(columns)),
        g_pos=random_siemens(rows, columns, seed),
        g_neg=random_siemens(rows, columns, seed + 1000),
        **lines,
    )


def dense_norton(siemens: np.ndarray, r_word: float, r_bit: float, r_driver: float) -> tuple[np.ndarray, np.ndarray]:
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
        resistor(("source", i), ("driver", i), r_driver)
        for j in range(columns):
            resistor(("w", i, j - 1) if j else ("driver", i), ("w", i, j), r_word)
    for j in range(columns):
        for i in range(rows):
            resistor(("b", i + 1, j) if i + 1 < rows else ("end", j), ("b", i, j), r_bit)
    branches += [(("w", i, j), ("b", i, j), siemens[i, j]) for i in range(rows) for j in range(columns)]
    known = [("source", i) for i in range(rows)] + [("end", j) for j in range(columns)]
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
