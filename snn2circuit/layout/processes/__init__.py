"""Printing processes as data: one file a process, one line here."""

from snn2circuit.ir.layout import Process
from snn2circuit.layout.processes import gravure, inkjet, screen

PROCESSES: dict[str, Process] = {
    inkjet.PROCESS.name: inkjet.PROCESS,
    screen.PROCESS.name: screen.PROCESS,
    gravure.PROCESS.name: gravure.PROCESS,
}
