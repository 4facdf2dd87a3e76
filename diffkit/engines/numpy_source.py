"""A graph as one generated straight-line Python function over NumPy.

The function frees or reuses what is dead: large elementwise results go into a dead temporary by ``out=``, never
into anything that may alias an input, a view or a result. Views, reads and scatters become what a person would
write. Whatever has no wording of its own is a call of the op itself.
"""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from diffkit import primitives as p
from diffkit.engines.base import Compiled, Engine, holds
from diffkit.graph import CONSTANT, IDENTITY, INPUT, REFERENCE, Graph, Step
from diffkit.ops import Op, Static, as_index, size
from diffkit.primitives.linear_algebra import as_product
from diffkit.primitives.moving import covering, disjoint, place_shape

REUSE = 1024  # entries from which a dead temporary is worth an out=; below, an operator is faster than a ufunc call
KEPT = 2**22  # entries up to which a seed matrix is made once and kept with the plan

INFIX = {
    p.add: "+", p.subtract: "-", p.multiply: "*", p.divide: "/",
    p.greater: ">", p.greater_equal: ">=", p.less: "<", p.less_equal: "<=", p.equal: "==", p.not_equal: "!=",
}  # fmt: skip
VIEWS = frozenset({p.index, p.reshape, p.transpose})


class NumpySource(Engine):
    """One generated straight-line function over NumPy; needs nothing more than NumPy."""

    name: ClassVar[str] = "numpy"
    _count: ClassVar[int] = 0

    def compile(self, graph: Graph) -> Compiled:
        """Write the function, compile it, and bind its constants."""
        writer = Writer(graph)
        source = writer.write()
        NumpySource._count += 1
        filename = f"<diffkit plan {NumpySource._count}>"
        code = compile(source, filename, "exec")
        namespace: dict[str, Any] = dict(writer.names)
        exec(code, namespace)  # noqa: S102 - the source was generated above, from a graph
        linecache.cache[filename] = (
            len(source),
            None,
            source.splitlines(keepends=True),
            filename,
        )  # tracebacks show it
        return Compiled(namespace["plan"], source)


class Writer:
    """Writes the function for one graph, a statement or a few per step."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.steps = graph, graph.steps
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "empty": np.empty,
            "zeros": np.zeros,
            "dot": np.dot,
            "matmul": np.matmul,
        }
        self.word: list[str] = [""] * len(self.steps)  # how the value of a step is written
        self.root = self._roots()
        self.last = self._last_reads()
        self.kept = {self.root[position] for position in graph.outputs}
        self.free: dict[Any, list[str]] = {}
        self.taken: set[int] = set()  # roots whose memory a later step has overwritten
        self.expected = {guard.position: guard.expected for guard in graph.guards}

    # ------------------------------------------------------------ who owns which memory

    def _roots(self) -> list[int]:
        """The step whose memory a step shows: a view shows its operand's."""
        roots: list[int] = []
        for position, step in enumerate(self.steps):
            roots.append(roots[step.operands[0]] if step.op in VIEWS or step.op is p.stop else position)
        return roots

    def _last_reads(self) -> list[int]:
        """Where the memory of each step is read for the last time."""
        last = list(range(len(self.steps)))
        for position, step in enumerate(self.steps):
            for operand in step.operands:
                source = operand
                if self.steps[operand].op is p.broadcast:  # written out where it is used
                    source = self.steps[operand].operands[0]
                last[self.root[source]] = position
                last[self.root[operand]] = position
        for position in self.graph.outputs:
            last[self.root[position]] = len(self.steps)
        return last

    def foreign(self, position: int) -> bool:
        """Whether the memory belongs to the caller, the user or the plan."""
        return self.steps[self.root[position]].op.family == "leaf"

    # ------------------------------------------------------------ writing

    def write(self) -> str:
        """The whole function."""
        for spot, position in enumerate(self.graph.inputs):
            self.word[position] = f"x{spot}"
        for position, step in enumerate(self.steps):
            if step.op is not INPUT:
                self._step(position, step)
            self._guard(position)
        arguments = ", ".join(self.word[position] for position in self.graph.inputs)
        results = self._results()
        body = "\n    ".join([*self.lines, f"return ({results},)"])
        return f"def plan({arguments}):\n    {body}\n"

    def _results(self) -> str:
        words, seen = [], set()
        for position in self.graph.outputs:
            shared = self.foreign(position) or self.root[position] in seen
            seen.add(self.root[position])
            word = self.word[position]
            if shared and self.steps[position].shape:
                word = f"{word}.copy()"
            words.append(word)
        return ", ".join(words)

    def _step(self, position: int, step: Step) -> None:
        if step.op is CONSTANT:
            self.word[position] = self._constant(step.params["value"], position)
        elif step.op is REFERENCE:
            self.word[position] = self._bind(f"r{position}", step.params["value"])
        elif step.op is IDENTITY and size(step) <= KEPT:
            self.word[position] = self._bind(f"eye{position}", step.op.evaluate(**step.params))
        elif step.op is p.broadcast and self._written_out(position):
            self.word[position] = self.word[step.operands[0]]
        else:
            WORDING.get(step.op, Writer.call)(self, position, step)
            self._release(position, step)

    def _written_out(self, position: int) -> bool:
        """Whether a broadcast is never needed as an array: scatters repeat by themselves."""
        if position in self.graph.outputs:
            return False
        return all(step.op is p.scatter for step in self.steps if position in step.operands)

    def _constant(self, value: Any, position: int) -> str:
        if value.ndim == 0 and value.dtype.kind == "f" and math.isfinite(value):
            text = repr(float(value))
            return f"({text})" if text.startswith("-") else text
        return self._bind(f"c{position}", value[()] if value.ndim == 0 else value)

    def _bind(self, name: str, value: Any) -> str:
        self.names[name] = value
        return name

    def operand(self, step: Step, spot: int) -> str:
        """How an operand is written."""
        return self.word[step.operands[spot]]

    def assign(self, position: int, expression: str) -> None:
        """Give a step a name."""
        self.word[position] = f"v{position}"
        self.lines.append(f"v{position} = {expression}")

    def _release(self, position: int, step: Step) -> None:
        """What was read for the last time is free to be overwritten; large memory of other kinds is let go."""
        for root in dict.fromkeys(self.root[operand] for operand in step.operands):
            if (
                self.last[root] != position
                or self.foreign(root)
                or root in self.kept
                or root == self.root[position]
            ):
                continue
            dead = self.steps[root]
            if size(dead) >= REUSE and root not in self.taken and dead.op.family != "leaf":
                self.free.setdefault((dead.shape, dead.dtype), []).append(self.word[root])

    def _take_free(self, position: int, step: Step) -> str | None:
        """A dead temporary of the step's shape: first among its operands, then among all."""
        for operand in step.operands:
            root = self.root[operand]
            fits = root == operand and (self.steps[root].shape, self.steps[root].dtype) == (
                step.shape,
                step.dtype,
            )
            if fits and self.last[root] == position and not self.foreign(root) and root not in self.kept:
                self.taken.add(root)
                return self.word[root]
        spare = self.free.get((step.shape, step.dtype))
        return spare.pop() if spare else None

    def _guard(self, position: int) -> None:
        if position not in self.expected:
            return
        expected, word = self.expected[position], self.word[position]
        if expected.ndim == 0 and expected.dtype == bool:
            self.lines.append(f"if {'not ' if expected else ''}{word}: return None")
        elif expected.ndim == 0 and expected.dtype.kind in "iu":
            self.lines.append(f"if {word} != {int(expected)}: return None")
        else:
            name = self._bind(f"g{position}", expected)
            self.lines.append(f"if not {self._bind('holds', holds)}({word}, {name}): return None")

    # ------------------------------------------------------------ wordings

    def call(self, position: int, step: Step) -> None:
        """A call of the op itself."""
        words = [self.word[operand] for operand in step.operands]
        is_ufunc = isinstance(step.op.evaluate, np.ufunc)
        if is_ufunc and size(step) >= REUSE:
            target = self._take_free(position, step)
            if target is not None:
                words.append(f"out={target}")
        elif step.op in INFIX:
            return self.assign(position, f"{words[0]} {INFIX[step.op]} {words[1]}")
        elif step.op is p.negative:
            return self.assign(position, f"-{words[0]}")
        name = self._bind(
            step.op.name, step.op.evaluate if not is_ufunc else getattr(np, step.op.name, step.op.evaluate)
        )
        for parameter, value in step.params.items():
            simple = isinstance(value, (int, str, tuple)) and not _holds_static(value)
            words.append(
                f"{parameter}={value!r}"
                if simple
                else f"{parameter}={self._bind(f'p{position}_{parameter}', value)}"
            )
        self.assign(position, f"{name}({', '.join(words)})")

    def index(self, position: int, step: Step) -> None:
        place = step.params["place"]
        extra = self.steps[step.operands[0]].ndim - len(place)
        self.assign(position, f"{self.operand(step, 0)}[{written(place, extra)}]")

    def gather(self, position: int, step: Step) -> None:
        name = self._bind(f"p{position}", step.params["place"].array)
        front = self.steps[step.operands[0]].shape[
            : self.steps[step.operands[0]].ndim - len(step.params["shape"])
        ]
        flat = (
            f"{self.operand(step, 0)}"
            if len(step.params["shape"]) == 1
            else f"{self.operand(step, 0)}.reshape({(*front, -1)})"
        )
        self.assign(position, f"{flat}[..., {name}]" if front else f"{flat}[{name}]")

    def reshape(self, position: int, step: Step) -> None:
        if step.shape == () and self.steps[step.operands[0]].shape != ():
            self.assign(position, f"{self.operand(step, 0)}.reshape(())[()]")
        elif self.steps[step.operands[0]].shape == ():
            self._fill(position, step)
        else:
            self.assign(position, f"{self.operand(step, 0)}.reshape({step.shape})")

    def transpose(self, position: int, step: Step) -> None:
        axes = tuple(axis % step.ndim for axis in step.params["axes"])
        turned = axes == tuple(range(step.ndim))[::-1]
        self.assign(
            position, f"{self.operand(step, 0)}.T" if turned else f"{self.operand(step, 0)}.transpose({axes})"
        )

    def _fill(self, position: int, step: Step) -> None:
        """An array of its own, filled by broadcasting."""
        kind = "" if step.dtype == np.float64 else f", {self._bind(step.dtype.name, step.dtype)}"
        source = self.operand(step, 0)
        self.assign(position, f"empty({step.shape}{kind})")
        self.lines.append(f"v{position}[...] = {source}")

    def total(self, position: int, step: Step) -> None:
        axis = step.params["axis"]
        ndim = self.steps[step.operands[0]].ndim
        self._bind("add_reduce", np.add.reduce)
        if len(axis) == ndim == 1:
            which = ""
        elif len(axis) == ndim:
            which = ", None"
        else:
            which = f", {axis[0] if len(axis) == 1 else axis}"
        self.assign(position, f"add_reduce({self.operand(step, 0)}{which})")

    def alias(self, position: int, step: Step) -> None:
        self.word[position] = self.operand(step, 0)

    def scatter(self, position: int, step: Step) -> None:
        shape, places = step.params["shape"], step.params["places"]
        front = step.shape[: step.ndim - len(shape)]
        if (
            all(place_shape(place) == () for place in places)
            and not front
            and self._as_list(position, step, places)
        ):
            return
        apart = disjoint(shape, places)
        filled = apart and covering(shape, places)
        kind = "" if step.dtype == np.float64 else f", {self._bind(step.dtype.name, step.dtype)}"
        self.assign(position, f"{'empty' if filled else 'zeros'}({step.shape}{kind})")
        written_to = np.zeros(shape, dtype=bool)
        flat = ""
        for spot, place in enumerate(places):
            if isinstance(place, Static):
                flat = flat or self._flat(position, step, front)
            self._piece(position, step, spot, place, written_to, len(front), flat)

    def _flat(self, position: int, step: Step, front: tuple[int, ...]) -> str:
        if len(step.params["shape"]) == 1:
            return f"v{position}"
        self.lines.append(f"f{position} = v{position}.reshape({(*front, -1)})")
        return f"f{position}"

    def _as_list(self, position: int, step: Step, places: tuple[Any, ...]) -> bool:
        """One array call where every entry of a vector is a number of its own."""
        if step.ndim != 1 or len(places) > 64 or [place[0] for place in places] != list(range(step.shape[0])):
            return False
        kind = "" if step.dtype == np.float64 else f", {self._bind(step.dtype.name, step.dtype)}"
        words = ", ".join(self.word[operand] for operand in step.operands)
        self.names["array"] = np.array
        self.assign(position, f"array(({words},){kind})")
        return True

    def _piece(
        self, position: int, step: Step, spot: int, place: Any, written_to: Any, extra: int, flat: str
    ) -> None:
        word = self.operand(step, spot)
        if isinstance(place, Static):
            name = self._bind(f"p{position}_{spot}", place.array)
            target = f"{flat}[{'..., ' if extra else ''}{name}]"
            mask = written_to.reshape(-1)[place.array]
            written_to.reshape(-1)[place.array] = True
            if len(np.unique(place.array)) < place.array.size:
                self._bind("add_at", np.add.at)
                where = f"(..., {name})" if extra else name
                self.lines.append(f"add_at({flat}, {where}, {word})")
                return
        else:
            target = f"v{position}[{written(place, extra)}]"
            mask = written_to[as_index(place)].copy()
            written_to[as_index(place)] = True
        self.lines.append(f"{target} {'+=' if np.any(mask) else '='} {word}")

    def contract(self, position: int, step: Step) -> None:
        """One matrix product between views."""
        spec = step.params["spec"]
        plan = as_product(spec)
        left, right = (self.steps[operand] for operand in step.operands)
        a_shape = tuple(left.shape[k] for k in plan.left)
        b_shape = tuple(right.shape[k] for k in plan.right)
        a = self._turned(self.operand(step, 0), plan.left)
        b = self._turned(self.operand(step, 1), plan.right)
        batch, rows = a_shape[: plan.batch], a_shape[plan.batch : plan.batch + plan.rows]
        columns = b_shape[plan.batch + plan.summed :]
        depth = math.prod(a_shape[plan.batch + plan.rows :])
        flat = plan.batch == 0 and plan.rows <= 1 and len(columns) <= 1 and plan.summed == 1
        if not flat:
            a = f"{a}.reshape({(*batch, math.prod(rows), depth)})"
            b = f"{b}.reshape({(*batch, depth, math.prod(columns))})"
        if flat and plan.out == (1, 0):
            return self.assign(position, f"dot({self._turned(b, (1, 0))}, {self._turned(a, (1, 0))})")
        product = f"{'matmul' if batch else 'dot'}({a}, {b})"
        made = batch + rows + columns
        if not flat:
            product = f"{product}.reshape({made})" if made else f"{product}[0, 0]"
        return self.assign(position, self._turned(product, plan.out))

    @staticmethod
    def _turned(word: str, axes: tuple[int, ...]) -> str:
        if axes == tuple(range(len(axes))):
            return word
        if axes == (1, 0):
            return word.removesuffix(".T") if word.endswith(".T") else f"{word}.T"
        return f"{word}.transpose({axes})"


def _holds_static(value: Any) -> bool:
    return isinstance(value, tuple) and any(not isinstance(part, int) for part in value)


def written(place: Any, extra: int) -> str:
    """A basic index as a person writes it."""
    parts = [str(part) if isinstance(part, int) else _slice(part) for part in place]
    return ", ".join(["..."] * bool(extra) + parts) or "..."


def _slice(part: Any) -> str:
    start = "" if part.start == 0 and part.step > 0 else str(part.start)
    stop = "" if part.stop is None else str(part.stop)
    return f"{start}:{stop}" + ("" if part.step == 1 else f":{part.step}")


WORDING: dict[Op, Callable[[Writer, int, Step], None]] = {
    p.index: Writer.index,
    p.gather: Writer.gather,
    p.reshape: Writer.reshape,
    p.transpose: Writer.transpose,
    p.broadcast: Writer._fill,
    p.sum_: Writer.total,
    p.scatter: Writer.scatter,
    p.contract: Writer.contract,
    p.stop: Writer.alias,
}
