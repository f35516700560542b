"""Downloading through torchvision: beside a torch it does not fit, from a local server, and when it fails."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from idx_files import idx_bytes, write_dataset

from snn2circuit.datasets import download_dataset, load_dataset
from snn2circuit.errors import DataError

# In a process of its own: a failed import of torchvision leaves traces that the next one would meet.
FETCH = """
import json, sys
from pathlib import Path
from snn2circuit.datasets import download_dataset
from snn2circuit.datasets.download import import_torchvision
from snn2circuit.errors import DataError
import_torchvision()
import torchvision.datasets
plan = json.loads(sys.argv[2])
if plan:
    torchvision.datasets.MNIST.mirrors = [plan["mirror"]]
    torchvision.datasets.MNIST.resources = [tuple(each) for each in plan["resources"]]
try:
    print("fetched", download_dataset("mnist", Path(sys.argv[1])))
except DataError as error:
    print("DataError", error)
"""


def fetch(folder: Path, plan: dict[str, object] | None = None, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", FETCH, folder, json.dumps(plan)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def resources(folder: Path) -> list[tuple[str, str]]:
    return [(p.name, hashlib.md5(p.read_bytes(), usedforsecurity=False).hexdigest()) for p in sorted(folder.iterdir())]


def test_torchvision_becomes_importable_and_nothing_is_declared_twice() -> None:
    code = """
import sys
from snn2circuit.datasets.download import declare_missing_operators, import_torchvision
try:
    import torchvision
    fits = True
except RuntimeError as error:
    assert "operator torchvision::nms does not exist" in str(error), error
    fits = False
torchvision = import_torchvision()
import torch
from torchvision.datasets import MNIST, FashionMNIST
assert import_torchvision() is torchvision
if fits:
    # Declaring where everything exists must not take the real operator away.
    declare_missing_operators()
    assert torch.ops.torchvision.nms(torch.tensor([[0.0, 0, 1, 1]]), torch.ones(1), 0.5).tolist() == [0]
print("fits" if fits else "made to fit", hasattr(torch.ops.torchvision, "nms"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] in ("fits True", "made to fit True")


def test_operators_that_exist_are_left_alone() -> None:
    code = """
import torch
library = torch.library.Library("torchvision", "DEF")
library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
library.impl("nms", lambda dets, scores, iou_threshold: torch.arange(7), "CPU")
from snn2circuit.datasets.download import declare_missing_operators
declare_missing_operators()
assert len(torch.ops.torchvision.nms(torch.ones(1, 4), torch.ones(1), 0.5)) == 7
assert hasattr(torch.ops.torchvision, "qnms")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_fetches_and_keeps_what_was_there(tmp_path: Path, mirror: tuple[Path, str]) -> None:
    folder, url = mirror
    arrays = write_dataset(folder, suffix=".gz")
    target = tmp_path / "data"
    target.mkdir()
    (target / "mine.txt").write_text("kept")
    answer = fetch(target, {"mirror": url, "resources": resources(folder)})
    raw = target / "MNIST" / "raw"
    assert answer == f"fetched {raw}"
    assert sorted(path.name for path in raw.iterdir()) == sorted(arrays)
    mnist = load_dataset("mnist", target)
    np.testing.assert_array_equal(mnist.train.inputs * 255, arrays["train-images-idx3-ubyte"].reshape(20, 784))
    assert (target / "mine.txt").read_text() == "kept"


FAULTS = {
    "checksum": (lambda path: path.write_bytes(path.read_bytes()[:-9]), False, "could not be downloaded"),
    "not found": (lambda path: path.unlink(), False, "could not be downloaded"),
    "other images": (
        lambda path: path.write_bytes(gzip.compress(idx_bytes(np.zeros((10, 8, 8))))),
        True,
        "images are 8 x 8 pixels",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_download_leaves_nothing_behind(tmp_path: Path, mirror: tuple[Path, str], fault: str) -> None:
    damage, checksum_fits, reason = FAULTS[fault]
    folder, url = mirror
    write_dataset(folder, suffix=".gz")
    listed = resources(folder)
    damage(folder / "t10k-images-idx3-ubyte.gz")
    if checksum_fits:
        listed = resources(folder)
    answer = fetch(tmp_path / "new" / "data", {"mirror": url, "resources": listed})
    assert answer.startswith("DataError")
    assert reason in answer
    assert not (tmp_path / "new").exists()


def test_without_a_network(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"  # the discard port; nothing listens there
    answer = fetch(tmp_path / "data", http_proxy=nowhere, https_proxy=nowhere, no_proxy="")
    assert answer.startswith("DataError dataset mnist could not be downloaded")
    assert "Is there a connection to the internet?" in answer
    assert not (tmp_path / "data").exists()


def test_data_without_files_and_torchvision_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="dataset digits needs no download"):
        download_dataset("digits", tmp_path)
    code = """
import sys
sys.modules["torchvision"] = None
from snn2circuit.datasets import download_dataset
from snn2circuit.errors import DataError
try:
    download_dataset("mnist")
except DataError as error:
    assert "pip install 'snn2circuit[download]'" in str(error), error
else:
    sys.exit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
