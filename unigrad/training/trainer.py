"""`Trainer`: steps over batches, with what surrounds them.

It knows no layer and no task: a loss is a function of a model and a batch, a model what has
``trainable_variables``, ``state_dict`` and ``named_variables``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from os import PathLike
from pathlib import Path
from typing import Any

from unigrad.core.errors import SettingError, ShapeError
from unigrad.data import Dataset
from unigrad.io import CheckpointError, latest
from unigrad.layers.training import training_mode
from unigrad.metrics import Metric
from unigrad.optimizers import Optimizer
from unigrad.tracing.jit import jit
from unigrad.training.callbacks import Callback, Logs
from unigrad.training.checks import batches_of, check_kinds, newest_in, total_steps, until
from unigrad.training.errors import TrainingError
from unigrad.training.evaluating import Evaluator
from unigrad.training.interrupting import interruptible
from unigrad.training.precision import LEAST_SCALE, MixedPrecision, precision_of
from unigrad.training.saving import History, Progress, Saver, not_finite, remove_all
from unigrad.training.steps import Loss, Step, computed, placed, rows_of, training_step


class Trainer:
    """Train a model on batches of data.

    Args:
        model: a `Module`, or what has its ``trainable_variables``, ``named_variables`` and
            ``state_dict``. If it was not built, the first batch builds it.
        loss: ``loss(model, batch)`` returns the loss, a 0-d Tensor, or a pair of that and a dict:
            numbers, of which means are logged, by name; what a metric of that name takes; and
            ``"weight"``, of how many examples, or tokens, the loss is the mean (by default the
            first array's rows).
        optimizer: what trains it.
        callbacks: take part in the run.
        metrics: `ug.metrics` that are fed what the loss gives under their name.
        folder: where checkpoints and logs are; None for none.
        keep: how many checkpoints stay.
        jit: compile the steps.
        precision: "float16" or "bfloat16": see `MixedPrecision`.
        parts: what else belongs to the run and is in its checkpoints, by name: random generators,
            Variables.
        settings: numbers and words that a run must share with the one it goes on from.

    Attributes:
        step: how many steps were done.
        epoch: which epoch it is in, from 0 on.
        position: how many of its batches were given.
        total: how many steps `fit` is to do in all, or None if that is not known.
        seconds, weight: what the last step took, and its weight.

    Raises:
        SettingError: when something is not what it should be.

    Example:
        >>> import numpy as np
        >>> import unigrad as ug
        >>> ug.layers.set_seed(0)
        >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
        >>> def loss(model, batch):
        ...     return ((model(batch["x"]) - batch["y"]) ** 2).mean()
        >>> trainer = ug.training.Trainer(ug.layers.Dense(1), loss, ug.optimizers.Adam(0.1))
        >>> data = ug.data.dataset({"x": x, "y": 2 * x + 1}).shuffle(1).batch(16)
        >>> history = trainer.fit(data, epochs=40)
        >>> len(history.losses), history.epochs[-1]["loss"] < 1e-3
        (160, True)
    """

    def __init__(
        self,
        model: Any,
        loss: Loss,
        optimizer: Optimizer,
        *,
        callbacks: Sequence[Callback] = (),
        metrics: Mapping[str, Metric] | None = None,
        folder: str | PathLike[str] | None = None,
        keep: int | None = 2,
        jit: bool = True,
        precision: MixedPrecision | str | None = None,
        parts: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        check_kinds(model, loss, optimizer, callbacks)
        self.model = model
        self.loss = loss
        self.callbacks = list(callbacks)
        self.metrics = dict(metrics or {})
        self.folder = None if folder is None else Path(folder)
        self.precision = precision_of(precision)
        self._compiles = jit
        self._keep = keep
        self._parts = dict(parts or {})
        self._settings = dict(settings or {})
        if self.precision is not None:
            optimizer = self.precision.wrap(optimizer)
        for callback in self.callbacks:
            optimizer = callback.wrap(optimizer)
        self.optimizer = optimizer
        self.total: int | None = None
        self.seconds = self.weight = 0.0
        self._progress = Progress()
        self._saver: Saver | None = None
        self._saved: tuple[int, int, int] | None = None
        self._train: Step | None = None
        self._evaluator = Evaluator(model, loss, self.metrics, self.precision, jit)

    @property
    def step(self) -> int:
        """How many steps were done."""
        return self._progress.step

    @property
    def epoch(self) -> int:
        """Which epoch it is in, from 0 on."""
        return self._progress.epoch

    @property
    def position(self) -> int:
        """How many of the epoch's batches were given."""
        return self._progress.position

    def stop(self, reason: str) -> None:
        """Let `fit` end after the step, or the epoch, that it is doing."""
        self._progress.reason = reason

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles make their own steps, of their own model."""
        return {**self.__dict__, "_train": None, "_saver": None}

    # -- training

    def fit(
        self,
        training: Any,
        *,
        epochs: int | None = None,
        steps: int | None = None,
        validation: Any = None,
        resume: bool = False,
        overwrite: bool = False,
        save_every: int | None = None,
    ) -> History:
        """Train until so many epochs, or steps, were done in all; return what happened.

        With a folder, a checkpoint is written at the end of each epoch and of training, after
        Ctrl-C, and every ``save_every`` steps. A run that is resumed does what it would have done
        if it had not been stopped: on the same backend the losses are equal bit for bit.

        Args:
            training: batches: a `Dataset`, or what `ug.data.dataset` takes.
            epochs: how many epochs in all; 1 if ``steps`` is not given either.
            steps: how many steps in all.
            validation: batches that the model is evaluated on after each epoch.
            resume: go on from the newest checkpoint in the folder; without one, begin.
            overwrite: remove the checkpoints that another run has left in the folder.
            save_every: write a checkpoint every so many steps, too.

        Raises:
            TrainingError: when the loss or a weight is no finite number. The last checkpoint is
                from before.
            CheckpointError: when a checkpoint cannot be written, or not be gone on from. The one
                before it stays.
            SettingError: when the folder has another run's checkpoints, or there is none to go on
                in, or the data gives rows in place of batches.
            ShapeError: when an epoch has no batch, or the loss is no single number.
            KeyboardInterrupt: after Ctrl-C, when the step is done and a checkpoint written.
        """
        data = batches_of("training", training)
        held_out = None if validation is None else batches_of("validation", validation)
        last_epoch, last_step = until(epochs, steps, save_every)
        self._progress.reason = None
        self._begin(data, resume, overwrite)
        self.total = total_steps(data, last_epoch, last_step)
        self._progress.batches = data._length()
        history = History(self.step, epochs=self._progress.epochs)
        with interruptible() as interrupted, ExitStack() as ending:
            for callback in self.callbacks:
                ending.callback(callback.on_end, self)
                callback.on_start(self)
            # An epoch whose last step was done may have to be ended still.
            while (
                self.epoch < last_epoch
                and (self.step < last_step or self.position)
                and self._progress.reason is None
            ):
                over = self._run_epoch(data, last_step, history, save_every, interrupted)
                if over:
                    self._end_epoch(held_out)
                if interrupted():
                    raise KeyboardInterrupt(self._interrupted())
                if not over:
                    break
            self._save()
        history.reason, history.epochs = self._progress.reason, [*history.epochs]
        return history

    def _begin(self, data: Dataset, resume: bool, overwrite: bool) -> None:
        """Find out where to begin; build what is not built."""
        found = newest_in(self.folder, resume)
        goes_on = resume and found is not None
        if found is not None and not (resume or overwrite or self.step):
            raise SettingError(
                f"fit: {self.folder} has a run's checkpoint, {found.name}; go on with resume=True, "
                "remove it with overwrite=True, or give another folder"
            )
        if goes_on or self._is_built():
            self._build(data)
        if goes_on and self._saver is not None and found is not None:
            self._progress = self._saver.restore(found, self.callbacks, data._length())
            self._saved = (self.step, self.epoch, self.position)
        elif found is not None and not self.step and self.folder is not None:
            remove_all(self.folder)

    def _run_epoch(
        self,
        data: Dataset,
        steps: float,
        history: History,
        save_every: int | None,
        interrupted: Callable[[], bool],
    ) -> bool:
        """Do the steps of an epoch that are left; tell whether it is over."""
        elements = data.elements(self.epoch, self.position)
        try:
            for batch in elements:
                if self.step >= steps or self._progress.reason is not None or interrupted():
                    return False
                history.losses.append(self._do_step(batch))
                if save_every and self.step % save_every == 0:
                    self._save()
        finally:
            # Threads that read ahead end with it.
            if hasattr(elements, "close"):
                elements.close()
        if not self.position:
            raise ShapeError(f"fit: epoch {self.epoch} has no batch")
        return True

    def _do_step(self, batch: Any) -> float:
        started = time.perf_counter()
        batch = placed(batch)
        if self._train is None:
            self._build([batch])
            assert self._train is not None
        with nullcontext() if self.precision is None else self.precision.overflowing():
            value, values = self._train(batch)
        loss = float(value)
        self.seconds = time.perf_counter() - started
        if not math.isfinite(loss):
            raise self._failed(f"the loss is {loss} at step {self.step + 1}", self.step + 1)
        if self.precision is not None and self.precision.scale < LEAST_SCALE:
            raise self._failed(
                f"gradients overflow whatever the loss is scaled by, at step {self.step + 1}",
                self.step + 1,
            )
        logs = {name: float(one) for name, one in values.items()}
        self.weight = logs.pop("weight", float(rows_of(batch)))
        logs["loss"] = loss
        progress = self._progress
        progress.step += 1
        progress.position += 1
        progress.add(logs, self.weight)
        for callback in self.callbacks:
            callback.on_step(self, logs)
        return loss

    def _end_epoch(self, held_out: Dataset | None) -> None:
        """Evaluate, tell the callbacks, and begin another epoch."""
        progress = self._progress
        logs = progress.means() | {name: one.result() for name, one in self.metrics.items()}
        if held_out is not None:
            found = self.evaluate(held_out)
            logs |= {f"val_{name}": value for name, value in found.items()}
        progress.epochs.append(logs)
        for callback in self.callbacks:
            callback.on_epoch(self, logs)
        for metric in self.metrics.values():
            metric.reset()
        progress.next_epoch()
        self._save()

    # -- the beginning and the end

    def _is_built(self) -> bool:
        modules = [self.model, *getattr(self.model, "submodules", ())]
        return all(getattr(one, "built", True) for one in modules)

    def _build(self, batches: Any) -> None:
        """Make weights, slots and programs, where they are not made yet."""
        if self._train is not None:
            return
        if not self._is_built():
            first = next(iter(batches), None)
            if first is None:
                raise ShapeError("fit: there is no batch to build the model with")
            with training_mode(False):
                computed(self.loss, self.model, placed(first))
        variables = self.model.trainable_variables
        if not variables:
            raise SettingError("Trainer: the model has no variable to train")
        self.optimizer.build(variables)
        parts = {f"part {name}": one for name, one in self._parts.items()}
        parts |= {f"metric {name}": one for name, one in self.metrics.items()}
        if self.precision is not None:
            self.precision.build(variables[0]._untaped())
            parts["precision"] = self.precision
        parts |= {"model": self.model, "optimizer": self.optimizer}
        if self.folder is not None:
            self._saver = Saver(self.folder, self._keep, parts, self._settings)
        train = training_step(self.model, self.loss, self.optimizer, self.metrics, self.precision)
        self._train = jit(train) if self._compiles else train

    def _save(self) -> None:
        """Write a checkpoint, unless this state is in one."""
        now = (self.step, self.epoch, self.position)
        if self._saver is None or self._saved == now:
            return
        bad = not_finite(self.model.trainable_variables)
        if bad is not None:
            raise self._failed(f"{bad} is no longer finite after step {self.step}", self.step)
        for callback in self.callbacks:
            callback.on_save(self)
        try:
            self._saver.save(self._progress, self.callbacks)
        except CheckpointError as error:
            message = f"after step {self.step}: {error}; {self.last_checkpoint()}"
            raise CheckpointError(message) from error
        self._saved = now

    def _failed(self, what: str, step: int) -> TrainingError:
        where = f"epoch {self.epoch + 1}, batch {self.position + 1}"
        advice = "A lower learning rate, or clipped gradients, may help"
        return TrainingError(f"{what} ({where}); {self.last_checkpoint()}. {advice}", step)

    def last_checkpoint(self) -> str:
        """Say in a clause where the last checkpoint is, and how to go on from it."""
        found = None if self.folder is None else latest(self.folder)
        if found is None:
            return "there is no checkpoint to go back to"
        return f"the last good checkpoint is {found}: go on from it with resume=True"

    def _interrupted(self) -> str:
        """Save, and say in a sentence where the run can go on."""
        self._save()
        if self._saver is None:
            why = "there is no folder" if self.folder is None else "there was no step"
            return f"Interrupted after step {self.step}; nothing was saved: {why}"
        held = latest(self._saver.folder)
        return f"Interrupted after step {self.step}, which {held} holds: go on with resume=True"

    # -- using the model

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Let the model be as it is to be evaluated: with averaged weights, if there are any."""
        with ExitStack() as contexts:
            for callback in self.callbacks:
                contexts.enter_context(callback.evaluating(self))
            yield

    def evaluate(self, data: Any) -> Logs:
        """Return the means of the loss and what else it gives over batches, and the metrics.

        Args:
            data: batches: a `Dataset`, or what `ug.data.dataset` takes.

        Raises:
            ShapeError: when there is no batch.
        """
        batches = batches_of("evaluation", data)
        self._build(batches)
        with self.evaluating():
            return self._evaluator.evaluate(batches)

    def predict(self, data: Any, forward: Callable[[Any, Any], Any] | None = None) -> Any:
        """Return what the model gives for batches, put together, as NumPy arrays.

        Args:
            data: batches: a `Dataset`, or what `ug.data.dataset` takes.
            forward: ``forward(model, batch)`` computes it; by default ``model(batch)``, and of a
                batch that is a tuple or list, the model of its first part.

        Raises:
            ShapeError: when there is no batch.
        """
        batches = batches_of("predict", data)
        # A model that was not trained has no averages.
        with self.evaluating() if self._train is not None else nullcontext():
            return self._evaluator.predict(batches, forward)
