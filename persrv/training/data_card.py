"""What training data was made from, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from persrv.errors import SourceError


class DataCard(BaseModel):
    """A data card.

    Attributes:
        collection: Name of the recipe.
        made_at: When, UTC, ISO 8601.
        prompt: Revision of the prompts; a recipe that describes with other prompts asks something else.
        language: Language that the prompts ask for.
        picks: Interactions that were read.
        simulated: Of these, picks that no person made.
        used: Of these, picks that the examples' queries stand on; all others are in ``dropped``.
        cut: The test begins here, ISO 8601; ``""`` where the split is by sticker only.
        by_sticker: Why the split is not by time, ``""`` where it is.
        stickers: Examples by part.
        shares: Share of the stickers that was asked for, by part.
        too_small: Parts with less than half of that, each with the reason.
        queries: Different queries by part.
        languages: Queries by script: ``zh``, ``en`` (Latin letters), ``other``.
        dropped: Picks that are not used, by reason.
        skipped: Stickers that could not be used, by reason.
        named: Examples whose question holds the sticker's name.
        with_text: Examples whose question holds text that was read in the picture.
        fingerprint: Of the examples.
    """

    model_config = ConfigDict(frozen=True)

    collection: str
    made_at: str
    prompt: str
    language: str
    picks: int
    simulated: int
    used: int
    cut: str
    by_sticker: str
    stickers: dict[str, int]
    shares: dict[str, float]
    too_small: dict[str, str]
    queries: dict[str, int]
    languages: dict[str, int]
    dropped: dict[str, int]
    skipped: dict[str, int]
    named: int
    with_text: int
    fingerprint: str

    def write(self, folder: Path) -> None:
        """Write ``card.json`` and ``README.md``.

        Raises:
            OSError: The folder cannot be written.
        """
        (folder / "card.json").write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(self.as_markdown(), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> DataCard:
        """Read the card of prepared data.

        Raises:
            SourceError: There is none, or it is damaged.
        """
        file = folder / "card.json"
        try:
            return cls.model_validate(json.loads(file.read_bytes()))
        except (OSError, ValueError, ValidationError) as error:
            raise SourceError(
                f"{folder} holds no training data ({type(error).__name__})", "make it with persrv train prepare"
            ) from error

    def as_markdown(self) -> str:
        """Return the card as a page."""
        split = (
            f"by time: training and validation know picks before {self.cut}; the test is stickers first picked from "
            "then on"
            if self.cut
            else f"by sticker, not by time: {self.by_sticker}"
        )
        total = sum(self.stickers.values())
        lines = [
            f"# Training data from the collection {self.collection}",
            "",
            f"Made {self.made_at} from {self.picks} picks, {self.simulated} of them simulated; {self.used} are used.",
            "",
            "| part | stickers | share | asked for | different queries |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(
                f"| {part} | {count} | {count / total:.1%} | {self.shares[part]:.1%} | {self.queries[part]} |"
                for part, count in self.stickers.items()
            ),
            "",
            *(f"* Too small: {part} holds {reason}." for part, reason in self.too_small.items()),
            f"* Split: {split}. Near-duplicates are always in one part.",
            f"* Languages of the queries, by script: {_listed(self.languages)}.",
            f"* Picks that are not used: {_listed(self.dropped)}.",
            f"* Stickers that could not be used: {_listed(self.skipped)}.",
            f"* The question holds the sticker's name in {self.named} examples, text in the picture in "
            f"{self.with_text}.",
            f"* Prompt {self.prompt}, language {self.language}; data {self.fingerprint}.",
            "",
            "Answers hold the queries in the order of how many different people typed them. Queries that look private",
            "or that too few people typed are left out. The pictures belong to the collection's artists.",
            "",
        ]
        return "\n".join(lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
