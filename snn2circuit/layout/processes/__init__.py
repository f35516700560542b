"""Printing processes as data: one file a process, one line here."""

from snn2circuit.ir.layout import Process
from snn2circuit.layout.processes import (
    aerosol_jet,
    aerosol_jet_resistor,
    gravure,
    inkjet,
    inkjet_resistor,
    organic_flow,
    screen,
)

PROCESSES: dict[str, Process] = {
    inkjet.PROCESS.name: inkjet.PROCESS,
    screen.PROCESS.name: screen.PROCESS,
    gravure.PROCESS.name: gravure.PROCESS,
    aerosol_jet.PROCESS.name: aerosol_jet.PROCESS,
    organic_flow.PROCESS.name: organic_flow.PROCESS,
    inkjet_resistor.PROCESS.name: inkjet_resistor.PROCESS,
    aerosol_jet_resistor.PROCESS.name: aerosol_jet_resistor.PROCESS,
}
