"""What the timings say: the best of each row, ratios with their spread, and the targets."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from peers.rows import Row
from peers.timing import Outcome
from peers.ways import BY_HAND, PLAIN


@dataclass(frozen=True)
class Ratio:
    """Quartiles of one time over another, round by round."""

    first: float
    median: float
    third: float


@dataclass(frozen=True)
class Finding:
    """A row and what became of each way."""

    row: Row
    outcomes: list[Outcome]
    preparations: dict[str, list[float]] = field(default_factory=dict)
    """Seconds by way, each in a process of its own, where that was measured."""

    def best(self, *peers, without=()):
        """The fastest exact way of these peers, or of all; None where there is none."""
        timed = [
            outcome
            for outcome in self.outcomes
            if outcome.timing
            and outcome.way.exact
            and outcome.way.peer not in (PLAIN, *without)
            and (not peers or outcome.way.peer in peers)
        ]
        return min(timed, key=lambda outcome: outcome.timing.median, default=None)

    @property
    def ours(self):
        """The fastest way of diffkit."""
        return self.best("diffkit")

    @property
    def rival(self):
        """The fastest way of any library, and of NumPy by hand; Numba by hand has targets of its own."""
        return self.best(without=("diffkit", BY_HAND[1]))

    @property
    def library(self):
        """The fastest way of any library."""
        return self.best(without=("diffkit", *BY_HAND))

    @property
    def plain(self):
        """What f itself takes."""
        return next((outcome for outcome in self.outcomes if outcome.way.peer == PLAIN and outcome.timing), None)


def ratio(ours, other):
    """Time of one way over the other's; below 1 the first is faster."""
    ours, other = ours.timing, other.timing
    if len(ours.samples) != len(other.samples):  # timed apart
        return Ratio(*[ours.median / other.median] * 3)
    quotients = [a / b for a, b in zip(ours.samples, other.samples, strict=True)]
    return Ratio(*statistics.quantiles(quotients, n=4, method="inclusive"))


def contested(findings):
    """Ratios to the best rival on the rows of P1 to P7."""
    return {
        finding.row.name: ratio(finding.ours, finding.rival)
        for finding in findings
        if finding.row.problem.startswith("P") and finding.ours and finding.rival
    }


def geometric_mean(values):
    """Of positive numbers."""
    return math.exp(statistics.fmean(map(math.log, values)))


@dataclass(frozen=True)
class Target:
    """A number that is to be reached; `value` is None where this run did not measure it."""

    what: str
    limit: float
    unit: str
    value: float | None
    at_least: bool = False
    place: str = ""
    """Which row decides."""

    @property
    def met(self):
        """Whether it is reached; None where nothing was measured."""
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def targets(findings):
    """Every target and how it stands."""
    ratios = {name: found.median for name, found in contested(findings).items()}
    speeds = [1.0 / value for value in ratios.values()]
    worst = max(ratios, key=ratios.__getitem__, default="")
    return [
        Target("P1 to P7, every row: time over the best peer's", 1.0, "×", ratios.get(worst), place=worst),
        Target(
            "P1 to P7: best peer's time over diffkit's, geometric mean",
            1.8,
            "×",
            geometric_mean(speeds) if speeds else None,
            at_least=True,
        ),
        *(
            _worst(findings, f"{name}: time over Numba by hand", limit, "×", _over(BY_HAND[1]), name)
            for name, limit in (("P2 1,000", 1.0), ("P2 100,000", 1.0), ("P5 1,000", 1.1), ("P7 n = 1,000", 1.1))
        ),
        *(
            _worst(findings, f"map {name}: speed over NumPy", limit, "×", _speed_up, f"maps {name} ", fewest=True)
            for name, limit in (
                ("sin", 2.5),
                ("exp", 1.0),
                ("log", 1.0),
                ("tanh", 1.0),
                ("sin exp", 1.3),
                ("tanh log", 1.3),
            )
        ),
        _worst(findings, "P3: time over NumPy by hand", 0.9, "×", _over(BY_HAND[0]), "P3"),
        *(
            _worst(findings, f"{name}: time over the best peer's", 1.0, "×", _over_rival, name)
            for name in ("P4 300 x 300", "P4 1000 x 10")
        ),
        _worst(findings, "P7, n = 1,000: one run", 25.0, "µs", _microseconds, "P7 n = 1,000"),
        _worst(findings, "P7, n = 1,000: preparation", 1000.0, "ms", _preparation, "P7 n = 1,000"),
        _worst(findings, "a checked call, A = 2", 0.35, "µs", _microseconds, "call"),
        _worst(findings, "maps: gradient over f", 1.0, "×", _over_f, "maps"),
        _worst(findings, "P2 and P3, A from 1,000: gradient over f", 2.0, "×", _over_f, ("P2 1", "P3")),
        *(
            _worst(findings, f"{name}: preparation", limit, "ms", _preparation, name)
            for name, limit in (("P1", 25.0), ("P2 1,000", 30.0), ("P3", 200.0))
        ),
    ]


def _worst(findings, what, limit, unit, value: Callable[[Finding], float | None], names, *, fewest=False):
    """The row that decides, of those whose name begins so; P2 with A = 10 or 100 is too small to count for f."""
    chosen = [f for f in findings if f.row.name.startswith(names) and f.ours]
    if value is _over_f:
        chosen = [f for f in chosen if f.row.point.size >= 1000]
    values = {f.row.name: found for f in chosen if (found := value(f)) is not None}
    name = (min if fewest else max)(values, key=values.__getitem__, default="")
    return Target(what, limit, unit, values.get(name), at_least=fewest, place=name if len(values) > 1 else "")


def _over(peer):
    def value(finding):
        other = finding.best(peer)
        return ratio(finding.ours, other).median if other else None

    return value


def _speed_up(finding):
    other = finding.best(BY_HAND[0])
    return 1.0 / ratio(finding.ours, other).median if other else None


def _over_rival(finding):
    return ratio(finding.ours, finding.rival).median if finding.rival else None


def _over_f(finding):
    return ratio(finding.ours, finding.plain).median if finding.plain else None


def _microseconds(finding):
    return finding.ours.timing.median * 1e6


def _preparation(finding):
    engine = finding.ours.way.name.partition(", ")[2]
    seconds = finding.preparations.get(f"diffkit reverse, {engine}")
    return statistics.median(seconds) * 1e3 if seconds else None
