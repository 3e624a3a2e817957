"""Anything at all in the query string, the User-Agent, Accept and other headers: an answer each time, and nothing grows."""

import http.client
import json
import random
import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hps.commands import table
from hps_api import create_app
from tests.edge.callers import LOCAL, PLAIN, UNKNOWN, Callers, make_callers
from tests.web.serving import serving

pytestmark = pytest.mark.programs
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80)
NAMES = st.sampled_from(
    [
        "User-Agent",
        "Accept",
        "Accept-Language",
        "Cookie",
        "Host",
        "Origin",
        "Referer",
        "Range",
        "If-None-Match",
        "If-Modified-Since",
        "X-Forwarded-For",
        "X-Hps-Address",
        "X-Hps-Certificate",
        "X-Hps-Verified",
        "X-Hps-Token",
        "Content-Type",
        "Transfer-Encoding",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "Sec-Fetch-Site",
        "Authorization",
        "Expect",
        "Upgrade",
        "X-HTTP-Method-Override",
    ]
)
COMMANDS = st.sampled_from([command.name for command in table.COMMANDS])
OWN_NAMES = {"format", "cmd", "hps_token", "mac", "wait", "revision"}
PARAMETERS = st.sampled_from(sorted({each.name for command in table.COMMANDS for each in command.parameters} | OWN_NAMES))
ODD = b"%00 %ff % %u0041 + = && ; []=1 a[b]=1 __proto__=1 x=%F0%9F%98%80 %0d%0a x=\x80 \xc3=\xbc format=\xff".split(b" ")
PIECE = st.one_of(
    st.binary(max_size=20),
    st.tuples(PARAMETERS, st.text(max_size=20)).map(lambda pair: f"{pair[0]}={pair[1]}".encode("utf-8", "surrogatepass")),
    st.sampled_from(ODD),
)
PATHS = st.sampled_from(
    ["/hps-api", "/cgi-bin/boot_manager.sh", "/", "/fragment", "/hosts/525400000001", "/api", "/openapi.json", "/static/hps.css"]
)
DOORS = st.sampled_from([LOCAL, PLAIN, UNKNOWN, {"X-Hps-Door": "tls"}])
METHODS = st.sampled_from(["GET", "POST", "HEAD"])
KINDS = st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
QUIET = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Callers:
    return make_callers(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def client(callers: Callers) -> Iterator[FlaskClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hps.flows.decide.LONGEST_HOLD", 0)
        patch.setattr("hps.flows.news.LONGEST", 0)
        yield create_app(callers.at.paths).test_client()


def odd_query(name: str, pieces: list[bytes]) -> str:
    """A query string of raw bytes, as WSGI carries them (PEP 3333)."""
    return b"&".join((f"cmd={name}".encode(), *pieces)).replace(b"#", b"%23").decode("latin-1")


@QUIET
@given(path=PATHS, name=COMMANDS, pieces=st.lists(PIECE, max_size=5), door=DOORS, method=METHODS)
@example(path="/hps-api", name="health", pieces=[b"x=\x80"], door=LOCAL, method="GET")
@example(path="/hps-api", name="health", pieces=[b"x" * 9000], door=LOCAL, method="GET")
@example(path="/hps-api", name="health", pieces=[b"a=1&" * 3000], door=LOCAL, method="GET")
@example(path="/fragment", name="health", pieces=[b"wait=5&revision=99999999999999999999999"], door=LOCAL, method="GET")
def test_any_query_string(client: FlaskClient, path: str, name: str, pieces: list[bytes], door: dict[str, str], method: str) -> None:
    answer = client.open(path, method=method, headers=door, environ_overrides={"QUERY_STRING": odd_query(name, pieces)})
    assert answer.status_code < 500


@QUIET
@given(headers=st.dictionaries(NAMES, HEADER, max_size=6), name=COMMANDS, door=DOORS)
def test_any_headers(client: FlaskClient, headers: dict[str, str], name: str, door: dict[str, str]) -> None:
    for path in (f"/hps-api?cmd={name}", "/", "/nothing"):
        answer = client.get(path, headers={**headers, "X-Hps-Door": door["X-Hps-Door"]})
        assert answer.status_code < 500
        assert "\n" not in "".join(answer.headers.values())


@QUIET
@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()), kind=KINDS, name=COMMANDS)
def test_any_body(client: FlaskClient, body: bytes, kind: str, name: str) -> None:
    for path in (f"/api/{name}", "/hps-api", "/terminal", f"/terminal/{name}"):
        for door in (LOCAL, PLAIN):
            assert client.post(path, data=body, content_type=kind, headers=door).status_code < 500


def worker_of(master: int) -> int:
    """The one worker process of a gunicorn."""
    found = [int(word) for word in Path(f"/proc/{master}/task/{master}/children").read_text().split()]
    assert len(found) == 1
    return found[0]


def size_of(pid: int) -> Mapping[str, int]:
    """Memory in KiB, threads and open files of a process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return {
        "memory": int(status["VmRSS"].split()[0]),
        "threads": int(status["Threads"]),
        "files": len(list(Path(f"/proc/{pid}/fd").iterdir())),
    }


def odd_requests(seed: int, count: int) -> Iterator[bytes]:
    """Requests as bytes, some of which are none."""
    chance = random.Random(seed)
    names = [command.name for command in table.COMMANDS if command.name != "init"]
    doors = ("local", "plain", "tls", "")

    def junk(most: int) -> str:
        return "".join(chr(chance.choice((*range(33, 127), 0xFF, 0xE9))) for _ in range(chance.randrange(most)))

    for number in range(count):
        method = chance.choice(("GET", "GET", "POST", "HEAD", "PUT", "OPTIONS", "BREW"))
        target = chance.choice(
            (f"/hps-api?cmd={chance.choice(names)}&{junk(60)}", f"/{junk(200)}", f"/api/{junk(20)}", f"/hosts/{number:012x}")
        )
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {chance.choice(('ips', '10.77.0.1', junk(30) or 'x'))}",
            f"X-Hps-Door: {chance.choice(doors)}",
        ]
        lines += [f"User-Agent: {junk(300)}", f"Accept: {junk(100)}", f"X-Hps-Address: 10.77.{number % 250}.{number // 250 % 250}"]
        lines += [f"{junk(10) or 'X'}: {junk(50)}" for _ in range(chance.randrange(3))]
        body = junk(100) if method in ("POST", "PUT") else ""
        lines += [f"Content-Length: {len(body.encode('latin-1'))}"] if body else []
        yield ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


def answered(port: int, request: bytes) -> int:
    """Send bytes on a connection of their own; the status, 0 where the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        try:
            head = connection.makefile("rb").readline(200)
        except ConnectionError:
            return 0
    return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0


def storm(callers: Callers, before: int, after: int) -> None:
    with serving(callers.at.paths.base, threads=8) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/hps-api?cmd=health", headers={"X-Hps-Door": "local"})
        assert connection.getresponse().read()
        connection.close()
        worker = worker_of(_listener(port))
        seen: dict[int, int] = {}
        for request in odd_requests(1, before):
            answered(port, request)
        small = size_of(worker)
        for request in odd_requests(2, after):
            status = answered(port, request)
            seen[status] = seen.get(status, 0) + 1
        large = size_of(worker)
    assert not [status for status in seen if status >= 500], seen
    assert {200, 400, 401, 404} <= set(seen), seen
    assert large["threads"] <= 8 + 4
    assert large["files"] <= small["files"] + 8
    assert large["memory"] <= small["memory"] + 16 * 1024, (small, large)


def _listener(port: int) -> int:
    """The process that began to listen on a port: the eldest of those that hold its socket."""
    inodes = [
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    ]
    for path in sorted(Path("/proc").glob("[0-9]*/fd/*"), key=lambda path: int(path.parts[2])):
        try:
            if str(path.readlink()) in {f"socket:[{inode}]" for inode in inodes}:
                return int(path.parts[2])
        except OSError:
            continue
    raise AssertionError(f"nobody listens on port {port}")


def test_nothing_hangs_and_nothing_grows(callers: Callers) -> None:
    storm(callers, 700, 1500)


@pytest.mark.prove
def test_nothing_grows_in_a_long_storm(callers: Callers) -> None:
    storm(callers, 3000, 20000)
