"""`Derivative.fold`: f applied to its own results, over rows; the reference is the loop itself, in NumPy."""

import signal
import threading
import tracemalloc

import numpy as np
import pytest

import diffkit as dk
from diffkit.differentiators import folding
from diffkit.engines import engine_names
from diffkit.errors import InputError, TracingError

ENGINES = [name for name in ("interpreted", "numpy", "llvm", "auto") if name in engine_names()]
RNG = np.random.default_rng(7)
X = np.ones(3)


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


def plan(f, *args, engine, method="reverse", **options):
    return dk.get(method, engine=engine).prepare(f, *args, product="value", **options)


def pendulum(angle, speed, push, h):
    speed = speed - h * np.sin(angle) + push
    return angle + h * speed, speed, np.sum(speed * speed), np.outer(angle, push)


def looped(f, carried, rows):
    """What fold is an abbreviation of."""
    others = []
    for entries in zip(*rows, strict=True):
        results = f(*carried, *entries)
        carried, rest = results[: len(carried)], results[len(carried) :]
        others.append(rest)
    return carried, [np.array(parts) for parts in zip(*others, strict=True)]


@pytest.mark.parametrize("rounds", [1, 2, 3, 100])
def test_it_is_the_loop(engine, rounds):
    angle, speed = RNG.normal(size=(2, 5))
    rows = RNG.normal(size=(rounds, 5)), RNG.uniform(0, 0.1, size=rounds)
    prepared = plan(pendulum, angle, speed, rows[0][0], rows[1][0], engine=engine)
    carried, others = prepared.fold((angle, speed), rows)
    wanted, stacked = looped(pendulum, (angle, speed), rows)
    for found, expected in zip((*carried, *others), (*wanted, *stacked), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    assert [x.shape for x in others] == [(rounds,), (rounds, 5, 5)]


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "auto"])
def test_it_gives_the_same_bits_as_calls_on_the_same_engine(engine):
    angle, speed = RNG.normal(size=(2, 5))
    rows = RNG.normal(size=(50, 5)), RNG.uniform(0, 0.1, size=50)
    prepared = plan(pendulum, angle, speed, rows[0][0], rows[1][0], engine=engine)
    (one, two), (energy, _) = prepared.fold((angle, speed), rows)
    wanted, stacked = looped(prepared.run, (angle, speed), rows)
    np.testing.assert_array_equal((one, two), wanted)
    np.testing.assert_array_equal(energy, stacked[0])


@pytest.mark.skipif("llvm" not in engine_names(), reason="the extra 'llvm' is not installed")
def test_on_machine_code_python_sees_no_round_but_one_for_a_new_branch(monkeypatch):
    prepared = plan(bent, X[:2], X[:2], engine="llvm")
    calls, call = [], prepared.run
    monkeypatch.setattr(prepared, "run", lambda *args: calls.append(1) or call(*args))
    rows = RNG.uniform(0.5, 1.5, size=(200, 2))
    prepared.fold([X[:2]], [rows])
    assert len(calls) == 1
    prepared.fold([X[:2]], [rows])
    assert len(calls) == 1


def test_numbers_are_numbers(engine):
    prepared = plan(lambda total, x: (total + x, total * x), 1.0, 1.0, engine=engine)
    (total,), (products,) = prepared.fold([0.0], [np.arange(5.0)])
    assert isinstance(total, np.floating)
    assert (total, products.tolist()) == (10.0, [0.0, 0.0, 2.0, 9.0, 24.0])


def test_f_may_give_back_only_what_it_carries(engine):
    (found,), others = plan(lambda x, n: x * n, 1.0, 1.0, engine=engine).fold([1.0], [np.arange(1.0, 21.0)])
    assert (found, others) == (2432902008176640000.0, ())  # 20!


def test_without_rows_nothing_happens(engine):
    start = np.ones(5)
    prepared = plan(pendulum, start, start, start, 0.1, engine=engine)
    carried, others = prepared.fold((start, start), (np.empty((0, 5)), np.empty(0)))
    np.testing.assert_array_equal(carried, [start, start])
    assert not any(np.shares_memory(x, start) for x in carried)
    assert [x.shape for x in others] == [(0,), (0, 5, 5)]


def test_what_is_given_stays_as_it_is_and_results_stay_too(engine):
    given = [RNG.normal(size=5), RNG.normal(size=5), RNG.normal(size=(9, 5)), RNG.uniform(size=9)]
    copies = [x.copy() for x in given]
    prepared = plan(pendulum, *given[:2], given[2][0], given[3][0], engine=engine)
    first = prepared.fold(given[:2], given[2:])
    kept = [x.copy() for part in first for x in part]
    prepared.fold([2 * x for x in given[:2]], given[2:])
    np.testing.assert_equal(given, copies)
    np.testing.assert_equal([x for part in first for x in part], kept)


def test_other_layouts_and_lists_are_taken_as_what_they_are(engine):
    rows = RNG.normal(size=(5, 8)).T[::2]
    prepared = plan(lambda x, a: (x + a, a[0]), np.ones(5), np.ones(5), engine=engine)
    for form in (rows, rows.tolist()):
        (found,), (first,) = prepared.fold([[0] * 5], [form])
        np.testing.assert_allclose(found, rows.sum(axis=0), rtol=1e-14)
        np.testing.assert_array_equal(first, rows[:, 0])


def test_entries_at_odd_addresses_are_copied():
    odd = np.frombuffer(b"x" + np.arange(6.0).tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(2, 3)
    assert not odd.flags.aligned
    held, (rows,) = folding.arguments(plan(lambda x, a: x + a, X, X, engine="numpy").layout, (odd[0],), (odd,))
    assert held[0].flags.aligned
    assert rows.flags.aligned
    np.testing.assert_array_equal(rows, np.arange(6.0).reshape(2, 3))


def test_float32_stays_float32(engine):
    one = np.ones(3, np.float32)
    (found,), (sums,) = plan(lambda x, a: (x * a, np.sum(x)), one, one, engine=engine).fold(
        [one], [np.full((4, 3), 1.5, np.float32)]
    )
    assert (found.dtype, sums.dtype) == (np.float32, np.float32)
    np.testing.assert_array_equal(found, [1.5**4] * 3)


def bent(x, a):
    if x[0] > 0:
        return x - a, x[1]
    return x + 3 * a, x[0]


def test_a_new_branch_on_the_way_is_traced_there(engine):
    start, rows = np.array([1.0, 2.0]), RNG.uniform(0.5, 1.5, size=(200, 2))
    prepared = plan(bent, start, rows[0], engine=engine)
    (found,), (others,) = prepared.fold([start], [rows])
    (wanted,), (stacked,) = looped(bent, [start], [rows])
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    np.testing.assert_allclose(others, stacked, rtol=1e-12)
    assert len({x > 0 for x in stacked}) == 2


def test_more_branches_than_are_kept(engine):
    def f(x, a):
        y = x
        for _ in range(int(a[0])):
            y = y + a
        return y, x[0]

    rows = np.array([[float(k % 12), 1.0] for k in range(60)])
    with pytest.warns(UserWarning, match="new branch at nearly every point"):
        (found,), _ = plan(f, np.zeros(2), rows[0], engine=engine).fold([np.zeros(2)], [rows])
    np.testing.assert_array_equal(found, [(rows[:, 0] ** 2).sum(), rows[:, 0].sum()])


def test_a_branch_that_is_not_taken_may_give_what_it_likes(engine):
    def f(x, a):
        return (np.sum(x), a) if a[0] < 0 else (x + a, a)

    prepared = plan(f, X, -X, engine=engine)
    (found,), (others,) = prepared.fold([X], [np.ones((4, 3))])
    assert found.tolist() == [5.0] * 3
    assert others.shape == (4, 3)
    with pytest.raises(InputError, match="gives float64"):
        prepared.fold([X], [[X, -X, X]])


def test_what_was_run_is_looked_at_and_not_what_was_traced_last(monkeypatch):
    prepared = plan(lambda x, a: (x + a, a), X, X, engine="numpy")
    monkeypatch.setattr(prepared, "run", lambda x, a: (x[:1], a))  # as if another thread had met a branch meanwhile
    with pytest.raises(InputError, match=r"gives float64 \(1,\)"):
        prepared.fold([X], [[X, X]])


def test_a_tuple_of_one_is_what_is_carried(engine):
    assert plan(lambda x, a: (x + a,), X, X, engine=engine).fold([X], [[X, X]])[0][0].tolist() == [3.0] * 3


def test_an_f_that_uses_its_arrays_again_changes_no_result():
    buffer = np.empty(2)

    def f(x, a):
        buffer[:] = [float(str(a)), 2 * a]
        return x + 1, buffer

    prepared = plan(f, 0.0, 0.0, engine="numpy", method="finite-difference")
    assert prepared.fold([0.0], [np.arange(3.0)])[1][0].tolist() == [[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]


def test_rows_in_another_layout_are_copied_a_little_at_a_time(engine, monkeypatch):
    monkeypatch.setattr(folding, "COPIED", 100)
    rows = np.asfortranarray(RNG.uniform(0.5, 1.5, size=(200, 2)))
    prepared = plan(bent, X[:2], rows[0], engine=engine)
    (found,), (others,) = prepared.fold([X[:2]], [rows])
    (wanted,), (stacked,) = looped(bent, [X[:2]], [rows])
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    np.testing.assert_allclose(others, stacked, rtol=1e-12)


@pytest.mark.skipif("llvm" not in engine_names(), reason="the extra 'llvm' is not installed")
def test_rows_that_are_all_alike_take_no_memory():
    rows = np.broadcast_to(np.ones(1000), (100_000, 1000))  # 800 MB, were they copied
    prepared = plan(lambda x, a: x + a[0], 0.0, np.ones(1000), engine="llvm")
    tracemalloc.start()
    (found,), _ = prepared.fold([0.0], [rows])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == 100_000
    assert peak < 10_000_000


@pytest.mark.skipif("llvm" not in engine_names(), reason="the extra 'llvm' is not installed")
def test_a_turn_counts_what_only_moves():
    made = plan(lambda x, a: (x[::-1], a), np.ones(1_000_000), 0.0, engine="llvm")
    ((_, _, seconds),) = made.folds()
    assert seconds > 1e-4  # 1,000,000 entries there and back


factor = 2.0


def test_a_name_bound_anew_counts(engine, monkeypatch):
    prepared = plan(lambda x, a: factor * x + a, np.ones(2), np.ones(2), engine=engine)
    rows = np.zeros((3, 2))
    assert prepared.fold([np.ones(2)], [rows])[0][0].tolist() == [8.0, 8.0]
    monkeypatch.setitem(globals(), "factor", 3.0)
    assert prepared.fold([np.ones(2)], [rows])[0][0].tolist() == [27.0, 27.0]


@pytest.mark.skipif("llvm" not in engine_names(), reason="the extra 'llvm' is not installed")
def test_engine_auto_earns_its_machine_code_within_a_fold(monkeypatch):
    x, rows = np.ones(50), np.zeros((20_000, 50))
    prepared = plan(lambda x, a: np.sin(x) + a, x, rows[0], engine="auto")
    calls, call = [], prepared.run
    monkeypatch.setattr(prepared, "run", lambda *args: calls.append(1) or call(*args))
    (found,), _ = prepared.fold([x], [rows])
    assert len(calls) < 20_000
    wanted = x
    for _ in rows:
        wanted = np.sin(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize("method", ["forward", "reverse", "symbolic", "finite-difference", "sparse", "auto"])
def test_every_method_has_it(method):
    prepared = plan(lambda x, a: (x * a, np.sum(x)), np.ones(2), np.ones(2), engine="numpy", method=method)
    (found,), (sums,) = prepared.fold([np.ones(2)], [np.full((3, 2), 2.0)])
    assert (found.tolist(), sums.tolist()) == ([8.0, 8.0], [2.0, 4.0, 8.0])


def test_a_black_box_is_called():
    def f(x, a):
        return np.array([float(str(entry)) for entry in x]) + a  # nothing that can be traced

    prepared = plan(f, np.ones(2), np.ones(2), engine="numpy", method="finite-difference")
    assert prepared.fold([np.zeros(2)], [np.ones((4, 2))])[0][0].tolist() == [4.0, 4.0]


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="a signal of POSIX")
@pytest.mark.skipif("llvm" not in engine_names(), reason="the extra 'llvm' is not installed")
def test_ctrl_c_ends_machine_code_too():
    def interrupt(*_):
        raise KeyboardInterrupt

    prepared = plan(lambda x, a: x + a, 0.0, 0.0, engine="llvm")
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):  # a minute and more if nothing ends it
            prepared.fold([0.0], [np.broadcast_to(1.0, 10**11)])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("turn", [0.0, 1e-6, 1e-3])
def test_turns_are_one_fold(engine, turn, monkeypatch):
    monkeypatch.setattr(folding, "TURN", turn)
    (found,), (sums,) = plan(lambda x, a: (x + a, x[0]), X, X, engine=engine).fold([X], [np.ones((50, 3))])
    assert found.tolist() == [51.0] * 3
    assert sums.tolist() == list(range(1, 51))


def test_threads_do_not_meet(engine):
    starts = RNG.normal(size=(4, 5))
    rows = RNG.normal(size=(300, 5)), RNG.uniform(0, 0.1, size=300)
    prepared = plan(pendulum, starts[0], starts[0], rows[0][0], rows[1][0], engine=engine)
    wanted = [looped(pendulum, (start, start), rows)[0] for start in starts]
    found = {}

    def work(k):
        for _ in range(5):
            found[k] = prepared.fold((starts[k], starts[k]), rows)[0]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        np.testing.assert_allclose(found[k], wanted[k], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "carried", "rows", "words"),
    [
        (lambda x, a: x + a, [X], [], "1 to carry and 0 of rows"),
        (lambda x, a: x + a, [], [X], "needs one or more of each"),
        (lambda x, a: x + a, [X, X], [X], "float64 (3,), float64 (3,)"),
        (lambda x, a: x + a, [np.ones(4)], [np.ones((2, 3))], "argument 0 is float64 (4,); it must be float64 (3,)"),
        (lambda x, a: x + a, [X], [X], "the rows of argument 1 is float64 (3,); it must be float64 (3, 3)"),
        (lambda x, a: x + a, [X], [1.0], "the rows of argument 1 is float64 (); it must be float64 (0, 3)"),
        (lambda x, a: x + a, [X * 1j], [np.ones((2, 3))], "argument 0 is complex128 (3,); it must be float64 (3,)"),
        (lambda x, a: x + a, [["a", "b", "c"]], [np.ones((2, 3))], "it must be float64 (3,)"),
        (lambda x, a: x + a, [X], [np.ones((2, 3), np.complex64)], "complex64 (2, 3); it must be float64 (2, 3)"),
        (lambda x, a: x + a, X, [np.ones((2, 3))], "fold takes a tuple of arrays to carry and one of rows"),
        (lambda x, a: x + a, [X], np.ones((1, 2, 3)), "fold takes a tuple of arrays to carry and one of rows"),
        (lambda x, a: x + a, None, 1.0, "fold takes a tuple of arrays to carry and one of rows"),
        (lambda x, a: np.sum(x), [X], [np.ones((2, 3))], "it carries float64 (3,) and gives float64 ()"),
        (lambda x, a: [x, a], [X], [np.ones((2, 3))], "carries float64 (3,) and gives float64 (2, 3)"),
        (lambda x, a: {"x": x}, [X], [np.ones((2, 3))], "carries float64 (3,) and gives object ()"),
    ],
)
def test_what_does_not_fit_is_refused(engine, f, carried, rows, words):
    with pytest.raises(InputError) as refused:
        plan(f, X, X, engine=engine).fold(carried, rows)
    assert words in str(refused.value)


def test_results_of_another_dtype_are_refused(engine):
    one = np.ones(3, np.float32)
    with pytest.raises(InputError, match=r"carries float32 \(3,\) and gives float64 \(3,\)"):
        plan(lambda x, a: x + a * np.ones(3), one, one, engine=engine).fold([one], [np.ones((2, 3), np.float32)])


def test_the_same_plan_may_carry_one_or_two(engine):
    def f(x, y, z):
        return x + y, x * z

    made, rows = plan(f, X[:2], X[:2], X[:2], engine=engine), np.full((3, 2), 0.5)
    for start, given in (([np.ones(2)], [rows, rows]), ([np.ones(2), np.zeros(2)], [rows])):
        np.testing.assert_array_equal(made.fold(start, given)[0], looped(f, start, given)[0])


def test_what_comes_besides_is_not_folded(engine):
    made = plan(lambda x, a: ((x + a, x), "aux"), X, X, engine=engine, has_aux=True)
    with pytest.raises(InputError, match="without has_aux"):
        made.fold([X], [np.ones((2, 3))])


def test_only_a_plan_of_values_can(engine):
    made = dk.get("reverse", engine=engine).prepare(lambda x, a: np.sum(x * a), X, X, product="gradient")
    with pytest.raises(InputError, match="plan of values"):
        made.fold([X], [np.ones((2, 3))])


def test_inside_a_function_that_is_differentiated_it_says_what_to_do():
    made = plan(lambda x, a: x * a, X, X, engine="numpy")
    with pytest.raises(TracingError, match="write the loop out"):
        dk.grad(lambda x: np.sum(made.fold([x], [np.ones((2, 3))])[0][0]))(X)
