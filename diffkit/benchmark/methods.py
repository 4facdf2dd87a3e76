"""A method as a suite names it: a differentiator's name, with options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from diffkit.differentiators import Differentiator, get
from diffkit.errors import InputError


@dataclass(frozen=True)
class Method:
    """A differentiator by name, with its options.

    Examples
    --------
    >>> method = Method.parse("finite-difference(scheme=central, step_size=1e-6)")
    >>> method.name, method.options
    ('finite-difference', {'scheme': 'central', 'step_size': 1e-06})
    >>> method.label
    'finite-difference(scheme=central, step_size=1e-06)'
    """

    name: str
    options: dict[str, object] = field(default_factory=dict)

    @classmethod
    def parse(cls, label: str) -> Self:
        """Read a label such as ``"symbolic(form=expression)"``.

        Raises
        ------
        InputError
            The label is no name, followed by options in parentheses or by nothing.
        """
        parts = re.fullmatch(r"\s*([\w-]+)\s*(?:\(([^()]*)\))?\s*", label)
        if parts is None:
            raise InputError(f"{label!r} is no method; write name or name(option=value, option=value)")
        name, text = parts.groups()
        pairs = [pair.partition("=") for pair in (text or "").split(",") if pair.strip()]
        if not all(equals for _, equals, _ in pairs):
            raise InputError(f"an option in {label!r} has no value; write name(option=value)")
        return cls(name, {key.strip(): _value(value.strip()) for key, _, value in pairs})

    @property
    def label(self) -> str:
        """The method as a row of the table names it."""
        options = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name}({options})" if options else self.name

    def differentiator(self, engine: str, **more: object) -> Differentiator:
        """Make the differentiator that this label stands for.

        Raises
        ------
        UnknownNameError
            There is no such method or engine, or the method has no such option.
        InputError
            An option has a value that cannot be used.
        """
        return get(self.name, engine=engine, **self.options, **more)


def _value(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
