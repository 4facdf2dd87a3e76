"""LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence

from diffkit.explaining.notation.base import ATOM, POWER, PRODUCT, Notation, Piece

_COMPARED = {
    ">": ">",
    "<": "<",
    ">=": r"\geq",
    "<=": r"\leq",
    "==": "=",
    "!=": r"\neq",
    "and": r"\wedge",
    "or": r"\vee",
}
GREEK = frozenset(
    [
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"),
        *("xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
    ]
)
_COMMANDS = frozenset(
    ["sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "log", "max", "min", "det"]
)


class Latex(Notation):
    r"""LaTeX mathematics: ``\frac{dJ}{du} \cos(t)``."""

    entrywise = r" \odot "
    transposed = r"^{\top}"
    increment = r"\;{+}{=}\;"

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

    def raised(self, base: str, exponent: Piece) -> str:
        """In braces."""
        return f"{base}^{{{exponent.string}}}"

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
        return Piece(rf"{{{self.within(piece, ATOM)}}}_{{{escaped(index)}}}", POWER)  # in braces: it may have an index

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
