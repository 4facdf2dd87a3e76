"""Plain text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from diffkit.explaining.notation.base import ATOM, POWER, PRODUCT, QUOTIENT, Notation, Piece


class Text(Notation):
    """Plain text, as on a terminal: ``dJ/du cos(t)``."""

    entrywise = " ⊙ "
    transposed = "ᵀ"
    increment = "+="

    def parenthesised(self, piece: Piece) -> str:
        """In round ones."""
        return f"({piece.string})"

    def name(self, name: str) -> Piece:
        """As it is."""
        return Piece(name)

    def verbatim(self, text: str) -> Piece:
        """As they are."""
        return Piece(text)

    def gradient(self, loss: str, name: str) -> Piece:
        """``dJ/du``."""
        return Piece(f"d{loss}/d{name}")

    def unsigned(self, text: str) -> Piece:
        """As Python writes it."""
        return Piece(text)

    def call(self, function: str, pieces: Sequence[Piece]) -> Piece:
        """``sin(t)``."""
        return Piece(f"{function}({', '.join(piece.string for piece in pieces)})")

    def raised(self, base: str, exponent: Piece) -> str:
        """``t^2``."""
        return f"{base}^{self.within(exponent, ATOM)}"

    def fraction(self, above: Piece, below: Piece) -> Piece:
        """``t/v``; with spaces where a slash is there already."""
        slash = " / " if "/" in above.string + below.string else "/"
        return Piece(self.within(above, QUOTIENT) + slash + self.within(below, POWER), QUOTIENT)

    def beside(self, left: Piece, right: Piece) -> str:
        """``2t``, ``x z``, ``dJ/du cos(t)``."""
        first, second = self.within(left, PRODUCT), self.within(right, QUOTIENT)
        if left.is_number:
            letter = re.match(r"(?!e\d)[^\W\d](?![^\W\d_])", second, re.IGNORECASE)  # 2e1 would be a number
            return first + ("·" if second[:1].isdigit() else "" if letter else " ") + second
        return f"{first} {second}"

    def special(self, kind: str, piece: Piece) -> Piece:
        """The function's name, or its bars."""
        return Piece(f"|{piece.string}|") if kind == "absolute" else self.call(kind, [piece])

    def at(self, piece: Piece, index: str) -> Piece:
        """``t[0]``."""
        return Piece(f"{self.within(piece, ATOM)}[{index}]")

    def compared(self, left: str, sign: str, right: str) -> str:
        """``t > 0``."""
        return f"{left} {sign} {right}"
