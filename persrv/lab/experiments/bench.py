"""What every experiment works on: the shipped multi-style emoji, and simulated people of several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from persrv.errors import MissingExtraError, QueryError
from persrv.images.encoder import ImageEncoder
from persrv.images.registry import encoder
from persrv.indexing.progress import Progress, Silent
from persrv.lab.evaluation.compare import Answers, ask
from persrv.lab.evaluation.material import Material, read_material
from persrv.lab.evaluation.results import Judged
from persrv.lab.evaluation.simulation import Population, Simulation, Words, emoji_words, simulate
from persrv.lab.evaluation.splits import PickSplit, by_time, unseen
from persrv.lab.evaluation.systems import System
from persrv.lab.evaluation.view import View
from persrv.offline import build_collection
from persrv.recipe import Recipe
from persrv.recipe.places import find_recipe, home
from persrv.records import Interaction
from persrv.workspace import Workspace

METRIC = "M-MRR@20"
"""The measure that decides, as in the paper's headline."""

SHOWN = (METRIC, "nM-MRR@20", "MRR@20", "Recall@20", "nDCG@20", "Hit@1")
"""Measures that tables show."""

CONTENT = "efficientnet-lite0"
"""The content encoder of the published formula."""


@dataclass(frozen=True, slots=True)
class ExperimentSettings:
    """How large an experiment is.

    Attributes:
        users: Simulated people of each seed, >= 2.
        seed: The first seed, >= 0.
        repeats: How many seeds, counted up from the first, >= 1; other tastes, picks and words each.
    """

    users: int = 48
    seed: int = 0
    repeats: int = 3

    def __post_init__(self) -> None:
        if self.users < 2 or self.seed < 0 or self.repeats < 1:
            raise QueryError(f"{self} is impossible", "give users >= 2, seed >= 0, repeats >= 1")

    @property
    def seeds(self) -> range:
        """Every seed."""
        return range(self.seed, self.seed + self.repeats)


@dataclass(frozen=True, slots=True)
class World:
    """The people of one seed.

    Attributes:
        seed: Theirs.
        simulation: What they did.
        split: What is asked for; groups are ``seed/user``, so that people of different seeds stay apart.
        view: What was learnt from the training picks.
    """

    seed: int
    simulation: Simulation
    split: PickSplit
    view: View


@dataclass(frozen=True, slots=True)
class Bench:
    """The collection that people pick from.

    Attributes:
        workspace: Where it was read.
        material: Its stickers.
        words: What people type.
        progress: Shows how far work is.
    """

    workspace: Workspace
    material: Material
    words: Words
    progress: Progress

    def world(
        self,
        people: Population,
        divide: Callable[[Sequence[Interaction]], PickSplit] = by_time,
        *,
        fresh: bool = True,
    ) -> World:
        """Simulate people, divide their picks, and learn.

        Args:
            people: Who.
            divide: One of :mod:`persrv.lab.evaluation.splits`.
            fresh: Whether questions that the same user had asked before are left out.
        """
        simulation = simulate(self.material.stickers, self.words, people)
        split = divide(simulation.picks)
        split = unseen(split) if fresh else split
        named = tuple(replace(question, group=f"{people.seed}/{question.user}") for question in split.questions)
        return World(people.seed, simulation, replace(split, questions=named), View(self.material, split.train))

    def worlds(self, settings: ExperimentSettings, people: Population | None = None) -> Iterator[World]:
        """Yield one world for each seed, split by time."""
        for seed in settings.seeds:
            yield self.world(replace(people or Population(), users=settings.users, seed=seed))

    def ask_all(self, worlds: Iterable[World], systems: Callable[[World], Sequence[System]]) -> Answers:
        """Return the judged answers of all worlds together, system by system."""
        together: dict[str, list[Judged]] = {}
        for world in worlds:
            for name, judged in ask(systems(world), world.split.questions, self.progress).items():
                together.setdefault(name, []).extend(judged)
        return together


def prepare(progress: Progress | None = None, folder: Path | None = None) -> Bench:
    """Read the shipped emoji once, with the style and the content encoder; later runs find the vectors.

    Args:
        progress: Shows how far it is.
        folder: Holds the vectors; default ``evaluation`` in persrv's data folder.

    Raises:
        MissingExtraError: The content encoder's packages are not installed.
        CatalogError: The data folder cannot be used.
    """
    shown = progress or Silent()
    recipe = Recipe.read(find_recipe("emoji")).model_copy(update={"interactions": ()})
    place = folder or home() / "evaluation"
    content = _content_encoder()
    build_collection(recipe, home=place, progress=shown, only=("ingest", "look"))
    looking = recipe.model_copy(update={"image": recipe.image.model_copy(update={"encoder": CONTENT})})
    build_collection(looking, home=place, progress=shown, only=("look",))
    workspace = Workspace.of(recipe, place)
    with workspace.existing_catalog() as catalog:
        material = read_material(workspace, catalog, content)
    return Bench(workspace, material, emoji_words(), shown)


def _content_encoder() -> ImageEncoder:
    try:
        return encoder(CONTENT)
    except MissingExtraError as error:
        raise MissingExtraError("the published formula, which compares what pictures show,", "cnn") from error


PEOPLE = (
    "Stickers: the 2,485 drawings of collections/emoji, 320 meanings in eight styles. Nobody real was asked: people "
    "are simulated by a stated model (persrv/lab/evaluation/simulation.py). Each likes one or two styles, ignores them "
    "in 15 % of the picks, and types words that other people wrote for the emoji (emojilib in English, Rime in "
    "Chinese), not texts of the collection. Some drawings please everybody more than others.",
    "Split: by time. The last 30 % of the picks are asked for; they write into neither historical queries, nor "
    "utility, nor profiles. A query that the same user had asked before is not asked again, since its answer would "
    "stand in the history.",
    "Measure: M-MRR@20 as the paper defines it (the sum of 1/rank over all hits in the top 20, not normalised), mean "
    "over a user's questions, then over users. A question without a right answer in the ranking counts 0.",
)
"""Paragraphs of every report on these data."""
