"""Groups as functions of their own: LLVM's time grows faster than a function's length, and rounds of a loop are alike.

A function is written with whatever names its instructions have. Names that it does not define become parameters, all
others are numbered from the start; so functions that do the same on other addresses have the same text, and are one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = re.compile(r"%[\w.]+")
DEFINED = re.compile(r"^  (%[\w.]+) = |^([\w.]+):$", re.MULTILINE)
NODE = re.compile(r"!(\d+)")


class Functions:
    """The functions of a module besides its kernel.

    Attributes
    ----------
    texts
        Each function's IR.
    metadata
        What their loops carry.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.metadata: list[str] = []
        self._known: dict[tuple[str, ...], str] = {}

    def made(
        self, lines: list[str], metadata: list[str], types: Mapping[str, str], attributes: str
    ) -> tuple[str, list[str]]:
        """A function of these instructions: its name, and what it has to be given, as written by the caller.

        ``types`` says of which type a name is that is not an address.
        """
        text = "\n".join(lines)
        own = {name or f"%{label}" for name, label in DEFINED.findall(text)} | {"%entry"}
        new: dict[str, str] = {"%entry": "%entry"}
        given: list[str] = []
        for name in NAME.findall(text):
            if name not in new:
                new[name] = f"%v{len(new)}" if name in own else f"%p{len(given)}"
                if name not in own:
                    given.append(name)
        text = NAME.sub(lambda found: new[found.group()], text)
        text = re.sub(r"^([\w.]+):$", lambda found: f"{new['%' + found.group(1)][1:]}:", text, flags=re.MULTILINE)
        forms = [f"{types[name]} {new[name]}" if name in types else f"ptr noalias {new[name]}" for name in given]
        key = (text, *metadata, *forms, attributes)
        if key not in self._known:
            self._known[key] = name = f"@part{len(self._known)}"
            body = self.numbered(text, metadata)
            self.texts.append(
                f"define internal void {name}({', '.join(forms)}){attributes} {{\nentry:\n{body}\n  ret void\n}}"
            )
        return self._known[key], given

    def numbered(self, text: str, metadata: list[str]) -> str:
        """Instructions with their metadata numbered through the module."""
        first = len(self.metadata)
        text, *moved = (NODE.sub(lambda found: f"!{int(found.group(1)) + first}", part) for part in (text, *metadata))
        self.metadata += moved
        return text
