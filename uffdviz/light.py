"""msgspec, without what takes longer to import than a small search takes.

msgspec takes three names from typing_extensions if it can, and from typing else, which has them. Who
asks for typing_extensions later gets it as ever.
"""

import sys

hidden = "typing_extensions" not in sys.modules
if hidden:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
import msgspec  # noqa: E402  while the other is hidden

if hidden:
    del sys.modules["typing_extensions"]

__all__ = ["msgspec"]
