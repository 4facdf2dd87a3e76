"""Does this derivative hold? For users' own gradients, for the harness, and for our tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffkit import trees
from diffkit.differentiators import Differentiator, FiniteDifference, get
from diffkit.errors import CheckError, InputError, check_positive


@dataclass(frozen=True)
class Check:
    """What a check found.

    Attributes
    ----------
    holds
        Whether the derivative agrees with differences of f.
    error
        The largest difference, relative to the largest entry, or to what differences of f can tell from zero.
    tolerance
        What was allowed.
    worst
        Output and input of the worst entry.
    """

    holds: bool
    error: float
    tolerance: float
    worst: tuple[int, int]

    def __bool__(self) -> bool:
        return self.holds


def check(
    f: Callable[..., Any],
    x: Any,
    jac: Callable[..., Any] | Any = None,
    *,
    method: str | Differentiator = "reverse",
    tolerance: float = 1e-6,
    raises: bool = True,
    **options: Any,
) -> Check:
    """Does this derivative hold?

    Compares a derivative with extrapolated differences of f, which know nothing of rules or graphs, and traces f twice.

    Parameters
    ----------
    f
        A plain-NumPy function.
    x
        Where.
    jac
        A gradient or Jacobian of your own, as a function of x or as an array; by default diffkit's by ``method``.
    method
        The method to check, where ``jac`` is not given: a name (see `names`), or a `Differentiator`.
    tolerance
        Allowed error, relative to the largest entry.
    raises
        Whether a derivative that does not hold is an error, or a result that is false.

    Raises
    ------
    CheckError
        Where the derivative does not hold; the message names the worst entry.
    TracingError
        Where f does not do the same twice.
    InputError
        Where ``jac`` gives no numbers, or not as many as the Jacobian of f has.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> bool(dk.check(lambda x: np.sum(np.sin(x)), np.ones(3)))
    True
    >>> dk.check(lambda x: np.sum(x**2), np.ones(3), jac=lambda x: 3 * x)
    Traceback (most recent call last):
    diffkit.errors.CheckError: the derivative does not hold: output 0 by input 0 is 3, but differences of f give 2 ...
    """
    check_positive(tolerance, "tolerance", ", relative to the largest entry")
    reference = FiniteDifference(scheme="richardson").prepare(f, x)
    expected, estimate = (np.asarray(found, dtype=float) for found in (reference.run(x), reference.error_estimate(x)))
    given = _given(f, x, jac, method, options)
    if given.size != expected.size:
        raise InputError(f"the derivative has shape {given.shape}; f has a Jacobian of shape {expected.shape}")
    given = given.reshape(expected.shape)
    unsure = 10 * float(np.nanmax(estimate, initial=0.0))  # what differences cannot tell from zero
    scale = max(float(np.max(np.abs(expected), initial=0.0)), unsure / tolerance, np.finfo(float).tiny)
    differences = np.abs(given - expected) / scale
    differences = np.where(np.isnan(differences), np.inf, differences)
    differences[np.isnan(given) & np.isnan(expected)] = 0.0
    worst = np.unravel_index(int(np.argmax(differences)), expected.shape) if expected.size else (0, 0)
    error = float(differences[worst]) if expected.size else 0.0
    found = Check(error <= tolerance, error, tolerance, (int(worst[0]), int(worst[1])))
    if raises and not found:
        raise CheckError(
            f"the derivative does not hold: output {worst[0]} by input {worst[1]} is {given[worst]:.6g}, but "
            f"differences of f give {expected[worst]:.6g} (error {error:.3g}, allowed {tolerance:.3g})"
        )
    return found


def _given(
    f: Callable[..., Any], x: Any, jac: Any, method: str | Differentiator, options: dict[str, Any]
) -> np.ndarray[Any, Any]:
    if jac is None:
        return np.asarray(get(method, **options).prepare(f, x, verify=True).run(x), dtype=float)
    leaves = [trees.as_leaf(leaf, "the derivative") for leaf in trees.flatten(jac(x) if callable(jac) else jac)[0]]
    return np.asarray(leaves[0] if len(leaves) == 1 else np.concatenate([*map(np.ravel, leaves), []]), dtype=float)
