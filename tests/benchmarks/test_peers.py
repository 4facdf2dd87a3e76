import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from diffkit.measure import Timing

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from peers import findings, maths, page, rows, timing, ways

ROWS = {row.name: row for row in rows.all_rows()}
FACTS = {
    "cpu": "some",
    "cores": 2,
    "python": "3",
    "started": "now",
    "repeats": 3,
    "versions": {"numpy": "2", "jax": "0"},
}


def outcome(peer, *samples, name="", exact=True):
    way = ways.Way(peer, name, lambda row: None, exact=exact)
    return timing.Outcome(way, prepare_seconds=1.0, error=0.0, timing=Timing(samples, loops=1))


def finding(row, *outcomes):
    return findings.Finding(ROWS[row], list(outcomes))


@pytest.mark.parametrize("name", ROWS)
def test_derivatives_by_hand_agree_with_complex_steps(name):
    row = ROWS[name]
    rng = np.random.default_rng(1)
    direction = rng.normal(size=row.point.size) / row.point.size
    along = row.written(maths.numpy_words())(row.point + 1e-30j * direction)
    np.testing.assert_allclose(row.by_hand(row.point) @ direction, np.imag(along) / 1e-30, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.compiled and row.point.size <= 1000])
def test_what_numba_compiles_is_the_same_derivative(name):
    row = ROWS[name]
    np.testing.assert_allclose(row.compiled(row.point), row.by_hand(row.point), rtol=1e-12, atol=1e-12)


def test_a_ratio_is_taken_round_by_round():
    busy, calm = outcome("diffkit", 2.0, 20.0, 4.0), outcome("JAX", 1.0, 10.0, 2.0)
    assert findings.ratio(busy, calm) == findings.Ratio(2.0, 2.0, 2.0)


def test_the_rival_is_the_fastest_exact_way_numba_by_hand_excepted():
    row = finding(
        "P2 1,000",
        outcome("diffkit", 1.0, 1.0, 1.0),
        outcome("f in NumPy", 0.1, 0.1, 0.1),
        outcome("Numba by hand", 0.5, 0.5, 0.5),
        outcome("SciPy", 0.6, 0.6, 0.6, exact=False),
        outcome("NumPy by hand", 3.0, 3.0, 3.0),
        outcome("JAX", 4.0, 4.0, 4.0),
    )
    assert (row.rival.way.peer, row.library.way.peer, row.plain.timing.median) == ("NumPy by hand", "JAX", 0.1)


def test_targets_take_the_row_that_decides():
    found = findings.targets(
        [
            finding("P1 2", outcome("diffkit", 1.0, 1.0), outcome("JAX", 4.0, 4.0)),
            finding(
                "P2 1,000", outcome("diffkit", 2.0, 2.0), outcome("JAX", 1.0, 1.0), outcome("f in NumPy", 0.8, 0.8)
            ),
            finding("maps sin 1,000", outcome("diffkit", 1.0, 1.0), outcome("NumPy by hand", 5.0, 5.0)),
            finding("maps sin 10,000", outcome("diffkit", 1.0, 1.0), outcome("NumPy by hand", 2.0, 2.0)),
        ]
    )
    by_what = {target.what: target for target in found}
    every = by_what["P1 to P7, every row: time over the best peer's"]
    assert (every.value, every.place, every.met) == (2.0, "P2 1,000", False)
    mean = by_what["P1 to P7: best peer's time over diffkit's, geometric mean"]
    assert (mean.value, mean.met) == (pytest.approx(2**0.5), False)  # of 4 and 1/2
    slowest = by_what["map sin: speed over NumPy"]
    assert (slowest.value, slowest.place, slowest.met) == (2.0, "maps sin 10,000", False)
    assert by_what["P2 and P3, A from 1,000: gradient over f"].value == 2.5
    assert by_what["P3: time over NumPy by hand"].met is None


def test_the_page_names_rows_lost_and_ways_left_out():
    lost = finding("P1 2", outcome("diffkit", 3.0, 3.0), outcome("JAX", 1.0, 1.0))
    lost.outcomes.append(timing.Outcome(ways.Way("CasADi", "SX", None), reason="no | compiler"))
    text = page.page([lost], FACTS, ["PyTensor"])
    assert "| P1 2 | 3 (3 to 3) | diffkit, 3 s | JAX, 1 s |" in text
    assert "- CasADi SX, 2: no \\| compiler" in text
    assert "left out: PyTensor" in text
    kept = json.loads(page.as_json([lost], FACTS, ["PyTensor"]))
    assert kept["rows"][0]["ways"][1]["diffkit_over_this"] == [3.0, 3.0, 3.0]


def test_a_way_that_disagrees_or_fails_is_not_timed():
    def fails(row):
        raise ValueError("cannot")

    def wrong(row):
        return lambda x: row.by_hand(x) * 1.001

    def right(row):
        return row.by_hand

    tried = [ways.Way(build.__name__, "", build) for build in (fails, wrong, right)]
    study = timing.Study(tried, timing.Limits(sampling=0.01))
    failed, disagrees, agrees = study.row(ROWS["P1 2"])
    assert failed.reason == "ValueError: cannot"
    assert (failed.timing, disagrees.timing) == (None, None)
    assert disagrees.reason.startswith("disagrees with the derivative by hand: relative error 1")
    assert (agrees.reason, agrees.error, len(agrees.timing.samples)) == ("", 0.0, 9)


def test_a_way_slow_to_prepare_is_timed_and_left_out_at_larger_sizes():
    def build(row):
        time.sleep(0.06)
        return row.by_hand

    study = timing.Study([ways.Way("slow", "", build)], timing.Limits(preparation=0.05, sampling=0.01))
    (first,), (second,) = (study.row(ROWS[name]) for name in ("P2 2", "P2 10"))
    assert first.timing is not None
    assert second.timing is None
    assert second.reason.endswith("to prepare at a smaller size")


def test_the_picture_is_drawn(tmp_path):
    from peers import picture

    found = [
        finding("P2 1,000", outcome("diffkit", 1.0, 1.0, 1.0), outcome("JAX", 2.0, 2.0, 2.0)),
        finding("P2 100,000", outcome("diffkit", 1.0, 1.0, 1.0), outcome("NumPy by hand", 0.5, 0.5, 0.5)),
    ]
    picture.draw(found, tmp_path / "peers.png")
    assert (tmp_path / "peers.png").read_bytes()[1:4] == b"PNG"
