"""Make the folder of emoji stickers: ``python scripts/make_emoji_set.py small OUT`` (or ``large``, or ``--help``)."""

import runpy

if __name__ == "__main__":
    runpy.run_module("emoji_set", run_name="__main__")
