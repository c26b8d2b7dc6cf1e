"""How Java writes a floating-point number, which is how Spark casts one to text: ``1.0E10``,
``-0.0``, ``NaN``.

Since Java 19 the digits are the shortest that give the number back. Before, they sometimes are one
more (2e23 is ``1.9999999999999998E23``): ``_older`` follows ``jdk.internal.math.FloatingDecimal``
step by step, because folder names are made of these digits.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np

SHORTEST_SINCE = 19  # the version of Java
# of the two types: bits of the fraction, of the exponent, the exponent's bias
LAYOUT = {np.dtype(np.float32): (23, 8, 127), np.dtype(np.float64): (52, 11, 1023)}


def java_text(value: np.floating[Any], java_version: int) -> str:
    """Return ``Float.toString`` or ``Double.toString`` of a NumPy float32 or float64."""
    if np.isnan(value):
        return "NaN"
    sign = "-" if np.signbit(value) else ""
    if np.isinf(value):
        return f"{sign}Infinity"
    if value == 0:
        return f"{sign}0.0"
    if 1e-3 <= abs(value) < 1e7:
        # here all versions of Java, and NumPy, give the shortest digits
        return np.format_float_positional(value, trim="0")
    digits, exponent = (_shortest if java_version >= SHORTEST_SINCE else _older)(abs(value))
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _shortest(value: np.floating[Any]) -> tuple[str, int]:
    """Return the digits and the exponent of the first: of all that give the number back the
    shortest, but the nearest of two digits where one would do.
    """
    _, digits, exponent = Decimal(np.format_float_scientific(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    first = int(exponent) + len(digits) - 1
    if len(text) == 1:
        mantissa, _, power = f"{Decimal(float(value)):.1e}".partition("e")
        text, first = mantissa.replace(".", "").rstrip("0"), int(power)
    return text, first


def _older(value: np.floating[Any]) -> tuple[str, int]:
    """Return the digits and the exponent of the first, as Java up to 18 finds them."""
    n_fraction, n_exponent, bias = LAYOUT[value.dtype]
    bits = int(value.view(f"u{value.dtype.itemsize}"))
    fraction, power = bits & ((1 << n_fraction) - 1), bits >> n_fraction & ((1 << n_exponent) - 1)
    if power == 0:
        significant = fraction.bit_length()
        power = significant - n_fraction
        fraction <<= n_fraction + 1 - significant
    else:
        significant = n_fraction + 1
        fraction |= 1 << n_fraction
    power -= bias
    fraction <<= 52 - n_fraction
    trailing = (fraction & -fraction).bit_length() - 1
    n_bits = 53 - trailing
    tiny = max(0, n_bits - power - 1)
    if -21 <= power <= 62 and tiny == 0:  # a whole number that a long holds
        surplus = power - significant - 1
        drop = int(surplus * math.log10(2)) if surplus > 1 else 0
        whole = fraction << (power - 52) if power >= 52 else fraction >> (52 - power)
        if drop:
            whole = (whole + 10**drop // 2) // 10**drop
        text = str(whole)
        return text.rstrip("0"), len(text) + drop - 1
    return _digits(fraction >> trailing, n_bits, power, tiny, significant)


def _digits(fraction: int, n_bits: int, power: int, tiny: int, significant: int) -> tuple[str, int]:
    """Return the digits by long division: value = b / s × 10^exponent, m half a unit in the last
    place.
    """
    near = fraction / (1 << (n_bits - 1))
    guess = (near - 1.5) * 0.289529654 + 0.176091259 + power * 0.301029995663981
    exponent = math.floor(guess)
    b5, s5 = max(0, -exponent), max(0, exponent)
    b2, s2 = b5 + tiny + power, s5 + tiny
    m2 = b2 - significant
    b2 -= n_bits - 1
    common = min(b2, s2)
    b2, s2, m2 = b2 - common, s2 - common, m2 - common
    if n_bits == 1:
        m2 -= 1
    if m2 < 0:
        b2, s2, m2 = b2 - m2, s2 - m2, 0
    b, s, m = fraction * 5**b5 << b2, 5**s5 << s2, 5**b5 << m2
    size = max(n_bits + b2 + _bits_of_5(b5), s2 + 1 + _bits_of_5(s5 + 1))
    width = 32 if size < 32 else 64 if size < 64 else None  # int, long, any size
    found: list[int] = []
    low = high = False
    first = True
    while first or not (low or high):
        q, b, m = b // s, b % s * 10, _wrapped(m * 10, width)
        if m <= 0:
            low = high = True
        else:
            low, high = b < m, _wrapped(b + m, width) > s * 10 - (width is None)
        if first and q == 0 and not high:
            exponent -= 1
        else:
            found.append(q)
        if first and not -3 <= exponent < 8:
            low = high = False  # there must be a digit after the point
        first = False
    twice = 2 * b - s * 10
    if high and (not low or twice > 0 or (twice == 0 and found[-1] % 2 == 1)):
        carried = str(int("".join(map(str, found))) + 1)
        exponent += len(carried) - len(found)
        return carried[: len(found)], exponent
    return "".join(map(str, found)), exponent


def _bits_of_5(power: int) -> int:
    """Return how many bits 5 to a power takes, as Java estimates it."""
    if power > 26:
        return 3 * power
    return (5**power).bit_length() if power else 0


def _wrapped(value: int, width: int | None) -> int:
    """Return what is left of a whole number in ``width`` bits."""
    if width is None:
        return value
    half = 1 << (width - 1)
    return (value + half) % (2 * half) - half
