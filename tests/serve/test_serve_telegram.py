"""The bot of docs/how-to/telegram-bot.md, run against a stand-in for Telegram's Bot API."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from repository import ROOT
from running_service import running
from tiny_collection import Tiny


class BotApi(ThreadingHTTPServer):
    """Hands out updates one by one, and keeps what the bot answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.updates: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.confirmed = 0

    def until(self, reached: Any) -> None:
        deadline = time.monotonic() + 60
        while not reached():
            assert time.monotonic() < deadline, (self.answers, self.confirmed)
            time.sleep(0.02)


class _Handler(BaseHTTPRequestHandler):
    server: BotApi

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found: Any = True
        if self.path == "/bot123:abc/getUpdates":
            self.server.confirmed = body["offset"] - 1
            found = [update for update in self.server.updates if update["update_id"] >= body["offset"]][:1]
            if not found:
                time.sleep(0.05)
        elif self.path == "/bot123:abc/answerInlineQuery":
            self.server.answers.append(body)
        content = json.dumps({"ok": True, "result": found}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


def test_the_bot_answers_and_learns(tiny: Tiny, tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/telegram-bot.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    bot = tmp_path / "telegram_bot.py"
    bot.write_text(code, encoding="utf-8")
    with running(tiny, "--public-pictures") as service, BotApi() as api:
        threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        environment = os.environ | {
            "TELEGRAM_API": f"http://127.0.0.1:{api.server_address[1]}", "TELEGRAM_TOKEN": "123:abc",
            "PUBLIC_URL": service.address, "PERSRV_URL": service.address,
        }  # fmt: skip
        with subprocess.Popen([sys.executable, str(bot)], env=environment) as process:
            try:
                inline_query = {"id": "q1", "from": {"id": 7}, "query": "cat", "offset": ""}
                api.updates.append({"update_id": 10, "inline_query": inline_query})
                api.until(lambda: api.answers)
                (first,) = api.answers
                assert (first["inline_query_id"], first["is_personal"], len(first["results"])) == ("q1", True, 3)
                picture = httpx.get(first["results"][0]["gif_url"])
                assert picture.headers["content-type"] == "image/gif" and picture.content[:3] == b"GIF"
                taken = first["results"][2]["id"]
                sent = {"result_id": taken, "from": {"id": 7}, "query": "cat"}
                wrong = {"result_id": "f" * 32, "from": {"id": 7}, "query": ""}
                api.updates += [
                    {"update_id": 11, "chosen_inline_result": sent}, {"update_id": 12, "chosen_inline_result": wrong}
                ]  # fmt: skip
                api.until(lambda: api.confirmed == 12)
                stored = httpx.get(f"{service.address}/v1/users/telegram:7/export").json()["picks"]
                assert [(p["query"], p["sticker_id"], p["kind"]) for p in stored] == [("cat", taken, "send")]
                assert process.poll() is None
            finally:
                process.kill()
        api.shutdown()
