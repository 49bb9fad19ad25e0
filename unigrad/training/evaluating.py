"""A model on data that it does not learn from: means, metrics, predictions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from unigrad.core import tree
from unigrad.core.errors import ShapeError
from unigrad.layers.training import training_mode
from unigrad.metrics import Metric
from unigrad.tracing.jit import jit
from unigrad.training.callbacks import Logs
from unigrad.training.precision import MixedPrecision
from unigrad.training.saving import Progress
from unigrad.training.steps import Loss, Step, evaluation_step, placed, rows_of


class Evaluator:
    """Evaluates a model as `Trainer` does, with metrics of its own.

    Args:
        model, loss, precision: see `Trainer`.
        metrics: copied: those of training go on counting meanwhile.
        compiles: compile the steps.
    """

    def __init__(
        self,
        model: Any,
        loss: Loss,
        metrics: Mapping[str, Metric],
        precision: MixedPrecision | None,
        compiles: bool,
    ) -> None:
        self._model = model
        self._loss = loss
        self._precision = precision
        self._compiles = compiles
        self._metrics = copy.deepcopy(dict(metrics))
        self._step: Step | None = None
        self._forward: tuple[Any, Callable[[Any], Any]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles make their own steps, of their own model."""
        return {**self.__dict__, "_step": None, "_forward": None}

    def evaluate(self, batches: Iterable[Any]) -> Logs:
        """Return means over batches, and the metrics."""
        for metric in self._metrics.values():
            metric.reset()
        if self._step is None:
            step = evaluation_step(self._model, self._loss, self._metrics, self._precision)
            self._step = jit(step) if self._compiles else step
        sums = Progress()
        for batch in batches:
            one = placed(batch)
            value, values = self._step(one)
            logs = {"loss": float(value)} | {name: float(x) for name, x in values.items()}
            sums.add(logs, logs.pop("weight", float(rows_of(one))))
        if not sums.totals:
            raise ShapeError("evaluate: there is no batch")
        return sums.means() | {name: one.result() for name, one in self._metrics.items()}

    def predict(self, batches: Iterable[Any], forward: Callable[[Any, Any], Any] | None) -> Any:
        """Return what the model gives, put together, as NumPy arrays."""
        if self._forward is None or self._forward[0] is not forward:
            chosen = _of_first_part if forward is None else forward

            def run(batch: Any) -> Any:
                with training_mode(False):
                    return chosen(self._model, batch)

            self._forward = (forward, jit(run) if self._compiles else run)
        results = [self._forward[1](placed(batch)) for batch in batches]
        if not results:
            raise ShapeError("predict: there is no batch")
        return tree.map(lambda *parts: np.concatenate([one.numpy() for one in parts]), *results)


def _of_first_part(model: Any, batch: Any) -> Any:
    return model(batch[0] if isinstance(batch, tuple | list) else batch)
