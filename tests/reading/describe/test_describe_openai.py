"""The describer ``openai`` against a real server on this machine."""

from __future__ import annotations

import base64
import io
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_stickers import BLUE, RED, subject
from loopback_endpoint import Answer, Endpoint, completion, failed, serving
from PIL import Image

from persrv.errors import RecipeError
from persrv.reading.describe import describer
from persrv.reading.describe.asking import AskingDescriber
from persrv.reading.describe.describer import Description, Subject
from persrv.reading.describe.openai_model import KEY, OpenAIModel
from persrv.reading.describe.prompts import Prompts
from persrv.recipe import Describe
from persrv.records import Semantics, Skipped

JOY = json.dumps({"description": "A red cat laughs.", "keywords": ["cat", "red"], "emotions": ["joy"]})
SAID_JOY = Description("A red cat laughs.", ("cat", "red"), ("joy",), "en")


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)


def _settings(endpoint: Endpoint | str, **more: Any) -> Describe:
    url = endpoint if isinstance(endpoint, str) else endpoint.url
    given: dict[str, Any] = {"engine": "openai", "base_url": url, "model": "tiny-vlm", "timeout_s": 5.0, "retries": 2}
    return Describe(**(given | more))


def _describe(
    answer: Callable[[int, dict[str, Any]], Answer], subjects: list[Subject], **more: Any
) -> tuple[list[Description | Skipped], Endpoint, list[float]]:
    """Return what is said, the server with its requests, and the waits between attempts."""
    waits: list[float] = []
    with serving(answer) as endpoint:
        settings = _settings(endpoint, **more)
        made = AskingDescriber(OpenAIModel(settings, waits.append), Prompts.of(settings), "en")
        return made.describe(subjects), endpoint, waits


def _reason(completion: Description | Skipped) -> str:
    assert isinstance(completion, Skipped)
    return completion.reason


def test_the_request_carries_prompt_picture_and_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, " secret-key\n")
    known = Semantics(name=("grin",), ocr=("ha ha",))
    found, endpoint, _ = _describe(lambda number, body: completion(JOY), [subject(1, RED, known)], max_tokens=77)
    assert found == [SAID_JOY]
    ((path, headers, body),) = endpoint.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret-key"
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("tiny-vlm", 77, 0)
    image, text = body["messages"][0]["content"]
    assert "ha ha" in text["text"]
    assert "grin" in text["text"]
    prefix, data = image["image_url"]["url"].split(",")
    assert prefix == "data:image/png;base64"
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert pixels.shape == (448, 448, 3)
    assert tuple(pixels[224, 224]) == RED
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["description", "keywords", "emotions"]
    assert "shyness" in schema["properties"]["emotions"]["items"]["enum"]


def test_without_a_key_none_is_sent() -> None:
    _, endpoint, _ = _describe(lambda number, body: completion(JOY), [subject(1)])
    assert "Authorization" not in endpoint.requests[0][1]


def test_answers_come_in_the_order_of_the_subjects_and_several_at_once() -> None:
    def answer(number: int, body: dict[str, Any]) -> Answer:
        name = body["messages"][0]["content"][1]["text"].split("called: ")[1].split(".")[0]
        reply = completion(json.dumps({"description": f"sticker {name}", "keywords": []}))
        return Answer(body=reply.body, delay=0.2 if name in ("0", "1") else 0.0)

    subjects = [subject(n, RED, Semantics(name=(str(n),))) for n in range(6)]
    found, endpoint, _ = _describe(answer, subjects, concurrency=3)
    assert [f.description for f in found if isinstance(f, Description)] == [f"sticker {n}" for n in range(6)]
    assert 2 <= endpoint.most_at_once <= 3


def test_subjects_without_a_visible_picture_are_skipped_and_cost_nothing() -> None:
    blank = subject(2)
    assert blank.picture is not None
    blank.picture.frames[0][...] = 0
    found, endpoint, _ = _describe(lambda number, body: completion(JOY), [subject(1, None), blank, subject(3)])
    assert [_reason(f) for f in found[:2]] == ["it has no picture", "nothing is visible in its picture"]
    assert found[2] == SAID_JOY
    assert len(endpoint.requests) == 1


def test_a_server_without_schemas_is_asked_without_and_remembered() -> None:
    def answer(number: int, body: dict[str, Any]) -> Answer:
        return failed(400, "response_format is not supported") if "response_format" in body else completion(JOY)

    found, endpoint, waits = _describe(answer, [subject(1), subject(2), subject(3)], concurrency=1)
    assert found == [SAID_JOY] * 3
    assert ["response_format" in body for _, _, body in endpoint.requests] == [True, False, False, False]
    assert waits == []


def test_other_names_of_the_limit_and_no_temperature_are_learned() -> None:
    def answer(number: int, body: dict[str, Any]) -> Answer:
        if "max_tokens" in body:
            return failed(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "temperature" in body:
            return failed(400, "Unsupported value: 'temperature' does not support 0.")
        return completion(JOY)

    found, endpoint, _ = _describe(answer, [subject(1), subject(2)], concurrency=1)
    assert found == [SAID_JOY] * 2
    last = endpoint.requests[-1][2]
    assert len(endpoint.requests) == 4
    assert last["max_completion_tokens"] == 160
    assert "response_format" in last


def test_one_refused_picture_does_not_change_how_the_next_is_asked() -> None:
    def answer(number: int, body: dict[str, Any]) -> Answer:
        return failed(400, "image too odd") if number < 2 else completion(JOY)

    found, endpoint, _ = _describe(answer, [subject(1), subject(2)], concurrency=1)
    assert "HTTP 400): image too odd" in _reason(found[0])
    assert found[1] == SAID_JOY
    assert ["response_format" in body for _, _, body in endpoint.requests] == [True, False, True]


def test_too_many_requests_wait_as_long_as_the_server_says() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    answers = [failed(429, "slow down", Retry_After="7"), failed(429, "slow down", Retry_After=soon), completion(JOY)]
    found, _, waits = _describe(lambda number, body: answers[number], [subject(1)])
    assert found == [SAID_JOY]
    assert waits[0] == 7.0
    assert 20 < waits[1] <= 30


@pytest.mark.parametrize(("header", "wait"), [("soon", 0.5), ("999999999999", 60.0), ("-5", 0.5), ("0", 0.5)])
def test_an_odd_wait_is_bounded(header: str, wait: float) -> None:
    answers = [failed(503, "busy", Retry_After=header), completion(JOY)]
    _, _, waits = _describe(lambda number, body: answers[number], [subject(1)])
    assert waits == [wait]


def test_a_failing_server_is_tried_again_then_given_up() -> None:
    found, endpoint, waits = _describe(lambda number, body: failed(500, "crashed"), [subject(1)], retries=3)
    assert _reason(found[0]) == "HTTP 500 after 4 attempts: crashed"
    assert len(endpoint.requests) == 4
    assert waits == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "bad",
    [
        Answer(body=b"<html>gateway</html>"),
        Answer(body=b'{"choices": [{"mess'),
        Answer(body=completion(JOY).body, missing=10),
        Answer(status=502, body=b"\xff\xfe"),
        Answer(body=b" " * (2**20 + 1)),
        Answer(body=b"[" * 100_000),
    ],
)
def test_garbled_and_broken_answers_are_tried_again(bad: Answer) -> None:
    found, endpoint, _ = _describe(lambda number, body: bad if number == 0 else completion(JOY), [subject(1)])
    assert found == [SAID_JOY]
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    "slow", [Answer(body=completion(JOY).body, delay=1.0), Answer(body=completion(JOY).body, drip=0.05)]
)
def test_a_slow_answer_ends_at_the_timeout(slow: Answer) -> None:
    found, _, _ = _describe(lambda number, body: slow, [subject(1)], timeout_s=0.3, retries=0)
    assert "0.3 s" in _reason(found[0])


@pytest.mark.parametrize(
    "refusal",
    [completion(None, refusal="I cannot look at this."), completion("", finish_reason="content_filter")],
)
def test_refusals_are_skipped_and_not_asked_again(refusal: Answer) -> None:
    found, endpoint, _ = _describe(lambda number, body: refusal, [subject(1)])
    assert "the model refuses" in _reason(found[0])
    assert len(endpoint.requests) == 1


def test_an_answer_cut_off_at_the_limit_keeps_what_is_complete() -> None:
    cut = completion('{"description": "A red cat laughs.", "keywords": ["cat", "red", "lau', finish_reason="length")
    found, _, _ = _describe(lambda number, body: cut, [subject(1)])
    assert found == [Description("A red cat laughs.", ("cat", "red"), (), "en")]


def test_a_limit_that_leaves_no_room_says_so() -> None:
    found, _, _ = _describe(lambda number, body: completion("", finish_reason="length"), [subject(1)])
    assert "raise describe.max_tokens" in _reason(found[0])


def test_prose_is_asked_about_once_more_and_counted() -> None:
    answers = [
        completion("What a lovely cat!"),
        completion("A cat."),
        completion("What a dog!"),
        completion([{"type": "text", "text": JOY}]),
    ]
    with serving(lambda number, body: answers[number]) as endpoint:
        settings = _settings(endpoint, concurrency=1)
        made = describer(settings, folder=Path())
        assert isinstance(made, AskingDescriber)
        first, second = made.describe([subject(1)]), made.describe([subject(2, BLUE)])
    assert _reason(first[0]) == "no description in the answer 'A cat.'"
    assert second == [SAID_JOY]
    prompts = [body["messages"][0]["content"][1]["text"] for _, _, body in endpoint.requests]
    assert prompts[1].startswith(prompts[0])
    assert "Only a JSON object is accepted" in prompts[1]
    assert (made.counts.stickers, made.counts.repeated, made.counts.unreadable) == (2, 2, 1)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"choices": []}', b'{"choices": [{"message": {"content": 5}}]}', b"7"]
)
def test_json_that_is_no_chat_completion_is_skipped(body: bytes) -> None:
    found, _, _ = _describe(lambda number, request: Answer(body=body), [subject(1)])
    assert _reason(found[0]) == "the endpoint's answer is no chat completion"


@pytest.mark.parametrize(
    ("status", "match"),
    [(401, "refuses access .*OPENAI_API_KEY"), (403, "refuses access"), (404, "tiny-vlm.*ends in /v1"), (307, "307")],
)
def test_what_would_fail_for_every_sticker_stops_at_once(
    status: int, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "secret-key")
    with (
        serving(lambda number, body: failed(status, "no: secret-key")) as endpoint,
        pytest.raises(RecipeError, match=match) as caught,
    ):
        describer(_settings(endpoint, concurrency=1), folder=Path()).describe([subject(n) for n in range(9)])
    assert "secret-key" not in str(caught.value)
    assert len(endpoint.requests) < 9


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings = _settings(f"http://me:word@127.0.0.1:{closed.getsockname()[1]}/v1", retries=1)
        waits: list[float] = []
        model = OpenAIModel(settings, waits.append)
        with pytest.raises(RecipeError, match=r"cannot be reached.*start the server") as caught:
            AskingDescriber(model, Prompts.of(settings), "en").describe([subject(1)])
    assert "word" not in str(caught.value)
    assert waits == [0.5]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"base_url": ""}, "base_url is empty"),
        ({"base_url": "ftp://x/v1"}, "no http"),
        ({"base_url": "http://"}, "no http"),
        ({"base_url": "http://[::1"}, "no URL"),
        ({"model": ""}, "model is empty"),
    ],
)
def test_impossible_settings_are_refused(more: dict[str, str], match: str) -> None:
    with pytest.raises(RecipeError, match=match):
        describer(_settings("http://127.0.0.1:1/v1", **more), folder=Path())


def test_an_impossible_key_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "geheim\u00e9")
    with pytest.raises(RecipeError, match=KEY) as caught:
        describer(_settings("http://127.0.0.1:1/v1"), folder=Path())
    assert "geheim" not in str(caught.value)


def test_the_revision_follows_what_decides_the_answer() -> None:
    base = "http://127.0.0.1:1/v1"

    def revision(**more: Any) -> str:
        return describer(_settings(base, **more), folder=Path()).revision

    changed: list[dict[str, Any]] = [
        {"model": "x"},
        {"revision": "2"},
        {"max_tokens": 99},
        {"prompt": "Say JSON."},
        {"language": "zh"},
    ]
    assert len({revision(), *(revision(**more) for more in changed)}) == 6
    assert revision() == revision(concurrency=9, timeout_s=1.0, retries=0, batch=2)
