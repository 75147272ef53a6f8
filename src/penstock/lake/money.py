"""Convert money from doubles, as source files have it, to DECIMAL(12,2) with exact rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MONEY = pa.decimal128(12, 2)
# DECIMAL(12,2) holds up to 9,999,999,999.99.
LARGEST_CENTS = 10**12 - 1
# Amounts closer to half a cent than this, or than a few floating-point steps, are rounded by decimal arithmetic.
TIE = 1e-6

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def to_cents(values: Floats, valid: Bools) -> tuple[Ints, int, int | None]:
    """Round dollars to whole cents, half away from zero, by the shortest decimal text of each double.

    The double 1.005 is slightly less than its decimal text, but is rounded to 1.01 like its text.

    Args:
        values: dollars, shape (n,); values where `valid` is false are ignored.
        valid: shape (n,); false where the value is null.

    Returns:
        (cents of shape (n,), 0 where null; number of values that were not whole cents; index of the first value
        that is NaN, infinite or too large for DECIMAL(12,2), or None).
    """
    dollars = np.where(valid, values, 0.0)
    wrong = ~np.isfinite(dollars) | (np.abs(dollars) >= 1e10)
    if wrong.any():
        return np.zeros(len(values), np.int64), 0, int(np.argmax(wrong))
    scaled = np.abs(dollars) * 100.0
    floor = np.floor(scaled)
    part = scaled - floor
    size = floor.astype(np.int64) + (part >= 0.5)
    near = np.flatnonzero(np.abs(part - 0.5) <= np.maximum(TIE, 4 * np.spacing(scaled)))
    for index in near:
        exact = Decimal(repr(float(abs(dollars[index])))) * 100
        size[index] = int(exact.to_integral_value(ROUND_HALF_UP))
    cents = np.where(dollars < 0, -size, size)
    beyond = size > LARGEST_CENTS
    if beyond.any():
        return cents, 0, int(np.argmax(beyond))
    return cents, int(np.count_nonzero(cents / 100.0 != dollars)), None


def from_cents(cents: Ints, valid: Bools) -> pa.Decimal128Array:
    """Return whole cents as DECIMAL(12,2), null where `valid` is false. Both arguments have shape (n,)."""
    words = np.empty((len(cents), 2), "<i8")
    words[:, 0] = cents
    # A decimal128 is 16 bytes, low word first, in two's complement.
    words[:, 1] = cents >> 63
    bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    array = pa.Array.from_buffers(MONEY, len(cents), [bits, pa.py_buffer(words.tobytes())])
    return cast("pa.Decimal128Array", array)
