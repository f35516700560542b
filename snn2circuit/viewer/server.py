"""A server for one folder of results, for this machine and this user's browser only.

The routes are a literal table, so there is no path to traverse. A page of some other site cannot read the results
either: a request must name this server as its host (which stops DNS rebinding), and the content security policy lets
the page load from its own origin only. A file is sent if it is a regular one in the folder itself: what lies behind a
link, a pipe or a device is not there. Nothing here changes anything on disk. Clients that are slow or hang up cost a
thread for half a minute, and the terminal no word.
"""

from __future__ import annotations

import errno
import html
import os
import socket
import stat
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from snn2circuit.errors import OutputError
from snn2circuit.viewer.page import asset, viewer_page

HOST = "127.0.0.1"
CLIENTS = 64  # served at a time; a browser opens six connections
SECONDS = 30.0  # for a client to say something more, and for a whole request
PIECE = 2**20  # bytes of a file in memory
SUMMARY = 2**24  # bytes of summary.json that are looked at for the verdict
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Route:
    """One address: its media type, and the text itself or a file of the folder with the command that makes it."""

    media: str
    text: Callable[[], str] | None = None
    about: Callable[[bytes | None], str] | None = None  # the text, from what summary.json holds if it is there
    file: str = ""
    command: str = ""
    absent: str | None = None  # what a folder without the file gets; None: a page that names the command
    policy: str = PAGE_POLICY


ROUTES: Mapping[str, Route] = {
    "/": Route("text/html; charset=utf-8", about=viewer_page),
    "/viewer.js": Route("text/javascript; charset=utf-8", text=lambda: asset("viewer.js")),
    "/viewer.css": Route("text/css; charset=utf-8", text=lambda: asset("viewer.css")),
    "/stack.glb": Route("model/gltf-binary", file="stack.glb", command="snn2circuit layout"),
    "/activity.json": Route("application/json", file="activity.json", absent="null"),
    "/summary.json": Route("application/json", file="summary.json", command="snn2circuit run"),
    "/report.html": Route(
        "text/html; charset=utf-8", file="report.html", command="snn2circuit run", policy=REPORT_POLICY
    ),
}


class Server(ThreadingHTTPServer):
    """An HTTP server that knows its folder; made by :func:`make_server`."""

    daemon_threads = True
    allow_reuse_address = False
    request_queue_size = 2 * CLIENTS
    folder: Path

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._free = threading.BoundedSemaphore(CLIENTS)

    @property
    def url(self) -> str:
        """Where the viewer is."""
        return f"http://{HOST}:{self.server_port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a client in a thread of its own; one more than :data:`CLIENTS` is sent away."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one client, and let the next one in afterwards."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: the terminal belongs to the command that started the server, and clients may hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "snn2circuit"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.1"  # otherwise a request that cannot be parsed gets an answer without headers
    timeout = SECONDS

    def handle_one_request(self) -> None:
        """One request; a client that sends it byte by byte is cut off when its time is up."""
        late = threading.Timer(SECONDS, self._cut_off)
        late.daemon = True
        late.start()
        try:
            super().handle_one_request()
        except OSError:  # the client hung up, or is too slow
            self.close_connection = True
        finally:
            late.cancel()

    def _cut_off(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)

    def finish(self) -> None:
        """Let the connection go; what a client that hung up did not take is lost."""
        with suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        self._respond()

    def do_HEAD(self) -> None:
        self._respond()

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks up do_<METHOD>; every other method gets the same answer.
        if name.startswith("do_"):
            return self._refuse_method
        raise AttributeError(name)

    def _refuse_method(self) -> None:
        self.close_connection = True
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, b"only GET and HEAD\n", extra={"Allow": "GET, HEAD"})

    def _respond(self) -> None:
        port = self.server.server_port
        if self.headers.get_all("Host", []) not in ([f"{HOST}:{port}"], [f"localhost:{port}"]):
            self.close_connection = True
            self._send(HTTPStatus.MISDIRECTED_REQUEST, b"this server answers to its own address only\n")
            return
        route = ROUTES.get(urlsplit(self.path).path) if self.path.startswith("/") else None
        if route is None:
            self._not_found("There is nothing at this address.", "snn2circuit view")
        elif route.text is not None:
            self._send(HTTPStatus.OK, route.text().encode(), route.media, route.policy)
        elif route.about is not None:
            with open_regular(self.server.folder, "summary.json") as file:
                summary = None if file is None else file.read(SUMMARY)
            self._send(HTTPStatus.OK, route.about(summary).encode(), route.media, route.policy)
        else:
            self._send_file(route)

    def _send_file(self, route: Route) -> None:
        with open_regular(self.server.folder, route.file) as file:
            if file is not None:
                self._send(HTTPStatus.OK, file, route.media, route.policy)
            elif route.absent is not None:
                self._send(HTTPStatus.OK, route.absent.encode(), route.media, route.policy)
            else:
                self._not_found(f"{route.file} is not in {self.server.folder}.", f"{route.command} --help")

    def _not_found(self, text: str, command: str) -> None:
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>not here</title>'
            f"<h1>Not here</h1><p>{html.escape(text)}</p>"
            f"<p>The command that makes it: <code>{html.escape(command)}</code></p></html>\n"
        )
        self._send(HTTPStatus.NOT_FOUND, page.encode(), "text/html; charset=utf-8")

    def _send(
        self,
        status: HTTPStatus,
        body: bytes | BinaryIO,
        media: str = "text/plain; charset=utf-8",
        policy: str = PAGE_POLICY,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        length = len(body) if isinstance(body, bytes) else os.fstat(body.fileno()).st_size
        self.send_response(status)
        headers = {
            "Content-Type": media,
            "Content-Length": str(length),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
            **(extra or {}),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(body, bytes):
            self.wfile.write(body)
            return
        # A file that grows or shrinks meanwhile: never more than was announced, and less ends the connection.
        sent = 0
        while sent < length and (piece := body.read(min(PIECE, length - sent))):
            self.wfile.write(piece)
            sent += len(piece)
        self.close_connection = self.close_connection or sent < length

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request the base class could not read, with the same headers as every other answer."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send(status, f"{message or status.phrase}\n".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent: the terminal belongs to the command that started the server."""


@contextmanager
def open_regular(folder: Path, name: str) -> Iterator[BinaryIO | None]:
    """The regular file ``name`` in ``folder`` itself, open; ``None`` for a link, a pipe, a device or nothing.

    Nothing is followed and nothing can block: it is opened from the folder's descriptor, looked at, then read.
    """
    with ExitStack() as stack:
        file: BinaryIO | None = None
        with suppress(OSError):
            place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, place)
            opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)
            if stat.S_ISREG(os.fstat(opened).st_mode):
                file = stack.enter_context(os.fdopen(opened, "rb"))
            else:
                os.close(opened)
        yield file


def make_server(folder: Path, *, port: int = 0) -> Server:
    """A server for ``folder``, bound to this machine only and not yet running; ``port`` 0 takes a free one.

    Raises:
        OutputError: the folder does not exist, or the port is taken or reserved.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise OutputError(
            f"{folder} is not a folder; give the output folder of 'snn2circuit run' or 'snn2circuit layout'"
        )
    try:
        server = Server((HOST, port), _Handler)
    except OverflowError:
        raise OutputError(f"port {port} does not exist; ports go from 0 (any free one) to 65535") from None
    except OSError as error:
        reason = {errno.EADDRINUSE: "another program uses it", errno.EACCES: "it is reserved for the system"}
        raise OutputError(
            f"cannot serve on port {port}: {reason.get(error.errno or 0, error.strerror or str(error))}; "
            "choose another port, or 0 for any free one"
        ) from error
    server.folder = folder
    return server


def serve(
    folder: Path,
    *,
    port: int = 0,
    open_browser: bool = True,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve the viewer of ``folder`` until Ctrl-C.

    Args:
        folder: an output folder; ``stack.glb`` is shown, ``activity.json``, ``summary.json`` and ``report.html``
            are served beside it.
        port: TCP port on 127.0.0.1; 0 takes a free one.
        open_browser: open the viewer in the user's browser.
        announce: called once with the viewer's address, when the server listens.

    Raises:
        OutputError: see :func:`make_server`.
    """
    with make_server(folder, port=port) as server:
        if announce is not None:
            announce(server.url)
        if open_browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            return
