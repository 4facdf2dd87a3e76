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

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffkit import lab, problems
    from diffkit.advising import advise
    from diffkit.benchmark.results import load
    from diffkit.checking import check
    from diffkit.comparing import compare
    from diffkit.differentiators.auto import Auto
    from diffkit.differentiators.base import Differentiator
    from diffkit.differentiators.derivative import Derivative
    from diffkit.differentiators.finite import FiniteDifference
    from diffkit.differentiators.forward import Forward
    from diffkit.differentiators.mixed import Mixed
    from diffkit.differentiators.neighbours import DomainWarning
    from diffkit.differentiators.registry import get, names
    from diffkit.differentiators.reverse import Reverse
    from diffkit.differentiators.sparse import Sparse
    from diffkit.differentiators.symbolic import Symbolic
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
        derivative,
        grad,
        hessian,
        hvp,
        jacobian,
        jvp,
        value_and_grad,
        vjp,
    )
    from diffkit.rules import constant, primitive

__version__ = "0.1.0"

_WHERE = {  # a name is imported when first used: importing diffkit costs little more than importing NumPy
    "diffkit.advising": ("advise",),
    "diffkit.benchmark.results": ("load",),
    "diffkit.checking": ("check",),
    "diffkit.comparing": ("compare",),
    "diffkit.differentiators.auto": ("Auto",),
    "diffkit.differentiators.base": ("Differentiator",),
    "diffkit.differentiators.derivative": ("Derivative",),
    "diffkit.differentiators.finite": ("FiniteDifference",),
    "diffkit.differentiators.forward": ("Forward",),
    "diffkit.differentiators.mixed": ("Mixed",),
    "diffkit.differentiators.neighbours": ("DomainWarning",),
    "diffkit.differentiators.registry": ("get", "names"),
    "diffkit.differentiators.reverse": ("Reverse",),
    "diffkit.differentiators.sparse": ("Sparse",),
    "diffkit.differentiators.symbolic": ("Symbolic",),
    "diffkit.errors": (
        "CheckError",
        "DiffkitError",
        "InputError",
        "NotScalarError",
        "ResultsError",
        "TooLargeError",
        "TracingError",
        "UnknownNameError",
        "UnsupportedError",
    ),
    "diffkit.operators": (
        "derivative",
        "grad",
        "hessian",
        "hvp",
        "jacobian",
        "jvp",
        "value_and_grad",
        "vjp",
    ),
    "diffkit.rules": ("constant", "primitive"),
}
_HOME = {name: module for module, provided in _WHERE.items() for name in provided}

__all__ = [
    "Auto",
    "CheckError",
    "Derivative",
    "Differentiator",
    "DiffkitError",
    "DomainWarning",
    "FiniteDifference",
    "Forward",
    "InputError",
    "Mixed",
    "NotScalarError",
    "ResultsError",
    "Reverse",
    "Sparse",
    "Symbolic",
    "TooLargeError",
    "TracingError",
    "UnknownNameError",
    "UnsupportedError",
    "advise",
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
    "lab",
    "load",
    "names",
    "primitive",
    "problems",
    "value_and_grad",
    "vjp",
]


def __getattr__(name: str) -> Any:
    if name in ("lab", "problems"):
        return import_module(f"diffkit.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'diffkit' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
