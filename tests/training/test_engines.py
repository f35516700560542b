"""The fused engine against the loop over snnTorch's own modules: spikes, membranes, loss and every gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import snntorch
import torch
from snntorch import surrogate
from torch import Tensor, nn

from snn2circuit.errors import NetworkError, TrainingError
from snn2circuit.ir.parts import Neuron
from snn2circuit.neurons.alpha import Alpha
from snn2circuit.neurons.lapicque import Lapicque
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.neurons.synaptic import Synaptic
from snn2circuit.training import product
from snn2circuit.training.fused import run_fused
from snn2circuit.training.kernels.compile import compiled
from snn2circuit.training.models import SpikingNet

SLOPE = 3.0  # of the surrogate
LUCKY = 2e-6, 1e-5  # of a gradient in float32, of many values and of one; rounding as small as this may be luck
STEPS, SAMPLES, SIZES = 11, 9, (6, 70, 67, 4)  # 70 x 9 neurons fill no whole block, 67 outputs make spikes events
RESETS = ("subtract", "zero", "none")
PARTS: dict[str, Neuron] = {
    f"{name} {reset}": part
    for reset in RESETS
    for name, part in {
        "leaky": Leaky(beta=0.9, threshold=0.7, reset_mechanism=reset),
        "lapicque by beta": Lapicque(beta=0.3, threshold=0.4, reset_mechanism=reset),
        "lapicque by R, C": Lapicque(R=5.0, C=1.5, time_step=0.5, threshold=0.3, reset_mechanism=reset),
        "synaptic": Synaptic(alpha=0.6, beta=0.8, threshold=1.5, reset_mechanism=reset),
        "alpha": Alpha(alpha=0.85, beta=0.6, threshold=0.3, reset_mechanism=reset),
    }.items()
}


def net(*parts: Neuron, seed: int = 0, **options: object) -> SpikingNet:
    torch.manual_seed(seed)
    chosen = parts * (len(SIZES) - 1) if len(parts) == 1 else parts
    module = SpikingNet(SIZES, chosen, steps=STEPS, surrogate=surrogate.atan(alpha=SLOPE), **options)  # type: ignore[arg-type]
    with torch.no_grad():
        for linear, _ in module.layers():
            linear.weight.mul_(2)  # PyTorch's initial weights hardly make the last layer spike
            if linear.bias is not None:
                linear.bias.add_(0.1)
    return module


class Atan(torch.autograd.Function):
    """snnTorch's surrogate, which rounds spikes and their gradients to float32, without that rounding."""

    @staticmethod
    def forward(ctx: Any, shifted: Tensor) -> Tensor:
        ctx.save_for_backward(shifted)
        return (shifted > 0).to(shifted.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (shifted,) = ctx.saved_tensors
        return SLOPE / 2 / (1 + (torch.pi / 2 * SLOPE * shifted).square()) * gradient


def plain_loop(module: SpikingNet, inputs: Tensor) -> tuple[Tensor, Tensor, float]:
    """The usual loop over a copy of the module that shares its parameters; also how near to spiking or not it gets."""
    layers = [(linear, copy.copy(neuron)) for linear, neuron in module.layers()]
    for _, neuron in layers:
        # A copy's update is still bound to the original.
        neuron.state_function = getattr(neuron, neuron.state_function.__name__)  # type: ignore[union-attr, assignment]
        if inputs.dtype == torch.float64:
            neuron.spike_grad = Atan.apply  # type: ignore[assignment]
    states: list[tuple[Tensor, ...]] = [() for _ in layers]
    spikes, membranes, nearest = [], [], float("inf")
    for step in inputs.expand(STEPS, *inputs.shape) if inputs.ndim == 2 else inputs:
        signal = step
        for index, (linear, neuron) in enumerate(layers):
            signal, *state = neuron(linear(signal), *states[index])
            states[index] = tuple(state)
            nearest = min(nearest, float((state[-1] - neuron.threshold).detach().abs().min()))
        spikes.append(signal)
        membranes.append(states[-1][-1])
    return torch.stack(spikes), torch.stack(membranes), nearest


def learn(run: Callable[[Tensor], tuple[Any, ...]], module: SpikingNet, inputs: Tensor) -> dict[str, Tensor]:
    """Spikes, loss and gradients; the loss uses the membranes and the spikes."""
    leaf = inputs.clone().requires_grad_()
    module.zero_grad()
    spikes, membranes = run(leaf)[:2]
    labels = torch.arange(SAMPLES) % SIZES[-1]
    loss = nn.functional.cross_entropy(membranes.sum(0), labels) + (spikes.mean(0) - 0.3).square().mean()
    loss.backward()
    gradients = {name: each.grad for name, each in module.named_parameters()}
    return {"spikes": spikes.detach(), "loss": loss.detach(), "inputs": leaf.grad, **gradients}  # type: ignore[dict-item]


def draw(module: SpikingNet, *shape: int) -> Tensor:
    """Inputs that leave every membrane at least 2e-5 from its threshold: no rounding of float32 decides on a spike."""
    exact = copy.deepcopy(module).double()
    for seed in range(1, 50):
        inputs = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2
        if plain_loop(exact, inputs.double())[2] > 2e-5:
            return inputs
    raise AssertionError("no such inputs")


def compare(module: SpikingNet, inputs: Tensor) -> None:
    """Hold both against the usual loop in float64, where rounding leaves 1e-14 of a gradient.

    In float32 a gradient may be off by four times what the usual loop itself loses to rounding there, as measured: some
    1e-7 of most, some 1e-5 of shared values, which gather what all neurons and steps do to them and in which most of it
    cancels. What cancels differs, so that less than :data:`LUCKY` is not believed of the usual loop.
    """
    single = inputs.dtype == torch.float32
    exact, point = (copy.deepcopy(module).double(), inputs.double()) if single else (module, inputs)
    truth = learn(lambda samples: plain_loop(exact, samples), exact, point)
    mine = learn(module, module, inputs)
    usual = learn(lambda samples: plain_loop(module, samples), module, inputs) if single else dict(truth)
    assert 0.01 < mine["spikes"].mean() < 0.9
    spikes = truth.pop("spikes")
    for found in (mine, usual):
        assert torch.equal(found.pop("spikes").double(), spikes)
    for name, value in truth.items():
        assert value.abs().max() > 1e-6, name
        off, rounding = (float((each[name].double() - value).norm() / value.norm()) for each in (mine, usual))
        luck = LUCKY[value.numel() == 1]
        assert off <= (4 * max(rounding, luck) if single else 1e-11), (name, off, rounding)
        assert rounding < 1e-4, (name, rounding)


@pytest.mark.parametrize("constant", [True, False], ids=["constant", "varying"])
@pytest.mark.parametrize("name", PARTS)
def test_equals_snntorch_in_loss_and_gradients(name: str, constant: bool) -> None:
    part = PARTS[name]
    shape = (SAMPLES, SIZES[0]) if constant else (STEPS, SAMPLES, SIZES[0])
    learnt = {"learn_threshold": True, "learn_beta": not isinstance(part, Lapicque)}
    for module in (net(part), net(part, bias=False, **learnt)):
        compare(module, draw(module, *shape))
    module = net(part, **learnt).double()
    compare(module, draw(module, *shape).double())


def test_a_different_neuron_in_each_layer() -> None:
    inputs = torch.rand((STEPS, SAMPLES, SIZES[0]), generator=torch.Generator().manual_seed(2)) * 3
    for first, second, third in (
        ("leaky zero", "synaptic subtract", "alpha none"),
        ("alpha zero", "leaky none", "lapicque by beta zero"),
    ):
        compare(net(PARTS[first], PARTS[second], PARTS[third], learn_threshold=True).double(), inputs.double())


@pytest.mark.parametrize("reset", RESETS)
def test_a_value_for_each_neuron_and_a_learnt_alpha(reset: str) -> None:
    generator = torch.Generator().manual_seed(3)

    def vector(size: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(size, generator=generator)

    module = net(PARTS["leaky subtract"])
    first, second, third = SIZES[1:]
    learnt = {
        "learn_beta": True,
        "learn_threshold": True,
        "reset_mechanism": reset,
        "spike_grad": surrogate.atan(SLOPE),
    }
    module.lif1 = snntorch.Leaky(beta=vector(first, 0.5, 1.2), threshold=vector(first, 0.3, 1), **learnt)
    module.lif2 = snntorch.Synaptic(
        alpha=vector(second, 0.2, 0.6), beta=vector(second, 0.6, 0.9), threshold=vector(second, 0.5, 1),
        learn_alpha=True, **learnt,
    )  # fmt: skip
    module.lif3 = snntorch.Alpha(
        alpha=vector(third, 0.8, 0.9), beta=vector(third, 0.4, 0.6), threshold=vector(third, 0.2, 0.4), **learnt
    )
    inputs = torch.rand((SAMPLES, SIZES[0]), generator=generator) * 2
    compare(module.double(), inputs.double())


def test_features_of_more_than_one_dimension() -> None:
    neuron = snntorch.Leaky(beta=torch.tensor([0.5, 0.9])[:, None, None], threshold=0.6, learn_beta=True).double()
    current = torch.rand((STEPS, 3, 2, 4, 5), dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    spikes, membranes = run_fused(neuron, current, STEPS, constant=False)
    (spikes.sum() + membranes.square().sum()).backward()
    mine, neuron.beta.grad = neuron.beta.grad.clone(), None
    state, total = torch.zeros((3, 2, 4, 5), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for step in range(STEPS):
        spike, state = neuron(current[step], state)
        assert torch.equal(state, membranes[step])
        total = total + spike.sum() + state.square().sum()
    total.backward()
    torch.testing.assert_close(mine, neuron.beta.grad, rtol=1e-12, atol=0)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("outputs", [3, product.WIDE])
@pytest.mark.parametrize("bias", [True, False])
def test_product_of_spikes(share: float, outputs: int, bias: bool) -> None:
    generator = torch.Generator().manual_seed(5)
    layer = nn.Linear(40, outputs, bias=bias).double()
    spikes = (torch.rand((7, 5, 40), generator=generator) < share).double().requires_grad_()
    weights = torch.rand((7, 5, outputs), generator=generator).double()
    results = []
    for run in (lambda: product.multiply_spikes(layer, spikes), lambda: layer(spikes)):
        layer.zero_grad()
        spikes.grad = None
        answer = run()
        (answer * weights).sum().backward()
        results.append([answer.detach(), spikes.grad, *(each.grad for each in layer.parameters())])
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12)


def test_without_gradients_nothing_changes() -> None:
    module = net(*(PARTS[name] for name in ("synaptic zero", "alpha zero", "leaky subtract")))
    inputs = torch.rand((SAMPLES, SIZES[0]), generator=torch.Generator().manual_seed(6)) * 2
    with torch.no_grad():
        for mine, theirs in zip(module(inputs), module(inputs.requires_grad_()), strict=True):
            assert torch.equal(mine, theirs)
    module.engine = "snntorch"
    torch.testing.assert_close(module(inputs)[1], plain_loop(module, inputs)[1], rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore:Inhibition is an unstable feature")
def test_what_the_kernels_do_not_do_is_refused() -> None:
    for neuron, reason in (
        (snntorch.RLeaky(beta=0.9, all_to_all=False), "cannot run RLeaky: it is none of snnTorch's Leaky"),
        (snntorch.Leaky(beta=0.9, spike_grad=surrogate.fast_sigmoid()), "spike_grad is not snntorch.surrogate.atan"),
        (snntorch.Leaky(beta=0.9, surrogate_disable=True), "spike_grad is not"),
        (snntorch.Leaky(beta=0.9, reset_delay=False), "reset_delay is False"),
        (snntorch.Leaky(beta=0.9, inhibition=True), "inhibition is True"),
        (snntorch.Leaky(beta=0.9, graded_spikes_factor=2.0), "graded_spikes_factor is 2.0"),
        (snntorch.Leaky(beta=0.9, learn_graded_spikes_factor=True), "graded_spikes_factor is learnt"),
        (snntorch.Synaptic(alpha=0.8, beta=0.9, state_quant=torch.round), "state_quant is"),
    ):
        with pytest.raises(TrainingError, match=f"{reason}.*use engine snntorch"):
            run_fused(neuron, torch.zeros(2, 3), 4, constant=True)
    with pytest.raises(TrainingError, match="engine is 'warp'; allowed: fused, snntorch"):
        net(Leaky(), engine="warp")
    with pytest.raises(NetworkError, match="beta of a Lapicque neuron cannot be learnt"):
        net(Lapicque(), learn_beta=True)


def test_a_kernel_that_has_no_place_for_its_cache_is_compiled_all_the_same() -> None:
    made: dict[str, Any] = {}
    exec("def double(x):\n    return 2 * x", made)  # noqa: S102 - a function without a file is what numba cannot cache
    assert compiled(made["double"])(3) == 6
