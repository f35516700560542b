"""Convolution and pooling against torch, and the matrix that a chain of them unrolls into."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from snn2circuit.errors import NetworkError
from snn2circuit.ir.layer import ConvLayer, Layer, make_layer
from snn2circuit.ir.linear import AvgPool2d, Conv2d, Dense, Scale, SumPool2d
from snn2circuit.neurons.leaky import Leaky

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADS = st.tuples(st.integers(0, 2), st.integers(0, 2))


def by_torch(module: nn.Module, image: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return module.double()(torch.from_numpy(image)).numpy()


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), PAIRS, PAIRS, PADS, PAIRS,
    st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_convolution_equals_torch(
    seed: int, inputs: int, outputs: int, groups: int, kernel: tuple[int, int], stride: tuple[int, int],
    padding: tuple[int, int], dilation: tuple[int, int], bias: bool,
) -> None:  # fmt: skip
    random = np.random.default_rng(seed)
    module = nn.Conv2d(
        inputs * groups, outputs * groups, kernel, stride, padding, dilation, groups, bias=bias, dtype=torch.float64
    )
    ours = Conv2d(
        weight=module.weight.detach().numpy(),
        bias=module.bias.detach().numpy() if bias else None,
        stride=stride, padding=padding, dilation=dilation, groups=groups,
    )  # fmt: skip
    image = random.normal(size=(2, inputs * groups, 8, 7))
    judge = by_torch(module, image)
    assert ours.output_shape(image.shape[1:]) == judge.shape[1:]
    np.testing.assert_allclose(ours.apply(image), judge, rtol=1e-12, atol=1e-12)


@given(st.integers(0, 2**32 - 1), PAIRS, PAIRS, PADS)
@settings(max_examples=40, deadline=None)
def test_pooling_equals_torch(
    seed: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> None:
    image = np.random.default_rng(seed).normal(size=(2, 3, 7, 6))
    padding = (min(padding[0], kernel[0] // 2), min(padding[1], kernel[1] // 2))
    for cls, divisor in ((AvgPool2d, None), (SumPool2d, 1)):
        judge = by_torch(nn.AvgPool2d(kernel, stride, padding, divisor_override=divisor), image)
        ours = cls(kernel=kernel, stride=stride, padding=padding)
        assert ours.output_shape((3, 7, 6)) == judge.shape[1:]
        np.testing.assert_allclose(ours.apply(image), judge, rtol=1e-12, atol=1e-12)


def chain(seed: int = 0) -> ConvLayer:
    random = np.random.default_rng(seed)
    maps = (
        SumPool2d(kernel=(2, 2), stride=(2, 2)),
        Conv2d(weight=random.normal(size=(4, 2, 3, 3)), bias=random.normal(size=4), padding=(1, 1)),
        Scale(scale=random.normal(size=(4, 1, 1))),
        AvgPool2d(kernel=(2, 2), stride=(1, 1)),
        Dense(weight=random.normal(size=(5, 48)), bias=random.normal(size=5)),
    )
    return ConvLayer(shape=(2, 10, 8), maps=maps, neuron=Leaky())


def test_flops_are_those_that_torch_counts() -> None:
    random = np.random.default_rng(4)
    conv = Conv2d(weight=random.normal(size=(6, 2, 3, 2)), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)
    with FlopCounterMode(display=False) as counter:
        nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2)(torch.zeros(1, 4, 9, 8))
    assert conv.flops((4, 9, 8)) == counter.get_total_flops() == 2 * (6 * 2 * 3 * 2) * (5 * 6)
    assert SumPool2d(kernel=(2, 3), stride=(2, 2)).flops((4, 9, 8)) == 6 * (4 * 4 * 3)
    assert AvgPool2d(kernel=(2, 3), stride=(2, 2)).flops((4, 9, 8)) == (6 + 1) * (4 * 4 * 3)
    assert Scale(scale=np.ones((4, 1, 1))).flops((4, 9, 8)) == 288
    assert Dense(weight=np.ones((5, 288))).flops((4, 9, 8)) == 2 * 5 * 288


def test_a_chain_is_one_matrix_and_one_bias() -> None:
    layer = chain()
    assert (layer.inputs, layer.outputs) == (160, 5)
    signal = np.random.default_rng(1).normal(size=(3, 4, 160))
    assert layer.current(signal).shape == (3, 4, 5)
    np.testing.assert_allclose(layer.current(signal), signal @ layer.weight.T + layer.bias, rtol=1e-12, atol=1e-12)


def test_a_convolution_unrolls_into_its_own_weights() -> None:
    """Every weight of the matrix is one of the kernel's, unchanged, or zero."""
    kernel = np.random.default_rng(0).normal(size=(2, 1, 2, 2))
    layer = ConvLayer(shape=(1, 3, 3), maps=(Conv2d(weight=kernel),), neuron=Leaky())
    assert layer.bias is None
    # By hand: output (channel 1, row 1, column 0) sees the pixels (1..2, 0..1), that is numbers 3, 4, 6, 7.
    row = np.zeros(9)
    row[[3, 4, 6, 7]] = kernel[1, 0].ravel()
    np.testing.assert_array_equal(layer.weight[4 + 2], row)


def test_a_chain_that_is_a_matrix_is_a_plain_layer() -> None:
    dense = Dense(weight=np.ones((2, 6)), bias=[1.0, 2.0])
    assert isinstance(make_layer((1, 2, 3), [dense], Leaky()), Layer)
    assert isinstance(make_layer((1, 2, 3), [Scale(scale=[2.0]), dense], Leaky()), ConvLayer)


def test_portions_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, signal = chain(), np.random.default_rng(2).normal(size=(7, 160))
    whole = layer.current(signal)
    monkeypatch.setattr("snn2circuit.ir.layer.PORTION", 320)
    np.testing.assert_allclose(layer.current(signal), whole, rtol=1e-12, atol=1e-12)


def conv(*shape: int, **options: object) -> Conv2d:
    return Conv2d(weight=np.ones(shape), **options)


def one(shape: tuple[int, ...], *maps: object) -> ConvLayer:
    return ConvLayer(shape=shape, maps=maps, neuron=Leaky())


REFUSED = {
    "dense of an image of another size": (
        lambda: make_layer((1, 3, 3), [Dense(weight=np.ones((2, 8)))], Leaky()),
        "8 inputs cannot take",
    ),
    "channels": (lambda: one((2, 5, 5), conv(1, 3, 2, 2)), "3 input channels cannot take .2, 5, 5."),
    "kernel larger than the image": (lambda: one((1, 2, 2), conv(1, 1, 3, 3)), "2 x 2 is smaller than the window"),
    "groups": (lambda: conv(3, 1, 1, 1, groups=2), "groups is 2"),
    "stride": (lambda: conv(3, 1, 1, 1, stride=(0, 1)), r"stride of a Conv2d is \(0, 1\)"),
    "weight": (lambda: conv(3, 1, 1), r"shape \(3, 1, 1\)"),
    "bias": (lambda: conv(3, 1, 1, 1, bias=[1.0]), r"bias of a Conv2d has shape \(1,\)"),
    "padding of a pooling": (lambda: AvgPool2d(kernel=(2, 2), stride=(2, 2), padding=(2, 0)), "more than half"),
    "pooling of a vector": (lambda: one((4,), SumPool2d(kernel=(1, 1), stride=(1, 1))), "takes .channels, height"),
    "scale": (lambda: one((4,), Scale(scale=np.ones(3))), "cannot take"),
    "no maps": (lambda: one((1,)), "at least one map"),
    "no neuron": (lambda: ConvLayer(shape=(1,), maps=(Scale(scale=[1.0]),), neuron="Leaky"), "is not a neuron"),
    "a matrix beyond reason": (lambda: one((1, 300, 300), conv(8, 1, 3, 3)).weight, "GiB, the limit is 4"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case: str) -> None:
    build, reason = REFUSED[case]
    with pytest.raises(NetworkError, match=reason):
        build()
