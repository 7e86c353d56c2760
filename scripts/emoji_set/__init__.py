"""How the emoji sticker sets are made from openly licensed drawings."""
