"""One name for an Arrow array of any type, which the stubs want with a parameter that the class lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    Values = pa.Array[Any]
else:
    Values = pa.Array
