"""Convert money from doubles to DECIMAL(12,2) with exact rounding, because source files contain doubles."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MONEY = pa.decimal128(12, 2)
# The largest value of DECIMAL(12,2) is 9,999,999,999.99.
LARGEST_CENTS = 10**12 - 1
# An amount is rounded with decimal arithmetic if its distance from half a cent is at most this many cents, or at most
# a few floating-point steps.
TIE = 1e-6

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def to_cents(values: Floats, valid: Bools) -> tuple[Ints, int, int | None]:
    """Round dollars to whole cents. Half a cent is rounded away from zero.

    Each double is rounded as if it were its shortest decimal text. For example, the double whose shortest text is 1.005
    is slightly less than 1.005, but is rounded to 1.01.

    Args:
        values: dollars, shape (n,). Values where `valid` is false are ignored.
        valid: shape (n,); false for null values.

    Returns:
        (cents, rounded, invalid): the cents, of shape (n,), with 0 for null values; the number of values that were not
        whole cents; and the index of the first value that is NaN, infinite or too large for DECIMAL(12,2), or None if
        all values are valid.
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
    """Return cents as DECIMAL(12,2) dollars, with null where `valid` is false. Both arguments have shape (n,)."""
    words = np.empty((len(cents), 2), "<i8")
    words[:, 0] = cents
    # A decimal128 has 16 bytes in two's complement, with the low word first.
    words[:, 1] = cents >> 63
    bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    array = pa.Array.from_buffers(MONEY, len(cents), [bits, pa.py_buffer(words.tobytes())])
    return cast("pa.Decimal128Array", array)
