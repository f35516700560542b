"""Every preset is complete, says where its numbers come from, and marks what it assumes."""

from __future__ import annotations

import pytest

from snn2circuit.devices import DEVICE_KINDS, DEVICES
from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.errors import MappingError
from snn2circuit.ir.parts import Device, Quantity

# Read off the sources by hand: ohm for resistances, S for conductances.
RANGES = {
    "foil_memristor": (1e-7, 1e-4),
    "printed_resistor_kit": (1e-7, 1e-4),
    "pedot_pss_resistor": (1 / 3.8e6, 1 / 170),
    "strutwolf_like": (1 / 100e3, 1 / 1e3),
    "moox_mos2_foil": (1 / 100e6, 1 / 100),
    "rram_milo": (50e-6, 225e-6),
    "mnsim_rram": (1 / 150e3, 1 / 30e3),
    "neurosim_nvm": (1 / (17 * 100e3), 1 / 100e3),
    "ag_asi": (3.0769e-9, 38.462e-9),
    "pcm_joshi": (0.25e-6, 25e-6),
}


@pytest.mark.parametrize("name", DEVICES)
def test_a_preset_holds_the_published_range_and_its_sources(name: str) -> None:
    device = DEVICES[name]
    assert isinstance(device, Device)
    assert device.name == name
    assert device.kind in DEVICE_KINDS
    assert (device.g_min.value, device.g_max.value) == pytest.approx(RANGES[name], rel=1e-12)
    for quantity in (device.g_min, device.g_max, device.v_read):
        assert len(quantity.source) > 10
    assert "assumed" not in (device.g_min.confidence, device.g_max.confidence)


def test_synthetic_data_are_called_synthetic() -> None:
    assert "synthetic" in DEVICES["strutwolf_like"].technology


@pytest.mark.parametrize(
    ("low", "high", "read"), [(1e-4, 1e-7, 0.1), (0.0, 1e-4, 0.1), (1e-7, float("inf"), 0.1), (1e-7, 1e-4, 0.0)]
)
def test_an_impossible_device_is_refused(low: float, high: float, read: float) -> None:
    def quantity(value: float) -> Quantity:
        return Quantity(value=value, unit="S", source="test", confidence="assumed")

    with pytest.raises(MappingError, match="device mine"):
        OhmicDevice(name="mine", technology="none", g_min=quantity(low), g_max=quantity(high), v_read=quantity(read))


def test_a_device_can_be_used_in_a_part_of_its_range() -> None:
    whole = DEVICES["printed_resistor_kit"]
    assert whole.within() == whole
    part = whole.within(g_min=1e-6)
    assert (part.g_min.value, part.g_max) == (1e-6, whole.g_max)
    assert "[device] g_min" in part.g_min.source
    assert (part.name, part.by_shape) == (whole.name, True)
    with pytest.raises(MappingError, match=r"\[device\] g_max is 0.001 S; .* holds 1e-07 to 0.0001 S"):
        whole.within(g_max=1e-3)
    with pytest.raises(MappingError, match="needs 0 < g_min < g_max"):
        whole.within(g_min=1e-5, g_max=1e-6)
