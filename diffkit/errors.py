"""Every error that diffkit raises on purpose.

::

    DiffkitError
    ├── InputError            an argument that cannot be used: shape, dtype, None, empty
    │   └── NotScalarError    a gradient was asked of an f whose result is not one number
    ├── UnknownNameError      a method, engine, problem or suite by a name nobody has
    ├── TracingError          f does something that a trace cannot follow
    ├── UnsupportedError      the method cannot do this, or a library is not installed; says what to do
    ├── TooLargeError         the answer would exceed a stated limit
    ├── CheckError            a derivative that does not hold
    └── ResultsError          a results folder that cannot be read or written

Each message says what was given, why it cannot be, and what to do.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class DiffkitError(Exception):
    """Root of all errors that diffkit raises on purpose."""


class InputError(DiffkitError, ValueError):
    """An argument that cannot be used."""


class NotScalarError(InputError):
    """A gradient was asked of a function whose result is not one number."""


class UnknownNameError(DiffkitError, LookupError):
    """A name that nobody has, with the nearest one that somebody has.

    Examples
    --------
    >>> raise UnknownNameError("revers", ["forward", "reverse"], kind="method")
    Traceback (most recent call last):
    diffkit.errors.UnknownNameError: no method 'revers'; did you mean 'reverse'? Known: forward, reverse
    """

    def __init__(self, name: object, known: Iterable[str], kind: str) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(str(name), names, n=1)
        hint = f" did you mean {near[0]!r}?" if near else ""
        super().__init__(f"no {kind} {name!r};{hint} Known: {', '.join(names)}")


class TracingError(DiffkitError, TypeError):
    """The function does something that a trace cannot follow."""


class UnsupportedError(DiffkitError, NotImplementedError):
    """The method cannot do this, or a library is not installed; the message says what to do instead."""


class TooLargeError(DiffkitError, MemoryError):
    """The answer would exceed a stated limit (memory, or size of an expression)."""


class CheckError(DiffkitError, AssertionError):
    """A derivative that does not hold."""


class ResultsError(DiffkitError, OSError):
    """A results folder that cannot be read or written."""


def check_name(name: object, known: Collection[str], kind: str) -> None:
    """Refuse what is no name, or a name that nobody has."""
    if not isinstance(name, str) or name not in known:
        raise UnknownNameError(name, known, kind)


def check_positive(value: Any, what: str, meaning: str, *, finite: bool = True) -> None:
    """Refuse what is no positive number; ``meaning`` says what it would be a number of."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (real and value > 0 and (value < math.inf or not finite)):
        raise InputError(f"{what}={value!r}; it must be a positive number{meaning}")


def is_whole(value: Any) -> bool:
    """Whether it is a whole number, of Python or of NumPy; True and False are none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def check_whole(value: Any, what: str, least: int = 1) -> None:
    """Refuse what is no whole number from ``least``.

    Examples
    --------
    >>> check_whole(2.0, "depth")
    Traceback (most recent call last):
    diffkit.errors.InputError: depth=2.0; it must be a whole number from 1
    """
    if not is_whole(value) or value < least:
        raise InputError(f"{what}={value!r}; it must be a whole number from {least}")


@contextmanager
def needing(what: str, extra: str, instead: str = "") -> Iterator[None]:
    """Import what an extra of diffkit brings; where it is not installed, say what needs it and how to get it.

    Raises
    ------
    UnsupportedError
        A library that is imported within cannot be found.

    Examples
    --------
    >>> with needing("drawing", extra="lab"):
    ...     import no_such_library
    Traceback (most recent call last):
    diffkit.errors.UnsupportedError: drawing needs no_such_library, which is not installed: pip install 'diffkit[lab]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        library = {"scipy": "SciPy", "sklearn": "scikit-learn"}.get(module, module)
        cures = f"pip install 'diffkit[{extra}]'{instead and f', or {instead}'}"
        raise UnsupportedError(f"{what} needs {library}, which is not installed: {cures}") from None
