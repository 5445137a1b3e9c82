"""Stands in for pyspeex-noise, which cannot be built here: nobody speaks to this Home Assistant."""


class AudioProcessor:
    """Cleans nothing."""
