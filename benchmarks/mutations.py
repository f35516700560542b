"""Tens of thousands of changed files through every reader: only typed errors, none slow, memory bounded.

Run ``make bench-mutations``, or ``python benchmarks/mutations.py [FILES] [READER ...]``. Changes are a function of the
reader's name and a number, so a finding can be repeated by its seed. The last line is one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "mutations"))

from harness import try_reader
from readers import READERS

FILES = 32_000
SLOW_FILES = 100  # a reader that starts a process for every file gets so many
LIMIT = 1.0  # s of processor time a file


def main() -> None:
    """Try, print a line a reader and one JSON line; exit status 1 if anything escaped or was slow."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    chosen = sys.argv[2:] or list(READERS)
    fast = [name for name in chosen if not READERS[name].slow]
    before = getrusage(RUSAGE_SELF).ru_maxrss
    table, escaped, late = {}, [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            reader = READERS[name]
            count = SLOW_FILES if reader.slow else -(-files // len(fast))
            found = try_reader(name, reader, count, Path(folder, name.replace(" ", "_")))
            table[name] = {"files": found.tried, "refused": found.refused, "slowest_s": round(found.slowest, 3)}
            escaped += found.escaped
            if found.slowest > LIMIT:
                late.append(f"{name}, seed {found.slowest_seed}: {found.slowest:.2f} s")
            sys.stdout.write(
                f"{name:<24} {found.tried:>6} files, {found.refused:>6} refused, slowest {found.slowest:.3f} s, "
                f"{len(found.escaped)} escaped\n"
            )
            sys.stdout.flush()
    for text in (*escaped[:50], *late):
        sys.stdout.write(f"  {text}\n")
    result = {
        "files": sum(row["files"] for row in table.values()),
        "refused": sum(row["refused"] for row in table.values()),
        "escaped": len(escaped),
        "late": len(late),
        "slowest_s": max(row["slowest_s"] for row in table.values()),
        "memory_grew_mib": (getrusage(RUSAGE_SELF).ru_maxrss - before) // 1024,
        "memory_children_mib": getrusage(RUSAGE_CHILDREN).ru_maxrss // 1024,
        "readers": table,
    }
    sys.stdout.write(json.dumps(result) + "\n")
    if escaped or late:
        sys.exit(1)


if __name__ == "__main__":
    main()
