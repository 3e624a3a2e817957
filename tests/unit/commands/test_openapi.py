"""The document says what the table says, and is a document."""

import json

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from hps.commands import kinds, openapi, table
from hps.commands.model import Command
from hps.errors import KINDS
from hps.flows.model import MEMBERS

DOCUMENT = json.loads(openapi.text(table.COMMANDS))


def test_it_is_an_openapi_document() -> None:
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []
    damaged = {**DOCUMENT, "info": {}}
    assert list(OPENAPI_31_VALIDATOR.iter_errors(damaged)), "the validator finds what is wrong"


@pytest.mark.parametrize("command", table.COMMANDS, ids=lambda command: command.name)
def test_each_command_is_described_whole(command: Command) -> None:
    post = DOCUMENT["paths"][f"/api/{command.name}"]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert list(schema["properties"]) == [each.name for each in command.parameters]
    assert schema["required"] == [each.name for each in command.parameters if each.required]
    assert schema["additionalProperties"] is False
    assert all(schema["properties"][each.name]["description"] == each.help for each in command.parameters)
    assert all(schema["properties"][each.name].get("writeOnly", False) is each.secret for each in command.parameters)
    assert {str(kind.status) for kind in KINDS} | {"200", "401", "405", "413", "415", "429", "500"} <= set(post["responses"])
    strangers_too = not set(command.callers) <= set(MEMBERS)
    assert ({} in post["security"]) is strangers_too
    assert command.help in post["summary"]


def test_every_failure_has_the_same_schema() -> None:
    for response in DOCUMENT["components"]["responses"].values():
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
    assert DOCUMENT["components"]["securitySchemes"]["clientCertificate"]["type"] == "mutualTLS"


def test_the_query_form_names_no_secret_in_an_address() -> None:
    secrets = {each.name for command in table.COMMANDS for each in command.parameters if each.secret}
    assert secrets
    query = DOCUMENT["paths"]["/hps-api"]
    assert not secrets & {each["name"] for each in query["get"]["parameters"]}
    assert secrets <= set(query["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["properties"])


def test_words_for_people() -> None:
    assert openapi.words(kinds.HOST.schema) == "text, at most 80 characters"
    assert openapi.words(kinds.word("a", "b").schema) == "one of a, b"
    assert openapi.words(kinds.TRUTH.schema) == "true or false or one of true, false, yes, no, 1, 0"
    assert openapi.words(kinds.AUDIT.schema) == "object"
