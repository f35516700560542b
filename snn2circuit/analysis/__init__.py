"""Judging results: model against circuit, what it means, and how it is shown."""

from snn2circuit.analysis.compare import (
    Equivalence,
    MappingEffect,
    accuracies,
    compare_circuit,
    compare_lines,
    compare_mapping,
)

__all__ = ["Equivalence", "MappingEffect", "accuracies", "compare_circuit", "compare_lines", "compare_mapping"]
