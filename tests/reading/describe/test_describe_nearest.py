"""The describer ``nearest``: calibration, space, model, file, training, describing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawn_stickers import BLUE, RED, picture, subject
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from persrv.errors import RecipeError, SourceError
from persrv.images.registry import encoder
from persrv.offline.loading import load as load_source
from persrv.reading.describe import describer
from persrv.reading.describe.calibration import Calibration
from persrv.reading.describe.describer import Description, Subject
from persrv.reading.describe.label_space import LabelSpace
from persrv.reading.describe.nearest import NearestDescriber
from persrv.reading.describe.nearest_file import FILE, load_nearest, save_nearest
from persrv.reading.describe.nearest_model import Guesses, NearestModel
from persrv.reading.describe.nearest_training import train_nearest
from persrv.recipe import Describe, Recipe
from persrv.recipe.places import shipped
from persrv.records import Semantics, Skipped, SourceSticker, Sticker

_SCORES = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=60)


@given(_SCORES)
def test_calibration_is_isotonic_regression_but_for_smoothing(pairs: list[tuple[int, bool]]) -> None:
    scores = np.array([score for score, _ in pairs], np.float32)
    right = np.array([hit for _, hit in pairs])
    fitted = Calibration.fit(scores, right)
    assert (np.diff(fitted.confidences) >= 0).all()
    assert ((fitted.confidences > 0) & (fitted.confidences < 1)).all()
    # The smoothing of half a right and half a wrong guess a block vanishes when every guess is made 1,000 times.
    many = Calibration.fit(np.repeat(scores, 1_000), np.repeat(right, 1_000))
    oracle = IsotonicRegression().fit(scores, right).predict(many.scores)
    assert len(many.scores) == len(np.unique(oracle.round(6)))
    np.testing.assert_allclose(many.confidences, oracle, atol=2e-3)


def test_without_guesses_nothing_is_sure() -> None:
    fitted = Calibration.fit(np.zeros(0, np.float32), np.zeros(0, np.bool_))
    assert fitted(np.array([0.0, 9.0], np.float32)).tolist() == [0.0, 0.0]


def test_the_space_of_full_rank_is_ridge_regression() -> None:
    random = np.random.default_rng(3)
    vectors = random.normal(size=(50, 6)).astype(np.float32)
    labels = [np.flatnonzero(row) for row in random.random((50, 4)) < 0.4]
    space = LabelSpace.fit(vectors, labels, 4, ridge=0.7)
    hot = np.zeros((50, 4))
    for row, numbers in enumerate(labels):
        hot[row, numbers] = 1
    inputs = np.clip((vectors - vectors.mean(0)) / vectors.std(0), -3, 3)
    inputs /= np.linalg.norm(inputs, axis=1, keepdims=True)
    # Ridge regression as least squares with rows of sqrt(ridge) appended.
    left = np.vstack([inputs, np.sqrt(0.7) * np.eye(6)])
    right = np.vstack([hot - hot.mean(0), np.zeros((6, 4))])
    weights = np.linalg.lstsq(left, right, rcond=None)[0]
    embedded, scores = space.embed(vectors)
    np.testing.assert_allclose(scores, inputs @ weights + hot.mean(0), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-5)
    assert space.projection.shape == (6, 4)


def test_a_constant_dimension_and_the_average_picture_are_harmless() -> None:
    vectors = np.array([[1, 5, 0], [3, 5, 0], [2, 5, 0]], np.float32)
    space = LabelSpace.fit(vectors, [np.array([0]), np.array([1]), np.array([], np.int64)], 2)
    embedded, scores = space.embed(vectors)
    assert np.isfinite(scores).all()
    assert not embedded[2].any()
    assert scores[2] == pytest.approx([1 / 3, 1 / 3])


def _clouds(n: int = 40, seed: int = 0) -> tuple[np.ndarray, list[tuple[str, ...]], list[str]]:
    """Return vectors around four corners, each corner with its own labels, in five packs."""
    random = np.random.default_rng(seed)
    corners = np.eye(4, 12) * 4
    rows = np.arange(n) % 4
    vectors = (corners[rows] + random.normal(size=(n, 12)) * 0.5).astype(np.float32)
    names = [("Cat", "happy"), ("dog", "sad"), ("bird", "happy"), ("fish",)]
    return vectors, [names[row] for row in rows], [f"pack {i // 8}" for i in range(n)]


def test_guesses_are_the_labels_of_the_cloud_with_high_confidence() -> None:
    vectors, labels, packs = _clouds()
    model = NearestModel.fit(vectors, labels, groups=packs)
    fresh, expected, _ = _clouds(8, seed=1)
    assert model.words == ("bird", "cat", "dog", "fish", "happy", "sad")
    for guesses, names in zip([found.words for found in model.guess(fresh)], expected, strict=True):
        found = {guess.label: guess.confidence for guess in guesses}
        assert sorted(found.values(), reverse=True) == list(found.values())
        right = {name.casefold() for name in names}
        assert {label for label, sure in found.items() if sure > 0.5} == right


def test_the_same_input_gives_the_same_model() -> None:
    vectors, labels, packs = _clouds()
    first, second = (NearestModel.fit(vectors, labels, groups=packs, encoder="e") for _ in range(2))
    assert first.revision == second.revision
    assert first.guess(vectors) == second.guess(vectors)
    assert NearestModel.fit(vectors, [*labels[1:], labels[0]], groups=packs, encoder="e").revision != first.revision


def test_emotions_are_guessed_beside_words_with_a_confidence_of_their_own() -> None:
    vectors, labels, packs = _clouds(80)
    # Nobody writes the word, and each cloud has an emotion: words alone could not give it.
    emotions = [("joy",) if row % 4 in (0, 2) else ("sadness",) for row in range(80)]
    model = NearestModel.fit(vectors, [names[:1] for names in labels], emotions, groups=packs)
    assert (model.words, model.emotions) == (("bird", "cat", "dog", "fish"), ("joy", "sadness"))
    for row, found in enumerate(model.guess(_clouds(8, seed=1)[0])):
        assert found.emotions[0].label == emotions[row][0]
        assert found.emotions[0].confidence > 0.5 > found.emotions[1].confidence
        assert {guess.label for guess in found.words} == set(model.words)
    # Where emotions say nothing about the picture, their confidence is their share, and words keep theirs.
    random = np.random.default_rng(0)
    noise = [("joy",) if random.random() < 0.5 else ("sadness",) for _ in range(80)]
    blind = NearestModel.fit(vectors, [names[:1] for names in labels], noise, groups=packs)
    (found,) = blind.guess(_clouds(1, seed=1)[0])
    assert found.emotions[0].confidence < 0.75 < found.words[0].confidence


def test_many_examples_are_compared_in_smaller_batches_with_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels, packs = _clouds()
    model = NearestModel.fit(vectors, labels, groups=packs)
    at_once = model.guess(vectors)
    monkeypatch.setattr("persrv.reading.describe.nearest_model._CELLS", 3 * len(vectors))
    in_threes = model.guess(vectors)
    for one, other in zip(at_once, in_threes, strict=True):
        assert [guess.label for guess in one.words] == [guess.label for guess in other.words]
        assert [guess.confidence for guess in one.words] == pytest.approx([guess.confidence for guess in other.words])
    assert model.examples.dtype == np.float32
    assert (model.examples == model.examples.astype(np.float16)).all()


def test_a_sticker_with_words_gets_no_guesses() -> None:
    statistics = encoder("statistics")
    vectors = statistics.encode([picture(RED), picture(BLUE)] * 5)
    labels = [("red", "anger"), ("blue", "sad")] * 5
    model = NearestModel.fit(vectors, labels, encoder=statistics.name, encoder_revision=statistics.revision)
    known = [Semantics(name=("x",)), Semantics(tags=("x",)), Semantics(description=("x",)), Semantics(keywords=("x",))]
    subjects = [subject(number, RED, semantics) for number, semantics in enumerate(known)]
    without = [subject(9, RED), subject(10, RED, Semantics(ocr=("ha ha",), pack=("p",)))]
    descriptions = NearestDescriber(model, statistics).describe([*subjects, *without])
    assert descriptions[:4] == [Description("", (), ())] * 4
    assert all(isinstance(found, Description) and found.keywords for found in descriptions[4:])


def test_labels_that_stand_once_or_are_no_words_are_not_guessed() -> None:
    vectors, labels, packs = _clouds()
    labels[0] = (*labels[0], "only here", "")
    labels[1] = (*labels[1], "x" * 50)
    labels[2] = (*labels[2], "x" * 50)
    assert "only here" not in NearestModel.fit(vectors, labels, groups=packs).words
    assert max(map(len, NearestModel.fit(vectors, labels, groups=packs).words)) < 40


def test_no_sticker_is_its_own_neighbour() -> None:
    vectors, labels, packs = _clouds()
    ids = [f"{i:032x}" for i in range(len(vectors))]
    labels[0] = ("dog", "sad")
    model = NearestModel.fit(vectors, labels, groups=packs, ids=ids)
    alone = {guess.label: guess.confidence for guess in model.guess(vectors[:1], ids[:1])[0].words}
    among = {guess.label: guess.confidence for guess in model.guess(vectors[:1])[0].words}
    assert alone["cat"] > 0.5 > alone["dog"]
    assert among["dog"] > alone["dog"]


@pytest.mark.parametrize("labels", [[()] * 3, [("a",), ("b",), ("c",)]])
def test_without_a_label_that_stands_twice_there_is_nothing_to_guess(labels: list[tuple[str, ...]]) -> None:
    model = NearestModel.fit(np.eye(3, dtype=np.float32), labels)
    assert model.guess(np.eye(3, dtype=np.float32)) == [Guesses((), ())] * 3


@pytest.mark.parametrize(
    ("vectors", "labels"),
    [
        (np.zeros((0, 3), np.float32), []),
        (np.full((1, 3), np.nan, np.float32), [("a",)]),
        (np.zeros((2, 3), np.float32), [("a",)]),
        (np.zeros(3, np.float32), [("a",)] * 3),
    ],
)
def test_impossible_input_is_refused(vectors: np.ndarray, labels: list[tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="vectors"):
        NearestModel.fit(vectors, labels)


def test_a_saved_model_is_the_same_model(tmp_path: Path) -> None:
    vectors, labels, packs = _clouds()
    model = NearestModel.fit(vectors, labels, groups=packs, encoder="e", encoder_revision="1", ids=packs)
    save_nearest(model, tmp_path / "new")
    read = load_nearest(tmp_path / "new")
    assert read.revision == model.revision
    assert read.guess(vectors, packs) == model.guess(vectors, packs)
    assert [file.name for file in (tmp_path / "new").iterdir()] == [FILE]


def test_a_missing_model_says_how_to_train(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"nothing has been learned.*run persrv learn"):
        describer(Describe(engine="nearest"), folder=tmp_path)


@pytest.mark.parametrize("damage", ["empty", "cut", "other", "method", "pickle", "shape", "label"])
def test_a_damaged_model_is_refused(tmp_path: Path, damage: str) -> None:
    vectors, labels, packs = _clouds()
    path = save_nearest(NearestModel.fit(vectors, labels, groups=packs), tmp_path)
    with np.load(path) as content:
        parts = {name: content[name] for name in content.files}
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-400])
    elif damage == "other":
        path.write_bytes(b"not a zip file at all")
    elif damage == "method":
        packed = bytearray(path.read_bytes())
        entry = packed.rindex(b"PK\x01\x02")
        packed[entry + 10] = 99  # a way of compressing that nobody has
        path.write_bytes(packed)
    else:
        wrong: dict[str, tuple[str, np.ndarray]] = {
            "pickle": ("prior", np.array([{}, 1], object)),
            "shape": ("readout", parts["readout"][:, 1:]),
            "label": ("numbers", parts["numbers"] + 100),
        }
        name, value = wrong[damage]
        np.savez(path, **(parts | {name: value}))
    with pytest.raises(RecipeError, match=r"nearest\.npz cannot be read.*run persrv learn again"):
        load_nearest(tmp_path)


def _emoji(meanings: int) -> list[Sticker]:
    """Return the shipped stickers of the first meanings as a catalog would."""
    recipe = Recipe.read(shipped("collections") / "emoji.toml")
    found = [s for s in load_source(recipe.stickers[0], recipe).stickers() if isinstance(s, SourceSticker)]
    wanted = list(dict.fromkeys(s.semantics.emoji[0] for s in found))[:meanings]
    return [
        Sticker(s.key, s.path, "webp", 1, 1, 1, (s.pack,), s.semantics, "", "safe", s.style)
        for s in found
        if s.semantics.emoji[0] in wanted
    ]


def test_trained_on_seven_styles_it_describes_an_eighth(tmp_path: Path) -> None:
    stickers = _emoji(25)
    unseen = [s for s in stickers if s.style == "fluent-emoji-flat"]
    statistics = encoder("statistics")
    progress: list[int] = []
    model, skipped = train_nearest([s for s in stickers if s not in unseen], statistics, progress.append)
    assert skipped == ()
    assert sum(progress) == len(stickers) - len(unseen)
    save_nearest(model, tmp_path)
    made = describer(Describe(engine="nearest"), folder=tmp_path)
    assert made.name == "nearest"
    assert made.revision.startswith(model.revision)
    from persrv.images.decode import open_picture

    subjects = [Subject(s.id, open_picture(s.path)) for s in unseen if s.path]
    descriptions = made.describe(subjects)
    assert made.describe(subjects[:1]) == descriptions[:1]
    right = [
        keyword in {word.casefold() for word in (*sticker.semantics.name, *sticker.semantics.tags)}
        for sticker, found in zip(unseen, descriptions, strict=True)
        if isinstance(found, Description)
        for keyword in found.keywords
    ]
    # These all are faces, so the commonest labels alone would give a precision of about a half, and few keywords.
    assert len(right) > 60
    assert np.mean(right) > 0.7
    assert any(found.emotions for found in descriptions if isinstance(found, Description))
    assert all(
        found.confidence is not None and 0 < found.confidence < 1
        for found in descriptions
        if isinstance(found, Description)
    )


def test_training_reports_broken_pictures_and_refuses_unlabelled_collections(tmp_path: Path) -> None:
    stickers = _emoji(2)
    broken = tmp_path / "broken.webp"
    broken.write_bytes(b"RIFF")
    first = stickers[0]
    bad = Sticker("bad", broken, "webp", 1, 1, 1, (), first.semantics, "", "", "")
    mute = Sticker("mute", first.path, "webp", 1, 1, 1, (), Semantics(), "", "", "")
    nowhere = Sticker("nowhere", None, "", 0, 0, 0, (), first.semantics, "", "", "")
    model, skipped = train_nearest([*stickers, bad, mute, nowhere], encoder("statistics"))
    assert len(model.examples) == len(stickers)
    assert [(s.key, "broken.webp" in s.reason) for s in skipped] == [("bad", True)]
    with pytest.raises(SourceError, match="name or tag"):
        train_nearest([mute, nowhere], encoder("statistics"))


def test_pictures_that_show_nothing_are_skipped_and_other_encoders_refused() -> None:
    statistics = encoder("statistics")
    vectors = statistics.encode([picture(RED), picture(BLUE)] * 5)
    labels = [("red", "anger"), ("blue", "sad")] * 5
    model = NearestModel.fit(vectors, labels, encoder=statistics.name, encoder_revision=statistics.revision)
    made = NearestDescriber(model, statistics)
    blank = subject(3)
    assert blank.picture is not None
    blank.picture.frames[0][...] = 0
    descriptions = made.describe([subject(1, None), subject(2), blank])
    assert [found.reason for found in descriptions if isinstance(found, Skipped)] == [
        "it has no picture",
        "nothing is visible in it",
    ]
    assert isinstance(descriptions[1], Description)
    assert descriptions[1].keywords == ("anger", "red")
    assert descriptions[1].emotions == ()
    assert made.describe([]) == []
    with pytest.raises(RecipeError, match="trained with the encoder statistics 0, not statistics"):
        NearestDescriber(NearestModel.fit(vectors, labels, encoder="statistics", encoder_revision="0"), statistics)
