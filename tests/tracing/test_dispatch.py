"""NumPy's two protocols: options of ufuncs, `out=`, and functions that have no rule."""
# ruff: noqa: PLW0108, E501 - f is written as a user writes it, and each row is one line

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import diffkit as dk
from diffkit.errors import TracingError

X = np.array([0.3, 1.2, 2.5])

ROWS = {
    "out": lambda x: np.exp(x, out=np.zeros(3, x.dtype)),
    "out of a reduction": lambda x: np.sum(x**2, out=np.zeros((), x.dtype)),
    "out of a function": lambda x: np.cumsum(x**2, out=np.zeros(3, x.dtype)),
    "out as a tuple": lambda x: np.add(x, x**2, out=(np.zeros(3, x.dtype),)),
    "out and where": lambda x: np.log(x, out=np.ones(3, x.dtype) * x[0], where=np.array([True, False, True])),
    "dtype": lambda x: np.multiply(x, x, dtype=x.dtype),
    "casting": lambda x: np.multiply(x, x, casting="same_kind"),
    "positional operands": lambda x: np.power(x, 2.0),
    "reduce": lambda x: np.add.reduce(x**2) + np.multiply.reduce(x) + np.maximum.reduce(x.real * 0 + x),
    "accumulate": lambda x: np.add.accumulate(x**2),
    "outer": lambda x: np.multiply.outer(x, x**2),
    "at": lambda x: _at(x),
}


def _at(x):
    out = x * 1.0
    np.add.at(out, [0, 0], x[1:])
    return out


@pytest.mark.parametrize(
    "f", [f for name, f in ROWS.items() if name != "reduce"], ids=[n for n in ROWS if n != "reduce"]
)
def test_options_mean_what_they_mean_in_numpy(f, agrees):
    agrees(f, X)


def test_ufunc_methods_that_reduce(agrees):
    agrees(
        lambda x: np.array([np.add.reduce(x**2), np.multiply.reduce(x), np.maximum.reduce(x)]),
        X,
        jacobian=[2 * X, [X[1] * X[2], X[0] * X[2], X[0] * X[1]], [0, 0, 1]],
    )


def test_single_precision_by_dtype():
    plan = dk.get("forward").prepare(lambda x: np.add(x, x, dtype=np.float32), X)
    assert plan.value(X).dtype == np.float32


REFUSED = {
    "eig": (lambda x: np.linalg.eig(np.diag(x))[0], r"np\.linalg\.eig cannot be traced: .* distinct .*; .* dk\.primitive"),
    "svd": (lambda x: np.linalg.svd(np.diag(x))[1], r"np\.linalg\.svd cannot be traced"),
    "qr": (lambda x: np.linalg.qr(np.diag(x))[1], r"np\.linalg\.qr .*cholesky"),
    "fft": (lambda x: np.fft.fft(x).real, r"np\.fft\.fft cannot be traced: its result is complex; .* cosine"),
    "unique": (lambda x: np.unique(x), r"np\.unique .* shape of its result depends on the values"),
    "histogram": (lambda x: np.histogram(x)[0], r"np\.histogram .* counts"),
    "save": (lambda x: np.save("never.npy", x), r"np\.save cannot be traced: it writes a file; write it outside f"),
    "savetxt": (lambda x: np.savetxt("never.txt", x), "it writes a file"),
    "modf": (lambda x: np.modf(x)[0], r"np\.modf .* two results; use x - np\.trunc\(x\)"),
    "unknown function": (lambda x: np.polyfit(x, x, 1), r"np\.polyfit .* no rule for it; write it with .* dk\.primitive"),
    "unknown ufunc": (lambda x: scipy.special.jv(0, x), "^jv cannot be traced: diffkit has no rule"),
    "method of a ufunc": (lambda x: np.add.reduceat(x, [0, 1]), r"np\.add\.reduceat cannot be traced"),
    "user's ufunc": (lambda x: np.frompyfunc(abs, 1, 1)(x), "abs .* cannot be traced: diffkit has no rule"),
    "where without out": (lambda x: np.sin(x, where=x > 1), r"where= without out= .* write np\.where\(mask"),
    "out outside": (lambda x: np.sin(x, out=OUTSIDE), "made outside of it"),
    "shapes": (lambda x: x + x[:2], r"add of shapes \(3,\), \(2,\)"),
    "matrix class": (lambda x: x * np.matrix([[1.0, 2.0, 3.0]]), r"a matrix meets a traced value: .* np\.asarray"),
    "masked array": (lambda x: x * np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), "a MaskedArray meets a traced value"),
    "masked array outside": (lambda x: np.sum(x * MASKED), "a MaskedArray meets a traced value"),
    "complex number": (lambda x: np.exp(1j * x), "complex .* split complex ones into real and imaginary parts"),
    "complex array": (lambda x: x * np.ones(3, complex), "complex128 meets a traced value"),
    "complex dtype": (lambda x: x.astype(complex), "cannot become complex"),
}  # fmt: skip
OUTSIDE = np.zeros(3)
MASKED = np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize(("f", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_traced_is_said_in_one_sentence(f, message):
    with pytest.raises(TracingError, match=message) as caught:
        dk.jacobian(f, method="reverse")(X)
    assert "\n" not in str(caught.value)
    np.testing.assert_array_equal(OUTSIDE, np.zeros(3))


def test_what_does_not_depend_on_x_is_computed():
    table = np.array([3.0, 1.0, 2.0])

    def f(x):
        singular = np.linalg.svd(np.diag(table), compute_uv=False)
        line = np.polyfit(np.arange(3.0), np.ones(3), 1)
        return np.sum(x * singular[0] * line[1]) * np.unique(table)[0] * scipy.special.jv(0, np.zeros(1))[0]

    gradient = dk.grad(f)
    np.testing.assert_allclose(gradient(X), [3.0, 3.0, 3.0], rtol=1e-12)
