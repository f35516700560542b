"""Lines that must not reach a simulator, by kind, and places in a folder of decks to put them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

SEPARATORS = {
    "vertical tab": "\x0b",
    "form feed": "\x0c",
    "file separator": "\x1c",
    "group separator": "\x1d",
    "record separator": "\x1e",
    "next line": "\x85",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "carriage return": "\r",
    "NUL": "\0",
    "escape": "\x1b[2K",
    "byte order mark": "\ufeff",
    "zero width space": "\u200b",
    "right to left": "\u202e",
}
RUN = "shell touch {canary}"
# {canary}: a file that must not come into being; {secret}: a file outside that must not be shown.
LINES = {
    "control section": f".control\n{RUN}\n.endc",
    "control in capitals": f".CONTROL\n{RUN}\n.ENDC",
    "control behind blanks": f"  \t .Control\n{RUN}\n.endc",
    "control with a comment": f".control ; harmless\n{RUN}\n.endc",
    "control continued": f".con\n+trol\n{RUN}\n.endc",
    "control continued without a gap": f".\n+control\n{RUN}\n.endc",
    "control over several lines": f".c\n* between\n+ ontrol\n{RUN}\n.endc",
    "control behind a backslash": f"* text \\\\\n.control\n{RUN}\n.endc",
    "control behind a megabyte of blanks": " " * 2**20 + f".control\n{RUN}\n.endc",
    "control with Windows line ends": f".control\r\n{RUN}\r\n.endc\r\n",
    "end of control": ".endc",
    "command in a comment": f"*# {RUN}",
    "command in a comment without a blank": f"*#{RUN}",
    "command in a comment behind blanks": f"  *# {RUN}",
    "script": f"*ng_script\n{RUN}",
    "script with a name": "*ng_script {secret}",
    "script in capitals": f"*NG_SCRIPT\n{RUN}",
    "bare command": RUN,
    "bare command with a mark": "!touch {canary}",
    "source": "source {secret}",
    "exec": ".exec touch {canary}",
    "shell": ".shell touch {canary}",
    "system": ".system touch {canary}",
    "script variable": ".csparam x={{1}}",
    "library": ".lib '{secret}' tt",
    "library without quotes": ".lib {secret}",
    "include from elsewhere": ".include {secret}",
    "include in quotes": '.include "{secret}"',
    "include in single quotes": ".include '{secret}'",
    "include from above": ".include ../secret.txt",
    "include through the folder": ".include ./../secret.txt",
    "include behind a network path": ".include //{secret}",
    "include behind a dollar": ".include {secret} $ comment",
    "include behind a semicolon": ".include {secret} ; comment",
    "include with more behind it": '.include "{secret}" x',
    "include continued": ".include\n+ {secret}",
    "include in capitals": ".INCLUDE {secret}",
    "include short": ".inc {secret}",
    "include shorter": ".incl {secret}",
    "include longer": ".includex {secret}",
    "include from home": ".include ~/secret.txt",
    "include by variable": ".include $HOME/secret.txt",
    "include of a link": ".include link.lib",
    "include behind a link": ".include linked/secret.txt",
    "include of a pipe": ".include pipe.lib",
    "include of a folder": ".include folder.lib",
    "include of the deck": ".include sample_0.cir",
    "include of a device": ".include /dev/zero",
    "include of a process's file": ".include /proc/self/environ",
    "code model": 'Afile %v([a 0]) source\n.model source filesource(file="{secret}" amploffset=[0 0] amplscale=[1 1])',
    "code model that runs": 'Arun [d] null [q] null null program\n.model program d_process(process_file="{canary}")',
    "code model of digital input": 'Adig [d] source\n.model source d_source(input_file="{secret}")',
    "model with a file": '.model source filesource(file="{secret}")',
    "model with a file in a switch": '.model sw1 SW(Ron=1 file="{secret}")',
    "digital part": "Ugate inv dpwr dgnd a q dgate io",
    "compiled model": "Nosdi a 0 model",
    "load of a compiled model": ".osdi {secret}",
    "hardware language": '.hdl "{secret}"',
    "pre-command": "pre_osdi {secret}",
    "waveform file": 'Vfile a 0 PWL FILE="{secret}"',
    "waveform file in lower case": "Vfile a 0 pwl file={secret}",
    "sound file": 'Vwave a 0 wavefile="{secret}" chan=0',
    "source from outside": "Vout a 0 EXTERNAL",
    "table file": 'Btab a 0 V=table("{secret}", time)',
    "backquote": "Rq a 0 `touch {canary}`",
    "backquote in a parameter": ".param q=`touch {canary}`",
    "shell substitution": "Rs a 0 $(touch {canary})",
    "variable": "Rv a 0 $&{canary}",
    "text parameter": '.param name="{secret}"',
    "text in a formula": 'Btext a 0 V=v(a)+"{secret}"',
    "function with text": '.func f(x) {{"{secret}"}}',
    "search path": ".options sourcepath=( {secret} )",
    "raw file": ".options rawfile={canary}",
    "shell option": ".options shell={canary}",
    "option with a command": ".options reltol=1e-3 editor=vi",
    "print into a file": ".print tran v(phi) > {canary}",
    "plot into a file": ".plot tran v(phi) >> {canary}",
    "save into a file": ".save v(phi) > {canary}",
    "print by a pipe": ".print tran v(phi) | touch {canary}",
    "write": ".write {canary} v(phi)",
    "write data": ".wrdata {canary} v(phi)",
    "echo": ".echo hi > {canary}",
    "hardcopy": ".hardcopy {canary} v(phi)",
    "measure into a file": ".meas tran x max v(phi) > `touch {canary}`",
    "measure with a command": ".meas tran x param=\"system('touch {canary}')\"",
    "fourier into a file": ".four 1k v(phi) > {canary}",
    "transient into a file": ".tran 1u 1m > {canary}",
    "initial value by command": ".ic v(phi)=`touch {canary}`",
    "subcircuit by command": ".subckt s$(touch {canary}) a b",
    "global by command": ".global `touch {canary}`",
    "condition": ".if (1)\n.include {secret}\n.endif",
    "title": ".title `touch {canary}`",
    "protected": ".prot\n.control\n" + RUN + "\n.endc\n.unprot",
    "step": ".step param x list `touch {canary}`",
    "number with a letter in it": "Rnum a 0 1k5",
    "transistor of a foreign model": "Mfile d g s b foreign",
    "transmission line": "Yline a 0 b 0 line file={secret}",
    "unknown letter": "%R1 a 0 1k",
    "continuation of nothing": "+ {secret}",
    **{
        f"{name} before control{where}": f"{text}{separator}.control\n{RUN}\n.endc"
        for name, separator in SEPARATORS.items()
        for where, text in ((" in a comment", "* comment"), (" in an element", "Rx phi 0 1k"), ("", ""))
    },
}


def put_first(folder: Path, text: str) -> None:
    """Instead of the deck's title."""
    edit(folder / "sample_0.cir", lambda lines: [text, *lines[1:]])


def put_second(folder: Path, text: str) -> None:
    edit(folder / "sample_0.cir", lambda lines: [lines[0], text, *lines[1:]])


def put_last(folder: Path, text: str) -> None:
    edit(folder / "sample_0.cir", lambda lines: [*lines[:-2], text, *lines[-2:]])


def put_behind(folder: Path, text: str) -> None:
    """Behind ``.end``."""
    edit(folder / "sample_0.cir", lambda lines: [*lines, text])


def put_into_cells(folder: Path, text: str) -> None:
    """As the first line of an included file, which is no title."""
    edit(folder / "cells.lib", lambda lines: [text, *lines])


def put_into_network(folder: Path, text: str) -> None:
    """At the end of an included file, which another one includes."""
    edit(folder / "network.lib", lambda lines: [*lines, '.include "inner.lib"'])
    (folder / "inner.lib").write_bytes(f"* inner\n{text}\n".encode("utf-8", "surrogatepass"))


PLACES: dict[str, Callable[[Path, str], None]] = {
    "title": put_first,
    "second line": put_second,
    "before the end": put_last,
    "behind the end": put_behind,
    "included": put_into_cells,
    "included twice over": put_into_network,
}


def edit(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_bytes("\n".join(change(lines)).encode())


def plant_traps(folder: Path, secret: Path) -> None:
    """What an include could stumble over, and a start-up file."""
    (folder / "link.lib").symlink_to(secret)
    (folder / "linked").symlink_to(secret.parent)
    (folder / "folder.lib").mkdir()
    os.mkfifo(folder / "pipe.lib")
    (folder / ".spiceinit").write_text(f"shell touch {folder.parent / 'canary'}\n")
