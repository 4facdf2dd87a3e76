"""What every notation has in common: signs, products, sums and parentheses.

A `Piece` is something written, with how tightly it holds together: parentheses are set where a piece binds more
loosely than its neighbour needs, and nowhere else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

COMPARISON, SUM, QUOTIENT, PRODUCT, POWER, ATOM = range(6)

SHOWN = 4  # entries of an array that are written out


class Piece(NamedTuple):
    """Something written; of a negative, a transpose or a power also what was made negative, turned or raised.

    A constant such as pi is ``known``. Of an array that got or lost axes of length 1, ``lifted`` is how it is written
    where it meets other arrays entry by entry, as a column does, and ``told`` where axes are counted.
    """

    string: str
    binds: int = ATOM
    minus: Piece | None = None
    turned: Piece | None = None
    raised: tuple[Piece, int] | None = None
    lifted: Piece | None = None
    told: Piece | None = None
    known: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it is a plain number."""
        return self.string[:1].isdigit() and self.binds == ATOM

    @property
    def place(self) -> int:
        """Where it stands in a product: numbers first, then constants, then all else."""
        return 0 if self.is_number else 1 if self.known else 2


ZERO, ONE = Piece("0"), Piece("1")


class Notation(ABC):
    """How mathematics is written. Signs are folded here, once for all notations."""

    sums: tuple[str, str] = (" + ", " - ")
    entrywise: str
    transposed: str
    increment: str

    # ------------------------------------------------------------ what a notation states

    @abstractmethod
    def parenthesised(self, piece: Piece) -> str:
        """In parentheses."""

    @abstractmethod
    def name(self, name: str) -> Piece:
        """A variable, or an entry of one: ``x``, ``x[0]``, ``w1``."""

    @abstractmethod
    def verbatim(self, text: str) -> Piece:
        """Words that are no mathematics."""

    @abstractmethod
    def gradient(self, loss: str, name: str) -> Piece:
        """The derivative of the loss by a variable."""

    @abstractmethod
    def unsigned(self, text: str) -> Piece:
        """A number that is not negative, as Python writes it."""

    @abstractmethod
    def call(self, function: str, pieces: Sequence[Piece]) -> Piece:
        """A function of what is given."""

    @abstractmethod
    def raised(self, base: str, exponent: Piece) -> str:
        """A power."""

    @abstractmethod
    def fraction(self, above: Piece, below: Piece) -> Piece:
        """A quotient without signs."""

    @abstractmethod
    def beside(self, left: Piece, right: Piece) -> str:
        """A product without a sign of its own."""

    @abstractmethod
    def special(self, kind: str, piece: Piece) -> Piece:
        """What LaTeX has a sign of its own for: ``sqrt``, ``exp``, ``absolute``, ``sigmoid``, ``inv``."""

    @abstractmethod
    def at(self, piece: Piece, index: str) -> Piece:
        """Entries of an array."""

    @abstractmethod
    def compared(self, left: str, sign: str, right: str) -> str:
        """A comparison; the sign as Python writes it."""

    # ------------------------------------------------------------ what follows for all

    def within(self, piece: Piece, least: int) -> str:
        """The piece, in parentheses where it binds too loosely."""
        return piece.string if piece.binds >= least else self.parenthesised(piece)

    def number(self, value: float, digits: int = 6) -> Piece:
        """A number, rounded to some digits."""
        text = f"{abs(float(value)):.{digits}g}"
        piece = self.unsigned(text)
        return self.negative(piece) if value < 0 else piece

    def constant(self, name: str, *, negative: bool = False) -> Piece:
        """A constant that has a name, such as pi, or its negative."""
        piece = self.name(name)._replace(known=True)
        return self.negative(piece) if negative else piece

    def array(self, values: np.ndarray[Any, Any]) -> Piece:
        """The entries of a vector or matrix where they are few; otherwise only how many numbers there are."""
        if values.ndim <= 2 and values.size <= SHOWN:
            entries = [self.array(row).string if row.ndim else self.value(row, digits=4) for row in values]
            return Piece(f"[{', '.join(entries)}]")
        return self.verbatim("x".join(map(str, values.shape)) + " numbers")

    def value(self, value: Any, digits: int = 6) -> str:
        """A value in a table: a number, a truth, or an array by its shape and, where they are few, its entries."""
        if np.ndim(value) == 0:
            truth = np.asarray(value).dtype == bool
            return self.verbatim(str(bool(value))).string if truth else self.number(float(value), digits).string
        shape, entries = str(np.shape(value)), self.array(value).string
        return self.verbatim(f"{shape} ").string + entries if entries.startswith("[") else self.verbatim(shape).string

    def negative(self, x: Piece) -> Piece:
        """The negative; of a negative, what stands behind its sign."""
        return x.minus or Piece("-" + self.within(x, QUOTIENT), SUM, x)

    def sum(self, x: Piece, y: Piece) -> Piece:
        """A sum without zeros; of a negative, a difference."""
        if ZERO in (x, y):
            return x if y == ZERO else y
        if y.minus:
            return Piece(self.within(x, SUM) + self.sums[1] + self.within(y.minus, QUOTIENT), SUM)
        return Piece(self.within(x, SUM) + self.sums[0] + self.within(y, SUM), SUM)

    def difference(self, x: Piece, y: Piece) -> Piece:
        """A difference; from a negative, a sum."""
        if y.minus:
            return self.sum(x, y.minus)
        return Piece(self.within(x, SUM) + self.sums[1] + self.within(y, QUOTIENT), SUM)

    def signed(self, make: Callable[[Piece, Piece], Piece], x: Piece, y: Piece) -> Piece:
        """Take the signs of both out of a product or quotient."""
        made = make(x.minus or x, y.minus or y)
        return self.negative(made) if bool(x.minus) != bool(y.minus) else made

    def product(self, x: Piece, y: Piece) -> Piece:
        """A product: numbers first, then constants; without ones, one power of one base, nothing where one is zero."""
        return self.signed(self._product, x, y)

    def _product(self, x: Piece, y: Piece) -> Piece:
        if y.place < x.place:
            x, y = y, x
        if ZERO in (x, y) or y == ONE:
            return ZERO if ZERO in (x, y) else x
        if x == ONE:
            return y
        return self._together(x, y) or Piece(self.beside(x, y), PRODUCT)

    def entrywise_product(self, x: Piece, y: Piece) -> Piece:
        """A product entry by entry, which arrays need a sign for."""
        return self.signed(self._entrywise, x, y)

    def _entrywise(self, x: Piece, y: Piece) -> Piece:
        return self._together(x, y) or Piece(
            f"{self.within(x, PRODUCT)}{self.entrywise}{self.within(y, PRODUCT)}", PRODUCT
        )

    def quotient(self, x: Piece, y: Piece) -> Piece:
        """A quotient."""
        return self.signed(self.fraction, x, y)

    def power(self, x: Piece, y: Piece) -> Piece:
        """A power; to the first, the base; of a power, with whole exponents, one power."""
        if y == ONE:
            return x
        if x.raised and y.string.isdigit():
            base, exponent = x.raised
            return self.power(base, self.unsigned(str(exponent * int(y.string))))
        whole = (x, int(y.string)) if y.string.isdigit() else None
        return Piece(self.raised(self.within(x, ATOM), y), POWER, raised=whole)

    def _together(self, x: Piece, y: Piece) -> Piece | None:
        """A product of powers of one base as one power."""
        (base, one), (other, more) = x.raised or (x, 1), y.raised or (y, 1)
        return self.power(base, self.unsigned(str(one + more))) if base == other and not base.is_number else None

    def transpose(self, x: Piece) -> Piece:
        """A matrix with rows and columns exchanged; twice, the matrix."""
        return x.turned or Piece(self.within(x, ATOM) + self.transposed, POWER, turned=x)

    def comparison(self, x: Piece, sign: str, y: Piece) -> Piece:
        """A comparison."""
        return Piece(self.compared(self.within(x, SUM), sign, self.within(y, SUM)), COMPARISON)
