"""Forward mode: dual numbers carry tangents along f, all directions at once.

"All outputs in time proportional to f, slow for large A": one sweep per input, here as one sweep of A directions.
Griewank and Walther (2008), "Evaluating Derivatives", section 3.1; Clifford (1871) for dual numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from diffkit.differentiators.recording import Recording
from diffkit.differentiators.sweeping import SweepDifferentiator


@dataclass(frozen=True, kw_only=True)
class Forward(SweepDifferentiator):
    """Forward mode: exact; one Jacobian costs A sweeps, one J v costs one.

    Parameters
    ----------
    engine
        "auto", "numpy", "llvm" or "interpreted".
    memory_limit
        Bytes that the directions of one sweep may take together; above it the sweep is cut into chunks.

    Examples
    --------
    >>> import numpy as np
    >>> from diffkit import Forward
    >>> Forward().prepare(np.sin, np.zeros(2)).run(np.zeros(2))
    array([[1., 0.],
           [0., 1.]])
    """

    name: ClassVar[str] = "forward"

    def sweeps(self, inputs: int, outputs: int) -> int:
        """One per input."""
        return inputs

    def seeded(self, recording: Recording) -> list[Any]:
        """Directions belong to inputs."""
        return recording.inputs

    def block(self, recording: Recording, seeds: list[Any], count: int) -> Any:
        """``count`` columns of the Jacobian, ``(B, K)``."""
        return np.transpose(recording.rows(recording.push(seeds), recording.outputs, count))

    def place(self, whole: np.ndarray[Any, Any], start: int, block: np.ndarray[Any, Any]) -> None:
        """Put columns into the Jacobian."""
        whole[:, start : start + block.shape[1]] = block

    def jvp(self, recording: Recording, tangents: list[Any]) -> list[Any]:
        """One forward sweep."""
        return recording.filled(recording.push(tangents), recording.outputs)

    def vjp(self, recording: Recording, cotangents: list[Any]) -> list[Any]:
        """The Jacobian, multiplied from the left."""
        flat = recording.flat(cotangents)
        return recording.split(flat @ self.jacobian(recording), recording.inputs)
