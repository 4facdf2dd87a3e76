"""Runs whose costs follow a stated law, so that what a report says of them is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diffkit.benchmark.environment import write_environment
from diffkit.benchmark.results import Measurement, append, to_frame
from diffkit.report import write_report
from diffkit.report.page import Page, describe

FOUR = ("finite-difference", "symbolic", "forward", "reverse")
SIZES = (1, 3, 10, 30, 100, 300, 1000)
PLANE = (1, 3, 10, 30, 100)


@dataclass
class Law:
    """What each method costs, in evaluations of f, at A inputs and B outputs: ``factor * A**a * B**b``.

    Each method adds a constant to its time (``overhead``, in seconds; f a quarter of it) that a count does
    not see, and every time is off by about ``noise``. Symbolic differentiation gives up beyond 100 entries.
    """

    powers: dict[str, tuple[float, float, float]] = field(
        default_factory=lambda: {
            "finite-difference": (2.0, 1.0, 0.0),
            "symbolic": (6.0, 0.0, 0.0),
            "forward": (3.0, 1.0, 0.0),
            "reverse": (3.5, 0.0, 1.0),
        }
    )
    prepare: dict[str, float] = field(
        default_factory=lambda: {
            "finite-difference": 2e-5,
            "symbolic": 0.2,
            "forward": 1e-3,
            "reverse": 1.5e-3,
        }
    )
    overhead: float = 4e-6
    noise: float = 0.02
    symbolic_limit: int = 100

    def rows(self, problem: str, sizes: list[tuple[int, int]], engine: str = "numpy") -> Iterator[Measurement]:
        """Measure, as it were, the four methods on f of 2 A B + B operations."""
        chance = np.random.default_rng(0)
        for inputs, outputs in sizes:
            operations = 2 * inputs * outputs + outputs
            function = self.overhead / 4 + 1e-9 * operations
            for method in FOUR:
                cell = Measurement("planted", problem, method, engine, inputs, outputs)
                if method == "symbolic" and inputs * outputs > self.symbolic_limit:
                    facts = {
                        "status": "too large",
                        "reason": f"{inputs * outputs} entries; the limit is {self.symbolic_limit}",
                    }
                    yield Measurement(**(asdict(cell) | facts))
                    continue
                factor, power_a, power_b = self.powers[method]
                relative = factor * inputs**power_a * outputs**power_b
                calls = 2 * inputs if method == "finite-difference" else 0
                per_call = function if calls else 1e-9 * operations
                run = (self.overhead + relative * per_call) * chance.lognormal(sigma=self.noise)
                facts = {
                    "error": 3e-9 if calls else 2e-16,
                    "tolerance": 1e-6 if calls else 1e-9,
                    "prepare_seconds": self.prepare[method],
                    "run_seconds": run,
                    "function_seconds": function,
                    "operations": relative * operations,
                    "function_operations": operations,
                    "function_calls": calls,
                }
                yield Measurement(**(asdict(cell) | facts))

    def step_sizes(self) -> Iterator[Measurement]:
        """The U: rounding error eps / h and truncation error h or h**2; complex steps do not round."""
        schemes: dict[str, Callable[[float], float]] = {
            "finite-difference(scheme=forward)": lambda h: 2e-16 / h + h,
            "finite-difference(scheme=central)": lambda h: 1e-16 / h + h * h,
            "finite-difference(scheme=complex-step)": lambda h: 1e-16 + h * h,
        }
        for method, error in schemes.items():
            for power in range(-16, 0):
                step = 10.0**power
                yield Measurement(
                    "planted",
                    "worked-example",
                    method,
                    "numpy",
                    2,
                    1,
                    error=error(step),
                    study="step-size",
                    step_size=step,
                )
        for method, error in {"symbolic": 0.0, "forward": 1.1e-16, "reverse": 1.1e-16}.items():
            yield Measurement("planted", "worked-example", method, "numpy", 2, 1, error=error, study="step-size")

    def swell(self) -> Iterator[Measurement]:
        """One closed expression doubles with each level; all else grows in proportion."""
        counts: dict[str, Callable[[int], int]] = {
            "symbolic(form=expression)": lambda depth: 5 * 2**depth,
            "symbolic": lambda depth: 6 * depth + 3,
            "forward": lambda depth: 7 * depth,
            "reverse": lambda depth: 7 * depth + 1,
        }
        for method, count in counts.items():
            for depth in range(1, 13):
                cell = Measurement("planted", "logistic-map", method, "numpy", 1, 1, study="swell", depth=depth)
                if method == "symbolic(form=expression)" and depth > 9:
                    yield Measurement(
                        **(asdict(cell) | {"status": "too large", "reason": "more than 3,000 operations"})
                    )
                else:
                    yield Measurement(**(asdict(cell) | {"operations": count(depth)}))

    def measurements(self) -> list[Measurement]:
        """A whole run: two lines, a plane, both studies, one cell that failed."""
        lines = [(size, 1) for size in SIZES] + [(1, size) for size in SIZES[1:]]
        plane = [(a, b) for a in PLANE for b in PLANE if a > 1 and b > 1]
        failed = Measurement(
            "planted", "odd", "symbolic", "numpy", 3, 1, status="failed", reason="ValueError: a | b\n<c>"
        )
        return [
            *self.rows("tanh-map", lines + plane),
            *self.rows("rosenbrock", [(size, 1) for size in SIZES[1:]]),
            *self.rows("rosenbrock", [(10, 1)], engine="interpreted"),
            failed,
            *self.step_sizes(),
            *self.swell(),
        ]

    def frame(self) -> pd.DataFrame:
        """The same, as a report reads it."""
        return to_frame(map(asdict, self.measurements()))


@pytest.fixture
def law() -> type[Law]:
    """Make a run whose costs follow a law: ``law(noise=0).frame()``."""
    return Law


@pytest.fixture(scope="session")
def run() -> pd.DataFrame:
    """A run in which all four claims hold."""
    return Law().frame()


FACTS = {"python": "3.11", "cpu": "one | two", "commit": None, "threads": {"OMP_NUM_THREADS": "1"}}


@pytest.fixture(scope="session")
def described(run: pd.DataFrame) -> Page:
    """What its page says."""
    return describe(run, FACTS)


def write_run(folder: Path) -> Path:
    for measurement in Law().measurements():
        append(folder, measurement)
    write_environment(folder, FACTS)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same run on disk."""
    return write_run(tmp_path)


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run on disk with its report; to be read only."""
    folder = write_run(tmp_path_factory.mktemp("reported"))
    write_report(folder)
    return folder
