"""f traced; where a method can do without its graph, f called as a black box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from diffkit.errors import DiffkitError, TracingError
from diffkit.ops import Recorded
from diffkit.tracing import Traced, call_function, trace_function

FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)  # what code that is handed a stand-in instead of an array raises


def followed(
    function: Callable[..., Any],
    arrays: Sequence[Any],
    rebuild: Callable[..., Any],
    *,
    has_aux: bool,
    black_box: bool,
) -> Traced:
    """Trace f; where it cannot be traced, call it, if a black box will do.

    What goes wrong while f is traced is f's own error if f fails on plain arrays too; otherwise it is due to tracing,
    whatever it is called.
    """
    problem: Exception
    try:
        return trace_function(function, arrays, rebuild, has_aux=has_aux)
    except TracingError as error:
        if not black_box:
            raise
        problem = error
    except DiffkitError:
        raise
    except FAILURES as error:
        if any(isinstance(array, Recorded) for array in arrays):
            raise
        problem = error
    called = call_function(function, arrays, rebuild, has_aux=has_aux)[0]
    if not black_box:
        raise TracingError(
            f"f runs on arrays, but cannot be traced ({type(problem).__name__}: {problem}); write that part with "
            "NumPy's functions, give it a rule with dk.primitive, or use method='finite-difference', which calls f "
            "as a black box"
        ) from problem
    return called
