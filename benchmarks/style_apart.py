"""Do style vectors say how a sticker is drawn, whatever it shows?

The measure is a mean reciprocal rank, so **more is better**, and a ratio above 1 speaks for persrv.

The drawings of an emoji set, by default the one that ships with persrv, are a collection whose packs are the styles.
`--size` says about how many are taken, evenly, of the meanings that are drawn in nearly all styles. Nobody says which
stickers mean the same: a sticker's only text is three of its labels, drawn by lot, all English or all Chinese.

A simulated user prefers one or two styles, and makes 20 picks among one half of the meanings, of which 20 % are of any
style. For 40 meanings of the other half, which no pick has seen, all drawings of the meaning are ranked by
`max_c w_c cos(style, centroid_c)` over the centroids of the user's real `StyleProfile`. The figure is the mean over
users of the reciprocal rank of the first drawing in a preferred style. `--turns` says how often 60 users and the halves
are drawn anew (seeds 0, 1, ...); intervals are 95 % bootstrap intervals of the paired difference over all users.

* **the paper's own way**: k-means with five clusters over pooled features of EfficientNet-Lite0 (the network that is
  installed, in place of Chinese-CLIP), and the largest cosine.
* **the plain space**: `Space.fit(raw, packs)`, which does not ask what packs are, nor reads words.
* **packs of some meanings** hold 20 meanings in every style; **each pack in its own words** means that no two packs
  share a word; **styles unseen** means that users prefer styles, and ask for meanings, that no space was fitted on.
* **one style alone**: a label is typed for a sticker of a collection in one style, whose users can prefer none. The
  figure is the reciprocal rank of that sticker by BM25 times the style factor.

Encoders other than `statistics` are used where their packages are installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.emoji_part import listing
from benchmarks.measure import Floats, Row, compare
from benchmarks.options import Options
from benchmarks.simulated_tastes import (
    PICKS,
    SEARCHES,
    Drawings,
    Person,
    chosen,
    expected,
    families,
    first_half,
    people,
    vectors_of,
)
from persrv.errors import MissingExtraError
from persrv.images.decode import open_picture
from persrv.images.encoder import ImageEncoder
from persrv.images.registry import encoder
from persrv.images.space import Space
from persrv.images.together import encode_together
from persrv.ranking.clustering import spherical_kmeans
from persrv.ranking.formula import style_similarity
from persrv.ranking.profile import StyleProfile, unit
from persrv.ranking.style_space.centred import MeaningCentred
from persrv.ranking.style_space.words import WordTable
from persrv.text.bm25f import query_vector
from persrv.text.tokenizer import query_tokens

Looks = NDArray[np.float32]
Scorer = Callable[[Person], list[float]]

SIZE, TURNS, SHOPPERS = 4_000, 5, 10
CONTENT = "efficientnet-lite0"
STYLE = ("statistics", "style-mix")


def run(options: Options) -> list[Row]:
    """Measure on ``options.size`` drawings, with ``options.repetitions`` draws of users.

    Raises:
        PersrvError: The set or one of its pictures cannot be used, or it has fewer than three styles.
    """
    entries = chosen(listing(options.pictures_from), options.size or SIZE)
    raw = encoded([options.pictures_from / entry["file"] for entry in entries])
    drawings, turns = Drawings.of(entries), options.repetitions or TURNS
    rows: list[Row] = []
    for name in STYLE:
        if name in raw:
            rows += collection(name, raw[name], raw.get(CONTENT), drawings, turns)
            rows += robustness(name, raw[name], drawings, turns)
            rows += alone(name, raw[name], drawings, turns)
    return rows


def encoded(files: Sequence[Path]) -> dict[str, Looks]:
    """Return each encoder's raw vectors; encoders whose packages are missing are left out."""
    encoders: list[ImageEncoder] = []
    for name in (CONTENT, *STYLE):
        try:
            encoders.append(encoder(name))
        except MissingExtraError:
            continue
    parts = [encode_together(encoders, [open_picture(file)]) for file in files]
    return {one.name: np.concatenate(found) for one, found in zip(encoders, zip(*parts, strict=True), strict=True)}


def collection(name: str, raw: Looks, content: Looks | None, drawings: Drawings, turns: int) -> list[Row]:
    """Return the rows where packs are the styles."""
    ours = by_profile(MeaningCentred.fit(raw, drawings.documents(), drawings.style).vectors)
    rivals = {"random order": by_lot, "the plain space": by_profile(Space.fit(raw, drawings.style).project(raw))}
    if content is not None:
        rivals = {"the paper's own way": the_papers_way(content)} | rivals
    rows = []
    for preferred in (1, 2):
        crowds = [people(drawings, seed, preferred) for seed in range(turns)]
        for rival, theirs in rivals.items():
            rows.append(beside(f"{name}: {preferred} preferred", ours, rival, theirs, crowds))
    return rows


def robustness(name: str, raw: Looks, drawings: Drawings, turns: int) -> list[Row]:
    """Return the rows where packs or words mislead, or styles are new; two preferred styles."""
    crowds = [people(drawings, seed, 2) for seed in range(turns)]
    none, themes = [""] * len(raw), drawings.themes
    parts = [f"{style} {theme}" for style, theme in zip(drawings.style, themes, strict=True)]
    plain, own = drawings.documents(), drawings.in_own_words()
    cases = {
        "no packs": (plain, none),
        "packs of some meanings": (plain, themes),
        "several packs of each style": (plain, parts),
        "each pack in its own words": (own, drawings.style),
        "no packs, each style in its own words": (own, none),
    }
    rows = [
        beside(
            f"{name}: {case}",
            by_profile(MeaningCentred.fit(raw, documents, packs).vectors),
            "the plain space",
            by_profile(Space.fit(raw, packs).project(raw)),
            crowds,
        )
        for case, (documents, packs) in cases.items()
    ]
    return [*rows, unseen(name, raw, drawings, turns)]


def unseen(name: str, raw: Looks, drawings: Drawings, turns: int) -> Row:
    """Return the row where spaces are fitted on other styles and other meanings than users ask for."""
    documents, style, meaning = drawings.documents(), np.array(drawings.style), np.array(drawings.meaning)
    ours, theirs = [], []
    for seed in range(turns):
        centred_ranks, plain_ranks = [], []
        picked = np.isin(meaning, sorted(first_half(drawings, seed)))
        for known, new in (groups := families(drawings, seed), groups[::-1]):
            rows = np.flatnonzero(picked & np.isin(style, known))
            packs = style[rows].tolist()
            centred = MeaningCentred.fit(raw[rows], [documents[row] for row in rows], packs).space
            crowd = people(drawings, seed, min(2, len(new)), new)
            centred_ranks.append(over(crowd, by_profile(centred.project(raw))))
            plain_ranks.append(over(crowd, by_profile(Space.fit(raw[rows], packs).project(raw))))
        ours.append(np.concatenate(centred_ranks))
        theirs.append(np.concatenate(plain_ranks))
    return row_of(f"{name}: styles unseen", ours, "the plain space", theirs)


def alone(name: str, raw: Looks, drawings: Drawings, turns: int) -> list[Row]:
    """Return the rows of collections in one style each, where a label is typed for a sticker."""
    style, found = np.array(drawings.style), []
    for seed in range(turns):
        random = np.random.default_rng(seed)
        found.append(
            np.concatenate([shop(np.flatnonzero(style == one), raw, drawings, random) for one in np.unique(style)])
        )
    ours, plain, text = ([turn[:, column] for turn in found] for column in range(3))
    what = f"{name}: one style alone"
    return [row_of(what, ours, "BM25", text), row_of(what, ours, "BM25 and the plain space", plain)]


def shop(rows: NDArray[np.int64], raw: Looks, drawings: Drawings, random: np.random.Generator) -> Floats:
    """Return mean reciprocal ranks in a collection of some drawings, shape (users, 3): ours, the plain space, BM25."""
    documents, packs = vectors_of([drawings.text[row] for row in rows]), ["one"] * len(rows)
    spaces = (
        MeaningCentred.fit(raw[rows], documents, packs).vectors,
        Space.fit(raw[rows], packs).project(raw[rows]),
    )
    table = WordTable.of(documents)
    _, weights = table.dense(np.arange(len(rows)))
    column = {token: i for i, token in enumerate(sorted({t for document in documents for t in document.indices}))}
    answer = []
    for _ in range(SHOPPERS):
        picks, searches = np.split(random.permutation(len(rows)), [min(PICKS, len(rows) // 2)])
        profiles = [StyleProfile.fit(images[picks], np.zeros(len(picks))) for images in spaces]
        similarities = [
            style_similarity(images.astype(np.float64), profile.centroids, profile.weights)[0]
            for images, profile in zip(spaces, profiles, strict=True)
        ]
        ranks = []
        for sticker in searches[:SEARCHES]:
            labels = drawings.labels[rows[sticker]]
            typed = query_vector(query_tokens(labels[random.integers(len(labels))]))
            known = [column[token] for token in typed.indices if token in column]
            text = weights[:, known].sum(axis=1, dtype=np.float64)
            ranks.append(
                [one_over_rank(text * (1 + similarity), sticker) for similarity in (*similarities, np.zeros(len(rows)))]
            )
        answer.append(np.mean(ranks, axis=0))
    return np.array(answer)


def one_over_rank(scores: Floats, sticker: int) -> float:
    """Return 1 / rank, 0 for a score of 0; equal scores share the mean of their ranks."""
    own = scores[sticker]
    rank = np.count_nonzero(scores > own) + (np.count_nonzero(scores == own) + 1) / 2
    return 1 / float(rank) if own > 0 else 0.0


def by_profile(images: Looks) -> Scorer:
    """Rank by the user's style profile over these vectors."""

    def ranks(person: Person) -> list[float]:
        profile = StyleProfile.fit(images[person.picks], np.zeros(len(person.picks)))
        return reciprocal(person, images, profile.centroids, profile.weights)

    return ranks


def the_papers_way(content: Looks) -> Scorer:
    """Rank by the largest cosine to one of five clusters."""
    images = unit(content.astype(np.float64))

    def ranks(person: Person) -> list[float]:
        picked = images[person.picks]
        labels, _ = spherical_kmeans(picked, np.ones(len(picked)), 5, 0)
        centres = unit(np.stack([picked[labels == number].mean(axis=0) for number in np.unique(labels)]))
        return reciprocal(person, images, centres, np.ones(len(centres)))

    return ranks


def by_lot(person: Person) -> list[float]:
    """Return the expected reciprocal ranks of a random order."""
    return [expected(len(right), int(right.sum())) for _, right in person.searches]


def reciprocal(person: Person, images: NDArray[np.floating], centroids: Floats, weights: Floats) -> list[float]:
    """Return 1 / rank of the first right drawing, for each meaning asked for; equals are in the order of rows."""
    answer = []
    for rows, right in person.searches:
        order = np.argsort(-(images[rows] @ centroids.T * weights).max(axis=1), kind="stable")
        answer.append(1.0 / (1 + int(np.flatnonzero(right[order])[0])))
    return answer


def over(crowd: Sequence[Person], scorer: Scorer) -> Floats:
    """Return each person's mean reciprocal rank, shape (people,)."""
    return np.array([np.mean(scorer(person)) for person in crowd])


def beside(name: str, ours: Scorer, rival: str, theirs: Scorer, crowds: Sequence[Sequence[Person]]) -> Row:
    """Return the row that compares two scorers on the same people."""
    return row_of(name, [over(crowd, ours) for crowd in crowds], rival, [over(crowd, theirs) for crowd in crowds])


def row_of(name: str, ours: Sequence[Floats], rival: str, theirs: Sequence[Floats]) -> Row:
    """Return the row of people's figures, one array a turn; the note tells the interval of the difference."""
    gain = np.concatenate(ours) - np.concatenate(theirs)
    drawn = np.random.default_rng(0).integers(0, len(gain), (2_000, len(gain)))
    low, high = np.quantile(gain[drawn].mean(axis=1), [0.025, 0.975])
    means = [[float(turn.mean()) for turn in turns] for turns in (ours, theirs)]
    note = f"difference {gain.mean():+.3f}, 95 % interval {low:+.3f} to {high:+.3f}, {len(gain)} users"
    return compare(name, means[0], rival, means[1], "MRR", note)
