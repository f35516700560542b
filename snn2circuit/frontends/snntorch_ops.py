"""Torch's functions by what they are to a network: free, affine, or something no crossbar computes.

Names are those of torch without the marks of an operator: ``__radd__`` is ``add``, ``__getitem__`` is ``getitem``. A
function that is not listed is taken for one that a crossbar cannot compute.
"""

# ruff: noqa: SIM905 - words in a row are easier to read than a list of strings

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAME = frozenset(
    "clone detach detach_ contiguous data dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout "
    "feature_dropout requires_grad_ positive pin_memory resolve_neg resolve_conj alias".split()
)
RESHAPES = frozenset("view reshape flatten unflatten squeeze unsqueeze view_as reshape_as ravel atleast_2d".split())
CASTS = frozenset("to type type_as float double half bfloat16 cpu cuda".split())
_MOVES = frozenset(
    "permute transpose t T mT swapaxes swapdims movedim moveaxis flip roll rot90 getitem select narrow index_select "
    "chunk split tensor_split unbind stack cat concat concatenate hstack vstack dstack expand expand_as repeat tile "
    "broadcast_to repeat_interleave pad unfold fold constant_pad_nd as_strided diagonal tril triu pixel_shuffle "
    "pixel_unshuffle channel_shuffle masked_fill masked_fill_ index_fill index_fill_ zero_ setitem copy_ gather take "
    "take_along_dim upsample_nearest".split()
)
_SUMS = frozenset("add add_ sub sub_ subtract rsub neg neg_ negative sum mean cumsum diff lerp".split())
# Affine in one signal; a product of two signals is not.
_PRODUCTS = frozenset(
    "mul mul_ multiply linear matmul rmatmul mm bmm mv dot addmm addmv addbmm baddbmm inner outer tensordot einsum "
    "kron conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d".split()
)
_QUOTIENTS = frozenset("div div_ divide true_divide".split())
_POOLS = frozenset(
    "avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d lp_pool1d lp_pool2d "
    "batch_norm interpolate upsample where".split()
)
AFFINE = SAME | RESHAPES | CASTS | _MOVES | _SUMS | _PRODUCTS | _QUOTIENTS | _POOLS
WEIGHTED = _PRODUCTS | {"batch_norm"}
JOINS = frozenset("add add_ sub sub_ cat concat concatenate stack setitem where lerp".split())
# What picks or changes single outputs behind the last neuron; sums, means and decisions do not.
PICKS = frozenset(
    "masked_fill masked_fill_ where index_fill index_fill_ index_select narrow gather take roll flip clamp clamp_ relu "
    "relu_ threshold zero_ fill_ masked_scatter index_put index_put_".split()
)
CONSTANTS = frozenset(
    "zeros_like ones_like empty_like full_like new_zeros new_ones new_empty new_full new_tensor size dim shape numel "
    "requires_grad is_leaf grad grad_fn".split()
)
RANDOM = frozenset(
    "rand randn randint rand_like randn_like randint_like randperm bernoulli bernoulli_ normal normal_ uniform_ "
    "multinomial poisson exponential_ cauchy_ geometric_ log_normal_ random_ rrelu gumbel_softmax".split()
)
# What tells Python of values, or of a shape that depends on values.
READERS = frozenset(
    "item tolist numpy __bool__ __float__ __int__ __index__ __complex__ __array__ __contains__ __dlpack__ is_nonzero "
    "equal allclose nonzero argwhere unique unique_consecutive masked_select bincount data_ptr storage "
    "untyped_storage".split()
)
_AUGMENTED = frozenset("iadd isub imul itruediv idiv ipow ifloordiv imod imatmul iand ior ixor".split())
_SPELLINGS: Mapping[str, str] = {
    "radd": "add", "rmul": "mul", "truediv": "div", "rtruediv": "rdiv",
}  # fmt: skip
_HINTS: Mapping[str, str] = {
    "max_pool": "the maximum is not linear, and max pooling cannot be imported yet; train with nn.AvgPool2d",
    "relu": "the neuron is the only nonlinearity of a spiking network; train without it",
    "layer_norm": "it divides by numbers of the sample; BatchNorm in evaluation divides by constants and folds",
    "group_norm": "it divides by numbers of the sample; BatchNorm in evaluation divides by constants and folds",
    "instance_norm": "it divides by numbers of the sample; BatchNorm in evaluation divides by constants and folds",
    "batch_norm": "it takes mean and variance from the batch; keep running statistics (track_running_stats=True)",
    "lp_pool": "only norm 1, the sum, is linear",
    "dropout": "it is active in evaluation too; pass training=self.training",
    "mul": "a product of two signals is not linear; multiply by constants only",
}
_WAY_OUT = "it is not an affine map, which is all that a crossbar computes; train without it"


def canonical(function: Any) -> str:
    """Name of a torch function without the marks of an operator."""
    name = str(getattr(function, "__name__", function))
    owner = getattr(function, "__self__", None)
    if name == "__get__":
        return str(getattr(owner, "__name__", "attribute"))
    if name in READERS:
        return name
    if name.startswith("__") and name.endswith("__"):
        name = name.strip("_")
        if name in _AUGMENTED:
            name = f"{name[1:].replace('true', '')}_"
    return _SPELLINGS.get(name, name)


def changes_in_place(name: str) -> bool:
    """Whether a function of this name writes into its first argument."""
    return name in ("setitem", "set") or (name.endswith("_") and name not in ("requires_grad_", "detach_"))


def nonlinear(node: Any) -> str | None:
    """Why the function of ``node`` is not affine in its signals; ``None`` if it is."""
    if node.name not in AFFINE or node.function is None:
        return _hint(node.name)
    arguments = list(node.args)
    signals = [each for each in node.parents() if each.kind != "random"]
    if node.name in _PRODUCTS and len(signals) > 1:
        # addmm(bias, x, weight) and its like may add a signal to another one's product.
        return _HINTS["mul"] if node.name in ("mul", "mul_", "multiply", "matmul", "mm", "bmm") else _hint("product")
    first, rest = arguments[:1], [*arguments[1:], *node.kwargs.values()]
    moving = [each for each in rest if each in signals] if node.name not in ("where", "masked_fill") else []
    if node.name in _QUOTIENTS and (moving or node.kwargs.get("rounding_mode")):
        return "dividing by a signal, or with rounding, is not linear; divide by constants only"
    if node.name in ("where", "masked_fill", "masked_fill_", "gather", "take", "index_select"):
        chooser = first if node.name == "where" else arguments[1:2]
        if any(each in signals for each in chooser):
            return "what it chooses depends on the signal; choose by constants only"
    if node.name in ("getitem", "setitem") and any(
        each in signals for each in _flat(arguments[1] if len(arguments) > 1 else None)
    ):
        return "what it takes depends on the signal; index by constants only"
    if node.name == "lerp" and len(signals) > 1:
        return _HINTS["mul"]
    if node.name == "batch_norm" and _argument(node, 5, "training", False):
        return _HINTS["batch_norm"]
    if node.name.startswith("lp_pool") and _argument(node, 1, "norm_type", None) != 1:
        return _HINTS["lp_pool"]
    return None


def _argument(node: Any, place: int, name: str, default: object) -> Any:
    """An argument given by place or by name."""
    return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)


def _flat(value: object) -> list[object]:
    return list(value) if isinstance(value, tuple | list) else [value]


def _hint(name: str) -> str:
    return next((hint for key, hint in _HINTS.items() if key in name and key != "mul"), _WAY_OUT)
