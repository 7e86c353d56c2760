"""A vision-language model behind an OpenAI-compatible endpoint: vLLM, Ollama, LM Studio, llama.cpp, OpenAI itself."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from persrv.errors import RecipeError
from persrv.reading.describe.asking import DescriberInput, NoAnswer
from persrv.reading.describe.dialect import Dialect
from persrv.reading.describe.http_exchange import Fault, Reply, post, wait_before
from persrv.recipe import Describe

KEY = "OPENAI_API_KEY"
"""The environment variable with the endpoint's key; recipes hold no secrets."""
_REFUSED_REQUESTS = (400, 422, 501)


class OpenAIModel:
    """Asks an endpoint's chat completions, several questions at a time.

    Args:
        settings: ``base_url``, ``model``, ``revision``, ``max_tokens``, ``concurrency``, ``timeout_s`` and ``retries``
            are used.
        sleep: Waits between attempts, in seconds.

    Raises:
        RecipeError: ``base_url`` or ``model`` is missing or impossible, or the key in the environment is.
    """

    def __init__(self, settings: Describe, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._shown, self._url = _endpoint(settings.base_url)
        self._headers = _headers()
        # What the server has been found to understand; kept, so that each complaint is met once.
        self._dialect = Dialect()
        if not settings.model:
            raise RecipeError("describe.model is empty", f"name a model that {self._shown} serves")

    @property
    def name(self) -> str:
        """``"openai"``."""
        return "openai"

    @property
    def revision(self) -> str:
        """16 hex digits of endpoint, model and settings.

        What the endpoint calls by one name may change unseen; ``describe.revision`` is there to tell it apart.
        """
        settings = self._settings
        parts = [self._shown, settings.model, settings.revision, settings.max_tokens]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def answer(self, questions: Sequence[DescriberInput]) -> list[str | NoAnswer]:
        """Return one answer a question.

        Raises:
            RecipeError: The endpoint cannot be reached, refuses the key, or does not know the model: every further
                question would fail alike.
        """
        # Machines beside this one are never behind a proxy.
        near = httpx.URL(self._url).host in ("127.0.0.1", "localhost", "::1")
        with (
            httpx.Client(headers=self._headers, trust_env=not near) as client,
            ThreadPoolExecutor(self._settings.concurrency) as pool,
        ):
            pending = [pool.submit(self._ask, client, question) for question in questions]
            try:
                return [answer.result() for answer in pending]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _ask(self, client: httpx.Client, question: DescriberInput) -> str | NoAnswer:
        dialect, failed = self._dialect, 0
        while True:
            body = dialect.request(self._settings.model, question, self._settings.max_tokens)
            reply = post(client, self._url, body, self._settings.timeout_s)
            if isinstance(reply, Reply) and not reply.passing:
                plainer = dialect.plainer(reply.complaint) if reply.status in _REFUSED_REQUESTS else None
                if plainer is None:
                    return self._read(reply, dialect)
                dialect = plainer
                continue
            failed += 1
            if failed > self._settings.retries:
                return self._given_up(reply)
            self._sleep(wait_before(failed, reply.retry_after if isinstance(reply, Reply) else 0.0))

    def _read(self, reply: Reply, dialect: Dialect) -> str | NoAnswer:
        complaint = self._without_key(reply.complaint)
        if reply.status == 200:
            self._dialect = dialect
            return _content(reply.content)
        if reply.status in (401, 403):
            raise RecipeError(
                f"{self._shown} refuses access (HTTP {reply.status}): {complaint}",
                f"set {KEY} to a key that it accepts",
            )
        if reply.status == 404 or 300 <= reply.status < 400:
            raise RecipeError(
                f"{self._shown} does not know the model {self._settings.model!r} or its own path "
                f"(HTTP {reply.status}): {complaint}",
                "correct describe.model, and describe.base_url, which usually ends in /v1",
            )
        return NoAnswer(f"the endpoint refuses the request (HTTP {reply.status}): {complaint}")

    def _given_up(self, last: Reply | Fault) -> NoAnswer:
        tries = self._settings.retries + 1
        if isinstance(last, Reply):
            return NoAnswer(f"HTTP {last.status} after {tries} attempts: {self._without_key(last.complaint)}")
        if last.unreachable:
            raise RecipeError(
                f"{self._shown} cannot be reached: {last.reason}", "start the server, or correct describe.base_url"
            )
        return NoAnswer(f"{last.reason}, {tries} attempts")

    def _without_key(self, text: str) -> str:
        key = self._headers.get("Authorization", "").removeprefix("Bearer ")
        return text.replace(key, "***") if key else text


def _endpoint(base_url: str) -> tuple[str, str]:
    """Return the endpoint as shown to people, without a password in it, and the URL of its chat completions."""
    if not base_url:
        raise RecipeError(
            "describe.base_url is empty, and stickers are sent nowhere by default",
            'give the endpoint, for example "http://127.0.0.1:8000/v1"',
        )
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise RecipeError(f"describe.base_url is no URL: {error}", "correct it") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise RecipeError(f"describe.base_url {base_url!r} is no http(s) URL", "begin it with http:// or https://")
    shown = url.copy_with(username=None, password=None)
    return str(shown), f"{str(url).rstrip('/')}/chat/completions"


def _headers() -> dict[str, str]:
    key = os.environ.get(KEY, "").strip()
    if not key:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise RecipeError(f"{KEY} holds characters that no key has", "set it to the key alone")
    return {"Authorization": f"Bearer {key}"}


def _content(reply: Any) -> str | NoAnswer:
    """Return the model's words in a chat completion."""
    try:
        choice = reply["choices"][0]
        message = choice["message"]
        content = message.get("content") or ""
        if isinstance(content, list):
            content = "".join(part.get("text") or "" for part in content)
        refusal, reason = message.get("refusal"), choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        return NoAnswer("the endpoint's answer is no chat completion")
    if refusal or reason == "content_filter":
        return NoAnswer(f"the model refuses: {' '.join(str(refusal or reason).split())[:200]}")
    if not isinstance(content, str):
        return NoAnswer("the endpoint's answer is no chat completion")
    if reason == "length" and not content.strip():
        return NoAnswer("the model reached its limit before it answered: raise describe.max_tokens")
    return content
