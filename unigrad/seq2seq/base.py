"""`EncoderDecoder`: what all models share: the loss and the searches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import signature
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from unigrad.core.arguments import as_tensor, visible
from unigrad.core.dtypes import INTEGER
from unigrad.core.errors import DTypeError, OutOfBoundsError, SettingError, ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.decoding.beam import beam_search, searched
from unigrad.decoding.constraints import largest_of
from unigrad.decoding.greedy import greedy_search, greedy_searched
from unigrad.decoding.padding import pad_sources
from unigrad.decoding.sampling import sample, sampled
from unigrad.decoding.steps import Decoded, Problems, Step, check
from unigrad.decoding.streaming import stream
from unigrad.layers.module import Module
from unigrad.layers.training import is_training, training_mode
from unigrad.ops.creation import astype
from unigrad.ops.reductions import sum
from unigrad.seq2seq.loss import masked_loss
from unigrad.tracing.jit import jit
from unigrad.tracing.signature import Static

__all__ = ["EncoderDecoder"]

_SEARCHES: dict[str, Callable[..., tuple[Decoded, Problems]]] = {
    "greedy_search": greedy_searched,
    "sample": sampled,
    "beam_search": searched,
}
_PUBLIC: dict[str, Callable[..., Decoded]] = {
    "greedy_search": greedy_search,
    "sample": sample,
    "beam_search": beam_search,
}
#: What the model itself tells a search.
_KNOWN = ("step", "state", "batch", "start", "end", "padding", "source_lengths")
#: Settings of searches that are tensors: inputs of a compiled search.
_INPUTS = ("key", "prefix")


def _frozen(value: Any) -> Any:
    """Return a setting as something that can be hashed, if it is one of those that may be given."""
    if isinstance(value, Mapping):
        return _Items(tuple(sorted(value.items())))
    if isinstance(value, np.ndarray | Tensor):
        value = value.tolist()
    if isinstance(value, set):
        return frozenset(value)
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _static(search: str, settings: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return the settings that a search is compiled for.

    Raises:
        SettingError: when one cannot be hashed.
    """
    found = tuple(sorted((name, _frozen(value)) for name, value in settings.items()))
    for name, value in found:
        try:
            hash(value)
        except TypeError as error:
            raise SettingError(
                f"{search}: {name}={settings[name]!r} cannot be hashed, and a search is compiled "
                "for each of its settings"
            ) from error
    return found


class _Items(tuple[Any, ...]):
    """A frozen dict's items."""

    __slots__ = ()


def _thawed(static: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Return settings that were frozen."""
    return {k: dict(v) if isinstance(v, _Items) else v for k, v in static}


#: The searches that a model has compiled, by name and settings. They are no part of the model,
#: which may be copied and pickled, and do not keep it.
_compiled_searches: WeakKeyDictionary[EncoderDecoder, dict[Any, Any]] = WeakKeyDictionary()


def _check_names(search: str, names: Iterable[str]) -> None:
    """Check that a search has settings of these names, and that they are the caller's to give.

    Raises:
        TypeError: as the search itself would.
    """
    taken = signature(_PUBLIC[search]).parameters
    for name in names:
        if name not in taken or name in _KNOWN:
            raise TypeError(f"{search}() got an unexpected keyword argument {name!r}")


def _compiled(model: EncoderDecoder, search: str, static: Any) -> Callable[..., Any]:
    """Return a model's search with certain settings as a compiled function."""
    known = _compiled_searches.setdefault(model, {})
    name = (search, Static(static))
    if name not in known:
        _check_names(search, [one for one, _ in static])
        owner = ref(model)

        def searched_by_model(source: Tensor, given: dict[str, Any]) -> Any:
            found = owner()
            assert found is not None
            return found._searched(source, given, search, static)

        known[name] = jit(searched_by_model)
    found: Callable[..., Any] = known[name]
    return found


class EncoderDecoder(Module):
    """An encoder and a decoder as one model that trains and decodes.

    A subclass makes both: the encoder is a module from tokens to `Encoded` with its `embedding`,
    the decoder a `StepDecoder`.

    Args:
        padding: the token that stands for nothing, in both vocabularies.
        start: the token before a target.
        end: the token after it.
        name: see `Module`.
    """

    #: A module from tokens to `Encoded`, and a `StepDecoder`.
    encoder: Any
    decoder: Any
    #: How many tokens are written.
    vocabulary: int

    def __init__(
        self, padding: int = 0, start: int = 1, end: int = 2, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.padding, self.start, self.end = padding, start, end

    def _check_tokens(self, vocabulary: int) -> None:
        """Check that start and end are among the tokens that are written.

        Raises:
            SettingError: when one is not.
        """
        for what, token in (("start", self.start), ("end", self.end)):
            if count(type(self).__name__, what, token, 0) >= vocabulary:
                raise SettingError(
                    f"{type(self).__name__}: {what} is token {token}, which is none of the "
                    f"{vocabulary} that are written"
                )

    def call(self, source: Any, tokens: Any) -> Tensor:
        """Return the logits (batch, time, vocabulary) of what follows each right token."""
        logits: Tensor = self.decoder(tokens, self.encoder(source))
        return logits

    def loss(
        self,
        source: Any,
        target: Any,
        *,
        teacher_forcing: float = 1.0,
        key: Any = None,
        label_smoothing: float = 0.0,
        per: str = "token",
        training: bool | None = None,
    ) -> Tensor:
        """Return the cross-entropy of the targets that are not padding; see `masked_loss`.

        Args:
            source: tokens (batch, time), padded behind.
            target: tokens (batch, time): start, …, end, padding.
            teacher_forcing: the probability that a step is fed the right token, and not the
                model's own: scheduled sampling, which needs a ``key``.
            key: a key of `ug.random`.
            label_smoothing, per: see `masked_loss`.
            training: the mode, for dropout; by default that of the call around it.

        Raises:
            SettingError: when a setting is none of what it may be, or there is no key.
        """
        source, target = as_tensor(source), as_tensor(target)
        if target.ndim != 2 or target.shape[:1] != source.shape[:1]:
            raise ShapeError(
                f"{self.name}: targets {target.shape} for sources {source.shape}: expected (batch, "
                "time) of the same batch"
            )
        tokens, wanted = target[:, :-1], target[:, 1:]
        if teacher_forcing != 1.0 and key is None:
            raise SettingError(f"{self.name}: teacher_forcing below 1 needs a key")
        with training_mode(is_training() if training is None else training):
            if teacher_forcing == 1.0:
                logits = self(source, tokens)
            else:
                logits = self.decoder.sampled(tokens, self.encoder(source), key, teacher_forcing)
        return masked_loss(
            wanted, logits, padding=self.padding, label_smoothing=label_smoothing, per=per
        )

    def greedy(self, source: Any, *, max_length: int, **settings: Any) -> Decoded:
        """Write the likeliest token at each step; see `greedy_search`, whose settings it takes.

        The search is compiled, once for each of few widths that sources are padded to. It is not
        training: dropout is off, also inside of `training_mode`.

        Raises:
            SettingError, ShapeError, DTypeError, DecodingError: as `greedy_search`, and when the
                source has no place.
            OutOfBoundsError: for a token of the source that the model does not know.
        """
        return self._decoded("greedy_search", source, max_length=max_length, **settings)

    def sample(self, source: Any, key: Any, *, max_length: int, **settings: Any) -> Decoded:
        """Draw a token at each step; see `unigrad.decoding.sample`. Compiled as `greedy`."""
        return self._decoded("sample", source, key=key, max_length=max_length, **settings)

    def beam(
        self, source: Any, *, max_length: int, beam: int = 5, n_best: int = 1, **settings: Any
    ) -> Decoded:
        """Write the likeliest sequences; see `beam_search`. Compiled as `greedy`.

        Of `beam_search`'s settings it takes all; the sources' lengths it knows. ``alignments=True``
        gives the attention (batch, n_best, max_length, time).
        """
        return self._decoded(
            "beam_search", source, max_length=max_length, beam=beam, n_best=n_best, **settings
        )

    def stream(
        self, source: Any, key: Any = None, *, max_length: int, **settings: Any
    ) -> Iterator[Tensor]:
        """Yield token after token of every sequence; see `unigrad.decoding.stream`."""
        source = self._source(source)
        length = count("stream", "max_length", max_length, 1)
        step, state = self._decoding(source, 1, length, aligned=False)
        fixed = {"batch": source.shape[0], "start": self.start, "end": self.end}
        return stream(
            step, state, key, padding=self.padding, max_length=max_length, **fixed, **settings
        )

    def _decoded(self, search: str, source: Any, **settings: Any) -> Decoded:
        """Run a search, compiled, over sources of one of few widths."""
        source = self._source(source)
        time = source.shape[1]
        if time:
            source = pad_sources(source, self.padding)
        given = {name: settings.pop(name) for name in _INPUTS if settings.get(name) is not None}
        self._check_prefix(search, given.get("prefix"))
        static = _static(search, settings)
        found: Decoded
        found, problems = _compiled(self, search, static)(source, given)
        check(search, problems)
        if found.alignments is None:
            return found
        return found._replace(alignments=found.alignments[..., :time])

    def _check_prefix(self, search: str, prefix: Any) -> None:
        """Check tokens that no compiled search can see."""
        if prefix is None:
            return
        tokens = as_tensor(prefix)
        largest = largest_of(tokens) if tokens.dtype in INTEGER else -1
        if largest >= self.vocabulary:
            raise SettingError(
                f"{search}: token {largest} is none of the {self.vocabulary} that the step knows"
            )

    def _source(self, source: Any) -> Tensor:
        """Return the source as a Tensor.

        Raises:
            ShapeError, DTypeError: when it is not (batch, time) of integers.
            OutOfBoundsError: for a token that the model does not know; in a traced function that
                makes NaN.
        """
        tokens = as_tensor(source)
        if tokens.ndim != 2:
            raise ShapeError(f"{self.name}: a source is (batch, time), not {tokens.shape}")
        if tokens.dtype not in INTEGER:
            raise DTypeError(f"{self.name}: a source is of integers, not {tokens.dtype.name}")
        values, most = visible(tokens), self.encoder.embedding.vocabulary
        if values is not None and values.size:
            for one in (int(values.min()), int(values.max())):
                if not 0 <= one < most:
                    raise OutOfBoundsError(
                        f"{self.name}: the source has {one}, which is none of its {most} tokens"
                    )
        return tokens

    def _searched(
        self, source: Tensor, given: dict[str, Any], search: str, static: Any
    ) -> tuple[Decoded, Problems]:
        settings = {**given, **_thawed(static)}
        aligned = bool(settings.pop("alignments", False))
        length = count(search, "max_length", settings["max_length"], 1)
        beam = count(search, "beam", settings.get("beam", 1), 1)
        step, state = self._decoding(source, beam, length, aligned)
        if search == "beam_search":
            settings["source_lengths"] = sum(astype(source != self.padding, "int64"), axis=1)
            settings["repeated"] = False
        return _SEARCHES[search](
            step,
            state,
            batch=source.shape[0],
            start=self.start,
            end=self.end,
            padding=self.padding,
            alignments=source.shape[1] if aligned else None,
            **settings,
        )

    def _decoding(self, source: Tensor, beam: int, length: int, aligned: bool) -> tuple[Step, Any]:
        """Encode, and return the step of a search and its state, one row per sequence.

        The step takes as many rows per sequence as it is given, up to ``beam``. Nothing of it is
        training, whatever the mode around the search: dropout is off.
        """
        with training_mode(False):
            encoded = self.encoder(source)
            memory = self.decoder.remember(encoded, source.shape[0] * beam)
            first = self.decoder.first(encoded, length)

        def step(last: Tensor, state: Any) -> tuple[Any, ...]:
            with training_mode(False):
                found: tuple[Any, ...] = self.decoder.step(last, state, memory)
            return found if aligned else found[:2]

        return step, first
