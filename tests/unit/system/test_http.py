import json
import os
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hps.errors import CommandFailed, Denied, HpsError, InvalidInput, NotFound, Refused, Unreachable
from hps.system import http
from hps.system.http import Tls, download, post_json, request
from tests.unit.system.web import Web, serving

pytestmark = pytest.mark.programs
CONTENT = os.urandom(3_000_000)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(http, "pause", lambda attempt: None)
    with serving() as server:
        server.files["/pack"] = CONTENT
        yield server


def test_a_request_and_its_answer(web: Web) -> None:
    response = request("GET", f"{web.url}/pack?x=1#part")
    assert response.status == 404
    assert web.asked[-1][0] == "/pack?x=1"
    response = request("GET", f"{web.url}/pack")
    assert (response.status, response.body, response.headers["etag"]) == (200, CONTENT, '"one"')


def test_an_answer_that_is_too_large_or_cut_off_is_an_error(web: Web) -> None:
    with pytest.raises(InvalidInput, match="larger than 1000"):
        request("GET", f"{web.url}/pack", limit=1000)
    web.cuts = [1000]
    with pytest.raises(Unreachable, match="cut off"):
        request("GET", f"{web.url}/pack")


def test_redirects_are_not_followed(web: Web) -> None:
    web.statuses = [302]
    assert request("GET", f"{web.url}/pack").status == 302
    assert len(web.asked) == 1


@pytest.mark.feature("S7")
@pytest.mark.parametrize(
    "url",
    [
        "file:///dev/zero",
        "file:///etc/passwd",
        "ftp://h/x",
        "/etc/passwd",
        "http://",
        "http://h:x/",
        "http://u:p@h/",
        "https://h/",
        "http://h/a b",
        "http://h/ü",
    ],
)
def test_only_http_urls_are_asked_for(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        request("GET", url)
    with pytest.raises(InvalidInput):
        download(url, tmp_path / "file", retries=0)


def test_nobody_listens(tmp_path: Path) -> None:
    with serving() as gone:
        url = gone.url
    with pytest.raises(Unreachable):
        request("GET", url)
    with pytest.raises(Unreachable, match="0 bytes are here"):
        download(f"{url}/x", tmp_path / "x", retries=0)


def test_the_result_of_a_command(web: Web) -> None:
    web.answers["/api/health"] = (200, json.dumps({"ok": True, "result": {"a": [1]}}).encode())
    assert post_json(f"{web.url}/api/health", {"b": "ü"}) == {"a": [1]}
    assert json.loads(web.asked[-1][2]) == {"b": "ü"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (401, Denied),
        (403, Denied),
        (404, NotFound),
        (409, Refused),
        (500, HpsError),
        (502, CommandFailed),
        (503, Unreachable),
    ],
)
def test_the_failure_of_a_command(web: Web, status: int, kind: type[HpsError]) -> None:
    web.answers["/api/x"] = (status, json.dumps({"ok": False, "error": "it is so", "hint": "do that", "status": status}).encode())
    with pytest.raises(kind) as found:
        post_json(f"{web.url}/api/x", {})
    assert type(found.value) is kind
    assert (found.value.message, found.value.hint) == ("it is so", "do that")


@pytest.mark.parametrize(
    ("status", "body", "kind"), [(502, b"<html>", Unreachable), (504, b"", Unreachable), (200, b"<html>", HpsError), (200, b"[]", HpsError)]
)
def test_an_answer_that_is_not_ours(web: Web, status: int, body: bytes, kind: type[HpsError]) -> None:
    web.answers["/api/x"] = (status, body)
    with pytest.raises(kind, match="status"):
        post_json(f"{web.url}/api/x", {})


def test_a_download(web: Web, tmp_path: Path) -> None:
    seen: list[int] = []
    download(f"{web.url}/pack", tmp_path / "pack", len(CONTENT), progress=seen.append)
    assert (tmp_path / "pack").read_bytes() == CONTENT
    assert seen[-1] == len(CONTENT) and seen == sorted(seen)
    download(f"{web.url}/pack", tmp_path / "pack", len(CONTENT))
    assert len(web.asked) == 1, "what is whole is not fetched again"


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_cut_connection_goes_on_where_it_ended(web: Web, tmp_path: Path, size: int | None) -> None:
    web.cuts = [1_000_000, 700_000, 0]
    download(f"{web.url}/pack", tmp_path / "pack", size)
    assert (tmp_path / "pack").read_bytes() == CONTENT
    assert [asked[1] for asked in web.asked] == ["", "bytes=1000000-", "bytes=1700000-", "bytes=1700000-"]


def test_a_download_goes_on_in_another_process_life(web: Web, tmp_path: Path) -> None:
    web.cuts = [1_000_000]
    with pytest.raises(Unreachable, match="1000000 bytes are here"):
        download(f"{web.url}/pack", tmp_path / "pack", len(CONTENT), retries=0)
    download(f"{web.url}/pack", tmp_path / "pack", len(CONTENT))
    assert (tmp_path / "pack").read_bytes() == CONTENT
    assert web.asked[-1][1] == "bytes=1000000-"


def test_a_server_without_ranges_or_with_a_new_file_begins_again(web: Web, tmp_path: Path) -> None:
    web.cuts, web.ranges = [1_000_000], False
    download(f"{web.url}/pack", tmp_path / "pack", len(CONTENT))
    assert (tmp_path / "pack").read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (410, NotFound), (403, Denied), (401, Denied), (302, Refused)])
def test_what_the_server_says_for_good_is_not_asked_again(web: Web, tmp_path: Path, status: int, kind: type[HpsError]) -> None:
    web.statuses = [status] * 9
    with pytest.raises(kind):
        download(f"{web.url}/pack", tmp_path / "pack")
    assert len(web.asked) == 1


def test_errors_of_the_server_are_retried_a_bounded_number_of_times(web: Web, tmp_path: Path) -> None:
    web.statuses = [503, 500, 502]
    download(f"{web.url}/pack", tmp_path / "pack", retries=3)
    assert (tmp_path / "pack").read_bytes() == CONTENT
    web.statuses = [503] * 99
    with pytest.raises(Unreachable, match="could not be downloaded") as found:
        download(f"{web.url}/pack", tmp_path / "other", retries=3)
    assert "503" in found.value.hint
    assert len(web.asked) == 4 + 4


def test_a_stall_is_a_failure(web: Web, tmp_path: Path) -> None:
    web.stalls = [1_000_000]
    download(f"{web.url}/pack", tmp_path / "pack", stall=0.3)
    assert (tmp_path / "pack").read_bytes() == CONTENT
    web.stalls = [10] * 9
    with pytest.raises(Unreachable):
        download(f"{web.url}/pack", tmp_path / "other", stall=0.2, retries=1)


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1, 0])
def test_another_size_is_refused(web: Web, tmp_path: Path, size: int) -> None:
    if size == 0:
        (tmp_path / "pack").write_bytes(CONTENT)
        size = len(CONTENT) + 7
    with pytest.raises((InvalidInput, NotFound)):
        download(f"{web.url}/pack", tmp_path / "pack", size)
    assert len(web.asked) == 1


@pytest.mark.root
def test_a_full_disk_is_not_a_failure_of_the_network(web: Web, tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)], check=True)
    try:
        with pytest.raises(Refused, match="no space left"):
            download(f"{web.url}/pack", tmp_path / "pack")
        assert len(web.asked) == 1
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_pauses_grow_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    for attempt in range(7):
        http.pause(attempt)
    assert slept == [0.5, 1, 2, 4, 8, 8, 8]


def certificate(folder: Path, name: str, subject: str) -> tuple[Path, Path]:
    key, path = folder / f"{name}.key", folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run(
        [*command, "-subj", "/CN=x", "-addext", f"subjectAltName={subject}", "-keyout", str(key), "-out", str(path)],
        check=True,
        capture_output=True,
    )
    return path, key


def test_the_server_must_be_the_one_that_the_ca_vouches_for(tmp_path: Path) -> None:
    path, key = certificate(tmp_path, "server", "IP:127.0.0.1")
    other, other_key = certificate(tmp_path, "other", "IP:127.0.0.2")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    context.load_verify_locations(other)
    context.verify_mode = ssl.CERT_OPTIONAL
    with serving(context) as web:
        web.files["/pack"] = CONTENT
        assert request("GET", f"{web.url}/pack", tls=Tls(path)).body == CONTENT
        assert request("GET", f"{web.url}/pack", tls=Tls(path, other, other_key)).status == 200
        download(f"{web.url}/pack", tmp_path / "pack", tls=Tls(path))
        with pytest.raises(Denied, match="vouches"):
            request("GET", f"{web.url}/pack", tls=Tls(other))
        with pytest.raises(Denied):
            download(f"{web.url}/pack", tmp_path / "pack", tls=Tls(other))
        with pytest.raises(NotFound):
            request("GET", f"{web.url}/pack", tls=Tls(tmp_path / "absent"))
        (tmp_path / "bad").write_text("x")
        with pytest.raises(InvalidInput):
            request("GET", f"{web.url}/pack", tls=Tls(tmp_path / "bad"))
    wrong = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    wrong.load_cert_chain(other, other_key)
    with serving(wrong) as web, pytest.raises(Denied):
        request("GET", web.url, tls=Tls(other))
