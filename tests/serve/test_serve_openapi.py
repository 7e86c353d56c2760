"""Whatever is sent, the service answers as its description says, and never fails."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from persrv.serve.app import create_app
from persrv.serve.settings import ServeSettings
from running_service import running
from tiny_collection import Tiny

CHECKED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


@pytest.fixture(scope="module")
def api(tiny_built: Tiny, module_folder: Path) -> Iterator[schemathesis.BaseSchema]:
    copy = tiny_built.copied(module_folder / "tiny")
    with running(copy) as service:
        yield schemathesis.openapi.from_url(f"{service.address}/openapi.json")


CALLS = [
    (method.upper(), path)
    for path, methods in create_app(ServeSettings()).openapi()["paths"].items()
    for method in methods
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_answers_as_described(api: schemathesis.BaseSchema, method: str, path: str) -> None:
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=api[path][method].as_strategy())
    def answers(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKED)

    answers()


def test_every_call_has_an_example(api: schemathesis.BaseSchema) -> None:
    """What must be sent has one, and so has what comes back; each is what its own schema says."""
    validator = partial(jsonschema.Draft202012Validator, format_checker=jsonschema.FormatChecker())
    components = {"components": api.raw_schema["components"]}
    seen = 0
    for path, methods in api.raw_schema["paths"].items():
        for method, call in methods.items():
            for parameter in call.get("parameters", ()):
                examples = parameter["schema"].get("examples", parameter.get("examples", []))
                assert examples or not parameter["required"], (method, path, parameter["name"])
                for example in examples:
                    validator(parameter["schema"] | components).validate(example)
            contents = [answer.get("content", {}) for status, answer in call["responses"].items() if status < "300"]
            sent = call.get("requestBody", {}).get("content", {})
            for content in (*contents, sent):
                for schema in (body["schema"] for kind, body in content.items() if kind == "application/json"):
                    example = api.raw_schema["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["example"]
                    validator(schema | components).validate(example)
                    seen += 1
                for kind, body in content.items():
                    assert kind != "multipart/form-data" or validator(body["schema"] | components).is_valid(
                        body["example"]
                    )
    assert seen > 30


def test_every_call_has_a_description(api: schemathesis.BaseSchema) -> None:
    for path, methods in api.raw_schema["paths"].items():
        for method, call in methods.items():
            assert call.get("description"), (method, path)
            assert "422" in call["responses"], (method, path)
