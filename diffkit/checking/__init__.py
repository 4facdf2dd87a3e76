"""Does this derivative hold? For users' own gradients, for the harness, and for our tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from diffkit.checking.around import Around
from diffkit.checking.examining import examine
from diffkit.checking.found import Check
from diffkit.checking.given import as_matrix
from diffkit.checking.study import Study
from diffkit.differentiators import Differentiator, get
from diffkit.errors import CheckError, check_positive

__all__ = ["Check", "Study", "check"]

DEAR = 10  # times as many sweeps as another method takes


def check(
    f: Callable[..., Any],
    x: Any,
    jac: Callable[..., Any] | Any = None,
    *,
    method: str | Differentiator = "reverse",
    tolerance: float | None = None,
    raises: bool = True,
    **options: Any,
) -> Check:
    """Does this derivative hold?

    Compares a derivative with differences of f at some twenty step sizes, extrapolated, which know nothing of rules or
    graphs: f is called as it is. An entry holds where it is no further from them than ``30 (e + c)``: e is the error of
    the differences, of truncation and rounding, as they themselves show it, and c what rounding x changes in the
    derivative. Where f has no derivative, the check says so. Where differences by each of A inputs would take more than
    20,000 calls of f, random directions are checked, and the worst entry is found by bisection.

    Parameters
    ----------
    f
        A function of x that gives a number, an array, or containers of arrays. It need not be traceable, if ``jac`` is
        given.
    x
        Where.
    jac
        A gradient or Jacobian of your own, as a function of x or as an array, dense or sparse, or as blocks in the
        containers of f's result and of x; by default diffkit's by ``method``.
    method
        The method to check, where ``jac`` is not given: a name (see `names`), or a `Differentiator`.
    tolerance
        What is allowed besides, relative to the largest entry of each output: for a derivative that approximates.
    raises
        Whether a derivative that does not hold is an error, or a result that is false.

    Raises
    ------
    CheckError
        Where the derivative does not hold, does not exist, or cannot be told; the message names the worst entry.
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
    diffkit.errors.CheckError: the derivative does not hold: f by x[0] is 3, but differences of f give 2 ...
    >>> dk.check(lambda x: np.sum(np.abs(x)), np.array([1.0, 0.0]), raises=False).verdict
    'kink'
    """
    if tolerance is not None:
        check_positive(tolerance, "tolerance", ", relative to the largest entry")
    around = Around(f, x)
    if jac is None:
        jac = get(method, **options).prepare(f, x, verify=True).run(x)
        advice = _advice(get(method, **options), around.here.size, around.x.size)
    else:
        advice = ""
    given = as_matrix(jac(x) if callable(jac) else jac, around)
    with np.errstate(all="ignore"):
        found = replace(examine(around, given, tolerance or 0.0), advice=advice)
    if raises and not found:
        raise CheckError(_short(found))
    return found


def _advice(method: Differentiator, outputs: int, inputs: int) -> str:
    """Say so where a method takes far more sweeps, or calls of f, than forward or reverse."""
    own, (least, name) = method.sweeps(inputs, outputs), min((outputs, "reverse"), (inputs, "forward"))
    if own <= DEAR * least:
        return ""
    unit = "sweeps" if method.exact else "calls of f"
    return f"{method.name} takes {own:,} {unit} for this derivative (A = {inputs:,}, B = {outputs:,}), {name} {least:,}"


def _short(found: Check) -> str:
    table = f"\n{found.study.table(every=4)}" if found.study else ""
    return f"{found.summary}{table}\nprint(dk.check(..., raises=False)) shows all step sizes"
