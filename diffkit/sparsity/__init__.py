"""Sparse derivatives: where a Jacobian can be other than zero, and how few directions find all of it.

::

    graph of f --(pattern)--> which entries --(colouring)--> directions --(a sweep)--> compressed --(recovery)--> CSR

Curtis, Powell and Reid (1974), "On the estimation of sparse Jacobian matrices"; Gebremedhin, Manne and Pothen (2005),
"What color is your Jacobian?", SIAM Review 47.
"""

from diffkit.sparsity.colouring import Colouring, colour
from diffkit.sparsity.pattern import Pattern, pattern_of
from diffkit.sparsity.recovery import Recovery

__all__ = ["Colouring", "Pattern", "Recovery", "colour", "pattern_of"]
