"""Whole numbers and truths are computed as NumPy computes them, exactly and in 64 bits."""

import numpy as np
import pytest

import diffkit as dk

pytest.importorskip("llvmlite")

N = np.array([-1, 2, 3, -7, 2**61 + 1, -(2**62)])
T = np.array([True, False, True, True, False, False])
M = np.arange(-6, 6).reshape(2, 6)


def written(x):
    out = np.array([0, 1, 2, 3, 4, 5])
    out[0] = 7
    return x * out


FORMS = {
    "absolute": lambda x: x * np.abs(N),
    "negative": lambda x: x * -N,
    "square, which overflows": lambda x: x * N**2,
    "product, which overflows": lambda x: x * (N * 3),
    "largest of two": lambda x: x * np.maximum(N, 2) + np.fmax(N, -2),
    "smallest of two": lambda x: x * np.minimum(N, N[::-1]),
    "clip": lambda x: x * np.clip(N, -2, 2),
    "rounding": lambda x: x * (np.floor(N) + np.trunc(N) + np.ceil(N) + np.round(N)),
    "sign": lambda x: x * np.sign(N),
    "remainder": lambda x: x * (N % 3) + np.fmod(N, 2) + N // 2,
    "shift": lambda x: x * (N[:4] << 1).sum(),
    "reciprocal": lambda x: x * np.reciprocal(N),
    "chosen": lambda x: x * np.where(N > 0, N, 0),
    "running sum": lambda x: x * np.cumsum(N[:4]).sum() + np.cumsum(T),
    "sum, exact beyond 2**53": lambda x: x * (np.sum(N) - 2**61 - 2**62),
    "count": lambda x: x * np.sum(x > 0) + np.count_nonzero(T),
    "sums of rows": lambda x: x[:2] * M.sum(axis=1) + M.max(axis=1) - M.min(axis=1),
    "sums of columns": lambda x: x * M.sum(axis=0) - M.max(axis=0) * M.min(axis=0),
    "extrema": lambda x: x * np.max(N) - np.min(N),
    "nothing": lambda x: x * np.sum(N[:0]),
    "inner product": lambda x: x * (N[:4] @ N[:4]),
    "extrema of truths": lambda x: x * np.maximum(T, x > 2) + np.any(T) + np.all(T) * x,
    "sums of truths": lambda x: x * (T + T) + T * T,
    "of x": lambda x: x * x.astype(int) ** 2,
    "sorted": lambda x: x * np.sort(N),
    "gathered": lambda x: x * N[[1, 1, 0, 3, 2, 4]],
    "written": written,
}


@pytest.mark.parametrize("engine", ["interpreted", "numpy", "llvm"])
@pytest.mark.parametrize("name", FORMS)
def test_values(name, engine):
    f, x = FORMS[name], np.array([1.0, 2.5, -3.0, 0.5, 4.0, 1.0])
    with np.errstate(all="ignore"):
        expected = f(x)
    found = dk.get("reverse", engine=engine).prepare(f, x, product="value").run(x)
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("engine", ["numpy", "llvm", "auto"])
@pytest.mark.parametrize("name", [name for name in FORMS if name != "of x"])
def test_derivatives(name, engine):
    f, x = FORMS[name], np.array([1.0, 2.5, -3.0, 0.5, 4.0, 1.0])
    expected = dk.jacobian(f, engine="interpreted")(x)
    np.testing.assert_allclose(dk.jacobian(f, engine=engine)(x), expected, rtol=1e-15)
