"""Memristive devices and printed resistors: one file a preset, one line here."""

from snn2circuit.devices import (
    ag_asi,
    foil_memristor,
    mnsim_rram,
    moox_mos2_foil,
    neurosim_nvm,
    pcm_joshi,
    pedot_pss_resistor,
    printed_resistor_kit,
    rram_milo,
    strutwolf_like,
)
from snn2circuit.devices.ohmic import OhmicDevice

DEVICES: dict[str, OhmicDevice] = {
    "foil_memristor": foil_memristor.PRESET,
    "printed_resistor_kit": printed_resistor_kit.PRESET,
    "pedot_pss_resistor": pedot_pss_resistor.PRESET,
    "strutwolf_like": strutwolf_like.PRESET,
    "moox_mos2_foil": moox_mos2_foil.PRESET,
    "rram_milo": rram_milo.PRESET,
    "mnsim_rram": mnsim_rram.PRESET,
    "neurosim_nvm": neurosim_nvm.PRESET,
    "ag_asi": ag_asi.PRESET,
    "pcm_joshi": pcm_joshi.PRESET,
}
DEVICE_KINDS: dict[str, type] = {OhmicDevice.kind: OhmicDevice}
