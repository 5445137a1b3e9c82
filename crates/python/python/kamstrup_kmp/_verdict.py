"""Verdicts: what came of an exchange, in the same words on every face of the product."""

from enum import StrEnum

from . import _core

_TEXTS = {code: (message, help_text) for code, message, help_text in _core.verdicts()}


class Verdict(StrEnum):
    """Everything that can come of an exchange with a meter. The codes never change."""

    OK = "ok"
    PORT_MISSING = "port_missing"
    PORT_DENIED = "port_denied"
    PORT_BUSY = "port_busy"
    PORT_UNREACHABLE = "port_unreachable"
    PORT_LOST = "port_lost"
    SILENT = "silent"
    ECHO_ONLY = "echo_only"
    ECHO_MANGLED = "echo_mangled"
    NOISE = "noise"
    CRC_MISMATCH = "crc_mismatch"
    TRUNCATED = "truncated"
    UNEXPECTED_ANSWER = "unexpected_answer"
    NOT_SUPPORTED = "not_supported"
    ASLEEP = "asleep"
    WRONG_PROTOCOL = "wrong_protocol"

    @property
    def message(self) -> str:
        """Say what happened, in one English sentence."""
        return _TEXTS[self.value][0]

    @property
    def help(self) -> str:
        """Say what to do next, in English."""
        return _TEXTS[self.value][1]

    @property
    def is_port(self) -> bool:
        """Tell whether it is the port, not the meter, that is the matter."""
        return self.value.startswith("port_")
