"""What goes wrong, as exceptions."""

from ._core import Outcome
from ._verdict import Verdict


class MeterError(Exception):
    """The meter or its port could not be used; `verdict` says how."""

    def __init__(
        self, verdict: Verdict, detail: str | None = None, outcome: Outcome | None = None
    ) -> None:
        """Remember the verdict, what is known besides, and the outcome if there was an exchange."""
        super().__init__(f"{verdict.message} ({detail})" if detail else verdict.message)
        self.verdict = verdict
        self.detail = detail
        self.outcome = outcome


class PortNameError(ValueError):
    """The name of a port is none that can be opened."""

    def __init__(self, port: str, reason: str) -> None:
        """Say what was given, and what is accepted."""
        super().__init__(
            f"{port!r} is no port ({reason}); accepted are /dev/..., socket://HOST:PORT, "
            "rfc2217://HOST:PORT and whatever else serialx opens"
        )
        self.port = port
        self.reason = reason
