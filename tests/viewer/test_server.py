from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from snn2circuit.errors import OutputError
from snn2circuit.viewer import server as server_module
from snn2circuit.viewer.server import Server, make_server, serve

BESIDE = "text beside the folder"


def ask(
    server: Server, path: str, *, method: str = "GET", hosts: list[str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for host in [f"127.0.0.1:{server.server_port}"] if hosts is None else hosts:
        connection.putheader("Host", host)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/viewer.js", "text/javascript; charset=utf-8"),
        ("/viewer.css", "text/css; charset=utf-8"),
        ("/stack.glb", "model/gltf-binary"),
        ("/?from=cli", "text/html; charset=utf-8"),
    ],
)
def test_routes(server: Server, path: str, media: str) -> None:
    status, headers, body = ask(server, path)
    assert (status, headers["content-type"]) == (200, media)
    assert len(body) == int(headers["content-length"]) > 100


def test_the_stack_arrives_unchanged(server: Server, results: Path) -> None:
    assert ask(server, "/stack.glb")[2] == (results / "stack.glb").read_bytes()


def test_it_listens_on_this_machine_only(server: Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("hosts", "verdict"),
    [
        (["127.0.0.1:{port}"], 200),
        (["localhost:{port}"], 200),
        ([], 421),
        ([""], 421),
        (["127.0.0.1"], 421),
        (["localhost"], 421),
        (["127.0.0.1:1"], 421),
        (["localhost:80"], 421),
        (["LOCALHOST:{port}"], 421),
        (["127.0.0.1:{port} "], 421),
        (["127.0.0.1:{port}.evil.example"], 421),
        (["evil.example:{port}"], 421),
        (["evil.example"], 421),
        (["localhost.evil.example:{port}"], 421),
        (["127.0.0.1.nip.example:{port}"], 421),
        (["user@127.0.0.1:{port}"], 421),
        (["0.0.0.0:{port}"], 421),
        (["[::1]:{port}"], 421),
        (["2130706433:{port}"], 421),
        (["127.0.0.1:{port}", "evil.example"], 421),
        (["evil.example", "127.0.0.1:{port}"], 421),
        (["null"], 421),
    ],
)
def test_hosts(server: Server, hosts: list[str], verdict: int) -> None:
    named = [host.format(port=server.server_port) for host in hosts]
    for path in server_module.ROUTES:
        status, _, body = ask(server, path, hosts=named)
        assert status == verdict or (verdict == 200 and status == 404 and path in ("/summary.json", "/report.html"))
        if verdict == 421:
            assert len(body) < 100


TARGETS = ["secret.txt", "etc/passwd"]
ESCAPES = [
    "/../{}", "/..%2f{}", "/%2e%2e/{}", "/%2e%2e%2f{}", "/..%5c{}", "/..\\{}", "/....//{}", "/..;/{}", "/.%2e/{}",
    "/%252e%252e/{}", "/stack.glb/../{}", "/stack.glb%00/../{}", "//{}", "///{}", "/%2f{}", "/./../{}",
    "/viewer.js/../../{}", "/..%c0%af{}", "/..%u2215{}",
    "/~/{}", "/?/../{}#", "/%00{}",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("escape", ESCAPES)
def test_no_path_leads_out_of_the_folder(server: Server, results: Path, escape: str, target: str) -> None:
    (results.parent / "secret.txt").write_text(BESIDE)
    status, _, body = ask(server, escape.format(target))
    assert status == 404 or (status == 200 and escape.startswith("/?"))
    assert BESIDE.encode() not in body
    assert b"root:" not in body


@pytest.mark.parametrize(
    "path", ["stack.glb", "http://evil.example/stack.glb", "*", "/Stack.glb", "/stack.glb/", "/index.html"]
)
def test_only_the_exact_addresses_exist(server: Server, path: str) -> None:
    assert ask(server, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"])
@pytest.mark.parametrize("path", sorted(server_module.ROUTES))
def test_only_get_and_head(server: Server, path: str, method: str) -> None:
    status, headers, _ = ask(server, path, method=method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/viewer.js", "/stack.glb"])
def test_head_is_get_without_a_body(server: Server, path: str) -> None:
    got, head = ask(server, path), ask(server, path, method="HEAD")
    assert head[0] == 200
    assert head[2] == b""
    assert head[1]["content-length"] == got[1]["content-length"]


@pytest.mark.parametrize(
    ("path", "method"), [("/", "GET"), ("/stack.glb", "GET"), ("/nothing", "GET"), ("/", "POST"), ("/", "HEAD")]
)
def test_safety_headers_are_everywhere(server: Server, path: str, method: str) -> None:
    headers = ask(server, path, method=method)[1]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http:" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_malformed_request_gets_the_safety_headers_too(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/9.9\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 505")
    assert b"nosniff" in answer


def test_the_page_has_no_inline_script_or_style(server: Server) -> None:
    page = ask(server, "/")[2].decode()
    assert page.count("<script") == page.count('<script src="/viewer.js"></script>') == 1
    assert "<style" not in page
    assert " style=" not in page
    assert " on" not in page.replace(" only", "")


def test_the_report_is_caged(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<script>1</script>")
    with make_server(tmp_path) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status, headers, body = ask(server, "/report.html")
        server.shutdown()
    assert (status, body) == (200, b"<script>1</script>")
    assert "sandbox allow-scripts" in headers["content-security-policy"]
    assert "allow-same-origin" not in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "command"),
    [("/stack.glb", "snn2circuit layout"), ("/summary.json", "snn2circuit run"), ("/report.html", "snn2circuit run")],
)
def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path, path: str, command: str) -> None:
    folder = tmp_path / "<b>out"
    folder.mkdir()
    with make_server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status, _, body = ask(server, path)
        server.shutdown()
    assert status == 404
    assert command in body.decode()
    assert path[1:] in body.decode()
    assert "<b>" not in body.decode()


def test_a_taken_port_says_the_way_out(server: Server, results: Path) -> None:
    with pytest.raises(OutputError, match=rf"port {server.server_port}: another program uses it; .*0 for any free one"):
        make_server(results, port=server.server_port)


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_an_impossible_port(results: Path, port: int) -> None:
    with pytest.raises(OutputError, match=r"from 0 .* to 65535"):
        make_server(results, port=port)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is not a folder"):
        make_server(tmp_path / "nothing")


def test_control_c_ends_cleanly(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    opened: list[str] = []

    def interrupted(self: Server, poll_interval: float = 0.5) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(server_module.Server, "serve_forever", interrupted)
    monkeypatch.setattr("webbrowser.open", opened.append)
    serve(results, announce=said.append)
    assert said == opened
    port = int(said[0].removeprefix("http://127.0.0.1:").rstrip("/"))
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


@pytest.mark.parametrize("colour", ["good", "warning", "bad"])
def test_the_verdict_of_the_run_stands_above_the_stack(
    colour: str, serving: Callable[[Path], Server], tmp_path: Path
) -> None:
    verdict = {"text": "as printed, <b>7</b> spikes differ", "colour": colour}
    (tmp_path / "summary.json").write_text(json.dumps({"verdict": verdict}))
    page = ask(serving(tmp_path), "/")[2].decode()
    assert (
        f'<p class="s2c-verdict s2c-{colour}" role="status">as printed, &lt;b&gt;7&lt;/b&gt; spikes differ</p>' in page
    )


@pytest.mark.parametrize("text", [
    "", "{", "null", "[]", '{"verdict": 1}', '{"verdict": {"text": 1, "colour": "good"}}', "[" * 100_000,
    '{"verdict": {"text": "t", "colour": "s2c\\" onload"}}',
])  # fmt: skip
def test_a_summary_that_is_none_gives_no_verdict(text: str, serving: Callable[[Path], Server], tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(text)
    status, _, body = ask(serving(tmp_path), "/")
    assert status == 200
    assert b'<p class="s2c-verdict' not in body
