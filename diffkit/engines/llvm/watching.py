"""Names that f reads, watched by machine code: where one is bound to something else, Python is asked."""

from __future__ import annotations

import ctypes
import types
from typing import Any

from diffkit.engines.llvm.entries import addresses, slow_way, table_of

FIELDS = {
    (types.CellType, "cell_contents"): 16,
    (types.FunctionType, "__defaults__"): 56,
    (types.FunctionType, "__kwdefaults__"): 64,
}
"""Where CPython's objects keep what names are bound to; looked at before it is believed."""

Watched = tuple[Any, str, Any]
"""A name that f read: where it is bound, the name, and what it was bound to."""


def watching(watched: tuple[Watched, ...]) -> list[str] | None:
    """IR that leaves for ``other`` where a name is bound to something else; None where that takes Python to see."""
    get = f"inttoptr (i64 {addresses()['PyDict_GetItem']} to ptr)"
    lines: list[str] = []
    for k, (container, name, value) in enumerate(watched):
        for part, spot in (("where", 1), ("name", 2), ("was", 3)):
            lines += [
                f"  %{part}p{k} = getelementptr ptr, ptr %table, i64 {3 * k + spot}",
                f"  %{part}{k} = load ptr, ptr %{part}p{k}",
            ]
        field = _field(container, name, value)
        if field:
            lines += [
                f"  %field{k} = getelementptr i8, ptr %where{k}, i64 {field}",
                f"  %now{k} = load ptr, ptr %field{k}",
            ]
        elif type(container) is dict:
            lines.append(f"  %now{k} = call ptr {get}(ptr %where{k}, ptr %name{k})")
        else:
            return None
        lines += [
            f"  %same{k} = icmp eq ptr %now{k}, %was{k}",
            f"  br i1 %same{k}, label %next{k}, label %other",
            f"next{k}:",
        ]
    return lines


def _field(container: Any, name: str, value: Any) -> int:
    """Where a cell or a function keeps what it is bound to; 0 where that is not known of this Python."""
    offset = FIELDS.get((type(container), name), 0)
    return offset if offset and ctypes.c_void_p.from_address(id(container) + offset).value == id(value) else 0


def watcher(checks: list[str]) -> str:
    """A function that looks at names first, and then goes on to another; its own table holds what it looks at."""
    arguments = "ptr %self, ptr %args, i64 %n, ptr %names"
    lines = [
        *table_of("names"),
        "  %direct = load ptr, ptr %table",
        *checks,
        f"  %r = tail call ptr %direct({arguments})",
        "  ret ptr %r",
        *slow_way(addresses()),
    ]
    return f"define ptr @watching({arguments}) {{\n" + "\n".join(lines) + "\n}\n"
