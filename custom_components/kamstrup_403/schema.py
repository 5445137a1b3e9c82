"""The library that Home Assistant checks forms and calls with, under one name.

It is probatio since Home Assistant 2026.9, which still answers to the name of its predecessor.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

__all__ = ["vol"]
