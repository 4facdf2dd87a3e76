"""A graph as one generated straight-line Python function over NumPy.

`writer` goes through the steps, `wordings` says how each op is written, `memory` knows what is dead and may be
overwritten.
"""

from __future__ import annotations

import itertools
import linecache
from typing import Any, ClassVar

from diffkit.engines.base import Compiled, Engine
from diffkit.engines.numpy_source.writer import Writer
from diffkit.graph import Graph

_numbers = itertools.count(1)


class NumpySource(Engine):
    """One generated straight-line function over NumPy; needs nothing more than NumPy."""

    name: ClassVar[str] = "numpy"

    def compile(self, graph: Graph) -> Compiled:
        """Write the function, compile it, and bind its constants."""
        writer = Writer(graph)
        source = writer.write()
        filename = f"<diffkit plan {next(_numbers)}>"
        namespace: dict[str, Any] = dict(writer.names)
        exec(compile(source, filename, "exec"), namespace)  # noqa: S102 - generated above, from a graph
        linecache.cache[filename] = (
            len(source),
            None,
            source.splitlines(keepends=True),
            filename,
        )  # for tracebacks
        return Compiled(namespace["plan"], source)
