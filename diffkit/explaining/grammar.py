"""The grammar of formulas that a user types, and its reader: nothing typed is ever run as Python.

::

    formula := sum                               one at least of its names is a variable
    sum     := product (("+" | "-") product)*    from the left
    product := signed (("*" | "/") signed)*      from the left
    signed  := ("-" | "+") signed | power        -x^2 is -(x^2)
    power   := atom (("^" | "**") signed)?       both mean power, from the right: x^y^z is x^(y^z)
    atom    := number | "pi" | "e" | variable | function "(" sum ("," sum)* ")" | "(" sum ")"
    number  := "2" | "1.5" | ".5" | "2e-3"       a float64, always
    name    := a letter or "_", then letters, digits and "_"; ASCII

Functions have their names in NumPy (`FUNCTIONS`). ``pi`` and ``e`` are the constants, never variables.
The reader climbs precedences (Richards 1979; Norvell, "Parsing expressions by recursive descent", 1999), and writes the
formula in postfix order, so that evaluating it needs a stack and no recursion.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import numpy as np

from diffkit.errors import InputError
from diffkit.primitives import expit

LONGEST = 5_000
"""Characters of a formula, at most."""
WORD = 40
"""Characters of a word that a message repeats, at most."""
DEEPEST = 100
"""Parentheses, signs, powers and calls within each other, at most."""

CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "abs": (np.abs, 1), "arccos": (np.arccos, 1), "arcsin": (np.arcsin, 1), "arctan": (np.arctan, 1),
    "cos": (np.cos, 1), "cosh": (np.cosh, 1), "exp": (np.exp, 1), "expm1": (np.expm1, 1), "log": (np.log, 1),
    "log10": (np.log10, 1), "log1p": (np.log1p, 1), "log2": (np.log2, 1), "max": (np.maximum, 2),
    "min": (np.minimum, 2), "sigmoid": (expit, 1), "sin": (np.sin, 1), "sinh": (np.sinh, 1), "sqrt": (np.sqrt, 1),
    "tan": (np.tan, 1), "tanh": (np.tanh, 1),
}  # fmt: skip
"""What a formula can call: the function, and how many operands it has."""
_ELSEWHERE = {
    "ln": "log", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "maximum": "max", "minimum": "min",
    "expit": "sigmoid", "fabs": "abs",
}  # fmt: skip
_SIGNS = {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "²": "^2", "³": "^3", "π": "pi", "√": "sqrt(...)"}


class Operator(NamedTuple):
    """A sign between two operands: how tightly it binds, what its right side binds at least, what it computes."""

    binds: int
    right: int
    function: Callable[..., Any]


_SIGNED = 3
_POWER = Operator(4, _SIGNED, operator.pow)  # a sign may stand at the right of a power, and another power too
_BETWEEN = {
    "+": Operator(1, 2, operator.add),
    "-": Operator(1, 2, operator.sub),
    "*": Operator(2, 3, operator.mul),
    "/": Operator(2, 3, operator.truediv),
    "^": _POWER,
    "**": _POWER,
}

NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
"""What counts as a number, as a regular expression of ASCII letters."""
_SPACE = re.compile(r"\s*", re.ASCII)
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{NUMBER})|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|[-+*/^(),])|(?P<end>$))",
    re.ASCII,
)


class Token(NamedTuple):
    """A word of the formula, of what kind, and where."""

    kind: str
    text: str
    place: int


class Instruction(NamedTuple):
    """One entry of the postfix list: push a number or a variable, or apply a function to the last ``operands``.

    ``value`` is the number, the variable's name or the function; ``token`` the word that it stands for.
    """

    operands: int
    value: Any
    token: Token


def short(text: str) -> str:
    """A word of the user's in quotes, without what a terminal would obey; cut where it is long."""
    return repr(text if len(text) <= WORD else text[:WORD] + "...")


def complaint(text: str, place: int, message: str) -> InputError:
    """An error that shows the text, with a caret under the place."""
    start = max(0, place - 50)
    shown = "".join(letter if letter.isprintable() else " " for letter in text[start : place + 50])
    before, after = "..." if start else "", "..." if place + 50 < len(text) else ""
    caret = " " * (len(before) + place - start) + "^"
    return InputError(f"{message}\n    {before}{shown}{after}\n    {caret}")


class Reader:
    """Reads a text once, from left to right, and writes the instructions as it goes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: dict[str, None] = {}
        self.instructions: list[Instruction] = []
        self.depth = 0
        self.token = Token("start", "", 0)
        self.next_place = 0

    def read(self) -> tuple[tuple[str, ...], tuple[Instruction, ...]]:
        """Give the variables, in the order in which they appear, and the formula in postfix order."""
        if not isinstance(self.text, str):
            raise InputError(f"a formula is text, and {self.text!r} is a {type(self.text).__name__}")
        if len(self.text) > LONGEST:
            raise InputError(f"the formula has {len(self.text):,} characters; {LONGEST:,} is the limit")
        self.advance()
        self.expression(1)
        if self.token.kind != "end":
            self.expected("an operator or the end")
        if not self.names:
            self.refuse("the formula has no variable, so there is nothing to differentiate by; name one, such as x")
        return tuple(self.names), tuple(self.instructions)

    # ------------------------------------------------------------ the grammar

    def expression(self, least: int) -> None:
        """Read an operand, and all operators after it that bind at least so tightly."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"nested more than {DEEPEST} deep; write parts of the formula as variables")
        self.operand()
        while (sign := _BETWEEN.get(self.token.text)) and sign.binds >= least:
            token = self.token
            self.advance()
            self.expression(sign.right)
            self.emit(2, sign.function, token)
        self.depth -= 1

    def operand(self) -> None:
        """Read a number, a name, a call, a parenthesis, or a sign and what it stands before."""
        token = self.token
        self.advance()
        if token.kind == "number":
            self.emit(0, np.float64(token.text), token)
        elif token.kind == "name":
            self.name(token)
        elif token.text == "(":
            self.expression(1)
            self.close(token, "an operator or ')'")
        elif token.text in ("+", "-"):
            self.expression(_SIGNED)
            if token.text == "-":
                self.emit(1, operator.neg, token)
        else:
            self.refuse("expected a number, a name or '('" + _instead(token), token)

    def name(self, token: Token) -> None:
        """Write what a name stands for: a call, a constant or a variable."""
        if self.token.text == "(":
            self.call(token)
        elif token.text in CONSTANTS:
            self.emit(0, np.float64(CONSTANTS[token.text]), token)
        elif token.text in FUNCTIONS:
            self.refuse(f"{token.text} is a function: write {token.text}(...)", token)
        else:
            self.names.setdefault(token.text)
            self.emit(0, token.text, token)

    def call(self, name: Token) -> None:
        """Read the operands of a function, and write its call."""
        if name.text not in FUNCTIONS:
            self.refuse(_no_function(name.text), name)
        function, operands = FUNCTIONS[name.text]
        opening, given = self.token, 1
        self.advance()
        self.expression(1)
        while self.token.text == ",":
            self.advance()
            self.expression(1)
            given += 1
        self.close(opening, "an operator, ',' or ')'")
        if given != operands:
            self.refuse(f"{name.text} has {operands} operand{'s' * (operands > 1)}, not {given}", name)
        self.emit(operands, function, name)

    def close(self, opening: Token, expected: str) -> None:
        """Go on after the parenthesis that closes an opened one."""
        if self.token.kind == "end":
            self.refuse("this '(' is never closed", opening)
        if self.token.text != ")":
            self.expected(expected)
        self.advance()

    # ------------------------------------------------------------ words, instructions, complaints

    def advance(self) -> None:
        """Go on to the next word."""
        found = _TOKEN.match(self.text, self.next_place)
        if not found:
            place = _SPACE.match(self.text, self.next_place).end()  # type: ignore[union-attr]  # always matches
            raise complaint(self.text, place, _no_character(self.text[place]))
        kind = str(found.lastgroup)
        self.token = Token(kind, found[kind], found.start(kind))
        self.next_place = found.end()

    def emit(self, operands: int, value: Any, token: Token) -> None:
        """Write an instruction; what holds no variable becomes one number."""
        made = Instruction(operands, value, token)
        last = self.instructions[len(self.instructions) - operands :]
        if operands and all(isinstance(one.value, np.float64) for one in last):
            del self.instructions[-operands:]
            with np.errstate(all="ignore"):
                made = Instruction(0, np.float64(value(*(one.value for one in last))), token)
        self.instructions.append(made)
        if isinstance(made.value, np.float64) and not np.isfinite(made.value):
            self.refuse(f"this is {made.value:g} in float64, not a finite number", token)

    def expected(self, what: str) -> NoReturn:
        """Refuse the word that stands after an operand."""
        product = self.token.text == "(" or self.token.kind in ("name", "number")
        self.refuse(f"expected {what}" + _instead(self.token) + " (a product is written with '*')" * product)

    def refuse(self, message: str, token: Token | None = None) -> NoReturn:
        """Point at a word: the present one, unless another is given."""
        raise complaint(self.text, (token or self.token).place, message)


def _instead(token: Token) -> str:
    return ", not the end" if token.kind == "end" else f", not {short(token.text)}"


def _no_function(name: str) -> str:
    near = [_ELSEWHERE[name]] if name in _ELSEWHERE else difflib.get_close_matches(name, FUNCTIONS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"no function {short(name)}{hint} Known: {', '.join(FUNCTIONS)}"


def _no_character(letter: str) -> str:
    known = unicodedata.name(letter, f"character number {ord(letter)}")
    hint = f"write {_SIGNS[letter]}" if letter in _SIGNS else "a formula has letters a-z, digits and + - * / ^ ( ) ,"
    shown = repr(letter) if letter.isprintable() else "a character that cannot be printed"
    return f"{shown} ({known}) has no meaning here; {hint}"
