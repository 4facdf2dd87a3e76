"""How far are right derivatives from differences, in units of the error that these estimate?

    python benchmarks/checks.py [POINTS]

All problems, at sizes up to 35 inputs and POINTS random points each (25 if not given). `dk.check` allows 30 units:
docs/decisions/checking-derivatives.md. Takes two minutes.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

import diffkit as dk
from diffkit import problems
from diffkit.checking.around import Around
from diffkit.checking.extrapolation import SAFETY, central, one_sided
from diffkit.checking.noise import estimate_noise
from diffkit.checking.tolerance import allowed, conditioning

SIZES = [
    (1, 1),
    (2, 1),
    (3, 1),
    (5, 1),
    (2, 2),
    (3, 3),
    (2, 4),
    (5, 3),
    (11, 1),
    (13, 1),
    (19, 1),
    (20, 1),
    (30, 1),
    (35, 1),
]


def instances():
    """All problems, at small sizes."""
    for name in problems.names():
        problem = problems.get(name)
        for inputs, outputs in SIZES:
            if problem.fits(inputs, outputs) and (inputs <= 5 or not problem.fits(5, outputs)):
                yield problem.at(inputs, outputs)


def units(instance, x, found):
    """Ratios of distance to estimated error, by kind of estimate."""
    reference, exact = instance.jacobian(x), dk.jacobian(instance.function)(x)
    plan = dk.FiniteDifference(scheme="richardson").prepare(instance.function, x)
    found["Ridders' estimate"].append(np.abs(exact - plan.run(x)) / np.fmax(plan.error_estimate(x), 1e-300))
    f = Around(instance.function, x)
    f.noise = estimate_noise(f)
    for j, v in enumerate(np.eye(f.x.size)):
        line = f.line(v)
        estimate = central(line)
        changes = conditioning(f, v, estimate, line.steps)
        for given in (reference[:, j], exact[:, j]):
            margin = allowed(estimate, changes, given, f.epsilon) / SAFETY
            found["what a check uses"].append(np.abs(given - estimate.value) / margin)
            found["resolution"].append(SAFETY * margin / np.max(np.abs(reference)))
        above, below = one_sided(line)
        found["one-sided slopes"].append(np.abs(above.value - below.value) / (above.error + below.error))


def main(points):
    """Print quantiles of the ratios."""
    generator = np.random.default_rng(2024)
    found = {"Ridders' estimate": [], "what a check uses": [], "one-sided slopes": [], "resolution": []}
    for instance in instances():
        for _ in range(points):
            x = instance.point * (1 + 0.1 * generator.standard_normal(instance.point.shape))
            if np.isfinite(instance.jacobian(x)).all():
                units(instance, x, found)
    print(f"{'':<20}{'ratios':>8}{'median':>9}{'99 %':>9}{'99.9 %':>9}{'largest':>9}")
    for name, ratios in found.items():
        flat = np.concatenate([np.ravel(ratio) for ratio in ratios])
        flat = flat[np.isfinite(flat)]
        numbers = [*np.quantile(flat, [0.5, 0.99, 0.999]), flat.max()]
        print(f"{name:<20}{flat.size:>8,}" + "".join(f"{number:>9.2g}" for number in numbers))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25)
