"""What stickers mean, said once for each describer and revision."""

from __future__ import annotations

from collections.abc import Sequence

from persrv.catalog import Catalog
from persrv.offline.stage import Item
from persrv.reading.describe.describer import Describer, Description, Subject
from persrv.records import Semantics, Skipped

SOURCE = "describe"
"""Who said it, in the catalog."""


class DescribeStage:
    """Writes descriptions, keywords and emotions into the catalog.

    Args:
        describer: Says what stickers mean.
        batch: Stickers described at once.
    """

    name = "describe"
    blind_to = frozenset({SOURCE})
    title = "describing"

    def __init__(self, describer: Describer, batch: int) -> None:
        self._describer = describer
        self.batch = batch
        self.model = f"{describer.name}@{describer.revision}"

    def missing(self, catalog: Catalog) -> list[str]:
        """Return the ids that this describer has not described yet, ascending."""
        return catalog.unread(SOURCE, self.model)

    def work(self, items: Sequence[Item]) -> list[Description | Skipped]:
        """Return one description an item."""
        return self._describer.describe([Subject(item.sticker_id, item.picture, item.semantics) for item in items])

    def store(self, catalog: Catalog, results: Sequence[tuple[str, Description]]) -> None:
        """Write the descriptions in one transaction."""
        catalog.put_all_semantics(
            SOURCE, self.model, {sticker_id: _semantics(description) for sticker_id, description in results}
        )


def _semantics(description: Description) -> Semantics:
    return Semantics(
        description=(description.description,) if description.description else (),
        keywords=description.keywords,
        emotions=description.emotions,
    )
