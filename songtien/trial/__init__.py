"""A service for tests: real, on free ports, fed by scenarios and recordings, asked by `expect`."""

from songtien.trial.trial import Trial

__all__ = ["Trial"]
