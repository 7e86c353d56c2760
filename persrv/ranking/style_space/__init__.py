"""Style apart from meaning: the vectors that say how stickers are drawn, not what they show."""

from persrv.ranking.style_space.centred import REVISION, MeaningCentred

__all__ = ["REVISION", "MeaningCentred"]
