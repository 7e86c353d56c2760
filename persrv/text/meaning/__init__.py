"""Dense vectors of what a sticker means, for recall beyond words."""
