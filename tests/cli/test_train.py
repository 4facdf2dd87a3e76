from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from diffkit import cli
from diffkit.lab import data
from diffkit.lab.networks import Network
from diffkit.lab.training import train

COMMAND = [sys.executable, "-c", "from diffkit.cli import main; main()"]
SMALL = ("train", "--samples", "20", "--epochs", "3")


def call(*arguments):
    """Run the command line here; hands back its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(map(str, arguments)))
    return ended.value.code


def test_a_line_per_epoch_and_one_that_sums_up(capsys):
    assert call(*SMALL, "--method", "forward", "--engine", "numpy") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert lines[3].startswith("3 epochs by forward on numpy (all epochs): cost ")
    assert lines[3].endswith("of 5 test samples right")


def test_each_option_reaches_the_training(tmp_path, capsys):
    options = (
        "--data pocket --samples 40 --test 0.3 --widths 4,2 --hidden relu --output tanh --loss quadratic --l2 0.02 "
        "--method forward --engine numpy --epochs 12 --rate 0.05 --batch 3 --momentum 0.5 --order random "
        "--tolerance 0.9 --seed 7 --scale 0.8"
    )
    assert call("train", *options.split(), "--checkpoint", tmp_path / "run.npz") == 0
    training, test = data.get("pocket", samples=40, seed=7).split(test=0.3, seed=7)
    network = Network((2, 4, 2, 1), hidden="relu", output="tanh", loss="quadratic", l2=0.02)
    expected = train(
        network, training, test, method="forward", engine="numpy", epochs=12, rate=0.05, batch=3, momentum=0.5,
        order="random", tolerance=0.9, seed=7, scale=0.8,
    )  # fmt: skip
    assert expected.stopped == "converged"
    with np.load(tmp_path / "run.npz") as arrays:
        np.testing.assert_array_equal(arrays["parameters"], expected.parameters)
        assert len(arrays["history"]) == 10
    right = np.mean((network.predict(expected.parameters, test.X) >= 0.5) == (test.Y == 1))
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"{right:.1%} of 12 test samples right")


def test_filters_have_the_activation_asked_for(tmp_path):
    few = ("--data", "digits", "--model", "convolutional", "--widths", "2", "--hidden", "relu", "--quiet")
    assert call(*SMALL, *few, "--checkpoint", tmp_path / "run.npz") == 0
    with np.load(tmp_path / "run.npz") as arrays:
        assert "ConvolutionalNetwork(filters=2, classes=10, side=8, hidden='relu'" in str(arrays["text"])


def test_an_object_per_epoch(capsys):
    assert call(*SMALL, "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all(set(row) == {"epoch", "training", "test", "seconds"} for row in rows)


def test_nothing_when_quiet(capsys):
    assert call(*SMALL, "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_methods_are_compared(capsys):
    assert call(*SMALL, "--compare", "reverse, forward,finite-difference") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["method", "engine"]
    assert [line.split()[0] for line in lines] == ["reverse", "forward", "finite-difference"]


def test_methods_are_compared_as_objects(capsys):
    assert call(*SMALL, "--compare", "reverse,forward", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["method"] for row in rows] == ["reverse", "forward"]
    assert rows[0]["distance"] == 0 <= rows[1]["distance"] < 1e-10


@pytest.mark.parametrize(
    "options",
    [
        ("--model", "dense", "--widths", "4,3", "--l2", "0.01", "--hidden", "relu"),
        ("--model", "dense", "--widths", ""),
        ("--output", "sigmoid"),
        ("--output", "softmax", "--loss", "quadratic"),
        ("--model", "convolutional", "--widths", "2"),
        ("--model", "recurrent", "--widths", "2"),
    ],
)
def test_every_model_is_trained(options, capsys):
    assert call(*SMALL, "--data", "digits", "--batch", "5", *options) == 0
    assert "3 epochs by reverse" in capsys.readouterr().out


def test_a_training_goes_on_from_its_checkpoint(tmp_path, capsys):
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    options = ("train", "--samples", "20", "--momentum", "0.5", "--order", "random", "--quiet")
    assert call(*options, "--epochs", "4", "--checkpoint", whole) == 0
    assert call(*options, "--epochs", "2", "--checkpoint", parts) == 0
    assert call(*options, "--epochs", "4", "--checkpoint", parts, "--resume") == 0
    np.testing.assert_array_equal(np.load(whole)["parameters"], np.load(parts)["parameters"])
    assert call(*options, "--rate", "0.2", "--checkpoint", parts, "--resume") == 2
    assert "rate was 0.1, is 0.2" in capsys.readouterr().err
    assert call(*options, "--checkpoint", parts) == 2
    assert "resume it" in capsys.readouterr().err


@pytest.mark.filterwarnings("default::UserWarning")
def test_a_warning_is_one_line(tmp_path, monkeypatch, capsys):
    options = (*SMALL[:3], "--quiet", "--checkpoint", tmp_path / "run.npz")
    with monkeypatch.context() as before:
        before.setattr("diffkit.lab.training.checkpoints.VERSIONS", {"diffkit": "0.0.1"})
        assert call(*options, "--epochs", "1") == 0
    assert call(*options, "--epochs", "2", "--resume") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: ")
    assert line.endswith("the trajectory goes on, though it may round differently")


def test_numbers_that_are_not_finite_end_it_with_code_1(tmp_path, capsys):
    assert call(*SMALL, "--rate", "1e308", "--checkpoint", tmp_path / "run.npz") == 1
    said = capsys.readouterr().err
    assert "sample" in said
    assert "epoch 1 at rate=1e+308" in said
    assert "choose a smaller rate" in said
    assert np.isfinite(np.load(tmp_path / "run.npz")["parameters"]).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--data", "bnd"), "did you mean 'band'"),
        (("--method", "revers"), "did you mean 'reverse'"),
        (("--model", "dens"), "did you mean 'dense'"),
        (("--widths", "3;4"), "give whole numbers with commas"),
        (("--model", "recurrent"), "give --data digits --widths 4"),
        (("--output", "softmx"), "did you mean 'softmax'"),
        (("--loss", "cross"), "no loss 'cross'"),
        (("--rate", "-1"), "rate=-1"),
        (("--batch", "0"), "batch=0"),
        (("--scale", "-1"), "scale=-1"),
        (("--order", "sorted"), "no order 'sorted'"),
        (("--resume",), "checkpoint"),
        (("--compare", "reverse", "--checkpoint", "x.npz"), "keeps no checkpoint"),
        (("--compare", "reverse,revers"), "did you mean 'reverse'"),
        (("--compare", " , "), "give a list"),
    ],
)
def test_what_cannot_be_is_one_line_and_code_2(options, said, capsys):
    assert call(*SMALL, *options) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert len(shown.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="a process is interrupted by a POSIX signal")
def test_an_interrupt_leaves_a_checkpoint_and_says_how_to_go_on(tmp_path):
    file = tmp_path / "run.npz"
    options = ["train", "--samples", "40", "--momentum", "0.9", "--checkpoint", str(file)]
    # A shell without job control starts what runs in its background with SIGINT ignored, and children inherit that.
    heard = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", heard, *COMMAND, *options, "--epochs", "1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("epoch 1/")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "--resume goes on" in err
    assert "Traceback" not in err
    epochs = len(np.load(file)["history"])
    assert epochs >= 1
    assert call(*options, "--epochs", epochs + 2, "--resume", "--quiet") == 0
    options[-1] = str(tmp_path / "whole.npz")
    assert call(*options, "--epochs", epochs + 2, "--quiet") == 0
    np.testing.assert_array_equal(np.load(file)["parameters"], np.load(options[-1])["parameters"])


@pytest.mark.skipif(os.name != "posix", reason="a terminal is a POSIX device")
def test_a_terminal_shows_a_bar():
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen([*COMMAND, *SMALL], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while block := os.read(ours, 4096):
                shown += block
        except OSError:  # how Linux says that the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0
    assert b"epoch 3/3" in shown
    assert "━".encode() in shown
    assert b"epoch 2/3: " not in shown


def test_methods_to_compare_must_be_named(capsys):
    assert call("train", "--compare", "") != 0
    assert "give a list of one name or more" in capsys.readouterr().err
