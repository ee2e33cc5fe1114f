"""The process that handles one file: told on standard input, answered on standard output.

Input: one line of JSON, `{"act": "clean" | "draw", "type": "application/pdf"}`, then the bytes.
Output: one line of JSON with the lengths of what follows, then those bytes. A refusal is an answer
too: `{"refused": "sentence"}`. Any other end of this process is a refusal without a sentence.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import IO

from seedtrust.formats.papers.bounds import MEBIBYTE, PaperRefused, be_modest

_Facts = Mapping[str, str | int]


def main(source: IO[bytes], target: IO[bytes]) -> None:
    """Bound this process, then do what the first line asks."""
    be_modest()
    asked = json.loads(source.readline())
    content = source.read()
    try:
        facts, parts = _answer(asked["act"], asked["type"], content)
    except PaperRefused as refusal:
        facts, parts = {"refused": str(refusal)}, ()
    told = {**facts, "parts": [len(part) for part in parts], "peak_bytes": _peak_bytes()}
    target.write(json.dumps(told).encode() + b"\n")
    for part in parts:
        target.write(part)
    target.flush()


def _answer(act: str, content_type: str, content: bytes) -> tuple[_Facts, tuple[bytes, ...]]:
    # Imported here: what a picture needs costs a PDF memory, and the other way round.
    if content_type != "application/pdf":
        from seedtrust.formats.papers.pictures import clean_picture  # noqa: PLC0415 - as above

        made = clean_picture(content, content_type)
        facts: _Facts = {"type": made.content_type, "width": made.width, "height": made.height}
        return facts, (made.content, made.thumbnail)
    if act == "draw":
        from seedtrust.formats.papers.drawing import draw  # noqa: PLC0415 - as above

        drawn = draw(content)
        return {}, (drawn.thumbnail, drawn.words.encode())
    from seedtrust.formats.papers.pdfs import clean_pdf  # noqa: PLC0415 - as above

    clean = clean_pdf(content)
    return {"type": content_type, "pages": clean.pages}, (clean.content,)


def _peak_bytes() -> int:
    """Return the most memory that this process has held, as Linux counts it (proc(5))."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - one line of it
            peaks = [line.split()[1] for line in status if line.startswith("VmHWM:")]
    except OSError:
        return 0
    return int(peaks[0]) * MEBIBYTE // 1024 if peaks else 0


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
