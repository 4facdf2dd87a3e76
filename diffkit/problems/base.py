"""What a problem is: a plain-NumPy function at every size at which it exists, with its true derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from diffkit.errors import InputError, UnknownNameError, check_whole, is_whole

Array: TypeAlias = npt.NDArray[np.float64]
Function: TypeAlias = Callable[[Array], Any]
"""What is differentiated: x of shape ``(A,)`` to one number, or to an array of B entries."""
Jacobian: TypeAlias = Callable[[Array], Array]
"""The independent reference: x of shape ``(A,)`` to the derivative ``(B, A)``."""
Parts: TypeAlias = tuple[Function, Array, Jacobian | None, float]
"""What a builder makes: the function, the point, the reference derivative if there is one, the conditioning."""


@dataclass(frozen=True)
class Sizes:
    """At which numbers of inputs A and outputs B does a problem exist?

    Attributes
    ----------
    needs
        The rule in words, for lists and messages.
    fits
        The same rule as a predicate of A and B.
    scales_inputs, scales_outputs
        Whether A and B can grow.
    outputs
        How many outputs so many inputs give, where the function decides; raises `InputError` where it cannot be called.
    """

    needs: str
    fits: Callable[[int, int], bool]
    scales_inputs: bool = False
    scales_outputs: bool = False
    outputs: Callable[[int], int] | None = None


def fixed(inputs: int, outputs: int = 1) -> Sizes:
    """Only these sizes.

    Examples
    --------
    >>> fixed(2).needs
    'A = 2, B = 1'
    """
    return Sizes(f"A = {inputs}, B = {outputs}", lambda *sizes: sizes == (inputs, outputs))


def scalar(least: int = 1) -> Sizes:
    """Any number of inputs, one output.

    Examples
    --------
    >>> scalar(least=2).needs
    'A >= 2, B = 1'
    """
    return Sizes(f"A >= {least}, B = 1", lambda A, B: B == 1 and least <= A, scales_inputs=True)


def square() -> Sizes:
    """As many outputs as inputs.

    Examples
    --------
    >>> square().fits(3, 3), square().fits(3, 1)
    (True, False)
    """
    return Sizes("A = B >= 1", lambda A, B: A == B >= 1, scales_inputs=True, scales_outputs=True)


def free(least: int = 1) -> Sizes:
    """Any number of inputs, any number of outputs.

    Examples
    --------
    >>> free().needs
    'A >= 1, B >= 1'
    """
    return Sizes(
        f"A >= {least}, B >= 1",
        lambda A, B: least <= A and B >= 1,
        scales_inputs=True,
        scales_outputs=True,
    )


@dataclass(frozen=True)
class Instance:
    """A problem at one size, ready to be differentiated.

    Attributes
    ----------
    name
        The problem's name.
    inputs, outputs
        A and B.
    function
        Plain NumPy: an array ``(A,)`` to one number, or to an array of B entries.
    point
        Where to differentiate, shape ``(A,)``.
    jacobian
        The reference derivative, ``(A,)`` to ``(B, A)``, derived by hand; None where nobody has.
    conditioning
        kappa, the relative error of the derivative per rounding error: an exact method agrees within
        ``max(tolerance, 100 * eps * kappa)`` of the largest entry. It is 1 for benign problems.
    """

    name: str
    inputs: int
    outputs: int
    function: Function
    point: Array
    jacobian: Jacobian | None
    conditioning: float


@dataclass(frozen=True)
class Problem:
    """A function from A inputs to B outputs, with its true derivative, at every size at which it exists.

    Attributes
    ----------
    name
        What it is called in `get`, suites and tables.
    summary
        What it computes, in one sentence.
    source
        The paper or book that it comes from.
    sizes
        Where it exists.
    build
        Makes the parts of an instance. It is handed A and B where it has parameters ``inputs`` and
        ``outputs``; its other parameters are options of the problem.
    analytic
        Whether the function takes complex arrays and is analytic at the point, as a complex step needs.
    twice
        Whether it has second derivatives at the point.

    Examples
    --------
    >>> from diffkit import problems
    >>> rosenbrock = problems.get("rosenbrock").at(2)
    >>> rosenbrock.function(np.array([1.0, 1.0])), rosenbrock.jacobian(np.array([0.0, 0.0]))
    (np.float64(0.0), array([[-2.,  0.]]))
    """

    name: str
    summary: str
    source: str
    sizes: Sizes = field(repr=False)
    build: Callable[..., Parts] = field(repr=False)
    analytic: bool = True
    twice: bool = True

    @property
    def scales_inputs(self) -> bool:
        """Whether A can grow."""
        return self.sizes.scales_inputs

    @property
    def scales_outputs(self) -> bool:
        """Whether B can grow."""
        return self.sizes.scales_outputs

    def fits(self, inputs: int, outputs: int = 1) -> bool:
        """Does the problem exist with this many inputs and outputs?

        Examples
        --------
        >>> from diffkit import problems
        >>> problems.get("rosenbrock").fits(1), problems.get("rosenbrock").fits(2)
        (False, True)
        """
        return is_whole(inputs) and is_whole(outputs) and self.sizes.fits(inputs, outputs)

    def at(self, inputs: int, outputs: int = 1, **options: float) -> Instance:
        """Make the problem at one size; equal arguments give equal instances.

        Raises
        ------
        InputError
            The problem does not exist at that size, or an option's value cannot be used.
        UnknownNameError
            The problem has no such option.

        Examples
        --------
        >>> from diffkit import problems
        >>> problems.get("scalar-loop").at(2, rounds=3).point
        array([0.9, 0.3])
        """
        if not self.fits(inputs, outputs):
            raise InputError(
                f"problem {self.name!r} does not exist with {inputs!r} inputs and {outputs!r} outputs; "
                f"choose A inputs and B outputs such that {self.sizes.needs}"
            )
        sizes = {"inputs": inputs, "outputs": outputs}
        parameters = signature(self.build).parameters
        known = [name for name in parameters if name not in sizes]
        for name in options:
            if name not in known:
                raise UnknownNameError(name, known, kind=f"option of problem {self.name!r} called")
        wanted = {name: size for name, size in sizes.items() if name in parameters}
        return Instance(self.name, inputs, outputs, *self.build(**wanted, **options))


def generator(seed: Any) -> np.random.Generator:
    """Begin random numbers at a seed.

    Raises
    ------
    InputError
        It is no whole number from 0.

    Examples
    --------
    >>> generator(-1)
    Traceback (most recent call last):
    diffkit.errors.InputError: seed=-1; it must be a whole number from 0
    """
    check_whole(seed, "seed", least=0)
    return np.random.default_rng(int(seed))
