"""What importing leaves alone, what it takes the size from, and what it says to things that are no module."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import snntorch
import torch
from snntorch_styles import HIDDEN, INPUTS, STEPS, Hidden, Loop, TimeMajor
from torch import nn

from snn2circuit.errors import NetworkError
from snn2circuit.frontends import snntorch as frontend
from snn2circuit.ir.network import Network
from snn2circuit.neurons import NEURONS
from snn2circuit.neurons.leaky import Leaky
from snn2circuit.training.models import SpikingNet


def read(module: object, **options: object) -> Network:
    return frontend.from_snntorch(module, **{"neurons": NEURONS, "name": "net", "steps": STEPS, **options})


def everything(module: nn.Module) -> dict[str, object]:
    """All that an import could disturb, by value; tensors with their identity."""
    found: dict[str, object] = {}
    for path, each in module.named_modules():
        found[f"{path} training"] = each.training
        found[f"{path} keys"] = sorted(vars(each))
        found[f"{path} hooks"] = (list(each._forward_hooks), list(each._forward_pre_hooks))
        for name, tensor in (*each._parameters.items(), *each._buffers.items()):
            if tensor is not None:
                settings = (id(tensor), tensor.dtype, tensor.device, tensor.requires_grad, tensor._version)
                found[f"{path}.{name}"] = (settings, tensor.detach().double().numpy().tobytes())
                found[f"{path}.{name} gradient"] = _gradient(tensor)
    found["random"] = (torch.get_rng_state().numpy().tobytes(), random.getstate(), str(np.random.get_state()))  # noqa: NPY002
    found["settings"] = (torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads())
    found["neurons"] = [id(each) for each in snntorch.SpikingNeuron.instances]
    return found


def _gradient(tensor: torch.Tensor) -> bytes | None:
    return tensor.grad.numpy().tobytes() if tensor.is_leaf and tensor.grad is not None else None


class Drawing(Hidden):
    def forward(self, x: torch.Tensor) -> object:
        torch.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        return super().forward(x)


@pytest.mark.parametrize("build", [Loop, Hidden, Drawing, lambda: Hidden().train(), lambda: Loop().bfloat16()])
def test_the_module_and_the_world_stay_as_they_are(build: Callable[[], nn.Module]) -> None:
    module = build()
    if next(module.parameters()).dtype == torch.float32:
        answer = module(torch.rand(4, INPUTS))
        (answer[0] if isinstance(answer, tuple) else answer).sum().backward()
    before = everything(module)
    read(module)
    assert everything(module) == before


def test_it_stays_so_when_the_import_is_refused() -> None:
    module = Loop(reset_delay=False)
    module(torch.rand(4, INPUTS))
    before = everything(module)
    with pytest.raises(NetworkError, match="reset_delay"):
        read(module)
    assert everything(module) == before


def test_weights_of_a_plain_chain_are_copied_bit_by_bit() -> None:
    torch.manual_seed(1)
    for module in (Loop(), TimeMajor(), SpikingNet((INPUTS, HIDDEN, 4), (Leaky(), Leaky()), steps=STEPS)):
        network = read(module)
        for layer, linear in zip(network.layers, (module.fc1, module.fc2), strict=True):
            np.testing.assert_array_equal(layer.weight, linear.weight.detach().double().numpy())
            np.testing.assert_array_equal(layer.bias, linear.bias.detach().double().numpy())


def test_the_size_comes_from_the_shape_the_example_or_the_first_linear() -> None:
    sizes = (INPUTS, HIDDEN, 4)
    assert read(Loop()).sizes == sizes
    assert read(Loop(), input_shape=(INPUTS,)).sizes == sizes
    assert read(Loop(), example=torch.zeros(7, INPUTS)).sizes == sizes
    assert read(TimeMajor(), example=torch.zeros(STEPS, 7, INPUTS)).sizes == sizes
    with pytest.raises(NetworkError, match=r"inputs of shape .3, 5.: in fc1 .Linear. at snntorch_styles.py:\d+ .*give"):
        read(Loop(), input_shape=(5,))
    with pytest.raises(NetworkError, match="example is a str"):
        read(Loop(), example="digits")


def test_other_steps_than_forward_runs_are_refused() -> None:
    with pytest.raises(NetworkError, match="forward runs 12 steps, and the network is to run 25: give steps=12"):
        read(Loop(), steps=25)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Loop().state_dict(), "a state_dict holds weights.*load_state_dict"),
        (nn.DataParallel(Loop()).state_dict(), "a state_dict .*drop the prefix 'module.'"),
        (Path("weights.pt"), "a path holds weights.*load_state_dict"),
        ("weights.pt", "a path holds weights"),
        (3, "module is a int; give the torch module itself"),
    ],
)
def test_what_is_no_module_is_refused(given: object, reason: str) -> None:
    with pytest.raises(NetworkError, match=reason):
        read(given)


def broken(loop: type[Loop], change: Callable[[Network], Network], patch: pytest.MonkeyPatch) -> str:
    """What the check says of a network that is not the module's."""
    honest = frontend._layer

    def lying(*arguments: object) -> object:
        return change(honest(*arguments))

    patch.setattr(frontend, "_layer", lying)
    with pytest.raises(NetworkError) as caught:
        read(loop())
    return str(caught.value)


def test_the_check_sees_a_wrong_weight_and_a_wrong_neuron(monkeypatch: pytest.MonkeyPatch) -> None:
    def heavier(layer: object) -> object:
        weight = np.array(layer.weight)
        weight[2, 1] *= 1 + 1e-6
        return type(layer)(weight=weight, bias=layer.bias, neuron=layer.neuron)

    def slower(layer: object) -> object:
        return type(layer)(weight=layer.weight, bias=layer.bias, neuron=Leaky(beta=0.90001))

    with monkeypatch.context() as patch:
        text = broken(Loop, heavier, patch)
        assert text.startswith("layer 1 (lif1, at snntorch_styles.py:")
        assert "in step 1 the current of 1 of 9 neurons is not what the weights" in text
    with monkeypatch.context() as patch:
        text = broken(Loop, slower, patch)
        assert text.startswith("layer 1 (lif1, at snntorch_styles.py:")
        assert "differ from the module's own on generated inputs" in text
