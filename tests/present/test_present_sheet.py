from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from persrv.online.answer import Answer
from persrv.present.sheet import contact_sheet
from persrv.records import Hit

MakeHit = Callable[..., Hit]

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title><script>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; & &amp;",
    "\x00\x1b[31m\u202eevil",
    "世" * 500,
]


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    inside: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """Every element with what it stands in; fails on tags that do not match."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), tuple(parent.tag for parent in self.open))
        self.elements.append(element)
        if tag not in {"meta", "img", "source"}:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs), tuple(parent.tag for parent in self.open)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def classed(self, name: str) -> list[Element]:
        return [one for one in self.elements if name in (one.attributes.get("class") or "").split()]


def parsed(answers: list[tuple[str, Answer]], title: str = "a title") -> Page:
    page = Page()
    page.feed(contact_sheet(answers, title=title))
    page.close()
    assert page.open == []
    return page


def answer_of(*hits: Hit, query: str = "q", note: str = "") -> Answer:
    return Answer(hits, query, "mina", "matched", note, personal=True)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text(make_hit: MakeHit, still: Path, hostile: str) -> None:
    fields = {"pack": [hostile], "style": "s" + hostile, "emoji": [hostile], "language": hostile}
    hits = [make_hit(n, hostile, path, matched={hostile: 1.0}, **fields) for n, path in ((1, still), (2, None))]
    calm = [make_hit(n, "x", path, matched={"x": 1.0}, language="en", style="y") for n, path in ((1, still), (2, None))]
    page = parsed([(hostile, answer_of(*hits, query=hostile, note=hostile))], hostile)
    usual = parsed([("x", answer_of(*calm, query="x", note="x"))], "x")
    # Whatever is written, the page has the same elements with the same attributes.
    shape = [(one.tag, one.inside, sorted(one.attributes)) for one in page.elements]
    assert shape == [(one.tag, one.inside, sorted(one.attributes)) for one in usual.elements]
    assert page.all("script") == []
    assert not any(name.startswith("on") or name == "style" for one in page.elements for name in one.attributes)


def test_titles_come_through_unchanged(make_hit: MakeHit) -> None:
    titles = ["<b>&amp;</b>", "笑 😂", 'it\'s "so"']
    page = parsed([("a", answer_of(*(make_hit(n, title) for n, title in enumerate(titles, 1))))])
    assert [one.text for one in page.classed("title")] == titles


def test_the_policy_allows_this_style_and_nothing_else(make_hit: MakeHit) -> None:
    page = parsed([("a", answer_of(make_hit()))])
    policies = [one for one in page.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy"]
    (style,) = page.all("style")
    digest = b64encode(sha256(style.text.encode()).digest()).decode()
    assert [one.attributes["content"] for one in policies] == [
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ]
    assert "url(" not in style.text and "@import" not in style.text
    tags = [one.tag for one in page.elements]
    assert tags.index("meta") < tags.index("style")


def test_every_hit_is_a_figure_and_every_picture_has_a_text(make_hit: MakeHit, still: Path, moving: Path) -> None:
    paths = [still, moving, Path("missing.png"), None]
    hits = [make_hit(n, f"t{n}", paths[n % 4], text=n) for n in range(1, 41)]
    page = parsed([("a", answer_of(*hits)), ("b", answer_of(*hits[:3]))])
    assert len(page.all("figure")) == len(page.all("figcaption")) == len(page.all("details")) == 43
    pictures = page.all("img")
    assert len(pictures) == 20 + 1 and len(page.classed("missing")) == 20 + 2
    assert [one.attributes["alt"] for one in pictures[:3]] == ["t1", "t4", "t5"]
    assert all((one.attributes["src"] or "").startswith("data:image/") for one in pictures)
    stills = page.all("source")
    assert len(stills) == 10 + 1
    assert {one.attributes["media"] for one in stills} == {"(prefers-reduced-motion: reduce)"}


def test_headings_name_page_people_and_stickers(make_hit: MakeHit) -> None:
    page = parsed([("Mina", answer_of(make_hit())), ("", answer_of())], "Tastes")
    assert page.all("html")[0].attributes == {"lang": "en"}
    assert [one.text for one in page.all("h1") + page.all("title")] == ["Tastes"] * 2
    assert [one.text for one in page.all("h2")] == ["Mina", "—"]
    assert len(page.all("h3")) == 1
    sections = [one.attributes["aria-labelledby"] for one in page.all("section")]
    assert sections == [one.attributes["id"] for one in page.all("h2")]


def test_one_query_stands_on_top_different_ones_with_their_people(make_hit: MakeHit) -> None:
    same = parsed([("a", answer_of(query="joy")), ("b", answer_of(query="joy"))])
    assert [(one.text, "main" in one.inside) for one in same.all("q")] == [("joy", False)]
    other = parsed([("a", answer_of(query="joy")), ("b", answer_of(query="kiss"))])
    assert [(one.text, "main" in one.inside) for one in other.all("q")] == [("joy", True), ("kiss", True)]


def bars(page: Page) -> list[list[tuple[str | None, float, float]]]:
    found: list[list[tuple[str | None, float, float]]] = []
    for one in page.elements:
        if one.tag == "svg" and one.attributes.get("class") == "bar":
            found.append([])
        elif one.tag == "rect" and "figure" in one.inside:
            found[-1].append(
                (one.attributes["class"], float(one.attributes["x"] or 0), float(one.attributes["width"] or 0))
            )
    return found


def test_bars_add_up_and_share_one_scale_a_query(make_hit: MakeHit) -> None:
    best = make_hit(1, text=2.0, utility=1.5, style_factor=4 / 3)  # 2 + 1 + 1 = 4
    unlike = make_hit(2, text=2.0, utility=1.5, style_factor=0.5)  # 3 - 1.5
    nothing = make_hit(3, text=0.0)
    page = parsed([("a", answer_of(best, nothing)), ("b", answer_of(unlike)), ("c", answer_of(unlike, query="other"))])
    assert bars(page) == [
        [("words", 0, 50), ("utility", 50, 25), ("style", 75, 25)],
        [],
        [("words", 0, 50), ("utility", 50, 25), ("lost", 37.5, 37.5)],
        [("words", 0, 66.67), ("utility", 66.67, 33.33), ("lost", 50, 50)],
    ]


def test_details_tell_why_in_words(make_hit: MakeHit) -> None:
    page = parsed([("a", answer_of(make_hit(matched={"joy": 2.0}, utility=1.21, style_factor=1.64, centroid=1)))])
    message = [one.text for one in page.all("li") if "details" in one.inside]
    assert message == ["joy 2.00", "useful ×1.21", "your style 2 ×1.64", "drawn as noto", "1" + "0" * 31]
    assert re.sub(r"\s+", " ", page.all("summary")[0].text) == "score 3.97 why"


def test_no_hits_and_no_answers_still_make_a_page() -> None:
    page = parsed([("a", answer_of(note="nothing matches"))])
    assert page.all("figure") == [] and [one.text for one in page.classed("remark")] == ["nothing matches"]
    assert parsed([]).all("section") == []


def test_same_input_same_page(make_hit: MakeHit, moving: Path) -> None:
    answers = [("a", answer_of(make_hit(path=moving)))]
    assert contact_sheet(answers, title="t") == contact_sheet(answers, title="t")
