"""Screens that go through the past, piece by piece, without a clock of their own."""

from collections import deque

import numpy as np

from api.live.hub import Hub
from songtien.rewind.scene import Change, Piece
from songtien.screens import Screens


class Walk:
    """Shows the past as it was at `at_ms`, and goes forward alone.

    first : with a key
    """

    def __init__(self, first: Piece, epoch: str) -> None:
        assert first.key is not None
        assert first.parts is not None
        hub = Hub(epoch, f"{epoch}a")
        self.screens = Screens(hub, first.parts, first.key.pictures)
        self.at_ms = first.from_ms
        self.loaded_ms = first.from_ms
        self._pieces: deque[Piece] = deque()
        self._row = self._other = 0
        self._begun = False
        self.feed(first)
        self.advance(first.from_ms)

    def feed(self, piece: Piece) -> None:
        """Take the next piece; what is shown does not change yet."""
        assert piece.from_ms >= self.loaded_ms or piece.key is not None
        self._pieces.append(piece)
        self.loaded_ms = max(self.loaded_ms, piece.to_ms)

    def advance(self, to_ms: int) -> None:
        """Show a later time; beyond what is loaded values only age."""
        assert to_ms >= self.at_ms
        while self._pieces and self._pieces[0].from_ms <= to_ms:
            piece = self._pieces[0]
            if not self._begun:
                self._begin(piece)
            self._show(piece, to_ms)
            if piece.to_ms > to_ms or len(self._pieces) == 1:
                break
            self._pieces.popleft()
            self._row = self._other = 0
            self._begun = False
        self.at_ms = to_ms
        self.screens.tick(to_ms)

    def _begin(self, piece: Piece) -> None:
        self._begun = True
        if piece.key is not None:
            assert piece.parts is not None
            self.screens.become(piece.key, piece.parts)

    def _show(self, piece: Piece, to_ms: int) -> None:
        """What of it has not been shown yet, up to a time."""
        stretch = piece.stretch
        end = int(np.searchsorted(stretch.at_ms, to_ms, side="right"))
        while self._other < len(stretch.others) and stretch.others[self._other][0] <= to_ms:
            self.screens.show(stretch.others[self._other][1])
            self._other += 1
        if end > self._row:
            self.screens.show(Change(stretch.rows.take(np.arange(self._row, end))))
            self._row = end
