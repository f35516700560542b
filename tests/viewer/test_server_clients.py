"""Clients and folders that mean no good: only regular files leave, nobody is locked out, the terminal stays quiet."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from snn2circuit.viewer import server as server_module
from snn2circuit.viewer.server import Server, make_server

SECRET = b"what stands outside"
FILES = sorted(route.file for route in server_module.ROUTES.values() if route.file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_bytes(SECRET)
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


@pytest.fixture
def running(folder: Path) -> Iterator[Server]:
    with make_server(folder) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def dial(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server_port), timeout=20)


def request(server: Server, target: bytes, method: bytes = b"GET", *, close: bool = True) -> bytes:
    host = b"127.0.0.1:%d" % server.server_port
    return b"%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (method, target, host, b"Connection: close\r\n" * close)


def answer(server: Server, target: bytes, method: bytes = b"GET") -> bytes:
    with dial(server) as connection:
        connection.sendall(request(server, target, method))
        parts = []
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                parts.append(part)
    return b"".join(parts)


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


def hang_up(connection: socket.socket) -> None:
    """With a reset instead of a farewell."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


PLANTED: dict[str, Callable[[Path], None]] = {
    "link to a file": lambda path: path.symlink_to(path.parent.parent / "outside"),
    "link with a relative path": lambda path: path.symlink_to("../outside"),
    "link to a link": lambda path: ((path.parent / "a").symlink_to("../outside"), path.symlink_to("a"))[0],
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to a process file": lambda path: path.symlink_to("/proc/self/environ"),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "pipe": lambda path: os.mkfifo(path),
    "link to a pipe": lambda path: (os.mkfifo(path.parent / "p"), path.symlink_to("p"))[0],
    "folder": lambda path: path.mkdir(),
    "link to a folder": lambda path: path.symlink_to("/"),
    "socket": lambda path: _socket(path),
    "nothing": lambda path: None,
}


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's path has at most 107 bytes
        try:
            one.bind(path.name)
        finally:
            os.chdir(here)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", PLANTED)
def test_only_regular_files_of_the_folder_leave_it(kind: str, name: str, running: Server, folder: Path) -> None:
    PLANTED[kind](folder / name)
    reply = answer(running, b"/" + name.encode())
    assert SECRET not in reply
    absent = next(route.absent for route in server_module.ROUTES.values() if route.file == name)
    assert status(reply) == (404 if absent is None else 200)
    assert absent is None or reply.endswith(b"\r\n\r\n" + absent.encode())


def test_a_file_that_is_swapped_for_a_link_again_and_again(running: Server, folder: Path) -> None:
    path = folder / "summary.json"
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            (folder / "new").write_bytes(b"mine")
            (folder / "new").replace(path)
            (folder / "link").symlink_to("../outside")
            (folder / "link").replace(path)

    swapping = threading.Thread(target=swap)
    swapping.start()
    replies = [answer(running, b"/summary.json") for _ in range(150)]
    over.set()
    swapping.join()
    assert {status(reply) for reply in replies} <= {200, 404}
    assert not any(SECRET in reply for reply in replies)


SPELLINGS = [
    b"/../outside", b"/..%2foutside", b"/%2e%2e/outside", b"/%2e%2e%2foutside", b"/%2E%2E%2Foutside",
    b"/.%2e/outside", b"/%252e%252e/outside", b"/%252e%252e%252foutside", b"/%25252e%25252e/outside", b"/..\\outside",
    b"/..%5coutside", b"/..%255coutside", b"/%c0%ae%c0%ae/outside", b"/..%c0%afoutside", b"/..%c1%9coutside",
    b"/%e0%80%ae%e0%80%ae/outside", b"/..%ef%bc%8foutside", b"/%u002e%u002e/outside", b"/....//outside",
    b"/..../outside", b"/..;/outside", b"/..%00/outside", b"/summary.json%00.html", b"/summary.json/../../outside",
    b"/stack.glb/..%2f..%2foutside", b"//outside", b"///outside", b"/%2foutside", b"/./../outside",
    b"/.//..//outside", b"/%09/../outside", b"/~/outside", b"/~root/outside", b"/file:///etc/passwd",
    b"file:///etc/passwd", b"/etc/passwd", b"//etc/passwd", b"/%2fetc%2fpasswd", b"/proc/self/environ",
    b"/C:/outside", b"/C:\\outside", b"\\..\\outside", b"../outside", b"outside", b"*", b".", b"..",
    b"http://127.0.0.1/../outside", b"/.", b"/..", b"/.git/config", b"/.hidden", b"/%2ehidden", b"/summary.json/",
    b"/summary.json.", b"/SUMMARY.JSON", b"/summary.json::$DATA", b"/results", b"/results/", b"/?../outside",
    b"/#/../outside", b"/summary.json;x=../../outside", b"/\xff\xfe/outside", b"/..\xc0\xafoutside",
    b"/" + b"a" * 60_000, b"/" + b"../" * 500 + b"outside",
]  # fmt: skip


@pytest.mark.parametrize("target", SPELLINGS)
def test_no_spelling_leads_out_of_the_folder(target: bytes, running: Server, folder: Path) -> None:
    (folder / ".hidden").write_bytes(SECRET)
    reply = answer(running, target)
    assert SECRET not in reply
    assert b"root:" not in reply
    # What stands behind ? or # is no part of the address: that is the page itself.
    assert status(reply) == 200 if target.startswith((b"/?", b"/#")) else status(reply) in (400, 404, 414)


def test_a_large_file_is_sent_in_pieces(running: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "PIECE", 1000)
    data = os.urandom(123_456)
    (folder / "stack.glb").write_bytes(data)
    assert answer(running, b"/stack.glb").partition(b"\r\n\r\n")[2] == data
    head = answer(running, b"/stack.glb", b"HEAD")
    assert b"Content-Length: 123456\r\n" in head
    assert head.endswith(b"\r\n\r\n")


BEGINNINGS = [
    b"", b"G", b"GET", b"GET /", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: 127.0", b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00", b"\x00" * 100, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200, b"A" * 70_000,
    b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000, b"GET / HTTP/3.0\r\n\r\n", b"GET /\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
]  # fmt: skip


@pytest.mark.parametrize("ending", [hang_up, socket.socket.close], ids=["reset", "close"])
def test_the_terminal_stays_quiet_whenever_a_client_hangs_up(
    ending: Callable[[socket.socket], None], running: Server, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "stack.glb").write_bytes(os.urandom(8_000_000))
    whole = request(running, b"/stack.glb", close=False)
    for start in [*BEGINNINGS, whole, whole * 3, whole[:-2]]:
        connection = dial(running)
        with suppress(OSError):
            connection.sendall(start)
        ending(connection)
    for taken in (1, 1000, 300_000):
        connection = dial(running)
        connection.sendall(whole)
        connection.recv(taken)
        ending(connection)
    many = [dial(running) for _ in range(100)]
    for connection in many:
        ending(connection)
    deadline = time.monotonic() + 20
    while status(answer(running, b"/viewer.css") or b"x 0 x") != 200:
        assert time.monotonic() < deadline
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_clients_that_say_nothing_do_not_lock_out_the_others(
    running: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server_module, "SECONDS", 0.3)
    monkeypatch.setattr(server_module._Handler, "timeout", 0.3)
    silent = [dial(running) for _ in range(server_module.CLIENTS + 40)]
    dripping = dial(running)
    with suppress(OSError):
        dripping.sendall(b"GET / HTTP/1.1\r\n")
    deadline = time.monotonic() + 20
    while status(answer(running, b"/viewer.css") or b"x 0 x") != 200:
        assert time.monotonic() < deadline
        with suppress(OSError):
            dripping.sendall(b"X: y\r\n")
        time.sleep(0.1)
    for connection in (*silent, dripping):
        connection.close()
    assert capfd.readouterr() == ("", "")


def test_a_client_that_drips_is_cut_off(running: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "SECONDS", 0.3)
    with dial(running) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        deadline = time.monotonic() + 20
        with suppress(OSError):
            while time.monotonic() < deadline:
                connection.sendall(b"X: y\r\n")
                time.sleep(0.05)
        assert time.monotonic() < deadline
