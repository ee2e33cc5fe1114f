"""Regenerates the Inter fonts that are committed: two for the web, two for papers.

Run `python -m seedtrust.web.font_subset` with the extra `assets` installed (fonttools, brotli,
fontpkg-inter). The product itself needs none of the three: it serves the committed files.
"""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

FONTS_FOLDER: Final = Path(__file__).parent / "static" / "fonts"
PAPER_FOLDER: Final = Path(__file__).parent.parent / "formats" / "fonts"
SOURCE: Final = "fontpkg_inter/files/Inter[opsz,wght].ttf"
LICENCE: Final = "fontpkg_inter/LICENSE"
OPTICAL_SIZE: Final = 14
WEIGHTS: Final = (400, 700)
FEATURES: Final = ("kern", "mark", "mkmk", "ccmp", "locl", "calt", "case", "tnum", "zero", "cv05")

# The first file is all that an English page needs; browsers ask for the second when a name does.
UNICODES: Final = {
    "inter.woff2": (
        "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2116,"
        "U+2122,U+2190-2193,U+2197,U+2212,U+2215,U+2248,U+2260,U+2264-2265,U+25CF,U+2713,U+FEFF,U+FFFD"
    ),
    "inter-ext.woff2": (
        "U+0100-0130,U+0132-0151,U+0154-024F,U+0259,U+0300-036F,U+1E00-1EFF,U+20A0-20AB,U+20AD-20C0"
    ),
}

# Papers embed what they use of these: every name that Latin, Greek and Cyrillic letters write.
PAPER_UNICODES: Final = (
    "U+0020-007E,U+00A0-024F,U+0259,U+02BB-02BC,U+02C6-02DD,U+0300-036F,U+0370-03FF,U+0400-045F,"
    "U+0490-0491,U+1E00-1EFF,U+2010-2027,U+2030,U+2039-203A,U+20AC,U+2116,U+2122,U+2212"
)
PAPER_FONTS: Final = {"Inter-Regular.ttf": 400, "Inter-Bold.ttf": 700}


def _fonttools(module: str) -> Any:
    # Imported by name: a tool of whoever changes the font, not of the product.
    return importlib.import_module(f"fontTools.{module}")


def build(source: Path, unicodes: str, target: Path) -> None:
    """Write the subset of one variable font as WOFF2, with its optical size pinned."""
    subset, instancer = _fonttools("subset"), _fonttools("varLib.instancer")
    font = _fonttools("ttLib").TTFont(source, recalcTimestamp=False)
    options = subset.Options(layout_features=list(FEATURES), notdef_outline=True, hinting=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(unicodes.replace("U+", "")))
    # The order matters: pinning an axis first leaves tables the subsetter cannot follow.
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"opsz": OPTICAL_SIZE, "wght": WEIGHTS})
    font.flavor = "woff2"
    font.save(target)


def build_for_paper(source: Path, weight: int, target: Path) -> None:
    """Write one weight as a plain TrueType font, which is what a PDF embeds."""
    subset, instancer = _fonttools("subset"), _fonttools("varLib.instancer")
    font = _fonttools("ttLib").TTFont(source, recalcTimestamp=False)
    subsetter = subset.Subsetter(subset.Options(layout_features=["kern"], hinting=False))
    subsetter.populate(unicodes=subset.parse_unicodes(PAPER_UNICODES.replace("U+", "")))
    subsetter.subset(font)
    instancer.instantiateVariableFont(font, {"opsz": OPTICAL_SIZE, "wght": weight}).save(target)


def main() -> int:
    """Build all files and copy the licence text beside them."""
    package = distribution("fontpkg-inter")
    for name, unicodes in UNICODES.items():
        build(Path(str(package.locate_file(SOURCE))), unicodes, FONTS_FOLDER / name)
    for name, weight in PAPER_FONTS.items():
        build_for_paper(Path(str(package.locate_file(SOURCE))), weight, PAPER_FOLDER / name)
    licence = Path(str(package.locate_file(LICENCE))).read_text(encoding="utf-8")
    for folder in (FONTS_FOLDER, PAPER_FOLDER):
        (folder / "OFL.txt").write_text(licence, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
