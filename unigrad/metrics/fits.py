"""How much of the targets' variance predictions explain."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike
from unigrad.core.tensor import Tensor
from unigrad.metrics.labels import pair_of_equal_shape
from unigrad.metrics.metric import Metric, State, counted, ratio, weights_of
from unigrad.ops.arithmetic import square
from unigrad.ops.comparison import equal, where
from unigrad.ops.reductions import sum


def r2_score(
    y_true: TensorLike, y_pred: TensorLike, *, weights: TensorLike | None = None
) -> Tensor:
    """Return 1 - Σ w (y - p)² / Σ w (y - ȳ)², the coefficient of determination.

    It is NaN of equal targets.

    Raises:
        ShapeError: when the shapes do not fit.

    Example:
        >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 2.0]).item()
        0.5
    """
    metric = R2()
    return metric.compute(metric.accumulate(metric.init((y_true, y_pred)), y_true, y_pred, weights))


class R2(Metric):
    """The coefficient of determination of all targets and predictions; see `r2_score`.

    The targets' spread is kept about their mean so far, so that it has all its digits where they
    are far from 0. Source: Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for
    computing sample variances" (1979).

    Example:
        >>> r2 = R2()
        >>> r2.update([1.0, 2.0], [1.0, 2.0])
        >>> r2.update(3.0, 2.0)
        >>> r2.result()
        0.5
    """

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: Σ w, ȳ, Σ w (y - ȳ)², Σ w (y - p)²."""
        return {"weight": (), "mean": (), "spread": (), "errors": ()}

    def accumulate(
        self,
        state: State,
        y_true: TensorLike,
        y_pred: TensorLike,
        weights: TensorLike | None = None,
    ) -> State:
        """Take in targets and predictions, with weights or a mask of their shape.

        Raises:
            ShapeError: when the shapes do not fit.
        """
        y_true, y_pred = pair_of_equal_shape("R2", counted(state, y_true), counted(state, y_pred))
        weight = weights_of("R2", state, weights, y_true.shape)
        nothing = equal(weight, 0.0)
        y_true, y_pred = where(nothing, 0.0, y_true), where(nothing, 0.0, y_pred)
        whole = sum(weight)
        mean = ratio(sum(weight * y_true), whole, 0.0)
        batch = {
            "weight": whole,
            "mean": mean,
            "spread": sum(weight * square(y_true - mean)),
            "errors": sum(weight * square(y_true - y_pred)),
        }
        return self.merge(state, batch)

    def merge(self, first: State, second: State) -> State:
        """Return the state of both."""
        weight = first["weight"] + second["weight"]
        apart = second["mean"] - first["mean"]
        share = ratio(second["weight"], weight, 0.0)
        return {
            "weight": weight,
            "mean": first["mean"] + apart * share,
            "spread": first["spread"] + second["spread"] + square(apart) * first["weight"] * share,
            "errors": first["errors"] + second["errors"],
        }

    def compute(self, state: State) -> Tensor:
        """Return the coefficient so far."""
        return 1.0 - ratio(state["errors"], state["spread"])
