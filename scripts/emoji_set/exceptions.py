"""Drawings whose name misleads, each found by looking at it."""

from __future__ import annotations

OWN_NAMES: dict[str, dict[str, str]] = {
    "emojione": {"cricket": "🏏", "up-button": "🔼"},
    "emojione-monotone": {"cricket": "🏏", "up-button": "🔼"},
    "emojione-v1": {"cricket": "🏏", "up-button": "🔼"},
    "fxemoji": {
        "2hearts": "💕", "anger": "💢", "angry": "😠", "anguish": "😧", "aok": "👌", "astonished": "😲",
        "bolt": "⚡", "boot": "👢", "bow": "🎀", "bowing": "🙇", "blackquestionmark": "❓", "bunny": "🐰",
        "bunnyside": "🐇", "cat": "🐱", "catside": "🐈", "cellphone": "📱", "chilipepper": "🌶", "clap": "👏",
        "coldsweat": "😰", "confetti": "🎊", "confounded": "😖", "confused": "😕", "construct": "👷", "couple": "💑",
        "couplekiss": "💏", "crying": "😢", "dash": "💨", "devilhorns": "😈", "disappointed": "😞",
        "dissapointedrelief": "😥", "dog": "🐶", "dogside": "🐕", "doubleexclaimationmark": "‼", "dragonhead": "🐲",
        "dragonside": "🐉", "evergreen": "🌲", "exclaimationquestionmark": "⁉", "expressionless": "😑",
        "fallingleaf": "🍂", "fearful": "😨", "fistedhand": "👊", "flexbicep": "💪", "flushed": "😳", "forkknife": "🍽",
        "frontfacingchick": "🐥", "frown": "🙍", "frownmouth": "😦", "gem": "💎", "grimacing": "😬", "grin": "😀",
        "grineyes": "😁", "grinsquint": "😆", "grinsweat": "😅", "grintears": "😂", "grinwide": "😃",
        "grinwideeyes": "😄", "guyguy": "👬", "girlgirl": "👭", "girlguy": "👫", "gpa": "👴", "gma": "👵",
        "guapimao": "👲", "halo": "😇", "hampster": "🐹", "hand": "✋", "hands": "👐", "handup": "🙋",
        "headmassage": "💆", "heartarrow": "💘", "hearteyes": "😍", "heartgreen": "💚", "heartpurple": "💜",
        "heartribbon": "💝", "heartyellow": "💛", "heavyexclaimationmarksymbol": "❗", "heels": "👠", "high5": "🙌",
        "hourglassflowingsand": "⏳", "hushed": "😯", "index": "☝", "kiss": "😗", "kissclosedeyes": "😚",
        "kisseyes": "😙", "kissing": "😘", "leopardside": "🐆", "loudlycrying": "😭", "mansshirt": "👕",
        "medicalmask": "😷", "mensrunner": "👟", "mensshoe": "👞", "monkeyhear": "🙉", "monkeysee": "🙈",
        "monkeyspeak": "🙊", "mouse": "🐭", "mouseside": "🐁", "neutral": "😐", "nogesture": "🙅", "nomouth": "😶",
        "okgesture": "🙆", "openmouth": "😮", "pensive": "😔", "perservere": "😣", "pig": "🐷", "pigside": "🐖",
        "pigsnout": "🐽", "pinkwallet": "👛", "poo": "💩", "pout": "🙎", "pouting": "😡", "pray": "🙏",
        "present": "🎁", "racecar": "🏎", "raincloud": "🌧", "raisedhandpartfingers": "🖖",
        "raisedhandsfingerssplayed": "🖐", "relieved": "😌", "running": "🏃", "sandals": "👡", "screamfear": "😱",
        "sleeping": "😴", "sleepy": "😪", "smallfrown": "🙁", "smallsmile": "🙂", "smileeyes": "😊",
        "smiletongue": "😋", "smirk": "😏", "snowcloud": "🌨", "speechbubble": "💬", "spurtingwhale": "🐳",
        "star": "⭐", "stormcloud": "🌩", "sunglasses": "😎", "sunraincloud": "🌦", "sweat": "😓", "sweatsplash": "💦",
        "swimming": "🏊", "ten": "🔟", "tennisball": "🎾", "thoughtbaloon": "💭", "tie": "👔", "tiger": "🐯",
        "tigerside": "🐅", "tired": "😫", "tongueout": "😛", "tongueoutwink": "😜", "tongueoutwink2": "😝",
        "triumph": "😤", "turban": "👳", "umbrella": "🌂", "unamused": "😒", "walking": "🚶", "wave": "🌊",
        "waving": "👋", "weary": "😩", "whitesun": "☀", "whitesunsmallcloud": "🌤", "winking": "😉", "worried": "😟",
    },
}  # fmt: skip
"""Style to drawing to emoji, where the drawing's name says nothing or means another emoji elsewhere."""

WRONG: dict[str, frozenset[str]] = {
    "fxemoji": frozenset({"beating-heart", "construction", "heartblue", "tramcar", "whitemediumstar", "window"}),
    "streamline-emojis": frozenset({"turkey"}),
}
"""Style to drawings left out: broken in the package, or not showing what their name says."""
