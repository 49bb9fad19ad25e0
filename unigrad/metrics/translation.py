"""BLEU and chrF: how many n-grams of a text are in its references.

Texts are counted on the host: these metrics belong outside of compiled functions. BLEU's tokens,
counts and smoothing are sacrebleu's, which is asked for them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.metrics.labels import require_whole
from unigrad.metrics.metric import Metric, State, counted
from unigrad.metrics.sequences import has_elements, pairs_of

#: What chrF counts by n.
_GRAMS = ("hypothesis", "reference", "both")

#: One reference of a text, or several.
Reference: TypeAlias = str | Sequence[str]


def bleu(references: Iterable[Reference], hypotheses: Iterable[str], **settings: Any) -> float:
    """Return the BLEU of a corpus, in [0, 100]; see `BLEU`.

    Example:
        >>> round(bleu(["the cat sat on the mat"], ["the cat is on the mat"]), 2)
        37.99
    """
    metric = BLEU(**settings)
    state = metric.accumulate(metric.init(), references, hypotheses)
    return float(metric.compute(state))


def chrf(references: Iterable[Reference], hypotheses: Iterable[str], **settings: Any) -> float:
    """Return the chrF of a corpus, in [0, 100]; see `CHRF`.

    Example:
        >>> round(chrf(["the cat sat on the mat"], ["the cat is on the mat"]), 2)
        61.93
    """
    metric = CHRF(**settings)
    state = metric.accumulate(metric.init(), references, hypotheses)
    return float(metric.compute(state))


class BLEU(Metric):
    """The geometric mean of n-grams' precisions, times a penalty of texts that are too short.

    Equal to sacrebleu's, with its defaults: the tokens of mteval-v13a, n up to 4, and exponential
    smoothing of precisions that are 0. It needs ``pip install 'unigrad[text]'``.

    Sources: Papineni, Roukos, Ward & Zhu, "BLEU" (2002); Post, "A call for clarity in reporting
    BLEU scores" (2018); smoothing: Chen & Cherry, "A systematic comparison of smoothing techniques
    for sentence-level BLEU" (2014), method 3.

    Args:
        lowercase: whether case does not count.
        tokenize: sacrebleu's name of a tokenizer; ``"none"`` splits at spaces.
        smooth_method: ``"exp"``, ``"floor"``, ``"add-k"`` or ``"none"``.
        smooth_value: of floor and add-k.
        order: the largest n.

    Raises:
        ImportError: when sacrebleu is not installed.
        SettingError: when there is no such tokenizer or smoothing, or no n-gram to count.

    Example:
        >>> metric = BLEU()
        >>> metric.update(["the cat sat on the mat"], ["the cat is on the mat"])
        >>> round(metric.result(), 2)
        37.99
    """

    def __init__(
        self,
        *,
        lowercase: bool = False,
        tokenize: str = "13a",
        smooth_method: str = "exp",
        smooth_value: float | None = None,
        order: int = 4,
    ) -> None:
        try:
            import sacrebleu
        except ImportError as error:
            raise ImportError(
                f"{error}; install what counts texts: pip install 'unigrad[text]'"
            ) from error
        require_whole("BLEU", order=order)
        for name, value, known in (
            ("tokenize", tokenize, sacrebleu.BLEU.TOKENIZERS),
            ("smooth_method", smooth_method, sacrebleu.BLEU.SMOOTH_DEFAULTS),
        ):
            if value not in known:
                raise SettingError(
                    f"BLEU: {name}={value!r}: expected one of {', '.join(map(repr, known))}"
                )
        self.order = order
        self._smoothing: dict[str, Any] = {
            "smooth_method": smooth_method,
            "smooth_value": smooth_value,
        }
        # Single sentences give counts alone: these are not smoothed (add-k would stay in them), and
        # with effective_order nobody is warned of a score of theirs.
        self._counter = sacrebleu.BLEU(
            lowercase=lowercase, tokenize=tokenize, max_ngram_order=order, effective_order=True,
            smooth_method="none",
        )  # fmt: skip

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: texts, right n-grams and all by n, and lengths in tokens."""
        return {
            "texts": (), "right": (self.order,), "all": (self.order,), "length": (),
            "reference_length": (),
        }  # fmt: skip

    def accumulate(
        self, state: State, references: Iterable[Reference], hypotheses: Iterable[str]
    ) -> State:
        """Take in texts and their references.

        Raises:
            ShapeError: when their numbers differ.
            DTypeError: when one is no text, or a single text stands for a list of them.
        """
        found = [
            self._counter.sentence_score(hypothesis, several)
            for several, hypothesis in _texts("BLEU", references, hypotheses)
        ]
        batch = {
            "texts": len(found),
            "right": _totals([one.counts for one in found], self.order),
            "all": _totals([one.totals for one in found], self.order),
            "length": sum(one.sys_len for one in found),
            "reference_length": sum(one.ref_len for one in found),
        }
        return {name: state[name] + counted(state, value) for name, value in batch.items()}

    def compute(self, state: State) -> Tensor:
        """Return the score so far, in [0, 100]."""
        texts, right, every, length, wanted = (
            np.asarray(state[name].numpy()).astype(int).tolist() for name in self.shapes()
        )
        if not texts:
            return counted(state, float("nan"))
        score = self._counter.compute_bleu(
            right, every, length, wanted, max_ngram_order=self.order, **self._smoothing
        )
        return counted(state, float(score.score))


class CHRF(Metric):
    """The F-score of character n-grams: precision and recall, each averaged over n.

    Equal to sacrebleu's, with its defaults: n up to 6, spaces left out, recall counting β = 2 times
    as much. Of several references the one with the best score counts.

    Source: Popović, "chrF: character n-gram F-score for automatic MT evaluation" (2015).

    Args:
        order: the largest n.
        beta: β.
        lowercase: whether case does not count.
        whitespace: whether spaces do.

    Raises:
        SettingError: when a number is not positive.

    Example:
        >>> metric = CHRF()
        >>> metric.update(["the cat sat on the mat"], ["the cat is on the mat"])
        >>> round(metric.result(), 2)
        61.93
    """

    def __init__(
        self,
        *,
        order: int = 6,
        beta: float = 2.0,
        lowercase: bool = False,
        whitespace: bool = False,
    ) -> None:
        require_whole("CHRF", order=order)
        if not 0 < beta < math.inf:
            raise SettingError(f"CHRF: beta={beta}: expected a positive number")
        self.order = order
        self.beta = beta
        self.lowercase = lowercase
        self.whitespace = whitespace

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: texts, and by n the n-grams of these, of references, of both."""
        grams = dict.fromkeys(_GRAMS, (self.order,))
        return {"texts": (), **grams}

    def accumulate(
        self, state: State, references: Iterable[Reference], hypotheses: Iterable[str]
    ) -> State:
        """Take in texts and their references.

        Raises:
            ShapeError: when their numbers differ.
            DTypeError: when one is no text, or a single text stands for a list of them.
        """
        texts, total = 0, np.zeros((3, self.order))
        for several, hypothesis in _texts("CHRF", references, hypotheses):
            own = self._grams(hypothesis)
            found = [_overlap(own, self._grams(one)) for one in several]
            texts, total = texts + 1, total + max(found, key=self._score)
        batch = {"texts": texts, **dict(zip(_GRAMS, total, strict=True))}
        return {name: state[name] + counted(state, value) for name, value in batch.items()}

    def compute(self, state: State) -> Tensor:
        """Return the score so far, in [0, 100]."""
        counts = np.stack([state[name].numpy() for name in _GRAMS])
        return counted(state, self._score(counts) if state["texts"].item() else float("nan"))

    def _grams(self, text: str) -> list[Counter[str]]:
        """Return how often each n-gram of characters is in a text, by n."""
        text = text.lower() if self.lowercase else text
        text = text if self.whitespace else "".join(text.split())
        return [
            Counter(text[i : i + n] for i in range(len(text) - n + 1))
            for n in range(1, self.order + 1)
        ]

    def _score(self, counts: Any) -> float:
        """Return F_β of the mean precision and recall, over those n that both sides have."""
        hypothesis, reference, both = counts[:, (counts[:2] > 0).all(axis=0)]
        if not both.any():
            return 0.0
        precision, recall = (both / hypothesis).mean(), (both / reference).mean()
        factor = self.beta**2
        return float(100 * (1 + factor) * precision * recall / (factor * precision + recall))


def _overlap(first: list[Counter[str]], second: list[Counter[str]]) -> Any:
    """Return how many n-grams are in the first, the second and both; none where one has none."""
    return np.array(
        [
            (a.total() if b else 0, b.total(), (a & b).total())
            for a, b in zip(first, second, strict=True)
        ],
        float,
    ).T


def _texts(
    owner: str, references: Iterable[Reference], hypotheses: Iterable[str]
) -> Iterator[tuple[list[str], str]]:
    """Yield the references of each hypothesis, and the hypothesis.

    Raises:
        ShapeError: when their numbers differ, or a hypothesis has no reference.
        DTypeError: when one is no text, or a single text stands for a list of them.
    """
    for reference, hypothesis in pairs_of(owner, references, hypotheses):
        one = isinstance(reference, str) or not has_elements(reference)
        several: list[Any] = [reference] if one else list(reference)
        if not several:
            raise ShapeError(f"{owner}: no reference for {hypothesis!r}")
        for text in (*several, hypothesis):
            if not isinstance(text, str):
                raise DTypeError(f"{owner}: expected a text, not {text!r}")
        yield several, hypothesis


def _totals(rows: list[list[int]], width: int) -> list[float]:
    """Return the sums of columns."""
    return [float(sum(row[i] for row in rows)) for i in range(width)]
