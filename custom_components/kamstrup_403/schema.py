"""The library that Home Assistant checks forms and calls with, under one name.

It is probatio since Home Assistant 2026.9 and voluptuous before; both say the same.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import probatio as vol
else:
    try:
        import probatio as vol
    except ImportError:  # pragma: no cover - Home Assistant before 2026.9
        import voluptuous as vol

__all__ = ["vol"]
