"""Memristive devices and printed resistors: one file a preset, one line here."""

from snn2circuit.devices import printed_resistor_kit
from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.parts import Device

DEVICES: dict[str, Device] = {preset.name: preset for preset in (printed_resistor_kit.PRESET,)}
DEVICE_KINDS: dict[str, type] = {OhmicDevice.kind: OhmicDevice}
