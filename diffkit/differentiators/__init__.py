"""The methods, one file each over `base`."""

from diffkit.differentiators.auto import Auto
from diffkit.differentiators.base import Differentiator
from diffkit.differentiators.derivative import Derivative
from diffkit.differentiators.finite import FiniteDifference
from diffkit.differentiators.forward import Forward
from diffkit.differentiators.mixed import Mixed
from diffkit.differentiators.registry import get, names
from diffkit.differentiators.reverse import Reverse
from diffkit.differentiators.sparse import Sparse
from diffkit.differentiators.symbolic import Symbolic

__all__ = [
    "Auto",
    "Derivative",
    "Differentiator",
    "FiniteDifference",
    "Forward",
    "Mixed",
    "Reverse",
    "Sparse",
    "Symbolic",
    "get",
    "names",
]
