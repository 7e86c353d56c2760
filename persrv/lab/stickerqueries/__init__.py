"""Real people's queries for real stickers: how often the sticker is found that a query was written for."""
