"""The service's page in Chromium: from a key press to the first results on the screen.

Words of the collection are typed letter by letter, a letter when the one before is answered; the clock runs from the
browser's ``input`` event to the frame that shows the answer's cards. Somebody with a taste types, so that every
answer is personal. The rival is the search alone: the same beginnings of words, asked for over HTTP, at the
page's own limit.

* **start**: from ``persrv serve`` to a page that shows its first stickers and takes a key. Its rival is a Python that
  imports what the service is made of, and nothing else.
* **cards**: the cards are in the document and a frame was drawn.
* **pictures**: the pictures of the first twelve cards are decoded as well; on the first try the service has to make the
  thumbnails. Those of a made-up collection have no files: they are asked for in vain.

Typing begins when the service knows what to suggest. ``python -m benchmarks.page RECIPE HOME`` measures on a collection
that is built. Chromium is the machine's own, and runs already.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter, sleep

import httpx
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import machine, report
from benchmarks.measure import Row, compare, seconds
from benchmarks.service import Service, service
from persrv.recipe import Recipe
from persrv.workspace import Workspace

WORDS, TURNS, LIMIT = 12, 3, 40
RIVAL = "GET /v1/search"

_WATCH = """() => {
    window.taken = [];
    const root = document.getElementById("stickers"), query = document.getElementById("query");
    let typed = null;
    query.addEventListener("input", (event) => { typed = event.timeStamp; }, true);
    new MutationObserver(() => {
        if (typed === null || root.getAttribute("aria-busy") !== "false" || root.dataset.query !== query.value) return;
        const began = typed;
        typed = null;
        requestAnimationFrame(() => setTimeout(async () => {
            const cards = performance.now() - began;
            const images = [...root.querySelectorAll("li.card img")].slice(0, 12);
            await Promise.all(images.map((image) => image.decode().catch(() => {})));
            window.taken.push([cards, performance.now() - began]);
        }));
    }).observe(root, { attributes: true });
}"""


def measure(recipe: Path, home: Path) -> list[Row]:
    """Type, and ask, in turns."""
    words, user = _words_and_user(recipe, home)
    begun = [word[:end] for word in words for end in range(1, len(word) + 1)]
    with sync_playwright() as playwright, ExitStack() as stack:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        starts, imports = zip(*((_start(recipe, home, browser), seconds(_imported)) for _ in range(TURNS)), strict=True)
        running = stack.enter_context(service(recipe, home))
        client = stack.enter_context(httpx.Client(timeout=60))
        _until_it_suggests(client, running)
        page = browser.new_page()
        page.goto(running.address)
        page.wait_for_selector("[data-ready]")
        page.fill("#user", user)
        page.press("#user", "Enter")
        page.wait_for_selector("#lean:not([hidden])")
        page.evaluate(_WATCH)
        cards, pictures, typed = [], [], []
        for _ in range(TURNS):
            taken = _typed(page, words)
            cards.append(np.median(taken[:, 0]))
            pictures.append(np.median(taken[:, 1]))
            typed.append(np.median([_asked(client, running, query, user) for query in begun]))
        worst = f"95th percentile of the last turn {np.percentile(taken[:, 0], 95):.0f} ms"
        browser.close()
    answered, ready = zip(*starts, strict=True)
    note = f"the service answered after {np.median(answered):.2f} s"
    return [
        compare("persrv serve to a page that is ready", ready, "imports", imports, "s", note),
        compare("key press to cards", cards, RIVAL, typed, "ms", worst),
        compare("key press to the first twelve pictures", pictures, RIVAL, typed, "ms"),
    ]


def _start(recipe: Path, home: Path, browser: Browser) -> tuple[float, float]:
    """Return seconds until the service answers, and until its page is ready."""
    with service(recipe, home) as running:
        opening = perf_counter()
        page = browser.new_page()
        page.goto(running.address)
        page.wait_for_selector("[data-ready]")
        opened = perf_counter() - opening
        page.close()
    return running.seconds, running.seconds + opened


def _imported() -> None:
    subprocess.run([sys.executable, "-c", "import fastapi, numpy, sqlalchemy, uvicorn"], check=True)


def _until_it_suggests(client: httpx.Client, running: Service) -> None:
    """Wait until the service has learnt suggestions, which takes half a minute with 100,000 stickers."""
    while not client.get(f"{running.address}/v1/suggest", params={"q": "a"}).json()["suggestions"]:
        sleep(0.2)


def _words_and_user(recipe: Path, home: Path) -> tuple[list[str], str]:
    with Workspace.of(Recipe.read(recipe), home).existing_catalog() as catalog:
        labels = (phrase for phrase in catalog.labels() if phrase.isascii() and phrase.isalpha() and len(phrase) <= 9)
        found = sorted({next(labels).lower() for _ in range(WORDS * 20)})
        user = catalog.user_names(None, 1)[0]
    chosen = np.random.default_rng(7).choice(len(found), WORDS, replace=False)
    return [found[i] for i in sorted(chosen)], user


def _typed(page: Page, words: list[str]) -> np.ndarray:
    """Return milliseconds to the cards and to the pictures, shape (keys, 2)."""
    page.evaluate("() => { window.taken = []; }")
    page.focus("#query")
    for before, key in enumerate([key for word in words for key in (*word, "Control+a Backspace")]):
        for pressed in key.split():
            page.keyboard.press(pressed)
        # The page allows no code from texts, which a waiting function would be.
        while page.evaluate("() => window.taken.length") <= before:
            page.wait_for_timeout(5)
    return np.array(page.evaluate("() => window.taken"), dtype=np.float64)


def _asked(client: httpx.Client, running: Service, query: str, user: str) -> float:
    started = perf_counter()
    answer = client.get(f"{running.address}/v1/search", params={"q": query, "user": user, "gamma": 1, "limit": LIMIT})
    answer.raise_for_status()
    return (perf_counter() - started) * 1000


def main() -> None:
    """Measure, and write the results' page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    chosen = parser.parse_args()
    described = machine.describe()
    rows = measure(chosen.recipe, chosen.home)
    with Workspace.of(Recipe.read(chosen.recipe), chosen.home).existing_catalog() as catalog:
        described |= {"collection": f"{catalog.count():,} stickers"}
    command = f"python -m benchmarks.page {chosen.recipe.name} HOME"
    print(report.table(rows))
    name = f"page-{Recipe.read(chosen.recipe).name}"
    print(report.write(chosen.results, name, report.markdown(name, __doc__ or "", rows, described, command)))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
