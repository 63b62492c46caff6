"""What every channel is to those who send over it."""

from typing import Protocol

from alerts.farmers.parcel import Answer, Form, Parcel


class Channel(Protocol):
    """Sends one message at a time, on one thread.

    name, kind : of its settings
    form : how the words must be written for it
    """

    name: str
    kind: str
    form: Form

    def send(self, parcel: Parcel) -> Answer:
        """Hand a message over, and wait no longer than `timeout_s` of the settings.

        Never raises for what the other side does, or fails to do.
        """
        ...

    def close(self) -> None:
        """Let connections go; `send` is not called after it."""
        ...


def masked(address: str) -> str:
    """So much of an address that its owner knows it, and nobody else."""
    return f"…{address[-2:]}" if len(address) > 4 else "…"
