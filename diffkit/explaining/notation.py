"""Two notations for the same mathematics: plain text for a terminal, LaTeX for a page.

A `Piece` is something written, with how tightly it holds together: parentheses are set where a piece binds more
loosely than its neighbour needs, and nowhere else.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

COMPARISON, SUM, QUOTIENT, PRODUCT, POWER, ATOM = range(6)
GREEK = frozenset(
    ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi"]
    + ["pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"]
)


class Piece(NamedTuple):
    """Something written; where it is a negative, also what stands behind the minus sign."""

    string: str
    binds: int = ATOM
    minus: Piece | None = None

    @property
    def is_number(self) -> bool:
        """Whether it is a plain number, which stands first in a product."""
        return self.string[:1].isdigit() and self.binds == ATOM


ONE = Piece("1")


class Notation(ABC):
    """How mathematics is written. Signs are folded here, once for all notations."""

    sums: tuple[str, str] = (" + ", " - ")
    entrywise: str
    transposed: str

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
    def raised(self, base: str, exponent: Piece) -> Piece:
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

    def number(self, value: float) -> Piece:
        """A number, to six digits."""
        text = f"{abs(float(value)):.6g}"
        piece = self.unsigned(text)
        return self.negative(piece) if np.signbit(value) and value != 0 else piece

    def negative(self, x: Piece) -> Piece:
        """The negative; of a negative, what stands behind its sign."""
        return x.minus or Piece("-" + self.within(x, QUOTIENT), SUM, x)

    def sum(self, x: Piece, y: Piece) -> Piece:
        """A sum; of a negative, a difference."""
        if y.minus:
            return Piece(x.string + self.sums[1] + self.within(y.minus, QUOTIENT), SUM)
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
        """A product: numbers first, without ones, a square where both are the same."""
        return self.signed(self._product, x, y)

    def _product(self, x: Piece, y: Piece) -> Piece:
        if y.is_number and not x.is_number:
            x, y = y, x
        if ONE.string in (x.string, y.string):
            return y if x.string == ONE.string else x
        if x.string == y.string and not x.is_number:
            return self.power(x, self.unsigned("2"))
        return Piece(self.beside(x, y), PRODUCT)

    def entrywise_product(self, x: Piece, y: Piece) -> Piece:
        """A product entry by entry, which arrays need a sign for."""
        return self.signed(self._entrywise, x, y)

    def _entrywise(self, x: Piece, y: Piece) -> Piece:
        if x.string == y.string:
            return self.power(x, self.unsigned("2"))
        return Piece(f"{self.within(x, PRODUCT)}{self.entrywise}{self.within(y, PRODUCT)}", PRODUCT)

    def quotient(self, x: Piece, y: Piece) -> Piece:
        """A quotient."""
        return self.signed(self.fraction, x, y)

    def power(self, x: Piece, y: Piece) -> Piece:
        """A power; to the first, the base."""
        return x if y.string == ONE.string else self.raised(self.within(x, ATOM), y)

    def transpose(self, x: Piece) -> Piece:
        """A matrix with rows and columns exchanged; twice, the matrix."""
        return Piece(self.within(x, ATOM) + self.transposed, POWER)

    def comparison(self, x: Piece, sign: str, y: Piece) -> Piece:
        """A comparison."""
        return Piece(self.compared(self.within(x, SUM), sign, self.within(y, SUM)), COMPARISON)


class Text(Notation):
    """Plain text, as on a terminal: ``dJ/du cos(t)``."""

    entrywise = " ⊙ "
    transposed = "ᵀ"

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

    def raised(self, base: str, exponent: Piece) -> Piece:
        """``t^2``."""
        return Piece(f"{base}^{self.within(exponent, ATOM)}", POWER)

    def fraction(self, above: Piece, below: Piece) -> Piece:
        """``t/v``; with spaces where a slash is there already."""
        slash = " / " if "/" in above.string + below.string else "/"
        return Piece(self.within(above, QUOTIENT) + slash + self.within(below, POWER), QUOTIENT)

    def beside(self, left: Piece, right: Piece) -> str:
        """``2t``, ``x z``, ``dJ/du cos(t)``."""
        first, second = self.within(left, PRODUCT), self.within(right, QUOTIENT)
        if left.is_number:
            sign = "·" if second[:1].isdigit() else "" if re.match(r"[^\W\d](?![^\W\d_])", second) else " "
            return first + sign + second
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


_COMPARED = {">": ">", "<": "<", ">=": r"\ge", "<=": r"\le", "==": "=", "!=": r"\ne", "and": r"\wedge", "or": r"\vee"}
_COMMANDS = frozenset(
    ["sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "max", "min", "det"]
)


class Latex(Notation):
    r"""LaTeX mathematics: ``\frac{dJ}{du} \cos(t)``."""

    entrywise = r" \odot "
    transposed = r"^{\top}"

    def parenthesised(self, piece: Piece) -> str:
        """In ones that grow."""
        return rf"\left({piece.string}\right)"

    def name(self, name: str) -> Piece:
        """A letter with an index, a Greek letter, or a word."""
        stem, number, place = re.fullmatch(r"(.*?)_?(\d*)((?:\[.*\])?)", name, re.DOTALL).groups()  # type: ignore[union-attr]
        index = ", ".join(part for part in (number, place[1:-1]) if part)
        if stem in GREEK:
            written = f"\\{stem}"
        else:
            written = stem if len(stem) == 1 and stem.isalpha() else rf"\mathrm{{{escaped(stem)}}}"
        return Piece(written + (f"_{{{escaped(index)}}}" if index else ""))

    def verbatim(self, text: str) -> Piece:
        """As text."""
        return Piece(rf"\text{{{escaped(text)}}}")

    def gradient(self, loss: str, name: str) -> Piece:
        """A fraction."""
        return Piece(rf"\frac{{d{self.name(loss).string}}}{{d{self.name(name).string}}}")

    def unsigned(self, text: str) -> Piece:
        """With a power of ten written out."""
        mantissa, _, exponent = text.partition("e")
        if text in ("inf", "nan"):
            return Piece(r"\infty" if text == "inf" else r"\mathrm{nan}")
        return Piece(rf"{mantissa} \cdot 10^{{{int(exponent)}}}", PRODUCT) if exponent else Piece(text)

    def call(self, function: str, pieces: Sequence[Piece]) -> Piece:
        """With the command that LaTeX has, or as an operator's name."""
        word = f"\\{function}" if function in _COMMANDS else rf"\operatorname{{{escaped(function)}}}"
        return Piece(rf"{word}\left({', '.join(piece.string for piece in pieces)}\right)")

    def raised(self, base: str, exponent: Piece) -> Piece:
        """In braces."""
        return Piece(f"{base}^{{{exponent.string}}}", POWER)

    def fraction(self, above: Piece, below: Piece) -> Piece:
        """Which needs no parentheses."""
        return Piece(rf"\frac{{{above.string}}}{{{below.string}}}", PRODUCT)

    def beside(self, left: Piece, right: Piece) -> str:
        """With a thin space, or a dot between numbers."""
        first, second = self.within(left, PRODUCT), self.within(right, PRODUCT)
        if left.is_number:
            return first + (r" \cdot " if second[:1].isdigit() else " ") + second
        return rf"{first} \, {second}"

    def special(self, kind: str, piece: Piece) -> Piece:
        """Roots, powers of e, bars, sigma."""
        if kind == "sqrt":
            return Piece(rf"\sqrt{{{piece.string}}}")
        if kind == "exp":
            return Piece(f"e^{{{piece.string}}}", POWER)
        if kind == "inv":
            return Piece(f"{self.within(piece, ATOM)}^{{-1}}", POWER)
        if kind == "absolute":
            return Piece(rf"\left|{piece.string}\right|")
        return Piece(rf"\sigma\left({piece.string}\right)") if kind == "sigmoid" else self.call(kind, [piece])

    def at(self, piece: Piece, index: str) -> Piece:
        """An index."""
        return Piece(rf"{self.within(piece, ATOM)}_{{{escaped(index)}}}", POWER)

    def compared(self, left: str, sign: str, right: str) -> str:
        """With LaTeX's own signs."""
        return f"{left} {_COMPARED[sign]} {right}"


_ESCAPES = (
    {"\\": r"\backslash ", "{": r"\{", "}": r"\}"}
    | {sign: f"\\{sign}" for sign in "_%&#$"}
    | {"^": r"\hat{}", "~": r"\sim "}
)


def escaped(text: str) -> str:
    """A name of the user's, so that LaTeX shows it and does nothing else."""
    return "".join(_ESCAPES.get(sign, sign) for sign in text)


TEXT, LATEX = Text(), Latex()
