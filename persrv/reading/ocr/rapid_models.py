"""Which of RapidOCR's recognition models reads which languages.

One text detector (PP-OCRv6 small) serves all scripts. The recogniser PP-OCRv6 small, which comes in RapidOCR's wheel
with the detector, reads Chinese, Japanese and languages in Latin letters, mixed; each other script has a PP-OCRv5
model of its own that reads English too. Languages carry the codes that EasyOCR uses, so that a recipe can
change its engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from persrv.errors import RecipeError

DETECTOR_FILE = "PP-OCRv6_det_small.onnx"


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A recognition model.

    Attributes:
        version: RapidOCR's name of the model's generation.
        size: RapidOCR's name of its size.
        language: What RapidOCR calls its language.
        file: Its file's name.
        reads: Codes of the languages that it can read.
    """

    version: str
    size: str
    language: str
    file: str
    reads: frozenset[str]


def _script(language: str, codes: str) -> Recogniser:
    file = f"{language}_PP-OCRv5_rec_mobile.onnx"
    return Recogniser("PP-OCRv5", "mobile", language, file, frozenset(["en", *codes.split()]))


_LATIN = (
    "af az bs ca cs cy da de en es et eu fi fr ga gl hr hu id is it ku la lb lt lv mi ms mt nl no oc pl pt qu rm ro "
    "rs_latin sk sl sq sv sw tl tr uz vi"
)

RECOGNISERS: tuple[Recogniser, ...] = (
    Recogniser(
        "PP-OCRv6",
        "small",
        "ch",
        "PP-OCRv6_rec_small.onnx",
        frozenset(["ch_sim", "ch_tra", "ja", *_LATIN.split()]),
    ),
    _script("korean", "ko"),
    _script("eslav", "be ru uk"),
    _script("cyrillic", "abq ady ava be bg che dar inh kbd lbe lez mn rs_cyrillic ru tab uk"),
    _script("arabic", "ar fa ug ur"),
    _script("devanagari", "ang bgc bh bho gom hi mah mai mr ne new sa sck"),
    _script("th", "th"),
    _script("el", "el"),
    _script("ta", "ta"),
    _script("te", "te"),
)
"""All models, the preferred first."""


def recogniser(languages: Sequence[str]) -> Recogniser:
    """Return the first model that reads all of the given languages.

    Raises:
        RecipeError: No language is given, one is unknown, or no single model reads them all.
    """
    known = sorted(frozenset().union(*(each.reads for each in RECOGNISERS)))
    if not languages:
        raise RecipeError("ocr.languages is empty", f"name at least one of {', '.join(known)}")
    for language in languages:
        if language not in known:
            raise RecipeError(
                f"ocr.languages: RapidOCR knows no language {language!r}", f"use one of {', '.join(known)}"
            )
    for each in RECOGNISERS:
        if each.reads.issuperset(languages):
            return each
    other = next(language for language in languages if language not in RECOGNISERS[0].reads)
    fits = next(each for each in RECOGNISERS if other in each.reads)
    raise RecipeError(
        f"ocr.languages: no model of RapidOCR reads {', '.join(languages)} together",
        f"name languages of one model, such as {', '.join(sorted(fits.reads))}",
    )
