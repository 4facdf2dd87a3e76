"""diffkit: differentiate a NumPy function by any of four methods, by name, and measure how they compare.

>>> import numpy as np, diffkit as dk
>>> def f(x):
...     return np.exp(x[0] * x[1]) + x[0] * x[1] / np.log(x[0]) + np.sin(np.log(x[0])) / (x[0] * x[1])
>>> dk.grad(f)(np.array([2.0, 3.0])).round(1)
array([1208.4,  809.7])
>>> dk.jacobian(f, method="forward")(np.array([2.0, 3.0])).shape
(1, 2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diffkit.checking import check
from diffkit.differentiators import (
    Derivative,
    Differentiator,
    FiniteDifference,
    Forward,
    Reverse,
    Symbolic,
    get,
    names,
)
from diffkit.errors import (
    CheckError,
    DiffkitError,
    InputError,
    NotScalarError,
    ResultsError,
    TooLargeError,
    TracingError,
    UnknownNameError,
    UnsupportedError,
)
from diffkit.operators import (
    constant,
    derivative,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    primitive,
    value_and_grad,
    vjp,
)

if TYPE_CHECKING:
    from diffkit.benchmark.results import load
    from diffkit.comparing import compare

__version__ = "0.1.0"

__all__ = [
    "CheckError",
    "Derivative",
    "Differentiator",
    "DiffkitError",
    "FiniteDifference",
    "Forward",
    "InputError",
    "NotScalarError",
    "ResultsError",
    "Reverse",
    "Symbolic",
    "TooLargeError",
    "TracingError",
    "UnknownNameError",
    "UnsupportedError",
    "check",
    "compare",
    "constant",
    "derivative",
    "get",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "load",
    "names",
    "primitive",
    "value_and_grad",
    "vjp",
]

_LAZY = {
    "compare": "diffkit.comparing",
    "load": "diffkit.benchmark.results",
}  # they need pandas, which takes long to import


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'diffkit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
