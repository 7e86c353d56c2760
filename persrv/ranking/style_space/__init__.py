"""Style apart from meaning: the vectors that say how stickers are drawn, not what they show."""

REVISION = "1"
"""Changes whenever the same collection would get other vectors."""
