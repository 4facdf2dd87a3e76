from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from diffkit.engines import base
from diffkit.errors import InputError, ResultsError
from diffkit.lab.networks import Network
from diffkit.lab.training import checkpoints, train

WAYS = [
    {},
    {"batch": 4},
    {"batch": 7, "momentum": 0.9},
    {"order": "random"},
    {"order": "in-order", "momentum": 0.5},
    {"method": "finite-difference", "batch": 8},
    {"engine": "numpy", "momentum": 0.9},
]


def same(first, second):
    np.testing.assert_array_equal(first.parameters, second.parameters)
    assert [row[:2] for row in first.history] == [row[:2] for row in second.history]
    assert (first.method, first.engine, first.stopped) == (second.method, second.engine, second.stopped)


@pytest.fixture
def model():
    return Network((2, 3, 1))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "run.npz"


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_resuming_gives_the_same_trajectory_bit_for_bit(model, samples, others, file, way):
    whole = train(model, samples, others, epochs=10, **way)
    train(model, samples, others, epochs=4, checkpoint=file, **way)
    resumed = train(model, samples, others, epochs=10, checkpoint=file, resume=True, **way)
    same(resumed, whole)
    assert [row.test for row in resumed.history] == [row.test for row in whole.history]


def test_what_was_finished_before_an_exception_is_there(model, samples, file):
    whole = train(model, samples, epochs=10, momentum=0.9)

    def interrupt(row, _parameters):
        if row.epoch == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(model, samples, epochs=10, momentum=0.9, checkpoint=file, watch=interrupt)
    same(train(model, samples, epochs=10, momentum=0.9, checkpoint=file, resume=True), whole)


KILLED = """
import sys
from diffkit.lab import data
from diffkit.lab.networks import Network
from diffkit.lab.training import checkpoints, train
training, test = data.get("band", samples=60).split(test=0.25)
for resume in (sys.argv[2] == "resume",):
    train(Network((2, 3, 1)), training, test, checkpoint=sys.argv[1], resume=resume, epochs=int(sys.argv[3]),
          batch=4, momentum=0.9, order="random", rate=0.02, watch=lambda row, _: print(row.epoch, flush=True))
"""


def start(file, how, epochs):
    command = [sys.executable, "-c", KILLED, str(file), how, str(epochs)]
    environment = {**os.environ, "PYTHONPATH": str(Path(base.__file__).parents[2])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_it_goes_on_bit_for_bit(file, tmp_path, seed):
    rng = np.random.default_rng(seed)
    how = "start"
    for _ in range(2):
        with start(file, how, 100_000) as process:
            for _ in range(int(rng.integers(1, 20))):
                assert process.stdout.readline()
            time.sleep(float(rng.uniform(0, 0.01)))  # into an epoch, or into the writing
            process.kill()
        how = "resume"
    with np.load(file, allow_pickle=False) as arrays:
        reached = len(arrays["history"])
    epochs = reached + 3
    with start(file, "resume", epochs) as process:
        assert process.wait() == 0
    with start(tmp_path / "whole.npz", "start", epochs) as process:
        assert process.wait() == 0
    with np.load(file) as resumed, np.load(tmp_path / "whole.npz") as whole:
        for name in ("parameters", "velocity"):
            np.testing.assert_array_equal(resumed[name], whole[name])
        np.testing.assert_array_equal(resumed["history"][:, :3], whole["history"][:, :3])
        assert str(resumed["text"]) == str(whole["text"])


def test_there_is_a_whole_checkpoint_at_every_moment(model, samples, file, monkeypatch):
    train(model, samples, epochs=2, checkpoint=file)
    before, seen = file.read_bytes(), []

    def watched(beside, target):
        with np.load(beside, allow_pickle=False) as arrays:  # whole, before it takes the other one's place
            seen.append((len(arrays["history"]), target.read_bytes() == before))
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", watched)
    with pytest.raises(ResultsError, match="cannot write the checkpoint"):
        train(model, samples, epochs=4, checkpoint=file, resume=True)
    assert seen == [(3, True)]
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_who_resumes_from_the_same_file_meanwhile_stops_nobody(model, samples, file, monkeypatch):
    replace, read = Path.replace, []

    def interfered(beside, target):
        if target.exists() and not read:
            read.append(checkpoints.read(target).state.epoch)  # as another process does, at the worst moment
        return replace(beside, target)

    monkeypatch.setattr(Path, "replace", interfered)
    found = train(model, samples, epochs=3, checkpoint=file)
    assert read == [0]
    same(found, train(model, samples, epochs=3))
    same(train(model, samples, epochs=3, checkpoint=file, resume=True), found)


def test_a_model_without_words_of_its_own_is_told_by_its_cost(samples, file):
    class Scaled:
        def __init__(self, factor):
            self.network, self.factor = Network((2, 1)), factor

        def __getattr__(self, name):
            return getattr(self.network, name)

        count = property(lambda self: self.network.count)

        def initial(self, seed=0, scale=None):
            return self.network.initial(seed, scale)

        def check(self, X, Y):
            self.network.check(X, Y)

        def predict(self, parameters, X):
            return self.network.predict(parameters, X)

        def cost(self, parameters, X, Y):
            return self.factor * self.network.cost(parameters, X, Y)

        def backward(self, parameters, X, Y):
            return self.factor * self.network.backward(parameters, X, Y)

    train(Scaled(1.0), samples, epochs=1, checkpoint=file)
    train(Scaled(1.0), samples, epochs=2, checkpoint=file, resume=True)
    with pytest.raises(ResultsError, match="its cost at the start differs"):
        train(Scaled(2.0), samples, epochs=3, checkpoint=file, resume=True)


def test_resuming_what_is_finished_changes_nothing(model, samples, file):
    whole = train(model, samples, epochs=4, checkpoint=file)
    same(train(model, samples, epochs=4, checkpoint=file, resume=True), whole)
    same(train(model, samples, epochs=2, checkpoint=file, resume=True), whole)


def test_nothing_but_the_checkpoint_is_left_in_the_folder(model, samples, tmp_path):
    train(model, samples, epochs=3, checkpoint=tmp_path / "new" / "run.npz")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["run.npz"]


def test_the_last_finite_checkpoint_stays(samples, file):
    class Falling(Network):
        def cost(self, parameters, X, Y):
            return -np.sum(np.exp(parameters))

    trained = train(Falling((2, 1)), samples, rate=0.03, epochs=50, checkpoint=file)
    assert not trained.finite
    with np.load(file) as arrays:
        np.testing.assert_array_equal(arrays["parameters"], trained.parameters)
        assert len(arrays["history"]) == len(trained.history) > 0


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"rate": 0.2}, "rate was 0.1, is 0.2"),
        ({"batch": 3}, "batch was 1, is 3"),
        ({"momentum": 0.5}, "momentum was 0.0, is 0.5"),
        ({"order": "random"}, "order was shuffled, is random"),
        ({"seed": 1}, "seed was 0, is 1"),
        ({"method": "forward"}, "method was Reverse"),
        ({"engine": "interpreted"}, "engine was .*, is interpreted"),
        ({"start": np.ones(13)}, "its start differs"),
    ],
)
def test_other_settings_are_refused_with_what_differs(model, samples, file, other, said):
    train(model, samples, epochs=2, checkpoint=file)
    with pytest.raises(ResultsError, match=said):
        train(model, samples, checkpoint=file, resume=True, **other)


def test_another_model_or_other_data_are_refused(model, samples, others, file):
    train(model, samples, others, epochs=2, checkpoint=file)
    with pytest.raises(ResultsError, match=r"model was Network\(widths=\(2, 3, 1\)"):
        train(Network((2, 4, 1)), samples, others, checkpoint=file, resume=True)
    with pytest.raises(ResultsError, match="its training data differs"):
        train(model, others, others, checkpoint=file, resume=True)
    with pytest.raises(ResultsError, match="its test data differs"):
        train(model, samples, checkpoint=file, resume=True)


def test_of_what_follows_from_another_setting_nothing_is_said(model, samples, file):
    train(model, samples, epochs=2, checkpoint=file)
    with pytest.raises(ResultsError) as refused:
        train(model, samples, checkpoint=file, resume=True, seed=1)
    assert "seed was 0, is 1. Give" in str(refused.value)


def test_a_file_of_another_kind_is_no_archive(model, samples, file):
    file.write_text("hi", encoding="utf-8")
    with pytest.raises(ResultsError, match=r"no whole checkpoint of a training \(it is no archive\)"):
        train(model, samples, checkpoint=file, resume=True)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_torn_file_is_refused(model, samples, file, share):
    train(model, samples, epochs=2, checkpoint=file)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ResultsError, match="no whole checkpoint"):
        train(model, samples, checkpoint=file, resume=True)


def test_a_changed_byte_is_seen_wherever_it_matters(model, samples, file):
    train(model, samples, epochs=2, checkpoint=file)
    content = bytearray(file.read_bytes())
    place = content.find(np.load(file)["parameters"].tobytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(ResultsError, match="no whole checkpoint"):
        train(model, samples, checkpoint=file, resume=True)


def test_foreign_files_are_refused(model, samples, file):
    file.write_text("no archive", encoding="utf-8")
    with pytest.raises(ResultsError, match="no whole checkpoint"):
        train(model, samples, checkpoint=file, resume=True)
    np.savez(file, parameters=np.zeros(13))
    with pytest.raises(ResultsError, match="no whole checkpoint"):
        train(model, samples, checkpoint=file, resume=True)
    np.savez(file, text=np.array([{}], dtype=object), allow_pickle=True)  # would run code if it were unpickled
    with pytest.raises(ResultsError, match="no whole checkpoint"):
        train(model, samples, checkpoint=file, resume=True)


def test_a_checkpoint_is_never_overwritten_by_a_new_training(model, samples, file):
    train(model, samples, epochs=2, checkpoint=file)
    content = file.read_bytes()
    with pytest.raises(ResultsError, match="is there already; resume it"):
        train(model, samples, checkpoint=file)
    assert file.read_bytes() == content


def test_resuming_from_nothing(model, samples, file):
    with pytest.raises(ResultsError, match="there is no checkpoint"):
        train(model, samples, checkpoint=file, resume=True)
    with pytest.raises(InputError, match="give checkpoint=FILE"):
        train(model, samples, resume=True)


def test_a_place_that_cannot_be_written_is_known_before_the_first_epoch(model, samples, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    seen = []
    with pytest.raises(ResultsError, match="cannot write"):
        train(model, samples, checkpoint=tmp_path / "file" / "run.npz", watch=lambda *row: seen.append(row))
    assert seen == []


def test_a_name_that_no_file_can_have_is_refused_in_words(model, samples, tmp_path):
    with pytest.raises(ResultsError, match=r"cannot write the checkpoint .*; choose another file"):
        train(model, samples, checkpoint=tmp_path / ("long" * 100))


def test_an_engine_that_is_gone_is_missed_in_words(model, samples, file, monkeypatch):
    train(model, samples, epochs=2, checkpoint=file, engine="llvm")
    monkeypatch.setattr(base, "engine_names", base.engine_names.__wrapped__)
    monkeypatch.setattr(base, "sound", lambda: False)
    with pytest.raises(ResultsError, match=r"engine 'llvm', and .*; engine 'llvm' needs CPython .* start anew with"):
        train(model, samples, checkpoint=file, resume=True)


def test_auto_goes_on_with_the_engine_that_began(model, samples, file):
    train(model, samples, epochs=2, checkpoint=file, engine="interpreted")
    assert train(model, samples, epochs=3, checkpoint=file, resume=True).engine == "interpreted"


def test_what_a_sudden_end_left_beside_it_is_cleared_away(model, samples, file):
    train(model, samples, epochs=2, checkpoint=file)
    torn = file.with_name(f".{file.name}.12345.partial")
    torn.write_bytes(file.read_bytes()[:100])
    train(model, samples, epochs=3, checkpoint=file, resume=True)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_other_versions_of_the_libraries_are_said(model, samples, file, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr("diffkit.lab.training.checkpoints.VERSIONS", {"diffkit": "0.0.1", "numpy": "1.0"})
        train(model, samples, epochs=2, checkpoint=file)
    with pytest.warns(UserWarning, match=r"was made with diffkit 0.0.1, numpy 1.0, and this is"):
        assert len(train(model, samples, epochs=3, checkpoint=file, resume=True).history) == 3


def test_a_class_without_words_of_its_own_is_the_same_in_every_process(model):
    class Plain:
        pass

    assert checkpoints.described(Plain()) == checkpoints.described(Plain())
    assert checkpoints.described(model) == repr(model)


def test_settings_may_be_numbers_of_numpy(model, samples, file):
    way = {"batch": np.int64(4), "seed": np.int64(1), "rate": np.float64(0.2)}
    train(model, samples, epochs=2, checkpoint=file, **way)
    resumed = train(model, samples, epochs=3, checkpoint=file, resume=True, batch=4, seed=1, rate=0.2)
    same(resumed, train(model, samples, epochs=3, **way))


def test_a_checkpoint_is_a_file(model, samples):
    with pytest.raises(InputError, match="checkpoint=5; give the name of a file"):
        train(model, samples, checkpoint=5)
