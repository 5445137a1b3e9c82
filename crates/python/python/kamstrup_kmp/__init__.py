"""Reads Kamstrup heat meters through their optical eye.

`Meter` reads a meter on a port with asyncio; `Session` is the protocol without any I/O; the
catalogue knows what registers, models and info codes mean.
"""

from ._core import (
    Attempt,
    Classes,
    Configure,
    Done,
    Idle,
    InfoFlag,
    LineStats,
    MeterType,
    Model,
    Outcome,
    Record,
    Register,
    Session,
    Transmit,
    Wait,
    __version__,
    convert,
    home_assistant_unit,
    identify,
    identifying_registers,
    is_simulated,
    languages,
    model,
    models,
    nearest_key,
    register,
    register_by_key,
    registers,
    unit_symbol,
    unknown_model,
)
from ._verdict import Verdict
from .alignment import Alignment, AlignmentStep
from .errors import MeterError, PortNameError
from .holder import holders
from .meter import Exchange, Identity, Meter
from .port import normalise

__all__ = [
    "Alignment",
    "AlignmentStep",
    "Attempt",
    "Classes",
    "Configure",
    "Done",
    "Exchange",
    "Identity",
    "Idle",
    "InfoFlag",
    "LineStats",
    "Meter",
    "MeterError",
    "MeterType",
    "Model",
    "Outcome",
    "PortNameError",
    "Record",
    "Register",
    "Session",
    "Transmit",
    "Verdict",
    "Wait",
    "__version__",
    "convert",
    "holders",
    "home_assistant_unit",
    "identify",
    "identifying_registers",
    "is_simulated",
    "languages",
    "model",
    "models",
    "nearest_key",
    "normalise",
    "register",
    "register_by_key",
    "registers",
    "unit_symbol",
    "unknown_model",
]
