"""The rules of the house as functions over a source tree; each gives its violations as ``file:line: words``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "snn2circuit"
ROOMS = frozenset(
    "datasets training frontends mapping devices electronics neurons netlist simulate layout viewer analysis".split()  # noqa: SIM905
)
GROUND_FLOOR = frozenset({"errors", "units", "child", "confine"})
COMPOSERS = frozenset(
    {"__init__", "__main__", "cli", "flow", "steps", "design", "catalogue"}
)  # may import several rooms
LEAVES = frozenset({"doctor", "stages"})  # single files that serve the composers
TOP = frozenset({"cli", "flow", "steps", "__main__"})  # nothing below may import these
HEAVY_PLACES: dict[str, tuple[str, ...]] = {
    "torch": ("training/", "frontends/snntorch", "datasets/"),
    "snntorch": ("training/", "frontends/snntorch"),
    "torchvision": ("datasets/",),
    "sklearn": ("datasets/",),
    "PySpice": ("simulate/ngspice.py",),
    "trimesh": ("layout/",),
    "networkx": ("layout/",),
    "matplotlib": ("training/plots.py", "analysis/"),
    "scipy": ("simulate/", "analysis/"),
    "numba": ("training/", "simulate/"),
    "nir": ("frontends/nir",),
    "h5py": ("frontends/",),
    "klayout": ("layout/",),
    "PIL": ("layout/",),
    "schemdraw": ("analysis/",),
    "tensorboard": ("training/",),
    "click": ("cli/",),
    "rich": ("cli/",),
}
MAX_LINES = 400


@dataclass(frozen=True)
class Source:
    """One parsed file of the package."""

    place: str  # path below the package, e.g. "netlist/build.py"
    text: str
    tree: ast.Module

    @property
    def module(self) -> tuple[str, ...]:
        """Dotted name below the package, e.g. ``("netlist", "build")``; an ``__init__`` counts as its folder."""
        parts = self.place.removesuffix(".py").split("/")
        return tuple(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)

    def at(self, node: ast.AST) -> str:
        return f"{self.place}:{getattr(node, 'lineno', 1)}"


def read_sources(package: Path) -> list[Source]:
    """Every Python file below the package folder."""
    paths = sorted(package.rglob("*.py"))
    texts = [(path.relative_to(package).as_posix(), path.read_text("utf-8")) for path in paths]
    return [Source(place, text, ast.parse(text)) for place, text in texts]


def imports(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Absolute dotted names that a file imports anywhere in it: by statement, relatively, and by name at run time."""
    package = (PACKAGE, *(source.module if source.place.endswith("/__init__.py") else source.module[:-1]))
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*start, *([node.module] if node.module else [])))
            yield from ((f"{base}.{alias.name}", node) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called.split(".")[-1] in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.args[0].value, node


def wrong_directions(sources: list[Source]) -> list[str]:
    """Imports against the one-way flow: rooms meet in ``ir`` only, and nothing imports what composes it."""
    found = []
    for source in sources:
        own = source.module[0]
        for name, node in imports(source):
            if name.split(".")[0] != PACKAGE:
                continue
            target = [*name.split("."), "__init__"][1]
            if target not in ROOMS | GROUND_FLOOR | COMPOSERS | LEAVES | {"ir"}:
                target = "__init__"  # a name of the package itself, e.g. __version__
            if not may_import(own, source.place, target):
                found.append(f"{source.at(node)}: {own} imports {name}")
        if own not in ROOMS | GROUND_FLOOR | COMPOSERS | LEAVES | {"ir"}:
            found.append(f"{source.place}: no room and no file of this name is planned")
    return found


def may_import(own: str, place: str, target: str) -> bool:
    """Whether a file in room (or top-level module) ``own`` may import from room (or module) ``target``."""
    if target == own or target in GROUND_FLOOR:
        return own not in GROUND_FLOOR or target == own
    if own in GROUND_FLOOR or own == "ir":
        return False
    if target == "ir":
        return True
    if own in COMPOSERS:
        return target not in ("__main__", "cli") or own == "__main__"
    several = own == "analysis" or place == "viewer/server.py"
    return several and target in ROOMS | {"design", "__init__"}


def misplaced_libraries(sources: list[Source]) -> list[str]:
    """Heavy libraries imported outside the room that needs them; what composes rooms may name their types."""
    found = []
    for source in sources:
        unloaded = for_types_only(source) if source.module[0] in COMPOSERS else set()
        for name, node in imports(source):
            places = HEAVY_PLACES.get(name.split(".")[0])
            if places is not None and node not in unloaded and not any(map(source.place.startswith, places)):
                found.append(f"{source.at(node)}: imports {name}")
    return found


def for_types_only(source: Source) -> set[ast.AST]:
    """Everything below ``if TYPE_CHECKING:``, which never runs."""
    guards = (node for node in ast.walk(source.tree) if isinstance(node, ast.If))
    bodies = (guard.body for guard in guards if ast.unparse(guard.test) == "TYPE_CHECKING")
    return {node for body in bodies for statement in body for node in ast.walk(statement)}


def long_files(sources: list[Source]) -> list[str]:
    """Files above the ceiling."""
    return [
        f"{source.place}: {count} lines"
        for source in sources
        if (count := len(source.text.splitlines())) > MAX_LINES
    ]  # fmt: skip


def unfinished(sources: list[Source]) -> list[str]:
    """Notes to oneself and functions that only say that they are missing."""
    found = []
    for source in sources:
        for number, line in enumerate(source.text.splitlines(), start=1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                found.append(f"{source.place}:{number}: {line.strip()}")
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                if isinstance(raised, ast.Name) and raised.id in ("NotImplementedError", "NotImplemented"):
                    found.append(f"{source.at(node)}: raises {raised.id}")
    return found


def asserts_and_prints(sources: list[Source]) -> list[str]:
    """``assert`` vanishes under ``-O`` and cannot validate; only the command line talks to the terminal."""
    found = []
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Assert):
                found.append(f"{source.at(node)}: assert")
            printing = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            if printing and source.module[0] != "cli":
                found.append(f"{source.at(node)}: print")
    return found


def public_definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.stmt]]:
    """Functions and classes that a user can reach: in a module or a public class, without a leading underscore."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{prefix}{node.name}.")


def undocumented(sources: list[Source]) -> list[str]:
    """Modules, public classes and public functions without a docstring; an overload has that of its function."""
    found = [f"{source.place}: module" for source in sources if not ast.get_docstring(source.tree)]
    for source in sources:
        for name, node in public_definitions(source.tree.body):
            overload = any(ast.unparse(each) == "overload" for each in getattr(node, "decorator_list", ()))
            if not overload and not ast.get_docstring(node):  # type: ignore[arg-type]
                found.append(f"{source.at(node)}: {name}")
    return found


def untyped(sources: list[Source]) -> list[str]:
    """Arguments and results of functions without an annotation; ``self`` and ``cls`` need none."""
    found = []
    for source in sources:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            every = node.args
            arguments = [*every.posonlyargs, *every.args, *every.kwonlyargs, *filter(None, (every.vararg, every.kwarg))]
            bare = [each.arg for each in arguments if each.annotation is None and each.arg not in ("self", "cls")]
            if bare or node.returns is None:
                found.append(f"{source.at(node)}: {node.name}({', '.join(bare)})")
    return found
