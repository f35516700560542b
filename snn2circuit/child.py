"""Python processes of our own, started so that no file lying about is taken for a module.

``python -m`` and ``python -c`` look for modules in the current folder first, so a ``json.py`` in a folder of somebody
else's files would run. A child is therefore started isolated (``-I``: no current folder, no ``PYTHON*`` variables, no
site of the user; see the Python documentation, "Command line and environment"), and told where to look: where its
parent looks, without the current folder. The package itself is loaded from the files that the parent runs, wherever
those lie.
"""

# `python -m snn2circuit` imports this while Python still looks in the current folder: nothing but what is in memory.
import os
import site
import sys

PACKAGE = os.path.split(os.path.realpath(__file__))[0]

_START = """\
import sys
own, first, last = list(sys.path), {first}, {last}
sys.path[:] = [*(path for path in first if path not in own), *own, *last]
import importlib.util, runpy
spec = importlib.util.spec_from_file_location({name}, {init}, submodule_search_locations=[{folder}])
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules[spec.name])
runpy.run_module({module}, run_name="__main__", alter_sys=True)
"""


def python_command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this package as a program, in this interpreter, from any folder."""
    user = _real(site.getusersitepackages())
    first = [path for path in search_path() if _real(path) != user]
    # Plain folders only: neither usercustomize nor .pth files of the user's site are run.
    last = [user] if os.path.split(PACKAGE)[0] == user else []
    code = _START.format(
        first=ascii(first),
        last=ascii(last),
        name=ascii(__package__),
        init=ascii(f"{PACKAGE}/__init__.py"),
        folder=ascii(PACKAGE),
        module=ascii(module),
    )
    return [sys.executable, "-I", "-c", code, *arguments]


def search_path() -> list[str]:
    """Where this process looks for modules, without the current folder and what is relative to it."""
    try:
        current = _real("")
    except FileNotFoundError:
        current = ""
    return [path for path in sys.path if path.startswith("/") and _real(path) != current]


def _real(path: str) -> str:
    return os.path.realpath(path)
