"""When to read, and what of it: slow registers are not asked for with every poll."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from kamstrup_kmp import Model, register

# How often each tier is worth asking for. What is fixed is looked at once a day, too: a meter may
# be replaced.
TIERS = {
    "poll": timedelta(0),
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "once": timedelta(days=1),
}
# A register the meter left out is asked for again after this time.
UNSUPPORTED = timedelta(days=1)

# A reading counts for the hour it arrives in, so one for a full hour has to come before it.
LEAD = timedelta(seconds=10)


class Schedule:
    """Which registers are due."""

    def __init__(self, model: Model) -> None:
        """Start with everything due."""
        self._model = model
        self._next: dict[int, datetime] = {}

    def due(self, registers: Iterable[int], now: datetime, slack: timedelta) -> list[int]:
        """Return the registers to ask for now.

        What would become due before the middle of the next interval is taken along.
        """
        horizon = now + slack
        return [number for number in registers if self._next.get(number, now) <= horizon]

    def done(self, number: int, now: datetime) -> None:
        """Remember that a register was read."""
        self._next[number] = now + TIERS[self._tier(number)]

    def unsupported(self, number: int, now: datetime) -> None:
        """Remember that the meter does not have a register."""
        self._next[number] = now + UNSUPPORTED

    def forget(self) -> None:
        """Make everything due."""
        self._next.clear()

    def _tier(self, number: int) -> str:
        return self._model.tier(number) if register(number) else "poll"


def until_next_poll(now: datetime, interval: timedelta, *, aligned: bool) -> timedelta:
    """Return the time to the next poll; aligned ones lie shortly before full hours.

    `now` is local time: in some places hours begin half an hour off those of UTC.
    """
    if not aligned:
        return interval
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = now - midnight + LEAD
    # Not sooner than half an interval after this poll, which may have been a little late.
    steps = (passed + interval / 2) // interval + 1
    return steps * interval - passed
