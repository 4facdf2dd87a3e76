"""Which method should differentiate a function of your own, and why? Counted cost, beside the measured one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffkit.comparing import Comparison, compare
from diffkit.differentiators import Auto, Derivative, FiniteDifference, Mixed, names
from diffkit.differentiators.auto import DENSE
from diffkit.errors import TracingError

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ["status", "operations", "bytes", "predicted_seconds", "run_seconds", "bound_seconds", "prepare_seconds"]


def advise(
    f: Callable[[Any], Any],
    x: Any,
    *,
    methods: Sequence[str] | None = None,
    engine: str = "numpy",
    seconds: float = 10.0,
) -> Advice:
    """Which method should make the Jacobian of ``f`` at arguments like ``x``, and why?

    The choice is that of ``method="auto"``, among forward, reverse, mixed and sparse: by counted cost, before anything
    is timed. Beside it stands what every method takes when it is measured.

    Parameters
    ----------
    f
        Plain NumPy: ``x`` to one number or to an array of B entries.
    x
        Where to differentiate.
    methods
        Names, with options if need be, as ``"symbolic(form=expression)"``; by default all that are installed, and
        "sparse(form=dense)" where the Jacobian is sparse.
    engine
        How derivatives are run.
    seconds
        The most that one method may take to be measured.

    Raises
    ------
    UnknownNameError
        There is no such method or engine, or a method has no such option.
    InputError
        ``methods`` is empty, or an option has a value that cannot be used.

    Examples
    --------
    >>> import numpy as np, diffkit as dk
    >>> advice = dk.advise(lambda x: np.sum(x[1:] * x[:-1] ** 2), np.ones(100))
    >>> advice.choice
    'reverse'
    >>> print(advice.reasons[0])
    Use method="reverse": f has 100 inputs and 1 output; a Jacobian takes 100 sweeps forward, 1 in reverse.
    """
    try:
        plan = Auto(engine=engine).prepare(f, x)
    except TracingError as error:
        reason = f'Use method="{FiniteDifference.name}": the others need a graph of f. {error}'
        comparison = compare(f, x, methods=methods, engine=engine, seconds=seconds)
        return Advice(FiniteDifference.name, (reason,), comparison)
    labels = [one.label for one in plan.considered]
    if methods is None:
        others = [name for name in names() if name not in (Auto.name, Mixed.name, *labels)]
        methods = [*others, *labels]  # mixed where f has a bottleneck: elsewhere it is forward or reverse
    comparison = compare(f, x, methods=methods, engine=engine, seconds=seconds)
    return Advice(labels[0], (*structure_sentences(plan), *cost_sentences(labels[0], comparison)), comparison)


def structure_sentences(plan: Derivative) -> list[str]:
    """What to use, and which structure of f speaks for or against it."""
    from diffkit.report.words import plural

    choice, sweeps = plan.considered[0].label, {one.label: one.sweeps for one in plan.considered}
    ways = [f"{plural(plan.inputs, 'sweep')} forward", f"{plan.outputs:,} in reverse"]
    why = []
    if Mixed.name in sweeps:
        count = sweeps[Mixed.name]
        ways.append(f"{count:,} mixed")
        why.append(f"Every path from inputs to outputs passes through {plural(count, 'number')}.")
    if DENSE in sweeps:
        count = sweeps[DENSE]
        ways.append(f"{count:,} sparse")
        why.append(f"The Jacobian is sparse: {count:,} of {plural(plan.inputs, 'direction')} find all of it.")
    name = 'method="sparse", form="dense"' if choice == DENSE else f'method="{choice}"'
    more = sweeps[choice] > min(sweeps.values())
    first = (
        f"Use {name}: f has {plural(plan.inputs, 'input')} and {plural(plan.outputs, 'output')}; a Jacobian takes "
        f"{', '.join(ways)}{f', but simplified {choice} is less work' if more else ''}."
    )
    return [first, *why]


def cost_sentences(choice: str, comparison: Comparison) -> list[str]:
    """What was predicted and what was measured, in sentences."""
    from diffkit.report.words import listed, plural
    from diffkit.report.words import seconds as duration

    timed = [row for row in comparison.rows if row.status == "ok" and row.run_seconds]
    predicted = {row.method: row.predicted_seconds for row in timed if row.predicted_seconds}
    run = {row.method: row.run_seconds or math.inf for row in timed}
    preparation = {row.method: row.prepare_seconds or 0.0 for row in timed}
    said = []
    if predicted:
        cheapest = sorted(predicted, key=lambda name: predicted[name])
        said.append(f"By counted work: {listed(f'{name} {duration(predicted[name])}' for name in cheapest)}.")
    if choice not in run:
        return said
    fastest = min(run, key=lambda name: run[name])
    taken = f"Measured, {choice} takes {duration(run[choice])}"
    if fastest == choice:
        return [*said, f"{taken}, the shortest of all."]
    calls = math.ceil((preparation[fastest] - preparation[choice]) / (run[choice] - run[fastest]))
    after = f", and repays its preparation after {plural(calls, 'call')}" if calls > 1 else ""
    return [*said, f"{taken}; {fastest} takes {duration(run[fastest])}{after}."]


@dataclass(frozen=True)
class Advice:
    """What `advise` found.

    Attributes
    ----------
    choice
        The method to use, by its name, or "sparse(form=dense)".
    reasons
        Why, in sentences; the first says what to do.
    comparison
        Every method, measured (`compare`).
    """

    choice: str
    reasons: tuple[str, ...]
    comparison: Comparison

    @property
    def table(self) -> pd.DataFrame:
        """One row per method, the fastest first: counted, predicted and measured cost of one Jacobian.

        ``bound_seconds`` is what the machine's own limits allow at best.
        """
        return self.comparison.frame.set_index("method").sort_values("run_seconds")[_COLUMNS]

    def __str__(self) -> str:
        from diffkit.report.words import number
        from diffkit.report.words import seconds as duration

        in_words = {name: duration if name.endswith("seconds") else number for name in _COLUMNS if name != "status"}
        return "\n".join([*self.reasons, self.table.to_string(formatters=in_words, na_rep="")])
