"""Whatever the OpenAPI document allows, and what it does not: every caller gets an answer that the document describes, and no 5xx."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.openapi.checks import JsonSchemaError
from schemathesis.specs.openapi import checks

from hps.commands import table
from hps_api import create_app
from tests.edge.callers import LOCAL, Callers, kind_of, make_callers
from tests.unit.commands.test_table import ALLOWED

pytestmark = pytest.mark.programs
CALLERS = ("stranger", "booting", "node", "operator", "operator by certificate", "ips")
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callers]:
    monkeypatch.setattr("hps.flows.decide.LONGEST_HOLD", 0)
    yield make_callers(tmp_path)


def operations(app: Any) -> dict[str, Any]:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app, headers=LOCAL)
    found = {}
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]
        found[operation.label] = operation
    return found


def ask_all(callers: Callers, caller: str, examples: int) -> int:
    """Every operation, well formed and not; the number of questions."""
    app = create_app(callers.at.paths)
    asked = 0
    for label, operation in operations(app).items():
        name = label.rpartition("/")[2]
        allowed = name not in ALLOWED or kind_of(caller) in ALLOWED[name]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            count = examples if allowed else 1

            @settings(
                max_examples=count,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                nonlocal asked
                asked += 1
                case.call_and_validate(headers={**callers.headers[caller], "Accept": "application/json"}, checks=CHECKS)

            ask()
    return asked


def test_the_document_describes_every_command(callers: Callers) -> None:
    found = operations(create_app(callers.at.paths))
    assert set(found) == {"GET /hps-api", "POST /hps-api", *(f"POST /api/{name}" for name in table.BY_NAME)}


@pytest.mark.parametrize("caller", CALLERS)
def test_every_answer_is_one_that_the_document_describes(callers: Callers, caller: str) -> None:
    assert ask_all(callers, caller, 5) > len(table.COMMANDS)


@pytest.mark.prove
@pytest.mark.parametrize("caller", CALLERS)
def test_a_great_many_answers(callers: Callers, caller: str) -> None:
    assert ask_all(callers, caller, 150) > 10 * len(table.COMMANDS)


@pytest.mark.parametrize("plant", ["another type", "a bug"])
def test_an_answer_that_the_document_does_not_describe_is_found(callers: Callers, monkeypatch: pytest.MonkeyPatch, plant: str) -> None:
    def broken(*_: object) -> object:
        if plant == "a bug":
            raise RuntimeError(plant)
        return {"status": ["ready"]}

    result = {"type": "object", "properties": {"status": {"type": "string"}}}
    command = dataclasses.replace(table.BY_NAME["health"], handler=broken, result=result)
    monkeypatch.setitem(table.BY_NAME, "health", command)
    monkeypatch.setattr(table, "COMMANDS", (command,))
    # Schemathesis lets a bug of a WSGI application through as it is.
    with pytest.raises(FailureGroup if plant == "another type" else RuntimeError) as found:
        ask_all(callers, "operator", 2)
    if isinstance(found.value, FailureGroup):
        assert any(isinstance(one, JsonSchemaError) for one in found.value.exceptions), found.value.exceptions
