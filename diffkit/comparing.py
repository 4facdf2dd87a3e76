"""Which method is right, and which is fast, on a function of your own? The harness, on one function."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit.benchmark.environment import now
from diffkit.benchmark.grid import Limits
from diffkit.benchmark.methods import Method
from diffkit.benchmark.results import Measurement, to_frame
from diffkit.benchmark.trial import Trial, attempt, tolerance, warm_up
from diffkit.differentiators import Auto, names
from diffkit.differentiators.arguments import take
from diffkit.errors import InputError, check_positive
from diffkit.expressions import as_callable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_COLUMNS = [
    "status", "error", "jacobian", "operations", "prepare_seconds", "run_seconds", "relative_cost", "reason",
]  # fmt: skip

Array = np.ndarray[Any, np.dtype[Any]]


def compare(
    f: Callable[[Any], Any],
    x: Any,
    *,
    methods: Sequence[str] | None = None,
    engine: str = "numpy",
    seconds: float = 10.0,
) -> Comparison:
    """Which method differentiates ``f`` at ``x`` rightly, and at what cost?

    Every method makes the whole Jacobian, of shape ``(B, A)``. The median of the exact methods, entry by
    entry, is the reference that all are judged against; where none is exact, the median of all. A method that
    fails has a status and a reason, and costs the others nothing.

    Parameters
    ----------
    f
        Plain NumPy: ``x`` to one number or to an array of B entries.
    x
        Where to differentiate.
    methods
        Names, with options if need be, as ``"symbolic(form=expression)"``; by default all that are installed.
    engine
        How derivatives are run.
    seconds
        The most that one method may take.

    Raises
    ------
    UnknownNameError
        There is no such method or engine, or a method has no such option.
    InputError
        f is no function, x no real number or array, ``methods`` no list of names or empty, or an option has a value
        that cannot be used.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> point = np.array([0.0, 2.0])
    >>> comparison = dk.compare(lambda x: np.sin(x[0]) * x[1], point, methods=["forward", "reverse"])
    >>> comparison.reference
    'median of forward, reverse'
    >>> comparison.jacobian
    array([[2., 0.]])
    >>> comparison.table["status"].to_dict()
    {'forward': 'ok', 'reverse': 'ok'}
    """
    f = as_callable(f)
    take((x,), {}, (0,), single=True)
    check_positive(seconds, "seconds", "", finite=False)
    if methods is None:  # "auto" is one of the others
        methods = [name for name in names() if name != Auto.name]
    listed: Any = methods
    if isinstance(listed, str) or not isinstance(listed, Iterable) or not all(isinstance(one, str) for one in listed):
        raise InputError(f"methods={methods!r}; give a list of names, such as ['forward', 'reverse']")
    chosen = {method.label: method for method in map(Method.parse, methods)}
    if not chosen:
        raise InputError("methods is empty; name at least one, or leave it out to compare all")
    trials = {label: Trial(method.differentiator(engine), f, x) for label, method in chosen.items()}
    value = f(x)
    outcomes = {}
    for label, trial in trials.items():
        attempt(partial(warm_up, chosen[label].name, engine), math.inf)
        trial.facts["started"] = now()
        outcomes[label] = attempt(trial.prepare, seconds)
    right = {label: trial for label, trial in trials.items() if outcomes[label][0] == "ok"}
    reference, described = _consensus(right)
    for label, trial in right.items():
        allowed = tolerance(chosen[label], exact=trial.differentiator.exact)
        outcomes[label] = attempt(partial(_judge, trial, reference, allowed, seconds), seconds)
    name = getattr(f, "__name__", type(f).__name__)
    outputs, inputs = reference.shape
    rows = tuple(
        Measurement("compare", name, label, engine, inputs, outputs, *outcomes[label], **trial.facts)
        for label, trial in trials.items()
    )
    answers = {label: trial.jacobian for label, trial in right.items()}
    return Comparison(value, reference, described, answers, rows)


def _judge(trial: Trial, reference: Array, allowed: float, seconds: float) -> None:
    trial.agree(reference, allowed)
    trial.measure(Limits(seconds=seconds))


def _consensus(trials: dict[str, Trial]) -> tuple[Array, str]:
    """The median of the exact answers, of all where none is exact, and whose it is."""
    voters = {label: trial for label, trial in trials.items() if trial.differentiator.exact} or trials
    if not voters:
        return np.empty((0, 0)), "none, for no method succeeded"
    shape, _ = Counter(trial.jacobian.shape for trial in voters.values()).most_common(1)[0]
    same = {label: trial.jacobian for label, trial in voters.items() if trial.jacobian.shape == shape}
    return np.median(list(same.values()), axis=0), f"median of {', '.join(same)}"


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    value
        f(x).
    jacobian
        The reference that all methods are judged against, shape ``(B, A)``; empty where every method failed.
    reference
        Whose answer that is.
    jacobians
        What each method answered, by its label, if it answered.
    rows
        One measurement per method, as a suite would keep it.
    """

    value: Any
    jacobian: Array
    reference: str
    jacobians: dict[str, Array]
    rows: tuple[Measurement, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """All that was measured, in the columns of a run."""
        return to_frame(map(asdict, self.rows))

    @property
    def table(self) -> pd.DataFrame:
        """One row per method: its answer and error, its operations, seconds to prepare and to run once.

        ``relative_cost`` is the time of one run in evaluations of f.
        """
        frame = self.frame.set_index("method")
        answers: list[Any] = [self.jacobians.get(row.method, "") for row in self.rows]
        frame["jacobian"] = answers
        frame["relative_cost"] = frame["run_seconds"] / frame["function_seconds"]
        return frame[_COLUMNS]

    def __str__(self) -> str:
        from diffkit.report.words import number
        from diffkit.report.words import seconds as duration

        table = self.table
        in_words: dict[str, Callable[..., str]] = {
            "error": number,
            "jacobian": _one_line,
            "operations": number,
            "prepare_seconds": duration,
            "run_seconds": duration,
            "relative_cost": number,
        }
        text = table.drop(columns="reason").to_string(formatters=in_words, na_rep="")
        failures = [f"{label}: {reason}" for label, reason in table["reason"].items() if reason]
        return "\n".join([f"{_one_line(self.jacobian)}: {self.reference}", text, *failures])

    def plot(self) -> Figure:
        """Draw what each method takes to prepare once and to run once, where it was timed."""
        from matplotlib.figure import Figure

        from diffkit.pictures import looks

        timed = self.frame.dropna(subset="run_seconds").sort_values("run_seconds", ascending=False)
        figure = Figure(figsize=(7.0, 1.2 + 0.4 * len(timed)), layout="constrained")
        axes = figure.add_subplot()
        for name, look in looks(list(timed["method"])).items():
            row = timed[timed["method"] == name]
            axes.plot(row["prepare_seconds"], row["method"], look.marker, color=look.colour, fillstyle="none")
            axes.plot(row["run_seconds"], row["method"], look.marker, color=look.colour)
        axes.set(
            xscale="log",
            xlabel="seconds (filled: one run; hollow: preparation)",
            title="Time of one Jacobian",
        )
        return figure


def _one_line(jacobian: Array | str) -> str:
    if isinstance(jacobian, str):  # a method without an answer
        return jacobian
    return np.array2string(jacobian, precision=6, threshold=8, edgeitems=1, max_line_width=10**6).replace("\n", "")
