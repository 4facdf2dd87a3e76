"""Suite files as text: where in it does something stand? The TOML reader of Python's library tells values only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from diffkit.errors import DiffkitError, InputError

_HEADER = re.compile(r"\s*\[+\s*([\w.-]+)\s*\]+\s*(#.*)?$")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")


@dataclass(frozen=True)
class Source:
    r"""The text of a suite, and what messages call it.

    Examples
    --------
    >>> source = Source("summary = ''\n[[grid]]\nmethods = [\n  'forward',\n  'revers',\n]", "my.toml")
    >>> source.line("grid", 1, "methods", "revers")
    5
    """

    text: str
    name: str

    def document(self) -> dict[str, Any]:
        """Read all values.

        Raises
        ------
        InputError
            The text is not TOML.
        """
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", str(error))
            number = (found and found[1]) or len(self.text.splitlines()) or 1
            message = str(error).replace(found[0], "") if found else str(error)
            raise InputError(f"{self.name}, line {number}: this is not TOML: {message}") from None

    def line(self, table: str = "", count: int = 1, key: str = "", entry: object = None) -> int:
        """On which line does this stand: the n-th table of that name, a key in it, an entry of that key's list?

        The nearest line that was found, where something is written in an unusual way.
        """
        lines = self.text.splitlines()
        headers = [number for number, line in enumerate(lines) if (m := _HEADER.match(line)) and m[1] == table]
        if table and len(headers) < count:  # written inline: grid = {...}
            return self.line(key=key, entry=entry) if key else self.line(key=table)
        start = headers[count - 1] if table else 0
        for number in range(start + bool(table), len(lines)):
            if table and _HEADER.match(lines[number]):
                break
            if key and (m := _KEY.match(lines[number])) and m[1] == key:
                return _entry(lines, number, entry) + 1
        inside = (n for n, line in enumerate(lines) if key and re.search(rf"\b{re.escape(key)}\b", line))
        return (start if table else next(inside, 0)) + 1

    @contextmanager
    def at(self, *place: Any) -> Iterator[None]:
        """Let errors of the user's say file and line; arguments as of `line`."""
        try:
            yield
        except DiffkitError as error:
            error.args = (f"{self.name}, line {self.line(*place)}: {error}",)
            raise


def _entry(lines: list[str], first: int, entry: object) -> int:
    """The line of an entry of a list whose key stands on the first line; that one where it is not found."""
    if entry is None:
        return first
    written = re.escape(entry) if isinstance(entry, str) else rf"(?<![\w.]){re.escape(str(entry))}(?![\w.])"
    for number in range(first, len(lines)):
        if number > first and (_KEY.match(lines[number]) or _HEADER.match(lines[number])):
            break
        if re.search(rf"[\"']{written}[\"']" if isinstance(entry, str) else written, lines[number]):
            return number
    return first
