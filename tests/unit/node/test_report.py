import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from hps.node.report import MemoryLog, Report
from hps.system import http

pytestmark = pytest.mark.programs


class Ips(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.answering = True
        self.refusing = ""


class Handler(BaseHTTPRequestHandler):
    server: Ips

    def do_GET(self) -> None:
        self.server.got.append((self.path, {}))
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        value = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = 503 if not self.server.answering else 400 if value.get("step") == self.server.refusing else 200
        self.send_response(status)
        self.end_headers()
        if status == 200:
            self.server.got.append((self.path, value))
        self.wfile.write(json.dumps({"ok": status == 200, "result": {}, "error": "busy"}).encode())

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def ips() -> Iterator[Ips]:
    with Ips() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def connect(report: Report, ips: Ips) -> None:
    # Plain HTTP stands in for mutual TLS: how a step is sent is the same.
    report.connect(f"http://127.0.0.1:{ips.server_port}", http.Tls(ca=None))  # type: ignore[arg-type]


def test_steps_before_the_certificate_are_sent_later_in_order_with_their_times(ips: Ips) -> None:
    report = Report()
    report.step("network", "eth0")
    report.step("clock")
    assert ips.got == []
    connect(report, ips)
    report.step("certificate")
    assert [value["step"] for _, value in ips.got] == ["network", "clock", "certificate"]
    assert ips.got[0][0] == "/api/install_step"
    assert ips.got[0][1]["time"] <= ips.got[2][1]["time"]


def test_a_step_that_does_not_arrive_is_sent_with_the_next_and_only_once(ips: Ips) -> None:
    report = Report()
    connect(report, ips)
    ips.answering = False
    report.step("manifest")
    report.step("manifest")
    ips.answering = True
    report.step("objects")
    report.step("objects")
    assert [value["step"] for _, value in ips.got] == ["manifest", "objects"]


def test_the_last_step_is_sent_again_before_the_end(ips: Ips) -> None:
    report = Report()
    connect(report, ips)
    ips.answering = False
    report.step("restart")
    threading.Timer(1, setattr, (ips, "answering", True)).start()
    report.finish()
    assert [value["step"] for _, value in ips.got] == ["restart"]


def test_a_step_that_is_not_taken_does_not_hold_up_the_others(ips: Ips) -> None:
    report = Report()
    connect(report, ips)
    ips.refusing = "odd"
    report.step("odd")
    report.step("tree")
    assert [value["step"] for _, value in ips.got] == ["tree"]


@pytest.mark.feature("I63")
def test_failure_is_reported_with_its_reason(ips: Ips) -> None:
    report = Report()
    report.failed("nobody to tell")
    report.plain_url = f"http://127.0.0.1:{ips.server_port}"
    report.failed("no certificate & more")
    words = ips.got.pop()[0]
    assert words == "/hps-api?cmd=log_message&message=install+failed%3A+no+certificate+%26+more&function=node+install"
    connect(report, ips)
    report.failed("the disk is too small")
    assert ips.got == [("/api/install_failed", {"reason": "the disk is too small"})]


@pytest.mark.feature("I49")
def test_log_keeps_every_line_with_its_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    kept = MemoryLog()
    kept.emit(logging.makeLogRecord({"msg": "start", "levelno": logging.INFO}))
    kept.emit(logging.makeLogRecord({"msg": "done %d", "args": (7,), "levelno": logging.INFO}))
    first, second = kept.text().decode().splitlines()
    assert first.startswith("[")
    assert first.endswith("] start")
    assert second.endswith("] done 7")
    assert capsys.readouterr().err == kept.text().decode()
