"""Style apart from meaning: the vectors that say how stickers are drawn, not what they show."""

from persrv.styling.centred import MeaningCentred

__all__ = ["MeaningCentred"]
