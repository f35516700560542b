"""Runs changed files through a reader and counts what comes of it."""

from __future__ import annotations

import random
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from readers import Reader

from snn2circuit.errors import Snn2CircuitError

TYPED, READ = "typed", "read"


@dataclass
class Count:
    """What came of the changes of one reader's files."""

    tried: int = 0
    refused: int = 0
    slowest: float = 0.0  # s of processor time
    slowest_seed: int = -1
    escaped: list[str] = field(default_factory=list)  # seed, mutator and error of everything that is not ours


def change(reader: Reader, seeds: list[bytes], name: str, seed: int) -> tuple[str, bytes]:
    """The file that belongs to ``seed``, and how it was made: a function of the names and numbers alone."""
    chance = random.Random(f"{name} {seed}")
    data, told = chance.choice(seeds), []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        mutator = chance.choice(reader.mutators)
        told.append(getattr(mutator, "__name__", "?"))
        try:
            data = mutator(chance, data)
        except Exception:  # a second change of a zip that is none any more
            break
    return ", ".join(told), data


def try_reader(name: str, reader: Reader, count: int, folder: Path, first: int = 0) -> Count:
    """``count`` changed files, one after the other."""
    made = folder / "made by the reader's tests"
    made.mkdir(parents=True, exist_ok=True)
    seeds, result = reader.seeds(made), Count()
    path = folder / reader.name
    for seed in range(first, first + count):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            how, data = change(reader, seeds, name, seed)
        path.write_bytes(data)
        begin = time.process_time() + getrusage(RUSAGE_CHILDREN).ru_utime
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reader.read(path)
        except Snn2CircuitError:
            result.refused += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            result.escaped.append(f"{name}, seed {seed} ({how}): {type(error).__name__}: {str(error)[:200]}")
        spent = time.process_time() + getrusage(RUSAGE_CHILDREN).ru_utime - begin
        result.tried += 1
        if spent > result.slowest:
            result.slowest, result.slowest_seed = spent, seed
    return result
