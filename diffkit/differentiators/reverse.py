"""Reverse mode: one forward sweep, then one return sweep that carries cotangents back.

"All inputs in time proportional to f, slow for large B": one return sweep per output, here as one sweep of B seeds.
Linnainmaa (1970); Griewank and Walther (2008), "Evaluating Derivatives", section 3.2: a gradient costs at most five
times f.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from diffkit.differentiators.recording import Recording
from diffkit.differentiators.sweeping import SweepDifferentiator


@dataclass(frozen=True, kw_only=True)
class Reverse(SweepDifferentiator):
    """Reverse mode (backpropagation): exact; one Jacobian costs B sweeps, one gradient or w J costs one.

    Parameters
    ----------
    engine
        "auto", "numpy", "llvm" or "interpreted".
    memory_limit
        Bytes that the seeds of one sweep may take together; above it the sweep is cut into chunks.

    Examples
    --------
    >>> import numpy as np
    >>> from diffkit import Reverse
    >>> Reverse().prepare(np.prod, np.ones(3), product="gradient").run(np.array([2.0, 3.0, 0.0]))
    array([0., 0., 6.])
    """

    name: ClassVar[str] = "reverse"

    def sweeps(self, inputs: int, outputs: int) -> int:
        """One per output."""
        return outputs

    def seeded(self, recording: Recording) -> list[Any]:
        """Directions belong to outputs."""
        return recording.outputs

    def block(self, recording: Recording, seeds: list[Any], count: int) -> Any:
        """``count`` rows of the Jacobian, ``(K, A)``."""
        return recording.rows(recording.pull(seeds), recording.inputs, count)

    def place(self, whole: np.ndarray[Any, Any], start: int, block: np.ndarray[Any, Any]) -> None:
        """Put rows into the Jacobian."""
        whole[start : start + block.shape[0]] = block

    def jvp(self, recording: Recording, tangents: list[Any]) -> list[Any]:
        """The Jacobian, multiplied from the right."""
        flat = recording.flat(tangents)
        return recording.split(self.jacobian(recording) @ flat, recording.outputs)

    def vjp(self, recording: Recording, cotangents: list[Any]) -> list[Any]:
        """One return sweep."""
        return recording.filled(recording.pull(cotangents), recording.inputs)
