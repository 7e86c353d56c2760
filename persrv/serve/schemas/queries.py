"""What searches take in their query strings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from persrv.online.cursor import LONGEST
from persrv.online.request import FilterValue
from persrv.serve.schemas.fields import QueryText, UserName

_Phrases = Annotated[list[str] | None, Field(max_length=50)]


class FilterQuery(BaseModel):
    """Only stickers with these values; several values of a field mean any of them."""

    pack: _Phrases = None
    tags: _Phrases = None
    language: _Phrases = None
    animated: bool | None = None
    rating: _Phrases = None
    style: _Phrases = None

    def chosen(self) -> dict[str, FilterValue]:
        """Return the filters that were given."""
        lists = {"pack": self.pack, "tags": self.tags, "language": self.language}
        lists |= {"rating": self.rating, "style": self.style}
        found: dict[str, FilterValue] = {field: values for field, values in lists.items() if values}
        return found if self.animated is None else found | {"animated": self.animated}


class SearchQuery(FilterQuery):
    """A search; see :meth:`persrv.online.retriever.Retriever.search`."""

    collection: str | None = Field(None, max_length=64, description="A collection; the first one where it is left out.")

    q: QueryText = Field("", description="Words, Chinese, emoji; empty for what is popular.", examples=["love"])
    user: UserName | None = Field(None, description="Whose taste counts.", examples=["ann"])
    by: Literal["text", "picture"] = Field("text", description="Compare with texts, or with pictures.")
    limit: int = Field(20, ge=1, le=200, description="Stickers on a page.")
    offset: int = Field(0, ge=0, le=10_000, description="Stickers before the page.")
    explain: bool = Field(False, description="Also say which words matched.")
    gamma: float | None = Field(None, ge=0, le=1, description="Weight of style: 0 everybody's order, 1 the most.")
    cursor: str | None = Field(
        None, max_length=LONGEST, description="An answer's `next`: the page behind it, whatever came between."
    )
