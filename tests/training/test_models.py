"""The module that is trained, against the plain loop over steps that snnTorch's users write."""

from __future__ import annotations

import copy

import pytest
import snntorch
import torch
from snntorch import surrogate
from torch import Tensor, nn

from snn2circuit.errors import NetworkError
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.training.models import SpikingNet
from snn2circuit.training.neurons import build_neuron

PARTS = (Leaky(beta=0.9, threshold=0.7), Leaky(beta=0.8, reset_mechanism="zero"), Leaky(beta=0.95))


def net(bias: bool = True, seed: int = 0) -> SpikingNet:
    torch.manual_seed(seed)
    module = SpikingNet((5, 7, 6, 3), PARTS, steps=12, bias=bias, surrogate=surrogate.atan(alpha=2.0))
    with torch.no_grad():
        for linear, _ in module.layers():
            linear.weight.mul_(3)  # PyTorch's initial weights hardly make the last layer spike
    return module


def plain_loop(module: SpikingNet, inputs: Tensor) -> Tensor:
    """Output membranes of the usual loop: every layer in every step, ``inputs`` being ``(steps, samples, inputs)``."""
    states = [torch.zeros(()) for _ in PARTS]
    states = [torch.zeros(inputs.shape[1], size) for size in (7, 6, 3)]
    out = []
    for step in inputs:
        signal = step
        for index, (linear, neuron) in enumerate(
            ((module.fc1, module.lif1), (module.fc2, module.lif2), (module.fc3, module.lif3))
        ):
            signal, states[index] = neuron(linear(signal), states[index])
        out.append(states[-1])
    return torch.stack(out)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("constant", [True, False])
def test_equals_the_plain_loop_in_value_and_gradient(constant: bool, bias: bool) -> None:
    module, judge = net(bias), net(bias)
    generator = torch.Generator().manual_seed(1)
    samples = torch.rand((9, 5), generator=generator) * 3
    steps = samples.expand(12, 9, 5) if constant else torch.rand((12, 9, 5), generator=generator) * 3
    labels = torch.arange(9) % 3
    spikes, membranes = module(samples if constant else steps)
    expected = plain_loop(judge, steps)
    assert 0.05 < spikes.mean() < 0.95
    # float32 leaves 1e-6 of these sums; no membrane is nearer than that to its threshold.
    torch.testing.assert_close(membranes, expected, rtol=1e-4, atol=1e-5)
    assert (expected - 1).abs().min() > 2e-5
    torch.testing.assert_close(spikes, (expected > 1).float())
    losses = [nn.functional.cross_entropy(each.sum(0), labels) for each in (membranes, expected)]
    torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-5)
    for loss in losses:
        loss.backward()
    for mine, theirs in zip(module.parameters(), judge.parameters(), strict=True):
        assert theirs.grad.abs().max() > 1e-4
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-5)


def test_it_is_an_ordinary_snntorch_module() -> None:
    module = net()
    assert [type(child) for child in module.children()] == [nn.Linear, snntorch.Leaky] * 3
    assert float(module.lif1.threshold) == pytest.approx(0.7)
    assert module.lif2.reset_mechanism == "zero"
    plain = nn.Module()
    for number, (inputs, outputs) in enumerate(((5, 7), (7, 6), (6, 3)), start=1):
        plain.add_module(f"fc{number}", nn.Linear(inputs, outputs))
        plain.add_module(f"lif{number}", snntorch.Leaky(beta=0.5))
    plain.load_state_dict(module.state_dict())
    assert torch.equal(plain.fc3.weight, module.fc3.weight)


def test_one_call_leaves_no_trace_for_the_next() -> None:
    module = net()
    samples = torch.rand((4, 5)) * 3
    first = module(samples)[1]
    assert torch.equal(first, module(samples)[1])
    copied = copy.deepcopy(module)
    assert torch.equal(first, copied(samples)[1])


def test_a_neuron_of_the_users_own_with_more_state() -> None:
    import dataclasses

    @dataclasses.dataclass(frozen=True)
    class Synaptic:
        snntorch = "Synaptic"
        alpha: float = 0.7
        beta: float = 0.8
        threshold: float = 1.0
        capacitance: float = 1e-9

    module = SpikingNet((5, 3), [Synaptic()], steps=6)  # type: ignore[list-item]
    samples = torch.rand((2, 5)) * 4
    spikes, membranes = module(samples)
    syn = mem = torch.zeros(2, 3)
    for step in range(6):
        spike, syn, mem = module.lif1(module.fc1(samples), syn, mem)
        torch.testing.assert_close(membranes[step], mem)
        torch.testing.assert_close(spikes[step], spike)


def test_what_cannot_be_built() -> None:
    for sizes, parts in (((5,), ()), ((5, 3), PARTS), ((5, 0), PARTS[:1]), ((), ())):
        with pytest.raises(NetworkError, match="sizes"):
            SpikingNet(sizes, parts, steps=1)

    class Unknown(Leaky):
        snntorch = "Unheard"

    with pytest.raises(NetworkError, match="snntorch has no neuron 'Unheard', which the part Unknown names"):
        build_neuron(Unknown())
