"""What transformers' ``generate`` finds by beam search on a small recurrent model, written down.

``python -m native.transformers_lists`` (in tests/, with transformers 5, or 4 for `GROUPS`) writes
the file again that `lists` reads. The model is h ← tanh(h A + E[token]), logits = h O + b; a
sequence starts with a token of its own, so a batch of them is a batch of different searches.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

VOCABULARY, COUNT, UNITS = 18, 500, 16
PADDING, END = 1, 2
#: How many sequences are written down, of `COUNT`.
KEPT = 12
FILE = Path(__file__).with_suffix(".json")

#: Settings of transformers, by its names.
SETTINGS: list[dict[str, Any]] = [
    {"num_beams": 1},
    {"num_beams": 5},
    {"num_beams": 5, "num_return_sequences": 5, "length_penalty": -1.0},
    {"num_beams": 3, "num_return_sequences": 2, "length_penalty": 2.0, "early_stopping": True},
    {"num_beams": 4, "num_return_sequences": 4, "length_penalty": 0.6, "early_stopping": "never"},
    {"num_beams": 10, "num_return_sequences": 10, "length_penalty": 1.0},
    {"num_beams": 6, "num_return_sequences": 3, "min_length": 4},
    {"num_beams": 5, "num_return_sequences": 5, "no_repeat_ngram_size": 2},
    {"num_beams": 4, "num_return_sequences": 4, "length_penalty": 0.0, "max_new_tokens": 4},
    {"num_beams": 2, "length_penalty": -0.5, "early_stopping": "never"},
    {"num_beams": 8, "num_return_sequences": 8, "length_penalty": 0.0, "early_stopping": True},
    {"num_beams": 7, "num_return_sequences": 7, "length_penalty": 1.5, "early_stopping": "never",
     "min_length": 3, "no_repeat_ngram_size": 3},
    {"num_beams": 5, "num_return_sequences": 3, "eos_token_id": [2, 5]},
    {"num_beams": 5, "num_return_sequences": 3, "bad_words_ids": [[3], [4]]},
]  # fmt: skip
#: Diverse groups, of transformers 4: with 5 they are a recipe that is to be downloaded.
GROUPS: list[dict[str, Any]] = [
    {"num_beams": 4, "num_return_sequences": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
    {"num_beams": 6, "num_return_sequences": 6, "num_beam_groups": 3, "diversity_penalty": 1.0,
     "length_penalty": 0.5, "early_stopping": True},
    {"num_beams": 6, "num_return_sequences": 3, "num_beam_groups": 2, "diversity_penalty": 0.3,
     "length_penalty": 2.0, "early_stopping": "never"},
    {"num_beams": 4, "num_return_sequences": 4, "num_beam_groups": 4, "diversity_penalty": 5.0,
     "length_penalty": -0.5, "max_new_tokens": 4},
]  # fmt: skip


def weights() -> tuple[NDArray[np.float32], ...]:
    """Return E, A, O and b."""
    generator = np.random.default_rng(0)
    embeddings = generator.normal(size=(VOCABULARY + COUNT, UNITS))
    kernel = generator.normal(size=(UNITS, UNITS)) * 0.4
    output = generator.normal(size=(UNITS, VOCABULARY)) * 0.9
    bias = np.zeros(VOCABULARY)
    bias[END] = 0.5
    return tuple(one.astype(np.float32) for one in (embeddings, kernel, output, bias))


def starts() -> NDArray[np.int64]:
    """Return the first token of each sequence."""
    return np.arange(VOCABULARY, VOCABULARY + COUNT)


def lists() -> list[tuple[dict[str, Any], Any, Any]]:
    """Return settings, tokens (KEPT, n_best, length) and scores (KEPT, n_best)."""
    return [tuple(one) for one in json.loads(FILE.read_text())]


def found(settings: dict[str, Any]) -> tuple[Any, Any]:
    """Return what transformers finds: tokens (COUNT, n_best, length), scores (COUNT, n_best)."""
    import torch
    import transformers
    from transformers.modeling_outputs import CausalLMOutput

    class Toy(transformers.PreTrainedModel, transformers.GenerationMixin):
        config_class = transformers.PretrainedConfig
        main_input_name = "input_ids"

        def __init__(self, config):
            super().__init__(config)
            self.unused = torch.nn.Parameter(torch.zeros(1))
            self.values = [torch.tensor(one) for one in weights()]
            self.post_init()

        def prepare_inputs_for_generation(self, input_ids, **_):
            return {"input_ids": input_ids}

        def forward(self, input_ids, **_):
            embeddings, kernel, output, bias = self.values
            h = torch.zeros(len(input_ids), UNITS)
            for token in input_ids.T:
                h = torch.tanh(h @ kernel + embeddings[token])
            return CausalLMOutput(logits=(h @ output + bias)[:, None])

    given = {"max_new_tokens": 12, "eos_token_id": END, **settings}
    config = transformers.GenerationConfig(
        pad_token_id=PADDING, do_sample=False, use_cache=False, return_dict_in_generate=True,
        output_scores=True, **given,
    )  # fmt: skip
    model = Toy(transformers.PretrainedConfig(vocab_size=VOCABULARY + COUNT)).eval()
    result = model.generate(torch.tensor(starts())[:, None], generation_config=config)
    n_best = settings.get("num_return_sequences", 1)
    scores = result.sequences_scores if settings["num_beams"] > 1 else torch.zeros(COUNT)
    tokens = result.sequences[:, 1:].reshape(COUNT, n_best, -1)
    return tokens.tolist(), scores.reshape(COUNT, n_best).tolist()


def write() -> None:
    """Write the file again; what another version of transformers has made stays."""
    import transformers

    groups_too = int(transformers.__version__.split(".")[0]) < 5
    before = {json.dumps(one[0]): one for one in lists()}
    rows = []
    for settings in [*SETTINGS, *GROUPS]:
        row: Any = before.get(json.dumps(settings))
        if (settings in GROUPS) == groups_too:
            tokens, scores = found(settings)
            row = settings, tokens[:KEPT], scores[:KEPT]
        if row is not None:
            rows.append(json.dumps(row))
    FILE.write_text("[\n" + ",\n".join(rows) + "\n]\n")


if __name__ == "__main__":
    write()
