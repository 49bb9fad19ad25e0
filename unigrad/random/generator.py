"""`Generator`: a key that splits itself, for code that would rather not carry keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.arguments import TensorLike
from unigrad.core.dtypes import DTypeLike
from unigrad.core.exchanging import exchange
from unigrad.core.state import load_into, state_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.random import (
    continuous,
    counts,
    discrete,
    gammas,
    keys,
    multinomials,
    multivariate,
    powers,
    shuffling,
    truncated,
    uniforms,
)

__all__ = ["Generator"]


class Generator:
    """Draws without keys: each call splits the generator's key in two and uses the second.

    Its key is a Variable, so `ug.jit` sees that a compiled function draws from it, and a
    checkpoint or a module that holds the generator saves its state. It lives where it was made,
    and so do the draws.

    Example:
        >>> generator = Generator(0)
        >>> first, second = generator.uniform((2,)), generator.uniform((2,))
        >>> first.tolist() == second.tolist()
        False
    """

    __slots__ = ("key",)

    def __init__(self, seed: int) -> None:
        self.key = Variable(keys.key(seed), trainable=False, name="Generator.key")

    def named_variables(self) -> dict[str, Variable]:
        """Return the state by name: the key."""
        return {"key": self.key}

    def state_dict(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return a copy of the state as an ndarray by name."""
        return state_of(self.named_variables())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state: the draws go on as they did where it came from.

        Raises:
            UnigradError: when names, shapes or dtypes differ; then nothing is changed.

        Example:
            >>> first, second = Generator(1), Generator(2)
            >>> second.load_state_dict(first.state_dict())
            >>> first.uniform().item() == second.uniform().item()
            True
        """
        load_into(self.named_variables(), state, type(self).__name__)

    def next_key(self) -> Tensor:
        """Return a key that no other draw of this generator uses, in any thread."""
        return exchange([self.key], self._halves)  # type: ignore[no-any-return]

    def _halves(self, _: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
        rest, key = keys.halves(self.key.read())
        return [rest], key

    def split(self, num: int = 2) -> Tensor:
        """Return new keys, as `ug.random.split`."""
        return keys.split(self.next_key(), num)

    def bits(self, shape: int | Sequence[int] = (), dtype: DTypeLike = "uint32") -> Tensor:
        """Draw as `ug.random.bits`."""
        return keys.bits(self.next_key(), shape, dtype)

    def uniform(
        self,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike | None = None,
        minval: TensorLike = 0.0,
        maxval: TensorLike = 1.0,
    ) -> Tensor:
        """Draw as `ug.random.uniform`."""
        return uniforms.uniform(self.next_key(), shape, dtype, minval, maxval)

    def normal(
        self,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike | None = None,
        *,
        loc: TensorLike = 0.0,
        scale: TensorLike = 1.0,
    ) -> Tensor:
        """Draw as `ug.random.normal`."""
        return continuous.normal(self.next_key(), shape, dtype, loc=loc, scale=scale)

    def gumbel(
        self,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike | None = None,
        *,
        loc: TensorLike = 0.0,
        scale: TensorLike = 1.0,
    ) -> Tensor:
        """Draw as `ug.random.gumbel`."""
        return continuous.gumbel(self.next_key(), shape, dtype, loc=loc, scale=scale)

    def laplace(
        self,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike | None = None,
        *,
        loc: TensorLike = 0.0,
        scale: TensorLike = 1.0,
    ) -> Tensor:
        """Draw as `ug.random.laplace`."""
        return continuous.laplace(self.next_key(), shape, dtype, loc=loc, scale=scale)

    def logistic(
        self,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike | None = None,
        *,
        loc: TensorLike = 0.0,
        scale: TensorLike = 1.0,
    ) -> Tensor:
        """Draw as `ug.random.logistic`."""
        return continuous.logistic(self.next_key(), shape, dtype, loc=loc, scale=scale)

    def cauchy(
        self,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike | None = None,
        *,
        loc: TensorLike = 0.0,
        scale: TensorLike = 1.0,
    ) -> Tensor:
        """Draw as `ug.random.cauchy`."""
        return continuous.cauchy(self.next_key(), shape, dtype, loc=loc, scale=scale)

    def exponential(
        self,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike | None = None,
        *,
        scale: TensorLike = 1.0,
    ) -> Tensor:
        """Draw as `ug.random.exponential`."""
        return continuous.exponential(self.next_key(), shape, dtype, scale=scale)

    def truncated_normal(
        self,
        lower: TensorLike,
        upper: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.truncated_normal`."""
        return truncated.truncated_normal(self.next_key(), lower, upper, shape, dtype)

    def pareto(
        self,
        b: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.pareto`."""
        return powers.pareto(self.next_key(), b, shape, dtype)

    def weibull(
        self,
        scale: TensorLike,
        concentration: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.weibull`."""
        return powers.weibull(self.next_key(), scale, concentration, shape, dtype)

    def rayleigh(
        self,
        scale: TensorLike = 1.0,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.rayleigh`."""
        return powers.rayleigh(self.next_key(), scale, shape, dtype)

    def gamma(
        self,
        a: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.gamma`."""
        return gammas.gamma(self.next_key(), a, shape, dtype)

    def loggamma(
        self,
        a: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.loggamma`."""
        return gammas.loggamma(self.next_key(), a, shape, dtype)

    def chisquare(
        self,
        df: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.chisquare`."""
        return gammas.chisquare(self.next_key(), df, shape, dtype)

    def student_t(
        self,
        df: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.student_t`."""
        return gammas.student_t(self.next_key(), df, shape, dtype)

    def beta(
        self,
        a: TensorLike,
        b: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.beta`."""
        return gammas.beta(self.next_key(), a, b, shape, dtype)

    def dirichlet(
        self,
        alpha: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.dirichlet`."""
        return gammas.dirichlet(self.next_key(), alpha, shape, dtype)

    def multivariate_normal(
        self,
        mean: TensorLike,
        cov: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.multivariate_normal`."""
        return multivariate.multivariate_normal(self.next_key(), mean, cov, shape, dtype)

    def orthogonal(
        self,
        n: int,
        shape: int | Sequence[int] = (),
        m: int | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.orthogonal`."""
        return multivariate.orthogonal(self.next_key(), n, shape, m, dtype)

    def ball(
        self,
        d: int,
        p: float = 2.0,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.ball`."""
        return multivariate.ball(self.next_key(), d, p, shape, dtype)

    def rademacher(
        self,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike = "int64",
    ) -> Tensor:
        """Draw as `ug.random.rademacher`."""
        return discrete.rademacher(self.next_key(), shape, dtype)

    def dropout_mask(
        self,
        rate: TensorLike,
        shape: int | Sequence[int] | None = None,
    ) -> Tensor:
        """Draw as `ug.random.dropout_mask`."""
        return discrete.dropout_mask(self.next_key(), rate, shape)

    def poisson(
        self,
        lam: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike = "int64",
    ) -> Tensor:
        """Draw as `ug.random.poisson`."""
        return counts.poisson(self.next_key(), lam, shape, dtype)

    def geometric(
        self,
        p: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike = "int64",
    ) -> Tensor:
        """Draw as `ug.random.geometric`."""
        return counts.geometric(self.next_key(), p, shape, dtype)

    def binomial(
        self,
        n: TensorLike,
        p: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike = "int64",
    ) -> Tensor:
        """Draw as `ug.random.binomial`."""
        return counts.binomial(self.next_key(), n, p, shape, dtype)

    def multinomial(
        self,
        n: TensorLike,
        p: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike = "int64",
    ) -> Tensor:
        """Draw as `ug.random.multinomial`."""
        return multinomials.multinomial(self.next_key(), n, p, shape, dtype)

    def randint(
        self,
        shape: int | Sequence[int],
        minval: TensorLike,
        maxval: TensorLike,
        dtype: DTypeLike = "int64",
    ) -> Tensor:
        """Draw as `ug.random.randint`."""
        return discrete.randint(self.next_key(), shape, minval, maxval, dtype)

    def bernoulli(self, p: TensorLike = 0.5, shape: int | Sequence[int] | None = None) -> Tensor:
        """Draw as `ug.random.bernoulli`."""
        return discrete.bernoulli(self.next_key(), p, shape)

    def categorical(
        self,
        logits: TensorLike,
        axis: int = -1,
        shape: int | Sequence[int] | None = None,
        replace: bool = True,
    ) -> Tensor:
        """Draw as `ug.random.categorical`."""
        return discrete.categorical(self.next_key(), logits, axis, shape, replace)

    def permutation(self, x: TensorLike, axis: int = 0, independent: bool = False) -> Tensor:
        """Draw as `ug.random.permutation`."""
        return shuffling.permutation(self.next_key(), x, axis, independent)

    def choice(
        self,
        a: TensorLike,
        shape: int | Sequence[int] = (),
        replace: bool = True,
        p: TensorLike | None = None,
        axis: int = 0,
    ) -> Tensor:
        """Draw as `ug.random.choice`."""
        return shuffling.choice(self.next_key(), a, shape, replace, p, axis)
