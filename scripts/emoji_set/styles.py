"""The drawing styles: which package each comes from, who drew it, and under which licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """One drawing style of the emoji.

    Attributes:
        name: Folder and style name of its pictures.
        title: What people call it; the pack of its stickers.
        package: npm package that carries the drawings.
        version: The one version that was checked by eye.
        author: Who must be named.
        source: Home of the drawings.
        licence: SPDX identifier.
        ink: CSS colour for a style drawn in one colour, ``""`` for a coloured style.
        moving: Whether its pictures are animations, which are taken as they come.
        small: Whether the small set has it.
    """

    name: str
    title: str
    package: str
    version: str
    author: str
    source: str
    licence: str
    ink: str = ""
    moving: bool = False
    small: bool = False


STYLES: tuple[Style, ...] = (
    Style(
        name="emojione",
        title="Emojitwo",
        package="@iconify-json/emojione",
        version="1.2.3",
        author="the Emojitwo contributors, after EmojiOne 2 by Ranks.com",
        source="https://github.com/EmojiTwo/emojitwo",
        licence="CC-BY-4.0",
    ),
    Style(
        name="emojione-monotone",
        title="Emojitwo Monotone",
        package="@iconify-json/emojione-monotone",
        version="1.2.1",
        author="the Emojitwo contributors, after EmojiOne 2 by Ranks.com",
        source="https://github.com/EmojiTwo/emojitwo",
        licence="CC-BY-4.0",
        ink="#23315f",
        small=True,
    ),
    Style(
        name="emojione-v1",
        title="EmojiOne 1",
        package="@iconify-json/emojione-v1",
        version="1.2.3",
        author="Ranks.com (EmojiOne 1)",
        source="https://github.com/joypixels/emojione-legacy",
        licence="CC-BY-SA-4.0",
    ),
    Style(
        name="fluent-emoji",
        title="Fluent Emoji",
        package="@iconify-json/fluent-emoji",
        version="1.2.7",
        author="Microsoft Corporation",
        source="https://github.com/microsoft/fluentui-emoji",
        licence="MIT",
    ),
    Style(
        name="fluent-emoji-3d",
        title="Fluent Emoji 3D",
        package="@lobehub/fluent-emoji-3d",
        version="1.1.0",
        author="Microsoft Corporation, packaged by LobeHub",
        source="https://github.com/lobehub/fluent-emoji",
        licence="MIT",
        small=True,
    ),
    Style(
        name="fluent-emoji-anim",
        title="Fluent Emoji Animated",
        package="@lobehub/fluent-emoji-anim-1",
        version="1.0.0",
        author="Microsoft Corporation, packaged by LobeHub",
        source="https://github.com/lobehub/fluent-emoji",
        licence="MIT",
        moving=True,
    ),
    Style(
        name="fluent-emoji-flat",
        title="Fluent Emoji Flat",
        package="@iconify-json/fluent-emoji-flat",
        version="1.2.6",
        author="Microsoft Corporation",
        source="https://github.com/microsoft/fluentui-emoji",
        licence="MIT",
        small=True,
    ),
    Style(
        name="fluent-emoji-high-contrast",
        title="Fluent Emoji High Contrast",
        package="@iconify-json/fluent-emoji-high-contrast",
        version="1.2.6",
        author="Microsoft Corporation",
        source="https://github.com/microsoft/fluentui-emoji",
        licence="MIT",
        ink="#1b1b1b",
        small=True,
    ),
    Style(
        name="fxemoji",
        title="FxEmojis",
        package="@iconify-json/fxemoji",
        version="1.2.2",
        author="Mozilla",
        source="https://github.com/mozilla/fxemoji",
        licence="Apache-2.0",
        small=True,
    ),
    Style(
        name="noto",
        title="Noto Emoji",
        package="@iconify-json/noto",
        version="1.2.9",
        author="Google Inc.",
        source="https://github.com/googlefonts/noto-emoji",
        licence="Apache-2.0",
        small=True,
    ),
    Style(
        name="noto-v1",
        title="Noto Emoji Blobs",
        package="@iconify-json/noto-v1",
        version="1.2.5",
        author="Google Inc.",
        source="https://github.com/googlefonts/noto-emoji",
        licence="Apache-2.0",
    ),
    Style(
        name="openmoji",
        title="OpenMoji",
        package="@iconify-json/openmoji",
        version="1.2.29",
        author="OpenMoji, the open-source emoji and icon project",
        source="https://github.com/hfg-gmuend/openmoji",
        licence="CC-BY-SA-4.0",
        small=True,
    ),
    Style(
        name="streamline-emojis",
        title="Streamline Emojis",
        package="@iconify-json/streamline-emojis",
        version="1.2.4",
        author="Streamline",
        source="https://github.com/webalys-hq/streamline-vectors",
        licence="CC-BY-4.0",
    ),
    Style(
        name="twemoji",
        title="Twemoji",
        package="@iconify-json/twemoji",
        version="1.2.5",
        author="Twitter, Inc. and other contributors",
        source="https://github.com/jdecked/twemoji",
        licence="CC-BY-4.0",
        small=True,
    ),
)
"""Every style, sorted by name."""
