"""Differentiators whose behaviour is planted, to see what the harness makes of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from diffkit.benchmark import cells
from diffkit.benchmark.methods import Method


class Planted:
    """A differentiator that answers as it is told."""

    def __init__(self, run, *, exact=True, prepare=lambda: None):
        self.exact = exact
        self._run = run
        self._prepare = prepare

    def sweeps(self, inputs, outputs):
        return inputs + 10 * outputs

    def prepare(self, _function, _point, product):
        assert product == "jacobian"
        self._prepare()
        return SimpleNamespace(
            run=self._run,
            operations=SimpleNamespace(total=12, bytes=96),
            function_operations=SimpleNamespace(total=5),
            graph=SimpleNamespace(steps=[1, 2, 3]),
            calls=0,
            predicted_seconds=2e-6,
            roofline=lambda seconds: SimpleNamespace(bound=seconds / 4),
        )


@pytest.fixture
def planted():
    return Planted


@pytest.fixture
def plant(monkeypatch):
    """Make every method of every suite behave as planted; hands back the options that were asked for."""
    monkeypatch.setattr(cells, "warm_up", lambda _name, _engine: None)

    def plant(*arguments, **keywords):
        asked = []

        def differentiator(self, engine, **more):
            asked.append({**self.options, **more})
            return Planted(*arguments, **keywords)

        monkeypatch.setattr(Method, "differentiator", differentiator)
        return asked

    return plant
