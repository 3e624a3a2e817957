"""The terminal over HTTP: who may use it, and that output, failure and exit code come back whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from hps.ask import operator
from hps_api import create_app
from tests.sites import make_site

LOCAL = {"X-Hps-Door": "local", "Host": "localhost"}


@pytest.fixture
def client(tmp_path: Path) -> Any:
    return create_app(make_site(tmp_path).paths).test_client()


def post(client: Any, target: str, value: object, headers: dict[str, str] = LOCAL) -> Any:
    return client.post(target, data=json.dumps(value), headers=headers, content_type="application/json")


def test_output_and_exit_code(client: Any) -> None:
    answer = post(client, operator.TARGET, {"words": ["health"]})
    assert (answer.status_code, answer.headers["X-Hps-Exit"]) == (200, "0")
    assert answer.data == b"status=ready\ncluster=lab\n"
    assert answer.headers["X-Hps-Out"] == str(len(answer.data))


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        ([], 400, 2),
        (["nonsense"], 400, 2),
        (["host", "show"], 400, 2),
        (["host", "show", "sch-999"], 404, 7),
    ],
)
def test_a_failure_is_behind_the_output(client: Any, words: list[str], status: int, code: int) -> None:
    answer = post(client, operator.TARGET, {"words": words})
    assert (answer.status_code, answer.headers["X-Hps-Exit"], answer.headers["X-Hps-Out"]) == (status, str(code), "0")
    assert answer.data.startswith(b"hps: ")


@pytest.mark.parametrize(
    "body", [[], {}, {"words": "health"}, {"words": [1]}, {"words": ["health"], "input": 5}, {"words": None}, {"words": ["\ud800"]}]
)
def test_what_is_no_command_line_is_refused(client: Any, body: object) -> None:
    answer = post(client, operator.TARGET, body)
    assert answer.status_code == 400
    assert "X-Hps-Out" not in answer.headers


@pytest.mark.parametrize("target", ["/terminal", "/terminal/health", "/terminal/host_list"])
@pytest.mark.parametrize(
    "headers", [{}, {"X-Hps-Door": "plain", "X-Hps-Address": "10.77.0.9"}, {"X-Hps-Door": "tls", "X-Hps-Address": "10.77.0.9"}]
)
def test_no_stranger_reaches_it(client: Any, target: str, headers: dict[str, str]) -> None:
    answer = post(client, target, {"words": ["health"]}, {"Host": "localhost", **headers})
    assert answer.status_code == 401
    assert b"ready" not in answer.data


def test_a_form_of_another_web_site_cannot_be_a_command_line(client: Any) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert post(client, operator.TARGET, {"words": ["health"]}, {**LOCAL, **headers}).status_code == 403
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = client.post(operator.TARGET, data=b'{"words": ["health"]}', headers=LOCAL, content_type=kind)
        assert answer.status_code == 415


def test_a_command_by_its_name(client: Any) -> None:
    answer = post(client, "/terminal/health", {})
    assert answer.data == b"status=ready\ncluster=lab\n"
    for name, code in (("nonsense", "7"), ("init", "8"), ("installer_config", "8")):
        assert post(client, f"/terminal/{name}", {}).headers["X-Hps-Exit"] == code
    assert post(client, "/terminal/host_show", {}).headers["X-Hps-Exit"] == "2"
