"""Training of snnTorch networks. The recipe, the history and the metrics load no torch; :func:`train` does."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from snn2circuit.training.history import EpochRecord, read_history
from snn2circuit.training.metrics import (
    accuracy,
    confusion_matrix,
    mean_present,
    one_vs_rest_accuracy,
    precision_recall_f1,
    roc_auc,
    roc_curve,
    wilson_interval,
)
from snn2circuit.training.plots import plot_training
from snn2circuit.training.progress import Progress
from snn2circuit.training.recipe import Recipe

if TYPE_CHECKING:
    from snn2circuit.training.backprop import Trained, train
    from snn2circuit.training.checkpoint import load_state_dict, save_state_dict
    from snn2circuit.training.device_aware import OnDevice, measure_on_device
    from snn2circuit.training.evaluation import predict_many
    from snn2circuit.training.models import SpikingNet
    from snn2circuit.training.network import read_network

__all__ = [
    "EpochRecord",
    "OnDevice",
    "Progress",
    "Recipe",
    "SpikingNet",
    "Trained",
    "accuracy",
    "confusion_matrix",
    "load_state_dict",
    "mean_present",
    "measure_on_device",
    "one_vs_rest_accuracy",
    "plot_training",
    "precision_recall_f1",
    "predict_many",
    "read_history",
    "read_network",
    "roc_auc",
    "roc_curve",
    "save_state_dict",
    "train",
    "wilson_interval",
]

_WITH_TORCH = {
    "OnDevice": "device_aware",
    "measure_on_device": "device_aware",
    "predict_many": "evaluation",
    "SpikingNet": "models",
    "Trained": "backprop",
    "load_state_dict": "checkpoint",
    "read_network": "network",
    "save_state_dict": "checkpoint",
    "train": "backprop",
}


def __getattr__(name: str) -> Any:
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WITH_TORCH[name]}"), name)
