"""The QR code of an address, as SVG."""

from __future__ import annotations

import base64
import io
from functools import lru_cache

import segno


@lru_cache(maxsize=32)  # a stage asks for its room's once a second
def svg(address: str) -> str:
    """Return a QR code as an SVG file without a size of its own: black on white, with the quiet
    margin that readers need. It is readable with 15% of it hidden (error correction M).
    """
    file = io.BytesIO()
    code = segno.make_qr(address, error="m")
    code.save(file, kind="svg", xmldecl=False, border=4, dark="#000", light="#fff", omitsize=True)
    return file.getvalue().decode()


def source(address: str) -> str:
    """Return a QR code as the source of an image, for a page that takes no SVG element."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg(address).encode()).decode()}"
