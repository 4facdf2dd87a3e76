"""How each op is written as a statement of NumPy; what has no wording of its own is a call of the op itself."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from diffkit import primitives as p
from diffkit.engines.numpy_source.memory import REUSE
from diffkit.graph import Step
from diffkit.ops import Op, Static, as_index, size
from diffkit.primitives.contracting import as_product
from diffkit.primitives.moving import covering, disjoint

if TYPE_CHECKING:
    from diffkit.engines.numpy_source.writer import Writer

OPERATORS = {
    p.add: "+", p.subtract: "-", p.multiply: "*", p.divide: "/",
    p.greater: ">", p.greater_equal: ">=", p.less: "<", p.less_equal: "<=", p.equal: "==", p.not_equal: "!=",
}  # fmt: skip


def call(w: Writer, position: int, step: Step) -> None:
    """A call of the op itself; large results of ufuncs go into dead memory."""
    words = [w.words[operand] for operand in step.operands]
    for parameter, value in step.params.items():
        words.append(f"{parameter}={_parameter(w, position, parameter, value)}")
    if isinstance(step.op.evaluate, np.ufunc) and size(step) >= REUSE:
        target = w.memory.take(position, step)
        words += [f"out={w.words[target]}"] if target is not None else []
    name = w.bind(re.sub(r"\W", "_", step.op.name), step.op.evaluate)
    w.assign(position, f"{name}({', '.join(words)})")


def _parameter(w: Writer, position: int, name: str, value: Any) -> str:
    plain = isinstance(value, (int, str)) or (isinstance(value, tuple) and all(isinstance(part, int) for part in value))
    return repr(value) if plain else w.bind(f"{name}{position}", value)


def infix(w: Writer, position: int, step: Step) -> None:
    """An operator, where no memory is to be reused."""
    if size(step) >= REUSE:
        return call(w, position, step)
    return w.assign(position, f"{w.operand(step, 0)} {OPERATORS[step.op]} {w.operand(step, 1)}")


def negative(w: Writer, position: int, step: Step) -> None:
    """A sign, where no memory is to be reused."""
    if size(step) >= REUSE:
        return call(w, position, step)
    return w.assign(position, f"-{w.operand(step, 0)}")


# ---------------------------------------------------------------- views and reads


def index(w: Writer, position: int, step: Step) -> None:
    """A slice."""
    place = step.params["place"]
    w.assign(position, f"{w.operand(step, 0)}[{written(place, w.steps[step.operands[0]].ndim - len(place))}]")


def written(place: Any, extra: int) -> str:
    """A basic index as a person writes it, behind ``extra`` leading axes."""
    parts = [str(part) if isinstance(part, int) else _slice(part) for part in place]
    return ", ".join(["..."] * bool(extra) + parts) or "..."


def _slice(part: Any) -> str:
    start = "" if part.start == 0 and part.step > 0 else str(part.start)
    stop = "" if part.stop is None else str(part.stop)
    return f"{start}:{stop}" + ("" if part.step == 1 else f":{part.step}")


def gather(w: Writer, position: int, step: Step) -> None:
    """An index by positions."""
    name = w.bind(f"p{position}", step.params["place"].array)
    operand, shape = w.steps[step.operands[0]], step.params["shape"]
    front = operand.shape[: operand.ndim - len(shape)]
    word = w.operand(step, 0)
    flat = word if len(shape) == 1 else f"{word}.reshape({(*front, math.prod(shape))})"
    w.assign(position, f"{flat}[..., {name}]" if front else f"{flat}[{name}]")


def reshape(w: Writer, position: int, step: Step) -> None:
    """A method call; a number becomes an array, and an array of one entry a number."""
    source = w.steps[step.operands[0]].shape
    if source == ():
        return broadcast(w, position, step)
    word = f"{w.operand(step, 0)}.reshape({step.shape})"
    return w.assign(position, word if step.shape else f"{word}[()]")


def transpose(w: Writer, position: int, step: Step) -> None:
    """A method call, or ``.T``."""
    w.assign(position, turned(w.operand(step, 0), tuple(axis % step.ndim for axis in step.params["axes"])))


def turned(word: str, axes: tuple[int, ...]) -> str:
    """A transposed array, written as short as it goes."""
    if axes == tuple(range(len(axes))):
        return word
    if axes == (1, 0) and word.endswith(".T"):
        return word.removesuffix(".T")
    return f"{word}.T" if axes == tuple(range(len(axes)))[::-1] else f"{word}.transpose({axes})"


def broadcast(w: Writer, position: int, step: Step) -> None:
    """An array of its own, filled by assignment: ten times faster than ``np.broadcast_to``."""
    w.allocate(position, step, "empty")
    w.lines.append(f"v{position}[...] = {w.operand(step, 0)}")


def stop(w: Writer, position: int, step: Step) -> None:
    """Nothing: the value has another name already."""
    w.words[position] = w.operand(step, 0)


# ---------------------------------------------------------------- sums, scatters, products


def total(w: Writer, position: int, step: Step) -> None:
    """``np.add.reduce``, which ``np.sum`` calls in the end."""
    axis, ndim = step.params["axis"], w.steps[step.operands[0]].ndim
    where = (axis[0] if len(axis) == 1 else axis) if len(axis) < ndim else None
    name = w.bind("add_reduce", np.add.reduce)
    w.assign(position, f"{name}({w.operand(step, 0)}{'' if ndim == 1 else f', {where}'})")


def scatter(w: Writer, position: int, step: Step) -> None:
    """Assignments into an empty array where the pieces fill it, into zeros otherwise; additions where they overlap."""
    shape, places = step.params["shape"], step.params["places"]
    filled = disjoint(shape, places) and covering(shape, places)
    w.allocate(position, step, "empty" if filled else "zeros")
    extra = step.ndim - len(shape)
    flat = f"v{position}"
    if len(shape) != 1 and any(isinstance(place, Static) for place in places):
        flat = f"f{position}"
        w.lines.append(f"{flat} = v{position}.reshape({(*step.shape[:extra], math.prod(shape))})")
    touched = np.zeros(shape, dtype=bool)
    for spot, place in enumerate(places):
        word = w.operand(step, spot)
        if isinstance(place, Static):
            w.lines.append(_piece_at_positions(w, f"{position}_{spot}", place, touched, flat, extra, word))
            continue
        again = touched[as_index(place)].any()
        touched[as_index(place)] = True
        w.lines.append(f"v{position}[{written(place, extra)}] {'+=' if again else '='} {word}")


def _piece_at_positions(
    w: Writer, number: str, place: Static, touched: np.ndarray[Any, Any], flat: str, extra: int, word: str
) -> str:
    name = w.bind(f"p{number}", place.array)
    again = touched.reshape(-1)[place.array].any()
    touched.reshape(-1)[place.array] = True
    if len(np.unique(place.array)) < place.array.size:
        w.bind("add_at", np.add.at)
        return f"add_at({flat}, {f'(..., {name})' if extra else name}, {word})"
    return f"{flat}[{'..., ' if extra else ''}{name}] {'+=' if again else '='} {word}"


def contract(w: Writer, position: int, step: Step) -> None:
    """One matrix product between views."""
    plan = as_product(step.params["spec"])
    left, right = (w.steps[operand] for operand in step.operands)
    a_shape, b_shape = tuple(left.shape[k] for k in plan.left), tuple(right.shape[k] for k in plan.right)
    a, b = turned(w.operand(step, 0), plan.left), turned(w.operand(step, 1), plan.right)
    batch, rows = a_shape[: plan.batch], a_shape[plan.batch : plan.batch + plan.rows]
    columns = b_shape[plan.batch + plan.summed :]
    if not batch and plan.summed == 1 and len(rows) <= 1 and len(columns) <= 1:
        if plan.out == (1, 0):
            return w.assign(position, f"dot({turned(b, (1, 0))}, {turned(a, (1, 0))})")
        return w.assign(position, f"dot({a}, {b})")
    depth = math.prod(a_shape[plan.batch + plan.rows :])
    a = f"{a}.reshape({(*batch, math.prod(rows), depth)})"
    b = f"{b}.reshape({(*batch, depth, math.prod(columns))})"
    product = f"{'matmul' if batch else 'dot'}({a}, {b})"
    made = batch + rows + columns
    return w.assign(position, turned(f"{product}.reshape({made})", plan.out) if made else f"{product}[0, 0]")


WORDINGS: dict[Op, Callable[[Writer, int, Step], None]] = {
    **dict.fromkeys(OPERATORS, infix),
    p.negative: negative,
    p.index: index,
    p.gather: gather,
    p.reshape: reshape,
    p.transpose: transpose,
    p.broadcast: broadcast,
    p.stop: stop,
    p.sum_: total,
    p.scatter: scatter,
    p.contract: contract,
}
