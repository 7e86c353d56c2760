"""The page in a real Chromium, as people use it."""

from __future__ import annotations

import base64
import re
import shutil
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from copied_drawing import copied_drawing
from persrv.serve.keys import add_key, remove_key
from running_service import running
from tiny_collection import Tiny

DROPPED = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type: "image/png" }));
    return data;
}"""
SERIOUS = ("serious", "critical")
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def tiny_here(tiny_built: Tiny, module_folder: Path) -> Tiny:
    return tiny_built.copied(module_folder / "tiny")


@pytest.fixture(scope="module")
def address(tiny_here: Tiny) -> Iterator[str]:
    with running(tiny_here) as service:
        yield service.address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "the page is tested in Chromium; install it: apt-get install chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Opens the page for somebody; in the end no console may have complained."""
    complaints: list[str] = []
    contexts = []

    def opened(user: str = "", **options: object) -> Page:
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.wait_for_selector("[data-ready]")
        if user:
            page.fill("#user", user)
            page.press("#user", "Enter")
            expect(page.locator("#lean")).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def search(page: Page, query: str) -> None:
    page.fill("#query", "")
    page.locator("#query").press_sequentially(query)
    page.keyboard.press("Enter")
    settled(page, query)


def settled(page: Page, query: str) -> None:
    expect(page.locator(f'#stickers[aria-busy=false][data-query="{query}"]')).to_have_count(1)


def shown(page: Page, part: str = "results") -> list[str]:
    expect(page.locator("#stickers[aria-busy=false]")).to_have_count(1)
    return page.locator(f"#part-{part} li.card").evaluate_all("cards => cards.map(card => card.dataset.id)")


def styles_of(address: str, ids: list[str]) -> list[str]:
    return [str(httpx.get(f"{address}/v1/stickers/{known}").json()["style"]) for known in ids]


def test_something_to_click_before_anything_is_typed(open_page: OpenPage, address: str) -> None:
    page = open_page()
    assert len(shown(page, "popular")) == 30
    page.fill("#user", "ann")
    page.press("#user", "Enter")
    expect(page.locator("#part-recent li.card").first).to_be_visible()
    assert shown(page, "recent") == [s["id"] for s in httpx.get(f"{address}/v1/users/ann/stickers").json()["stickers"]]


def test_search_as_you_type_with_suggestions(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#query").press_sequentially("co")
    expect(page.get_by_role("option", name="coffee")).to_be_visible()
    # They stand in the place of the filters, of which no half looks out beside them.
    expect(page.locator("#filters")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#query")).to_have_value("coffee")
    expect(page.locator("#filters")).to_be_visible()
    expect(page.locator("#part-results li.card")).to_have_count(3)
    # A word that is not whole yet shows what it would become.
    page.fill("#query", "cof")
    expect(page.locator("#note")).to_contain_text("“cof”; these are for “coffee”")
    expect(page.locator("#part-results li.card")).to_have_count(3)
    search(page, "hapyy")
    expect(page.locator("#note")).to_contain_text("searched for 'happy'")


def test_a_click_copies_and_the_next_answer_leans(open_page: OpenPage, address: str) -> None:
    page = open_page("carla")
    search(page, "sleep")
    before = shown(page)
    for query in ("cat", "dog"):
        search(page, query)
        wanted = shown(page)[styles_of(address, shown(page)).index("soft")]
        page.locator(f'li.card[data-id="{wanted}"] > button').first.click()
        expect(page.locator("#toast")).to_contain_text("Copied")
    kinds = page.evaluate("async () => (await navigator.clipboard.read())[0].types")
    assert kinds == ["image/png"]
    search(page, "sleep")
    assert styles_of(address, shown(page))[0] == "soft" and set(shown(page)) == set(before)


def test_why_a_sticker_is_there(open_page: OpenPage) -> None:
    page = open_page("ann")
    search(page, "rain")
    page.locator("#part-results li.card").first.hover()
    page.get_by_role("button", name="Why this?").first.click()
    panel = page.locator("#panel")
    expect(panel.locator("mark").first).to_have_text("rain")
    expect(panel.locator(".legend")).to_contain_text(
        re.compile(r"Words \d.*Useful to many [+]\d+ %.*Your style [+]\d+ %")
    )
    widths = panel.locator(".score span").evaluate_all("parts => parts.map(part => part.getBoundingClientRect().width)")
    assert len(widths) == 3 and widths[0] > 0 and widths[2] > 0
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_the_slider_goes_from_everybody_to_me(open_page: OpenPage) -> None:
    everybody, bo = open_page(), open_page("bo")
    search(everybody, "sleep")
    search(bo, "sleep")
    mine = shown(bo)
    assert mine != shown(everybody)
    bo.locator("#gamma").focus()
    bo.keyboard.press("Home")
    expect(bo.locator(".moved").first).to_be_visible()
    search(everybody, "sleep")  # picks of other tests may have come between
    assert shown(bo) == shown(everybody)
    bo.keyboard.press("End")
    bo.wait_for_timeout(100)
    assert shown(bo) == mine


def test_two_people_side_by_side(open_page: OpenPage, address: str) -> None:
    page = open_page("ann")
    page.fill("#other", "bo")
    page.press("#other", "Enter")
    page.locator("#query").press_sequentially("sleep")
    expect(page.get_by_role("heading", name="For ann")).to_be_visible()
    expect(page.get_by_role("heading", name="For bo")).to_be_visible()
    firsts = [shown(page, "mine")[0], shown(page, "theirs")[0]]
    assert styles_of(address, firsts) == ["line", "flat"]


def test_a_map_of_my_taste(open_page: OpenPage) -> None:
    page = open_page("ann")
    page.get_by_role("button", name="My taste").click()
    expect(page.locator(".map button")).to_have_count(6)
    expect(page.locator(".styles li").first).to_contain_text("Style 1")
    page.locator(".map button").first.click()
    expect(page.locator("#part-similar li.card").first).to_be_visible()


def test_a_picture_is_searched_by_dropping_choosing_or_pasting_it(
    open_page: OpenPage, tiny_here: Tiny, address: str
) -> None:
    file = tiny_here.file.parent / "stickers" / "line" / "dog.png"

    def found(page: Page) -> str:
        expect(page.locator("#part-similar li.card").first).to_be_visible()
        return str(httpx.get(f"{address}/v1/stickers/{shown(page, 'similar')[0]}").json()["texts"]["tags"][0])

    page = open_page()
    page.set_input_files("#picture", file)
    assert found(page) == "dog"
    data = page.evaluate_handle(DROPPED, ["dog.png", encoded(file)])
    page.locator("#back").click()
    page.dispatch_event("body", "dragenter", {"dataTransfer": data})
    page.dispatch_event("[data-zone=dropSearch]", "drop", {"dataTransfer": data})
    assert found(page) == "dog"
    page.locator("#back").click()
    page.evaluate(
        "(clipboardData) => dispatchEvent(new ClipboardEvent('paste', { clipboardData, cancelable: true }))", data
    )
    assert found(page) == "dog"


def test_favourites_and_a_style_that_is_not_mine(open_page: OpenPage, address: str) -> None:
    page = open_page("fred")
    search(page, "cat")
    expect(page.locator("#part-results li.card > button").first).to_be_focused()
    page.keyboard.press("f")
    expect(page.locator('#part-results [aria-pressed="true"]')).to_have_count(1)
    page.fill("#query", "")
    expect(page.locator("#part-favourites li.card")).to_have_count(1)
    page.get_by_role("button", name="My taste").click()
    page.get_by_role("button", name="Not my style: Style 1").click()
    expect(page.locator(".styles li")).to_have_count(0)
    assert httpx.get(f"{address}/v1/users/fred").json()["styles"] == []


def test_a_person_is_forgotten(open_page: OpenPage, address: str) -> None:
    page = open_page("dora")
    page.locator("#part-popular li.card > button").first.click()
    expect(page.locator("#part-recent li.card")).to_have_count(1)
    page.get_by_role("button", name="My taste").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget me").click()
    expect(page.locator("#toast")).to_contain_text("dora is forgotten; picks deleted: 1")
    assert httpx.get(f"{address}/v1/users/dora").json()["picks"] == 0


def test_words_are_edited_in_place_and_found_at_once(open_page: OpenPage) -> None:
    page = open_page()
    search(page, "angry")
    known = shown(page)[0]
    page.locator(f'li.card[data-id="{known}"] > button').first.focus()
    page.keyboard.press("e")
    page.get_by_label("Tags").fill("angry\nfurious\n怒")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#panel")).to_contain_text("edited by hand")
    page.keyboard.press("Escape")
    search(page, "furious")
    assert shown(page) == [known]


def test_pictures_and_archives_are_added_and_found_at_once(open_page: OpenPage, tmp_path: Path) -> None:
    for number, name in enumerate(("wobbly giraffe", "sleepy giraffe", "giraffe at sea")):
        Image.new("RGBA", (50, 50), (80 * number, 200, 90, 255)).save(tmp_path / f"{name}.png")
    with zipfile.ZipFile(tmp_path / "zoo.zip", "w") as archive:
        archive.write(tmp_path / "giraffe at sea.png", "zoo/giraffe at sea.png")
        archive.writestr("zoo/broken.png", b"no picture")
    page = open_page()
    page.set_input_files("#add", [tmp_path / "wobbly giraffe.png", tmp_path / "zoo.zip"])
    expect(page.locator("#toast")).to_contain_text("2 added, 0 known before, 1 skipped")
    search(page, "giraffe")
    expect(page.locator("#part-results li.card")).to_have_count(2)
    data = page.evaluate_handle(DROPPED, ["sleepy giraffe.png", encoded(tmp_path / "sleepy giraffe.png")])
    page.dispatch_event("body", "dragenter", {"dataTransfer": data})
    page.dispatch_event("[data-zone=dropAdd]", "drop", {"dataTransfer": data})
    expect(page.locator("#toast")).to_contain_text("1 added")
    expect(page.locator("#part-results li.card")).to_have_count(3)


def test_keyboard_only(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.keyboard.type("party")
    settled(page, "party")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    second = shown(page)[1]
    assert page.evaluate("document.activeElement.closest('li').dataset.id") == second
    page.keyboard.press("w")
    expect(page.locator("#panel")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('li').dataset.id") == second
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("Copied")
    page.keyboard.press("s")
    expect(page.locator("#part-similar li.card").first).to_be_visible()
    page.locator("#part-similar li.card button").first.focus()
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()


def test_the_focus_outlives_every_redraw(open_page: OpenPage) -> None:
    page = open_page("greta")
    search(page, "love")
    held = "document.activeElement.closest('[data-id]')?.dataset.id + ' ' + document.activeElement.dataset.key"

    def stays(act: Callable[[], object]) -> None:
        before = page.evaluate(held)
        act()
        page.wait_for_timeout(150)
        expect(page.locator("#stickers[aria-busy=false]")).to_have_count(1)
        assert page.evaluate(held) == before and "undefined" not in before

    page.keyboard.press("End")
    last = shown(page)[-1]

    def picked() -> None:
        page.keyboard.press("Enter")
        expect(page.locator("#part-results li.card").first).to_have_attribute("data-id", last)

    def starred(key: str, pressed: int) -> None:
        page.keyboard.press(key)
        expect(page.locator('#part-results .favourite[aria-pressed="true"]')).to_have_count(pressed)

    # A pick, after which the list is drawn in another order.
    stays(picked)
    stays(lambda: starred("f", 1))
    page.locator("#part-results li.card .favourite").first.focus()
    stays(lambda: starred("Enter", 0))
    # The panel gives it back, also when the words have changed.
    page.locator("#part-results li.card > button").nth(1).focus()

    def looked() -> None:
        page.keyboard.press("w")
        expect(page.locator("#panel")).to_be_visible()
        page.keyboard.press("Escape")

    stays(looked)

    def edited() -> None:
        page.keyboard.press("e")
        expect(page.get_by_label("Name")).to_be_focused()
        page.get_by_label("Name").fill("adored")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#panel [data-key=edit]")).to_be_focused()
        expect(page.locator('#part-results li.card > button[aria-label="adored"]')).to_have_count(1)
        page.keyboard.press("Escape")

    stays(edited)
    # Controls outside the lists.
    chip = page.locator("#filters .chip").nth(1)
    chip.focus()
    page.keyboard.press("Enter")
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(chip).to_be_focused()
    page.keyboard.press("Enter")
    # What is gone gives the focus to what stands in its place.
    page.locator("#part-results li.card > button").first.focus()
    page.keyboard.press("s")
    expect(page.locator("#part-similar li.card").first).to_be_visible()
    assert page.evaluate("document.activeElement !== document.body")


def test_near_duplicates_are_shown_once_with_how_many_more(open_page: OpenPage, tiny_here: Tiny, address: str) -> None:
    files = [("pictures", (f"axolotl {number}.png", png)) for number, png in enumerate(copied_drawing("pink"))]
    added = httpx.post(f"{address}/v1/stickers", files=files).json()["added"]
    page = open_page()
    search(page, "axolotl")
    (first,) = shown(page)
    expect(page.locator(".more-copies button")).to_contain_text("2 more")
    page.keyboard.press("m")
    expect(page.locator("#part-results li.card")).to_have_count(3)
    assert {*shown(page)} == {*added} and shown(page)[0] == first
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('li').classList.contains('copy')")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("Copied")
    page.locator(".more-copies button").click()
    expect(page.locator("#part-results li.card")).to_have_count(1)
    expect(page.locator(".more-copies button")).to_be_focused()


def test_both_languages(open_page: OpenPage) -> None:
    chinese = open_page(locale="zh-CN")
    expect(chinese.locator("#taste-button")).to_have_text("我的品味")
    assert chinese.evaluate("document.documentElement.lang") == "zh-Hans"
    search(chinese, "开心")
    chinese.get_by_role("button", name="English").click()
    expect(chinese.locator("#taste-button")).to_have_text("My taste")


def test_a_key_is_asked_for_once_and_again_when_it_counts_no_more(browser: Browser, tiny: Tiny) -> None:
    file = tiny.home / "keys.json"
    key = add_key(file, "page", "write", ())
    with running(tiny) as service:
        page = browser.new_page()
        page.goto(service.address)
        expect(page.locator("#key")).to_be_focused()
        page.keyboard.type("a-wrong-key")
        page.keyboard.press("Enter")
        expect(page.locator("#toast")).to_contain_text("the API key is not known")
        page.fill("#key", key)
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-ready]")
        assert len(shown(page, "popular")) == 30
        remove_key(file, "page")
        add_key(file, "another", "write", ())
        page.wait_for_timeout(1100)  # a service looks at the file once a second
        page.fill("#query", "cat")
        expect(page.locator("#key")).to_be_visible()
        page.close()


def test_it_fits_a_phone(open_page: OpenPage) -> None:
    page = open_page("ann", viewport={"width": 360, "height": 740}, has_touch=True)
    search(page, "cat")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Why this?").first.tap()
    expect(page.locator("#panel")).to_be_visible()
    box = page.locator("#panel").bounding_box()
    assert box and box["width"] <= 360 and box["y"] > 0


def test_back_and_forward_go_through_what_was_looked_at(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#query").press_sequentially("cat")
    settled(page, "cat")
    assert page.url.endswith("?q=cat")
    page.keyboard.press("Enter")
    page.keyboard.press("s")
    expect(page.locator("#part-similar li.card").first).to_be_visible()
    page.locator("#query").fill("dog")
    settled(page, "dog")
    page.reload()
    page.wait_for_selector("[data-ready]")
    expect(page.locator("#query")).to_have_value("dog")
    page.go_back()
    expect(page.locator("#part-similar li.card").first).to_be_visible()
    page.go_back()  # the three letters of one query are one place
    settled(page, "cat")
    expect(page.locator("#query")).to_have_value("cat")
    page.go_back()
    expect(page.locator("#part-popular li.card").first).to_be_visible()
    page.go_forward()
    settled(page, "cat")


def test_two_tabs_are_two_people(open_page: OpenPage) -> None:
    first = open_page("ann")
    second = first.context.new_page()
    second.goto(first.url)
    second.wait_for_selector("[data-ready]")
    expect(second.locator("#user")).to_have_value("ann")
    second.fill("#user", "bo")
    second.press("#user", "Enter")
    expect(second.locator('#people option[value="bo"]')).to_have_count(1)
    for page, user in ((first, "ann"), (second, "bo")):
        page.reload()
        page.wait_for_selector("[data-ready]")
        expect(page.locator("#user")).to_have_value(user)


def test_a_service_that_is_away_is_said_and_asked_again(browser: Browser, tiny: Tiny) -> None:
    with running(tiny) as service:
        context = browser.new_context()
        page = context.new_page()
        page.goto(service.address)
        page.wait_for_selector("[data-ready]")
        context.set_offline(True)
        page.fill("#query", "cat")
        expect(page.locator("#toast")).to_have_text("The service does not answer. Is it running, and are you online?")
        assert len(shown(page, "popular")) == 30
        context.set_offline(False)
        settled(page, "cat")
        expect(page.locator("#part-results li.card").first).to_be_visible()
        service.process.send_signal(signal.SIGSTOP)
        page.fill("#query", "dog")
        expect(page.locator("#stickers.late")).to_have_count(1)
        service.process.send_signal(signal.SIGCONT)
        settled(page, "dog")
        expect(page.locator("#stickers.late")).to_have_count(0)
        context.close()


def test_a_late_answer_does_not_wait_behind_pictures(browser: Browser, tiny: Tiny) -> None:
    """Six pictures at a time are asked for: those that hang would hold up every answer."""
    hanging: list[Route] = []
    with running(tiny) as service:
        context = browser.new_context()
        page = context.new_page()
        page.route("**/thumbnail*", lambda route: hanging.append(route))
        page.goto(service.address)
        page.wait_for_selector("[data-ready]")
        service.process.send_signal(signal.SIGSTOP)
        page.fill("#query", "dog")
        expect(page.locator("#stickers.late")).to_have_count(1)
        expect(page.locator("#stickers img[src]")).to_have_count(0)
        page.unroute("**/thumbnail*")
        service.process.send_signal(signal.SIGCONT)
        page.fill("#query", "")
        expect(page.locator("#stickers.late")).to_have_count(0)
        expect(page.locator("#stickers img.coming")).to_have_count(0)
        context.close()


def test_on_a_phone_the_search_box_stays_and_the_rest_makes_room(open_page: OpenPage) -> None:
    page = open_page("ann", viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.locator("main").bounding_box()["y"] < 844 / 6
    page.locator("#part-popular li.card > button").last.focus()
    expect(page.locator("#query")).to_be_in_viewport()
    page.keyboard.press("Home")  # to the first card, which lies above the view then
    focused = page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert focused > page.locator("#search").evaluate("box => box.getBoundingClientRect().bottom")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: OpenPage, scheme: str) -> None:
    page = open_page("ann", color_scheme=scheme)
    grounds = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", grounds)[0]) < 100) == (scheme == "dark")
    search(page, "love")
    page.get_by_role("button", name="My taste").click()
    expect(page.locator(".map button").first).to_be_visible()
    page.locator("#part-results li.card").first.hover()
    page.get_by_role("button", name="Why this?").first.click()
    expect(page.locator("#panel")).to_be_visible()
    found = [
        f"{v['id']}: {v['nodes'][0]['html']}" for v in Axe().run(page).response["violations"] if v["impact"] in SERIOUS
    ]
    assert found == []


def test_the_page_weighs_little_and_asks_no_other_host(open_page: OpenPage, browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(address)
    page.wait_for_selector("[data-ready]")
    context.close()
    assert all(url.startswith((address, "data:")) for url in requested)
    parts = {url for url in requested if url == f"{address}/" or "/page/" in url}
    assert sum(len(httpx.get(url).content) for url in parts) <= 150_000
    assert len(parts) >= 8


def test_files_of_the_page_are_not_sent_twice(address: str) -> None:
    first = httpx.get(f"{address}/page/main.js")
    again = httpx.get(f"{address}/page/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert httpx.get(f"{address}/page/..%2Fapp.py").status_code == 400
    assert Path(__file__).name not in first.text
