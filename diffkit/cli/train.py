"""The command that trains a network, by any method of differentiation."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from diffkit.cli.shared import INTERRUPTED, app, complaints, console
from diffkit.errors import InputError, check_name

if TYPE_CHECKING:
    from diffkit.lab.data import Data
    from diffkit.lab.networks import Model
    from diffkit.lab.training import Epoch, Trained

    Watch = Callable[[Epoch, Any], None]


MODELS = ("dense", "convolutional", "recurrent")


@app.command()
def train(
    *,
    data: Annotated[str, typer.Option(help="band, pocket, four-gaussians, spirals or digits.")] = "band",
    samples: Annotated[int | None, typer.Option(help="How many are drawn; 400 if not given, or all digits.")] = None,
    test: Annotated[float, typer.Option(help="The share of them to test with.")] = 0.25,
    model: Annotated[
        str, typer.Option(help="dense; convolutional or recurrent (an LSTM) for square images, as digits are.")
    ] = "dense",
    widths: Annotated[
        str, typer.Option(help="Units of the hidden layers, as 5,3, or '' for none; filters, or units of the LSTM.")
    ] = "3",
    hidden: Annotated[
        str, typer.Option(help="Activation of the hidden layers: tanh, sigmoid, relu, softplus or identity.")
    ] = "tanh",
    output: Annotated[str, typer.Option(help="Of the last layer; sigmoid for two classes, softmax for more.")] = "",
    loss: Annotated[str, typer.Option(help="cross-entropy or quadratic.")] = "cross-entropy",
    l2: Annotated[float, typer.Option(help="Weight of the penalty on squared weights.")] = 0.0,
    method: Annotated[str, typer.Option(help="A method of differentiation, by name: see diffkit methods.")] = "reverse",
    compare: Annotated[
        str | None, typer.Option(help="Instead: the time of an epoch by each of these methods, as reverse,forward.")
    ] = None,
    engine: Annotated[str, typer.Option(help="numpy, llvm, interpreted; auto is llvm where that runs.")] = "auto",
    epochs: Annotated[int, typer.Option(help="How many, at most.")] = 20,
    rate: Annotated[float, typer.Option(help="Learning rate.")] = 0.1,
    batch: Annotated[int, typer.Option(help="Samples per step.")] = 1,
    momentum: Annotated[float, typer.Option(help="How much of the last step is taken again.")] = 0.0,
    order: Annotated[str, typer.Option(help="shuffled, in-order, or random (with replacement).")] = "shuffled",
    tolerance: Annotated[
        float | None, typer.Option(help="Stop when 5 epochs cost not less than the 5 before by more than this share.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of data, initial parameters and order.")] = 0,
    scale: Annotated[
        float | None, typer.Option(help="Standard deviation of the initial weights; 1/sqrt(units before) if not given.")
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="File to write after every epoch, as run.npz.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per epoch, or per method.")] = False,
) -> None:
    """Train a network by stochastic gradient descent; the gradients come from any method."""
    from diffkit.lab import data as lab_data
    from diffkit.lab import training

    drawn = lab_data.get(data, samples=samples, seed=seed)
    first, second = drawn.split(test=test, seed=seed)
    network = _network(model, drawn, _units(widths), {"hidden": hidden, "output": output, "loss": loss, "l2": l2})
    settings: dict[str, Any] = {
        "epochs": epochs, "rate": rate, "batch": batch, "momentum": momentum, "order": order,
        "tolerance": tolerance, "seed": seed, "scale": scale,
    }  # fmt: skip
    if compare is not None:
        if checkpoint or resume:
            raise InputError("--compare keeps no checkpoint; leave out --checkpoint and --resume")
        methods = [name.strip() for name in compare.split(",") if name.strip()]
        found = training.compare_methods(network, first, methods=methods, engine=engine, **settings)
        for line in map(_object, map(vars, found.rows)) if as_json else [str(found)]:
            _say(line, quiet=quiet)
        return
    with _interrupted(checkpoint, quiet=quiet), _view(epochs, quiet=quiet, as_json=as_json) as watch:
        trained = training.train(
            network, first, second, method=method, engine=engine, checkpoint=checkpoint, resume=resume, watch=watch,
            **settings,
        )  # fmt: skip
    if not trained.finite:
        complaints.print(f"[bold red]stopped:[/] {escape(trained.stopped)}")
        raise typer.Exit(1)
    _say(_summary(trained, network, second), quiet=quiet or as_json)


def _network(kind: str, data: Data, units: list[int], options: dict[str, Any]) -> Model:
    from diffkit.lab.networks import ConvolutionalNetwork, Network, RecurrentNetwork

    check_name(kind, MODELS, kind="model")
    features, classes = len(data.X), len(data.Y)
    if kind == "dense":
        options["output"] = options["output"] or ("sigmoid" if classes == 1 else "softmax")
        return Network((features, *units, classes), **options)
    side = math.isqrt(features)
    given = options["l2"] or options["output"] or options["loss"] != "cross-entropy"
    given = given or (kind == "recurrent" and options["hidden"] != "tanh")
    if side**2 != features or side < 4 or classes == 1 or len(units) != 1 or given:
        raise InputError(
            f"model {kind!r} takes square images of several classes, one number for --widths, and no --output, --loss "
            f"or --l2{', nor --hidden' * (kind == 'recurrent')}: give --data digits --widths 4"
        )
    if kind == "convolutional":
        return ConvolutionalNetwork(filters=units[0], classes=classes, side=side, hidden=options["hidden"])
    return RecurrentNetwork(width=units[0], classes=classes, steps=side, features=side)


def _units(widths: str) -> list[int]:
    try:
        return [int(word) for word in widths.split(",") if word.strip()]
    except ValueError:
        raise InputError(f"--widths {widths}; give whole numbers with commas between, as 5,3") from None


@contextmanager
def _interrupted(checkpoint: Path | None, *, quiet: bool) -> Iterator[None]:
    """End by Ctrl-C as a shell expects it, and say how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        kept = f"the finished epochs are in {checkpoint}: the same command with --resume goes on"
        if not quiet:
            told = kept if checkpoint else "nothing is kept, for no --checkpoint was named"
            complaints.print(f"stopped; {told}", markup=False)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _view(epochs: int, *, quiet: bool, as_json: bool) -> Iterator[Watch]:
    """What is shown while training: nothing, an object or a line per epoch, or a bar."""
    if quiet:
        yield lambda _row, _parameters: None
    elif as_json:
        yield lambda row, _parameters: _say(_object(row._asdict()))
    elif not console.is_terminal:
        yield lambda row, _parameters: _say(f"epoch {row.epoch}/{epochs}: {_costs(row)}, {row.seconds:.3g} s")
    else:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("epoch {task.completed}/{task.total}"), BarColumn(), TextColumn("{task.description}"))
        with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
            task = bar.add_task("", total=epochs)
            yield lambda row, _parameters: bar.update(task, completed=row.epoch, description=_costs(row))


def _costs(row: Epoch) -> str:
    return f"cost {row.training:.4g}, test {row.test:.4g}"


def _summary(trained: Trained, model: Model, test: Data) -> str:
    from diffkit.lab.data import classes

    right = (classes(model.predict(trained.parameters, test.X)) == test.labels).mean()
    ended = f"{len(trained.history)} epochs by {trained.method} on {trained.engine} ({trained.stopped})"
    return f"{ended}: {_costs(trained.history[-1])}; {right:.1%} of {len(test.labels)} test samples right"


def _object(facts: dict[str, Any]) -> str:
    """JSON has neither NaN nor infinity: null."""
    plain = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in facts.items()
    }
    return json.dumps(plain, allow_nan=False)


def _say(text: str, *, quiet: bool = False) -> None:
    if not quiet:
        console.out(text, highlight=False)
