"""The QR code of an address, as SVG."""

from __future__ import annotations

import segno


def svg(address: str) -> str:
    """Return a QR code as an SVG element without a size of its own: black on white, with the quiet
    margin that readers need. It is readable with 15% of it hidden (error correction M).
    """
    code = segno.make_qr(address, error="m")
    return str(code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True))
