"""Every function of the package that reads files, with small good files to change; the one list of them."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mutators import GENERAL, TEXT, Mutator, in_zip, zip_directory

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / room) for room in ("ir", "layout", "simulate", "datasets")]

import ir_samples  # noqa: E402
import mask_bombs  # noqa: E402
from idx_files import idx_bytes  # noqa: E402
from layout_crossbars import make_crossbar  # noqa: E402

from snn2circuit.analysis.paper import Run, read_runs  # noqa: E402
from snn2circuit.datasets.array_files import find_array  # noqa: E402
from snn2circuit.datasets.idx import read_images, read_labels  # noqa: E402
from snn2circuit.design import Design, read_design  # noqa: E402
from snn2circuit.frontends.nir_read import read_nir  # noqa: E402
from snn2circuit.frontends.nir_write import write_nir  # noqa: E402
from snn2circuit.frontends.snntrainer3d import read_snntrainer3d, write_snntrainer3d  # noqa: E402
from snn2circuit.ir.files import NOUNS, load, save  # noqa: E402
from snn2circuit.ir.network import Layer, Network  # noqa: E402
from snn2circuit.layout.build import build_layout  # noqa: E402
from snn2circuit.layout.masks.files import write_masks  # noqa: E402
from snn2circuit.layout.process_file import process_toml, read_process  # noqa: E402
from snn2circuit.layout.processes import PROCESSES  # noqa: E402
from snn2circuit.layout.signoff.bitmaps import read_bitmaps  # noqa: E402
from snn2circuit.layout.signoff.stack import read_masks  # noqa: E402
from snn2circuit.neurons import NEURONS  # noqa: E402
from snn2circuit.simulate.deck import read_deck  # noqa: E402
from snn2circuit.simulate.raw import read_raw  # noqa: E402
from snn2circuit.stages import Stages  # noqa: E402
from snn2circuit.training.checkpoint import load_checkpoint, load_state_dict, save_checkpoint  # noqa: E402
from snn2circuit.training.history import EpochRecord, read_history  # noqa: E402

NODES = ("mem_l1_n0", "mem_l1_n1", "spike_l1_n0")
ZIP: tuple[Mutator, ...] = (in_zip(TEXT), in_zip(GENERAL), in_zip(TEXT), zip_directory, *GENERAL)


@dataclass(frozen=True)
class Reader:
    """A function that reads a file, and what it is tried on."""

    covers: str  # module of the package whose opening of files it tries
    name: str  # of the file
    read: Callable[[Path], Any]
    seeds: Callable[[Path], list[bytes]]  # good files; a scratch folder is given
    mutators: tuple[Mutator, ...]
    slow: bool = False  # starts a process for every file


def _saved(folder: Path, write: Callable[[Path], Any]) -> bytes:
    write(folder / "made")
    return (folder / "made").read_bytes()


def _masks(folder: Path, kind: str, name: str) -> bytes:
    write_masks(build_layout(make_crossbar(2, 1, 1), PROCESSES["inkjet"]), folder / kind, [kind])
    return (folder / kind / name).read_bytes()


def _network() -> Network:
    layers = tuple(
        Layer(weight=np.arange(outputs * inputs).reshape(outputs, inputs) / 4, bias=None, neuron=NEURONS["leaky"]())
        for inputs, outputs in ((3, 2), (2, 2))
    )
    return Network(name="small", steps=4, layers=layers)


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _npz(array: np.ndarray, *, compressed: bool) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, x=array)
    return stream.getvalue()


def _raws(_: Path) -> list[bytes]:
    import test_raw

    return list(test_raw.FORMS.values())


def _lines(record: Any) -> list[bytes]:
    return [(json.dumps(record) + "\n").encode() * 3]


def _stages(path: Path) -> None:
    quiet = {"on_progress": lambda *_: None, "on_note": lambda *_: None}
    stages = Stages(path.parent, fresh=False, parts=ir_samples.PARTS, **quiet)
    stages.reuse("train", "key", "network.npz", Network)


RECORD = EpochRecord(
    epoch=1, epochs=3, loss=1.0, train_accuracy=0.5, validation_loss=1.0, validation_accuracy=0.5, test_accuracy=0.5,
    learning_rate=0.1, best=True,
)  # fmt: skip
RUN = Run(
    neuron="leaky", hidden=4, seed=0, dataset="digits", recipe="r", accuracy=0.5, accuracy_membrane=0.5,
    accuracy_one_vs_rest=0.5, f1=0.5, flops=9, seconds=1.0, versions={"torch": "2"},
)  # fmt: skip
STATE = {"fc.weight": torch.arange(6.0).reshape(2, 3), "lif.beta": torch.tensor(0.5)}
WHO = {"seed": "1"}

READERS: dict[str, Reader] = {
    **{
        f"noun {name}": Reader(
            "ir/files.py", "value.npz", lambda path, name=name: load(path, NOUNS[name], ir_samples.PARTS),
            lambda folder, make=make: [_saved(folder, lambda path: save(make(), path))], ZIP,
        )
        for name, make in ir_samples.SAMPLES.items()
    },
    "array npy": Reader(
        "ir/npy.py", "x.npy", lambda path: find_array(path.parent, "x"),
        lambda _: [_npy(np.arange(12.0).reshape(3, 4)), _npy(np.arange(5, dtype=np.uint8))], (*GENERAL, *TEXT),
    ),
    "array npz": Reader(
        "datasets/array_files.py", "data.npz", lambda path: find_array(path.parent, "x"),
        lambda _: [_npz(np.arange(30.0), compressed=how) for how in (True, False)], ZIP,
    ),
    **{
        f"idx images{suffix}": Reader(
            "datasets/idx.py", f"images{suffix}", lambda path: read_images(path, (3, 3)),
            lambda _, pack=pack: [pack(idx_bytes(np.arange(36, dtype=np.uint8).reshape(4, 3, 3)))], GENERAL,
        )
        for suffix, pack in {"": bytes, ".gz": gzip.compress}.items()
    },
    "idx labels": Reader(
        "datasets/idx.py", "labels", lambda path: read_labels(path, 10),
        lambda _: [idx_bytes(np.arange(8, dtype=np.uint8))], GENERAL,
    ),
    "design": Reader("design/file.py", "d.toml", read_design, lambda _: [Design().as_toml().encode()], TEXT),
    "process": Reader(
        "layout/process_file.py", "p.toml", read_process,
        lambda _: [process_toml(PROCESSES[name]).encode() for name in ("inkjet", "aerosol_jet_resistor")], TEXT,
    ),
    "SNNtrainer3D": Reader(
        "frontends/snntrainer3d.py", "w.json", lambda path: read_snntrainer3d(path, neurons=NEURONS),
        lambda folder: [_saved(folder, lambda path: write_snntrainer3d(_network(), path))], TEXT,
    ),
    "NIR": Reader(
        "frontends/hdf5.py", "graph.nir", lambda path: read_nir(path, neurons=NEURONS, dt=1e-3),
        lambda folder: [_saved(folder, lambda path: write_nir(_network(), path, dt=1e-3, approximate=True))],
        GENERAL, slow=True,
    ),
    "raw": Reader("simulate/raw.py", "r.raw", lambda path: read_raw(path, NODES), _raws, (*GENERAL, *TEXT)),
    "deck": Reader(
        "simulate/deck.py", "deck.cir", read_deck,
        lambda _: [(TESTS.parent / "netlists/golden/xor_2_4_2/network.lib").read_bytes()[:8000]], TEXT,
    ),
    "masks": Reader(
        "layout/signoff/bounds.py", "stack.gds", lambda path: read_masks(path, PROCESSES["inkjet"]),
        lambda _: [
            mask_bombs.gds_file((b"A", mask_bombs.gds_box()), (b"B", mask_bombs.gds_array(b"A", 3, 3, 200, 200))),
            mask_bombs.oas_file(mask_bombs.oas_cell() + mask_bombs.oas_box(3, 1, 9, 9, mask_bombs.oas_row(40))),
        ], GENERAL, slow=True,
    ),
    **{
        f"masks {kind}": Reader(
            f"layout/signoff/readers/{module}.py", name, lambda path: read_masks(path, PROCESSES["inkjet"]),
            lambda folder, kind=kind, name=name: [_masks(folder, kind, name)], TEXT, slow=kind == "dxf",
        )
        for kind, module, name in (
            ("dxf", "dxf", "stack.dxf"),
            ("svg", "svg", "sheet1.svg"),
            ("gerber", "gerber", "sheet1_contacts.gbr"),
            ("rs274x", "gerber", "sheet1_word_lines.ger"),
        )
    },
    "sidecar of bitmaps": Reader(
        "layout/signoff/json_table.py", "png.json",
        lambda path: read_bitmaps(path.with_name("sheet1_word_lines.png"), PROCESSES["inkjet"]),
        lambda folder: [_masks(folder, "png", "png.json")], TEXT,
    ),
    "history": Reader("training/history.py", "h.jsonl", read_history, lambda _: _lines(asdict(RECORD)), TEXT),
    "runs": Reader("analysis/paper.py", "paper_runs.jsonl", read_runs, lambda _: _lines(asdict(RUN)), TEXT),
    "stages": Reader(
        "stages.py", "stages.json", _stages,
        lambda _: [json.dumps({"train": {"key": "key", "result": "0", "seconds": 1.5}}).encode()], TEXT,
    ),
    "state_dict": Reader(
        "training/checkpoint.py", "s.pt", load_state_dict,
        lambda folder: [_saved(folder, lambda path: torch.save(STATE, path))], ZIP,
    ),
    "checkpoint": Reader(
        "training/checkpoint.py", "c.pt", lambda path: load_checkpoint(path, WHO),
        lambda folder: [_saved(folder, lambda path: save_checkpoint(path, WHO, {"epoch": 1, **STATE}))], ZIP,
    ),
}  # fmt: skip
