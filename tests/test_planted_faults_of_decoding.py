"""The suite's checks of decoding are themselves tested: each planted fault is caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import unigrad as ug
from unigrad.decoding import DecodingError, beam, ensembles, sampling, scoring, search, walking
from unigrad.decoding.search import Search
from unigrad_conformance import decoding_errors  # noqa: F401 (writes bad calls down)
from unigrad_conformance.decoding import promises, searches
from unigrad_conformance.errors import BAD_CALLS, check_bad_call
from unigrad_conformance.subject import Deviation

Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], None]
CHECKS = dict([*searches(), *promises()])
ERRORS = {one.name: one for one in BAD_CALLS}


@pytest.fixture(autouse=True)
def on_numpy() -> Iterator[None]:
    with ug.use_backend("numpy"):
        yield


def _instead(target: Any, name: str, make: Callable[[Any], Any]) -> Plant:
    """Put something made of the honest function in its place."""
    return lambda patch: patch.setattr(target, name, make(getattr(target, name)))


def _constraints(**changes: Callable[[Any], Any]) -> Plant:
    """Change the constraints of beam searches after they were checked."""

    def make(honest: Any) -> Any:
        def constraints_of(*given: Any, **settings: Any) -> Any:
            found = honest(*given, **settings)
            return replace(
                found, **{name: change(getattr(found, name)) for name, change in changes.items()}
            )

        return constraints_of

    return _instead(beam, "constraints_of", make)


def _last_of_equals(honest: Any) -> Any:
    def top_k(x: ug.Tensor, k: int) -> Any:
        values, places = honest(x[:, ::-1], k)
        return values, x.shape[1] - 1 - places

    return top_k


def _rows_stay(honest: Any) -> Any:
    return lambda state, rows: state


def _nothing_finishes(honest: Any) -> Any:
    return lambda self, before, scores, written, ended, length: honest(
        self, before, scores, written, ended & (scores > 0.0), length
    )


def _decided_groups_say_nothing(honest: Any) -> Any:
    return lambda self, carry, parts, like: honest(
        self, carry._replace(running=ug.zeros_like(carry.running)), parts, like
    )


def _first_in_pool_lost(honest: Any) -> Any:
    def finished(*given: Any) -> Any:
        found = honest(*given)
        # Whoever comes later takes the place of the best one that has waited.
        scores = ug.concat([found.scores[:, 1:], found.scores[:, :1] - ug.inf], axis=1)
        return found._replace(scores=scores)

    return finished


def _alignments_stay(honest: Any) -> Any:
    def written(self: Any, carry: Any, rows: Any, tokens: Any, attention: Any) -> Any:
        found = honest(self, carry, rows, tokens, attention)
        if attention is not None:
            stayed = honest(self, carry, rows * 0, tokens, attention)
            found["alignments"] = stayed["alignments"]
        return found

    return written


FAULTS: dict[str, tuple[Plant, tuple[str, ...]]] = {
    "penalties of one token more": (
        _instead(search, "length_penalty_of", lambda f: lambda n, *rest: f(n + 1, *rest)),
        ("beam search, hf", "beam search, gnmt", "beam search, average"),
    ),
    "one rule for all": (
        _instead(search, "length_penalty_of", lambda f: lambda n, a, rule: f(n, a, "hf")),
        ("beam search, gnmt", "beam search, average"),
    ),
    "the last of equals": (_instead(search, "top_k", _last_of_equals), ("ties",)),
    "states that stay with their rows": (
        _instead(search, "take_rows", _rows_stay),
        ("beam search, hf", "beam search, wu", "the best of all sequences"),
    ),
    "nothing ever finishes": (
        _instead(Search, "_finished", _nothing_finishes),
        ("beam search, hf", "beam search, wu"),
    ),
    "finished hypotheses are lost": (
        _instead(Search, "_finished", _first_in_pool_lost),
        ("beam search, hf", "beam search, wu", "the best of all sequences"),
    ),
    "nothing stops early": (
        _instead(Search, "_decided", lambda f: lambda self, running, *_: running[:, :1] > 1.0),
        ("beam search, hf, stopped early", "beam search, wu, stopped early"),
    ),
    "everything stops at the first end": (
        _instead(
            Search, "_decided", lambda f: lambda self, running, done, *_: done[:, :1] > -ug.inf
        ),
        ("beam search, hf", "beam search, wu", "beam search, hf, never stopped"),
    ),
    "the longest length counts as the present one": (
        _instead(
            Search,
            "_decided",
            lambda f: lambda self, *given: f(replace(self, early_stopping="never"), *given),
        ),
        ("beam search, wu, stopped early", "beam search, hf, stopped early"),
    ),
    "a shortest length of one less": (
        _constraints(min_length=lambda n: n - 1),
        ("beam search, lengths",),
    ),
    "banned tokens come": (
        _constraints(banned=lambda _: ()),
        ("beam search, tokens banned and forced", "the best of all sequences"),
    ),
    "nothing is forced": (
        _constraints(forced=lambda _: None),
        ("beam search, tokens banned and forced", "beam search, a prefix"),
    ),
    "n-grams of one more": (
        _constraints(ngram=lambda n: n and n + 1),
        ("beam search, no pair of tokens twice",),
    ),
    "one end of two": (_constraints(end=lambda ends: ends[:1]), ("beam search, hf, two ends",)),
    "groups that do not mind each other": (
        _instead(Search, "_taken", lambda f: lambda *given: f(*given) * 0.0),
        ("beam search, groups", "beam search, groups by another rule"),
    ),
    "decided groups without padding": (
        _instead(Search, "_taken", _decided_groups_say_nothing),
        ("beam search, groups of one, stopped early",),
    ),
    "coverage of all": (
        _instead(search, "coverage", lambda f: lambda a, beta, inside: f(a + 1.0, beta, inside)),
        ("beam search, coverage",),
    ),
    "alignments that stay with their rows": (
        _instead(Search, "_written", _alignments_stay),
        ("alignments",),
    ),
    "one limit for all": (
        _instead(beam, "_limits", lambda f: lambda *given: f(*given) * 0 + given[2]),
        ("lengths by the sources",),
    ),
    "the same key at every step": (
        _instead(sampling, "fold_in", lambda f: lambda key, place: key),
        ("samples",),
    ),
    "top_p without the token that reaches it": (
        _instead(sampling, "cumulative_sum", lambda f: lambda x, axis: f(x, axis=axis) + x),
        ("samples",),
    ),
    "ends that do not end": (
        _instead(walking, "is_one_of", lambda f: lambda tokens, _: tokens < 0),
        ("greedy search and streams",),
    ),
    "targets of the step before": (
        _instead(scoring, "take_along_axis", lambda f: lambda x, i, axis: f(x, i * 0, axis=axis)),
        ("scores of given targets",),
    ),
    "temperatures kept away from 0": (
        _instead(sampling, "_divided", lambda _: lambda logits, heat: logits / (heat + 0.1)),
        ("samples at extreme temperatures",),
    ),
    "negative targets counted from the end": (
        _instead(
            scoring,
            "where",
            lambda f: (
                lambda c, a, b: (
                    f(ug.full_like(c, False), a, b) if isinstance(a, float) else f(c, a, b)
                )
            ),
        ),
        ("scores of what is no target",),
    ),
    "an ensemble by the best model": (
        _instead(ensembles, "logsumexp", lambda f: lambda x, axis: ug.max(x, axis=axis)),
        ("ensembles",),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_caught(monkeypatch: Patch, name: str) -> None:
    plant, checks = FAULTS[name]
    plant(monkeypatch)
    for one in checks:
        with pytest.raises((Deviation, AssertionError, DecodingError)):
            CHECKS[one]()


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("score_targets: a negative target", "_check_targets"),
        ("score_targets: a length that is negative", "_check_lengths"),
    ],
)
def test_scores_that_are_not_refused_are_caught(monkeypatch: Patch, name: str, check: str) -> None:
    monkeypatch.setattr(scoring, check, lambda *_: None)
    with pytest.raises(Deviation, match="instead of raising"):
        check_bad_call(ERRORS[name])


@pytest.mark.parametrize("name", ["beam search: logits of NaN", "greedily: every token forbidden"])
def test_an_error_that_is_not_raised_is_caught(monkeypatch: Patch, name: str) -> None:
    for module in ("beam", "greedy", "sampling"):
        monkeypatch.setattr(f"unigrad.decoding.{module}.check", lambda *_: None)
    with pytest.raises(Deviation, match="instead of raising"):
        check_bad_call(ERRORS[name])


def test_a_processor_that_is_not_asked_is_caught(monkeypatch: Patch) -> None:
    _constraints(processors=lambda _: ())(monkeypatch)
    with pytest.raises((Deviation, IndexError)):
        CHECKS["processors"]()
