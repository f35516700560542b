"""Every error the package raises on purpose.

A message says what is wrong, where (file, key, layer, neuron, net), which limit was hit, and the way out. Each class
also derives from the built-in error that a caller would expect, so ``except ValueError`` keeps working. Anything else
that escapes the package is a defect.
"""

from __future__ import annotations


class Snn2CircuitError(Exception):
    """Base of all errors of this package."""


class NetworkWarning(UserWarning):
    """A network that can be had, but is hardly what anybody meant; given by ``warnings.warn`` to Python users."""


class DesignError(Snn2CircuitError, ValueError):
    """A design file does not say something we can build: the line, the key and the allowed values are in the text."""


class DataError(Snn2CircuitError, ValueError):
    """A dataset is missing, truncated or not what its header says."""


class NetworkError(Snn2CircuitError, ValueError):
    """A network is not a valid feed-forward spiking network (shapes, finite values, neuron parameters)."""


class TrainingError(Snn2CircuitError, RuntimeError):
    """Training cannot go on, for example because the loss is no longer finite."""


class CheckpointRefused(TrainingError):
    """A checkpoint belongs to another training than the one that is to go on from it; the text names what differs."""


class MappingError(Snn2CircuitError, ValueError):
    """The device cannot represent the network's weights."""


class NetlistError(Snn2CircuitError, ValueError):
    """A circuit cannot be built, named or written as a deck."""


class SimulationError(Snn2CircuitError, RuntimeError):
    """A simulation did not give a result; the message names the deck and, where known, the element."""


class SimulatorMissing(SimulationError):
    """libngspice or PySpice is not installed."""


class DeckRejected(SimulationError):
    """The simulator did not accept the deck; no analysis was run."""


class DeckEmpty(DeckRejected):
    """The deck holds no circuit."""


class IncludeMissing(DeckRejected):
    """A file that the deck includes is not there."""


class ModelUnknown(DeckRejected):
    """An element names a model or a subcircuit that the deck does not define."""


class NodeMissing(DeckRejected):
    """A node to record is not in the circuit."""


class SimulationDiverged(SimulationError):
    """The analysis started and broke off: singular matrix, time step too small, NaN, or a run that stopped short."""


class NodeFloating(SimulationDiverged):
    """A node has no path for a direct current."""


class MatrixSingular(SimulationDiverged):
    """The circuit's equations contradict each other, as two voltage sources in parallel do."""


class NotConverging(SimulationDiverged):
    """The simulator found no solution, however short its step."""


class ValueNotFinite(SimulationDiverged):
    """A recorded voltage is not a number, or infinite."""


class RunTooShort(SimulationDiverged):
    """The analysis ended before the time it should have reached."""


class SimulationTimeout(SimulationError):
    """The simulation used up its time limit and was stopped."""


class CircuitNotLinear(SimulationError):
    """The exact solver cannot take this circuit: an element acts in a way that is not linear between known instants."""


class RangeLeft(SimulationDiverged):
    """An amplifier left the range in which it is linear, so that the exact solver cannot go on; ngspice can."""


class CompareError(Snn2CircuitError, ValueError):
    """Waveforms and network do not belong together."""


class LayoutError(Snn2CircuitError, ValueError):
    """A layout cannot be built, or does not connect what the crossbar connects."""


class AnotherCircuit(LayoutError):
    """Masks make another circuit than the crossbar's, so that nothing measured on them stands for it."""


class NotJudged(LayoutError):
    """Masks could be read, and yet no verdict on their circuit was reached; the text says why."""


class FileFormatError(Snn2CircuitError, ValueError):
    """A file is not one of ours, is damaged, or is larger than it may be."""


class FileTruncated(FileFormatError):
    """A file ends before what its header announces."""


class OutputError(Snn2CircuitError, OSError):
    """A result could not be written; whatever stood at that place before still stands there."""


class FolderInUse(OutputError):
    """Another run is at work in a folder; the text says who and since when."""


class FileKept(UserWarning):
    """A file that we did not write, or that was edited since, stood where a result goes; the text says its new name."""
