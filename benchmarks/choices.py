"""How often does method="auto" choose right? Every candidate beside auto, in every cell of the scaling suite.

A cell is a problem at A and B. Auto and all candidates make its Jacobian in interleaved rounds; the choice is right
where auto takes at most 1.2 times as long as the fastest candidate, by the minimum over the rounds. The control is that
candidate prepared once more: how far the same program is from itself is the noise of the measurement. Cells that look
wrong, or whose control does, are measured again.

``--fit`` fits prices to the times of the candidates and prints them, for `diffkit.costs`.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import argparse
import gc
import sys
import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np

import diffkit as dk
from diffkit import costs, problems
from diffkit.benchmark.methods import Method
from diffkit.benchmark.suite import Suite
from diffkit.benchmark.trial import attempt, relative_error, tolerance
from diffkit.errors import CheckError

NEAR = 1.2
FIRST, ROUNDS = 3, 7
SAMPLE = 0.004  # seconds that one sample of a quick call takes
AGAIN = 3  # times that a cell is measured which looks wrong
CANDIDATES = ("forward", "reverse", "mixed", "sparse(form=dense)")


@dataclass
class Timed:
    """A method at work in one cell."""

    label: str
    plan: dk.Derivative
    point: np.ndarray
    loops: int = 1
    samples: int = 0
    seconds: float = np.inf

    def sample(self):
        """Take one more sample; the least is kept."""
        start = time.perf_counter()
        for _ in range(self.loops):
            self.plan.run(self.point)
        self.samples += 1
        self.seconds = min(self.seconds, (time.perf_counter() - start) / self.loops)


@dataclass
class Choice:
    """What was measured in one cell."""

    cell: tuple
    timed: dict = field(default_factory=dict)

    @property
    def best(self):
        """The fastest candidate."""
        return min((one for label, one in self.timed.items() if label in CANDIDATES), key=lambda one: one.seconds)

    def ratio(self, label):
        """How many times as long as the fastest candidate takes."""
        return self.timed[label].seconds / self.best.seconds


def cells(suite, problem):
    """The problems and sizes of a suite whose Jacobians fit its limits."""
    found = {(c.problem, c.inputs, c.outputs) for c in suite.cells if c.study == "cells"}
    fits = [size for size in found if 8 * size[1] * size[2] <= suite.limits.jacobian_bytes]
    return sorted(size for size in fits if problem in (None, size[0]))


def prepared(label, engine, instance, reference, seconds):
    """A method made ready, its answer checked, and run a few times; None where it cannot or takes too long."""
    made = []

    def prepare():
        method = Method.parse(label)
        plan = method.differentiator(engine).prepare(instance.function, instance.point)
        error = relative_error(plan.run(instance.point), reference)
        if not error <= tolerance(method, exact=True, conditioning=instance.conditioning):
            raise CheckError(f"{label} is off by {error:.1e}")
        one = Timed(label, plan, instance.point)
        for _ in range(FIRST):
            one.sample()
        made.append(one)

    status, reason = attempt(prepare, seconds)
    if status == "disagrees":
        raise SystemExit(f"{instance.name} {instance.inputs} {instance.outputs}: {reason}")
    return made[0] if made else None


def measure(cell, engine, seconds):
    """Auto, all candidates, and the best of them again; None where auto or all others take too long."""
    instance = problems.get(cell[0]).at(*cell[1:])
    make = partial(prepared, engine=engine, instance=instance, reference=instance.jacobian(instance.point))
    made = [make(label, seconds=seconds) for label in (*CANDIDATES, "auto")]
    choice = Choice(cell, {one.label: one for one in made if one is not None})
    if "auto" not in choice.timed or len(choice.timed) == 1:
        return None
    choice.timed["control"] = make(choice.best.label, seconds=np.inf)
    for one in choice.timed.values():
        one.loops = max(1, round(SAMPLE / one.seconds))
    rounds(choice)
    for _ in range(AGAIN):
        if max(choice.ratio("auto"), choice.ratio("control")) > NEAR:
            rounds(choice)
    return choice


def rounds(choice):
    """Interleaved rounds of all that may be the fastest."""
    least = choice.best.seconds
    running = [one for label, one in choice.timed.items() if one.seconds < 5 * least or label in ("auto", "control")]
    gc.disable()
    for _ in range(ROUNDS):
        for one in running:
            one.sample()
    gc.enable()


# ---------------------------------------------------------------- prices


FUNCTIONS = (np.sin, np.cos, np.exp, np.log, np.tanh, np.sqrt, np.square, lambda x: x * x[::-1] + x)


def gradients(engine):
    """Gradients of sums of functions of a thousand numbers and of a hundred thousand: few statements, much work."""
    for function in FUNCTIONS:
        for count in (1000, 100_000):
            x = np.linspace(0.5, 1.5, count)
            made = dk.get("reverse", engine=engine).prepare(lambda x, g=function: np.sum(g(x)), x, product="gradient")
            one = Timed("reverse", made, x)
            for _ in range(FIRST + ROUNDS):
                one.sample()
                one.loops = max(one.loops, round(SAMPLE / one.seconds))
            yield one


def candidates(choices):
    """All programs that were measured carefully and run in one piece."""
    timed = [one for choice in choices for label, one in choice.timed.items() if label in CANDIDATES]
    return [one for one in timed if one.samples > FIRST and one.plan.operations == one.plan.graph.operations]


def fit(timed):
    """Prices that predict what was measured: least squares of predicted / measured - 1, none below zero."""
    from scipy.optimize import nnls

    relative = np.array([np.array(costs.work(one.plan.graph)) / one.seconds for one in timed])
    prices, _ = nnls(relative, np.ones(len(timed)))
    near = np.abs(np.log2(relative @ prices)) <= 1
    print(f"{len(timed)} programs; {np.mean(near):.0%} are predicted within a factor of two")
    return costs.Work(*(float(f"{price:.2g}") for price in prices))


# ---------------------------------------------------------------- what is printed


def report(choices):
    """The share of right choices, that of the control, and the choices that were wrong."""
    right, same = (np.mean([c.ratio(label) <= NEAR for c in choices]) for label in ("auto", "control"))
    print(f"{right:.1%} of {len(choices)} choices are within {NEAR} of the best; the control is in {same:.1%}")
    for choice in sorted(choices, key=lambda c: -c.ratio("auto")):
        if choice.ratio("auto") > NEAR:
            problem, inputs, outputs = choice.cell
            auto, best = choice.timed["auto"], choice.best
            print(f"  {problem}, A = {inputs}, B = {outputs}; control {choice.ratio('control'):.2f}")
            for name, one in ((auto.plan.method, auto), (best.label, best)):
                print(f"    {name}: {one.seconds:.3g} s, predicted {one.plan.predicted_seconds:.3g} s")


def main():
    """Measure, and say how often auto was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="numpy")
    parser.add_argument("--problem", help="only this one")
    parser.add_argument("--every", type=int, default=1, help="every n-th cell only, where time is short")
    parser.add_argument("--fit", action="store_true", help="fit prices to what was measured, and print them")
    given = parser.parse_args()
    suite = Suite.load("scaling")
    choices = []
    for cell in cells(suite, given.problem)[:: given.every]:
        choice = measure(cell, given.engine, suite.limits.seconds)
        if choice is None:
            print("  left out, for auto takes too long to prepare:", *cell)
            continue
        choices.append(choice)
        print(f"\r{len(choices)} cells", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    report(choices)
    if given.fit:
        print(f'"{given.engine}": {fit([*candidates(choices), *gradients(given.engine)])}')


if __name__ == "__main__":
    main()
