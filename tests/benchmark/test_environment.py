from __future__ import annotations

import json
import os
import shutil
import subprocess

import numpy as np
import pytest

from diffkit.benchmark import environment as module
from diffkit.benchmark.environment import environment, write_environment


def test_the_environment_says_where_a_run_was_made(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")  # cells run under their own
    write_environment(tmp_path, environment())
    facts = json.loads((tmp_path / "environment.json").read_text(encoding="utf-8"))
    assert facts["numpy"] == np.__version__
    assert facts["cores"] == os.cpu_count()
    assert facts["cpu"]
    assert facts["threads"]["OMP_NUM_THREADS"] == facts["threads"]["MKL_NUM_THREADS"] == "1"
    assert facts["finished"] is None
    assert {"python", "scipy", "sympy", "diffkit", "platform", "commit", "started"} <= set(facts)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_that_of_the_checkout_and_marks_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "__file__", str(tmp_path / "diffkit" / "benchmark" / "environment.py"))
    assert environment()["commit"] is None  # no checkout

    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        command = [shutil.which("git"), *who, *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    assert environment()["commit"] is None  # no commit yet
    (tmp_path / "file").write_text("one", encoding="utf-8")
    git("add", "file")
    git("commit", "-m", "first")
    commit = git("rev-parse", "HEAD")
    assert environment()["commit"] == commit
    (tmp_path / "file").write_text("two", encoding="utf-8")
    assert environment()["commit"] == f"{commit}-dirty"
