"""Formulas that a user types, as plain-NumPy functions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from diffkit.errors import InputError
from diffkit.explaining.grammar import NUMBER, Instruction, Reader, complaint, short


@dataclass(frozen=True)
class Formula:
    """A formula as a plain-NumPy function of its variables.

    Attributes
    ----------
    text
        As it was typed.
    names
        Its variables, in the order in which they first appear: the order of the arguments.
    instructions
        The formula in postfix order; what holds no variable is one number.
    """

    text: str
    names: tuple[str, ...]
    instructions: tuple[Instruction, ...]

    def __call__(self, *values: Any) -> Any:
        """Evaluate at these values, in the order of the names: numbers, arrays or tracers."""
        bound = dict(zip(self.names, values, strict=True))
        stack: list[Any] = []
        for instruction in self.instructions:
            _apply(instruction, stack, bound)
        return stack[0]

    @cached_property
    def __signature__(self) -> Signature:
        """The arguments by name, as other functions have them."""
        return Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in self.names])

    def point(self, text: str) -> list[float]:
        """Read a point, such as ``x=2, z=3``: the values in the order of the names.

        Raises
        ------
        InputError
            A name is missing, unknown or given twice, or a value is no finite number.

        Examples
        --------
        >>> parse("z*x").point("x=2, z=-1.5")
        [-1.5, 2.0]
        """
        given: dict[str, float] = {}
        for part in text.split(","):
            name, equals, value = (word.strip() for word in part.partition("="))
            if not equals or not name:
                raise InputError(
                    f"{short(part.strip())} is no value of a variable; write name=number, as {self._example}"
                )
            if name not in self.names:
                raise InputError(f"the formula has no variable {short(name)}; it has {', '.join(self.names)}")
            if name in given:
                raise InputError(f"{name} is given twice, as {given[name]:g} and as {short(value)}; give one value")
            given[name] = _number(name, value)
        if missing := [name for name in self.names if name not in given]:
            raise InputError(f"no value for {', '.join(missing)}; give all variables, as {self._example}")
        return [given[name] for name in self.names]

    @property
    def _example(self) -> str:
        return ",".join(f"{name}={number}" for number, name in enumerate(self.names, 2))

    def check(self, *values: float) -> None:
        """Refuse a point at which some part of the formula is no finite number.

        Raises
        ------
        InputError
            With the place of the first such part.

        Examples
        --------
        >>> parse("1 + log(x)").check(-1.0)
        Traceback (most recent call last):
        diffkit.errors.InputError: 'log' gives nan here, at x = -1; choose a point inside its domain
            1 + log(x)
                ^
        """
        bound = {name: np.float64(value) for name, value in zip(self.names, values, strict=True)}
        point = ", ".join(f"{name} = {value:g}" for name, value in bound.items())
        stack: list[Any] = []
        for instruction in self.instructions:
            with np.errstate(all="ignore"):
                _apply(instruction, stack, bound)
            if not np.isfinite(stack[-1]):
                word, place = instruction.token.text, instruction.token.place
                where = f"{word!r} gives {stack[-1]:g} here, at {point}"
                raise complaint(self.text, place, f"{where}; choose a point inside its domain")


def parse(text: str) -> Formula:
    """What function does this formula write down?

    Raises
    ------
    InputError
        The text is no formula of this grammar; the message points at the place and says what is expected.

    Examples
    --------
    >>> formula = parse("exp(x*z) - x^2")
    >>> formula.names, round(float(formula(1.0, 2.0)), 3)
    (('x', 'z'), 6.389)
    >>> import diffkit as dk
    >>> print(dk.grad(formula)(0.0, 2.0))
    2.0
    """
    return Formula(text, *Reader(text).read())


def _apply(instruction: Instruction, stack: list[Any], bound: Mapping[str, Any]) -> None:
    operands, value, _ = instruction
    if operands:
        last = stack[-operands:]
        del stack[-operands:]
        stack.append(value(*last))
    else:
        stack.append(bound[value] if isinstance(value, str) else value)


def _number(name: str, text: str) -> float:
    value = float(text) if re.fullmatch(f"[+-]?{NUMBER}", text, re.ASCII) else math.nan
    if not math.isfinite(value):
        raise InputError(f"{short(text)} is no finite number for {name}; write one such as 2, -0.5 or 1e-3")
    return value
