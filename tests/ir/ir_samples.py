"""One small example of every noun that files can hold, and a comparison of nouns independent of the code under test."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from snn2circuit.devices.ohmic import OhmicDevice
from snn2circuit.ir.circuit import Readout
from snn2circuit.ir.crossbar import CrossbarLayer, CrossbarNetwork
from snn2circuit.ir.dataset import Dataset, Split
from snn2circuit.ir.encoding import Encoding
from snn2circuit.ir.layer import ConvLayer, Layer
from snn2circuit.ir.layout import Devices, Layout, Process, ProcessLayer, Shapes, Sheet
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Scale, SumPool2d
from snn2circuit.ir.network import Network, Stimulus
from snn2circuit.ir.parasitics import LayerParasitics, Parasitics, Quantities, TileParasitics
from snn2circuit.ir.parts import Electronics, Quantity
from snn2circuit.ir.timing import Timing
from snn2circuit.ir.waveforms import Netlist, Waveforms
from snn2circuit.neurons.leaky import Leaky

PARTS: dict[str, type] = {"leaky": Leaky, "ohmic": OhmicDevice}


def quantity(value: float = 1e-6, unit: str = "S") -> Quantity:
    return Quantity(value=value, unit=unit, source="measured: 23 °C", confidence="high")


def electronics() -> Electronics:
    return Electronics(name="some", technology="op-amp", gain=quantity(1e5, ""), r_on=quantity(10.0, "ohm"))


def layer(outputs: int = 2, inputs: int = 3, bias: bool = True) -> Layer:
    weight = np.linspace(-1, 1, outputs * inputs).reshape(outputs, inputs)
    return Layer(weight=weight, bias=np.arange(outputs) / 8 if bias else None, neuron=Leaky(beta=0.5))


def conv2d() -> Conv2d:
    return Conv2d(weight=np.arange(8.0).reshape(2, 1, 2, 2) / 8, bias=[0.1, -0.1], stride=(1, 2), padding=(0, 1))


def sum_pool() -> SumPool2d:
    return SumPool2d(kernel=(2, 1), stride=(1, 1))


def avg_pool() -> AvgPool2d:
    return AvgPool2d(kernel=(1, 2), stride=(1, 2))


def conv_layer() -> ConvLayer:
    maps = (Scale(scale=[[[0.5]]]), conv2d(), sum_pool(), avg_pool(), Dense(weight=np.ones((3, 2))))
    return ConvLayer(shape=(1, 3, 4), maps=maps, neuron=Leaky(beta=0.25))


def network() -> Network:
    return Network(name="täst\n* .end", layers=(layer(2, 3), layer(1, 2, bias=False)), steps=4, dataset="xor")


def stimulus(samples: int = 2, steps: int = 4, inputs: int = 3) -> Stimulus:
    values = np.linspace(0, 1, samples * steps * inputs).reshape(samples, steps, inputs)
    return Stimulus(inputs=values, labels=np.arange(samples), indices=np.arange(samples) + 7)


def split(samples: int = 3, inputs: int = 4) -> Split:
    return Split(inputs=np.arange(samples * inputs).reshape(samples, inputs) / 7, labels=np.arange(samples) % 2)


def dataset() -> Dataset:
    return Dataset(
        name="tiny",
        title="Tiny",
        source="made here",
        shape=(2, 2),
        classes=("no", "yes"),
        train=split(3),
        test=split(2),
    )


def readout() -> Readout:
    return Readout(
        timing=Timing(),
        steps=4,
        membranes=(("m1_0", "m1_1"), ("m2_0",)),
        spikes=(("s1_0", "s1_1"), ("s2_0",)),
        volts_per_unit=(0.05, 0.1),
    )


def crossbar_layer(rows: int = 3, columns: int = 2, has_bias: bool = True) -> CrossbarLayer:
    grid = np.arange(rows * columns).reshape(rows, columns)
    conductance = 1e-6 * (1 + grid % 3)
    return CrossbarLayer(
        trained=grid / 10,
        target_pos=conductance * 1.01,
        target_neg=conductance[::-1] * 0.99,
        level_pos=grid % 3,
        level_neg=(grid + 1) % 3,
        g_pos=conductance,
        g_neg=conductance[::-1],
        has_bias=has_bias,
        siemens_per_unit=2e-6,
        volts_per_unit=0.05,
        r_feedback=1e4,
        saturated=1,
        neuron=Leaky(threshold=0.75),
    )


def crossbar_network() -> CrossbarNetwork:
    device = OhmicDevice(
        name="test", technology="none", g_min=quantity(1e-6), g_max=quantity(3e-6), v_read=quantity(0.1, "V")
    )
    return CrossbarNetwork(
        name="test",
        layers=(crossbar_layer(), crossbar_layer(2, 1, has_bias=False)),
        device=device,
        levels=np.array([1e-6, 2e-6, 3e-6]),
        spacing="linear",
        steps=4,
        encoding=Encoding(kind="rate", seed=7, offset=0.25, scale=2.0),
        decision="count",
        timing=Timing(slot=2e-3),
        v_rail=5.0,
        scale_basis="bound",
    )


def shapes(count: int = 2) -> Shapes:
    corner = np.arange(count)[:, None] * 1000 + np.zeros((count, 3), dtype=int)
    return Shapes(layer="silver", boxes=np.hstack([corner, corner + 500]), nets=np.arange(count) - 1, round=True)


def devices(count: int = 2) -> Devices:
    number = np.arange(count)
    return Devices(
        rows=number,
        columns=number,
        polarity=1 - 2 * (number % 2),
        boxes=np.tile(np.array([0, 0, 0, 10, 10, 5]), (count, 1)),
        weight=number / 3,
        conductance=1e-6 * (number + 1),
        level=number,
    )


def sheet() -> Sheet:
    return Sheet(name="sheet 1", network_layer=0, rotation=90, z_nm=0, shapes=(shapes(), shapes(1)), devices=devices())


def process_layer() -> ProcessLayer:
    return ProcessLayer(
        name="silver",
        role="conductor",
        material="Ag",
        thickness=quantity(1e-6, "m"),
        color="#c0c0c0",
        mask=3,
        sheet_resistance=quantity(0.2, "ohm/sq"),
    )


def process() -> Process:
    return Process(
        name="test",
        technology="none",
        layers=(process_layer(),),
        min_width=quantity(1e-4, "m"),
        min_space=quantity(1e-4, "m"),
        overlay=quantity(2e-5, "m"),
        via_diameter=quantity(1e-4, "m"),
    )


def layout() -> Layout:
    return Layout(name="test", process=process(), sheets=(sheet(),), nets=("a", "b"), assumptions=("none",), levels=3)


def netlist() -> Netlist:
    return Netlist(decks=("image_0.cir", "image_1.cir"), stimulus=stimulus(), readout=readout())


def waveforms() -> Waveforms:
    shape = ((2, 4, 2), (2, 4, 1))
    return Waveforms(
        stimulus=stimulus(),
        readout=readout(),
        membranes=tuple(np.linspace(-1, 1, int(np.prod(each))).reshape(each) for each in shape),
        spikes=tuple((np.arange(np.prod(each)) % 3 == 0).reshape(each) for each in shape),
        time=np.linspace(0, 4e-3, 5),
        traces=np.arange(30.0).reshape(6, 5),
        seconds=np.array([0.5, 0.25]),
        simulator="ngspice-39",
    )


def quantities(*values: float) -> Quantities:
    return Quantities(values=values, unit="ohm", source="made up", confidence="assumed")


def tile_parasitics() -> TileParasitics:
    return TileParasitics(
        rows=np.arange(2),
        columns=(0, 2),
        word_segments=quantities(0.5, 2.0, 0.5),
        bit_segments=quantities(0.25),
        word_leads=quantities(50.0, 2.0),
        bit_leads=quantities(1.0, 1.0, 1.0, 1.0),
        fed_far=np.array([False, True]),
        crosspoint=quantity(1e-12, "F"),
        neighbour=quantity(1e-13, "F"),
        below=quantity(0.0, "F"),
        above=quantity(2e-13, "F"),
    )


def layer_parasitics() -> LayerParasitics:
    return LayerParasitics(tiles=(tile_parasitics(),))


def parasitics() -> Parasitics:
    return Parasitics(layers=(layer_parasitics(), layer_parasitics()))


SAMPLES: dict[str, Callable[[], object]] = {
    "AvgPool2d": avg_pool,
    "Conv2d": conv2d,
    "ConvLayer": conv_layer,
    "Dense": lambda: Dense(weight=np.eye(2), bias=[1.0, 2.0]),
    "Scale": lambda: Scale(scale=np.arange(3.0)),
    "SumPool2d": sum_pool,
    "CrossbarLayer": crossbar_layer,
    "CrossbarNetwork": crossbar_network,
    "Dataset": dataset,
    "Devices": devices,
    "Encoding": lambda: Encoding(kind="latency", offset=-1.5, scale=0.125, threshold=0.2, linear=False, clip=False),
    "Layer": layer,
    "LayerParasitics": layer_parasitics,
    "Layout": layout,
    "Netlist": netlist,
    "Network": network,
    "Parasitics": parasitics,
    "Quantities": lambda: quantities(1.0, 0.0),
    "TileParasitics": tile_parasitics,
    "Process": process,
    "ProcessLayer": process_layer,
    "Electronics": electronics,
    "Quantity": quantity,
    "Readout": readout,
    "Shapes": shapes,
    "Sheet": sheet,
    "Split": split,
    "Stimulus": stimulus,
    "Timing": lambda: Timing(slot=3e-4),
    "Waveforms": waveforms,
}


def differences(a: object, b: object, where: str = "") -> list[str]:
    """Where two trees of nouns differ in class, value, dtype, shape or any array element (bit for bit)."""
    if type(a) is not type(b):
        return [f"{where}: {type(a).__name__} is not {type(b).__name__}"]
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        same = a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        return [] if same else [f"{where}: arrays differ"]
    if isinstance(a, tuple) and isinstance(b, tuple):
        if len(a) != len(b):
            return [f"{where}: {len(a)} and {len(b)} entries"]
        return [d for i, (x, y) in enumerate(zip(a, b, strict=True)) for d in differences(x, y, f"{where}[{i}]")]
    if dataclasses.is_dataclass(a):
        return [
            d
            for field in dataclasses.fields(a)
            for d in differences(getattr(a, field.name), getattr(b, field.name), f"{where}.{field.name}")
        ]
    return [] if a == b else [f"{where}: {a!r} is not {b!r}"]


def arrays_of(value: object) -> list[np.ndarray]:
    """Every array in a tree of nouns."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, tuple):
        return [array for each in value for array in arrays_of(each)]
    if dataclasses.is_dataclass(value):
        return [array for field in dataclasses.fields(value) for array in arrays_of(getattr(value, field.name))]
    return []
