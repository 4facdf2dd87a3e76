"""Training: stochastic gradient descent on a model, by any method of differentiation.

`settings` says how to descend, `steps` makes a step one program, `sgd` is the algorithm, `checkpoints` lets it go on
after any end, and `comparing` times the methods.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffkit.differentiators import Differentiator
from diffkit.errors import InputError, ResultsError
from diffkit.lab.networks import Model
from diffkit.lab.training import checkpoints
from diffkit.lab.training.comparing import Comparison, compare_methods
from diffkit.lab.training.settings import ORDERS, Settings
from diffkit.lab.training.sgd import Descent, Epoch, converged
from diffkit.lab.training.steps import pinned
from diffkit.problems.base import Array

__all__ = ["ORDERS", "Comparison", "Descent", "Epoch", "Settings", "Trained", "compare_methods", "train"]


@dataclass(frozen=True)
class Trained:
    """What training gave.

    Attributes
    ----------
    parameters
        Those after the last finished epoch, ``(A,)``.
    history
        An `Epoch` for each, in order.
    method, engine
        How the gradients were had; the engine is never "auto".
    stopped
        Why it ended: "all epochs", "converged", or what became not finite, where, and what to do.
    """

    parameters: Array
    history: tuple[Epoch, ...]
    method: str
    engine: str
    stopped: str

    @property
    def finite(self) -> bool:
        """Whether it ended as it should: no cost and no gradient left the finite numbers."""
        return self.stopped in {"all epochs", "converged"}


def train(
    model: Model,
    training: Any,
    test: Any = None,
    *,
    method: str | Differentiator = "reverse",
    engine: str = "auto",
    start: Array | None = None,
    checkpoint: Path | str | None = None,
    resume: bool = False,
    watch: Callable[[Epoch, Array], None] | None = None,
    **settings: Any,
) -> Trained:
    """Train a model by stochastic gradient descent.

    Parameters
    ----------
    model
        Any `diffkit.lab.networks.Model`.
    training, test
        Data with X ``(n, m)`` and Y ``(K, m)``, as `diffkit.lab.data` has them.
    method
        The differentiator, by name or made already.
    engine
        The engine for all of it; "auto" is "llvm" where that runs, else "numpy".
    start
        Initial parameters ``(A,)``, instead of the model's own.
    checkpoint
        A file to be written after every epoch.
    resume
        Go on from that file; the trajectory is the one that was never interrupted, bit for bit.
    watch
        Called after each epoch with its row and a copy of the parameters.
    **settings
        Fields of `Settings`: epochs, rate, batch, momentum, order, tolerance, seed, scale.

    Returns
    -------
    Trained
        Also where a cost or gradient was not finite: ``stopped`` says so, and what was finished is kept.

    Raises
    ------
    InputError, UnknownNameError
        For data, settings, methods or engines that cannot be used.
    ResultsError
        For a checkpoint that cannot be written or read, or belongs to another training.

    Examples
    --------
    >>> from diffkit.lab import data
    >>> from diffkit.lab.networks import Network
    >>> training, test = data.get("band").split(test=0.25)
    >>> trained = train(Network((2, 3, 1)), training, test, method="forward", rate=0.5, epochs=40)
    >>> trained.history[-1].training < 0.2, trained.stopped
    (True, 'all epochs')
    """
    file = _file(checkpoint)
    stored = _stored(file) if resume else None
    used = pinned(method, stored.engine(engine) if stored else engine)
    descent = Descent(model, training, test, used, Settings.of(settings), start)
    keep = _keeper(file, descent, stored)
    stopped = _ending(descent)
    while not stopped:
        stopped = descent.epoch()
        if not stopped:
            keep()
            if watch:
                watch(descent.state.history[-1], descent.state.parameters.copy())
            stopped = _ending(descent)
    state = descent.state
    return Trained(state.parameters, tuple(state.history), used.name, used.engine, stopped)


def _ending(descent: Descent) -> str:
    state, settings = descent.state, descent.settings
    if converged(state.history, settings.tolerance):
        return "converged"
    return "all epochs" if state.epoch >= settings.epochs else ""


def _file(checkpoint: Any) -> Path | None:
    if checkpoint is not None and not isinstance(checkpoint, (str, Path)):
        raise InputError(f"checkpoint={checkpoint!r}; give the name of a file, such as 'run.npz'")
    return None if checkpoint is None else Path(checkpoint)


def _stored(file: Path | None) -> checkpoints.Stored:
    if file is None:
        raise InputError("resume=True, but no checkpoint is named to resume from: give checkpoint=FILE")
    return checkpoints.read(file)


def _keeper(file: Path | None, descent: Descent, stored: checkpoints.Stored | None) -> Callable[[], None]:
    """Take up what was stored, or begin the file; hands back what writes it."""
    if file is None:
        return lambda: None
    about = checkpoints.identity(descent)

    def keep() -> None:
        checkpoints.write(file, descent.state, about)

    if stored:
        stored.check(about)
        descent.state = stored.state
    elif os.path.exists(file):  # noqa: PTH110 - Path's own raises where it may not look
        raise ResultsError(f"{file} is there already; resume it, or name another file")
    else:
        keep()  # a place that cannot be written is known before the first epoch, and a crash in that one costs no more
    return keep
