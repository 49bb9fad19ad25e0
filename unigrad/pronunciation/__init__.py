"""How English words are pronounced: a trained model that comes with the package, and its task.

>>> from unigrad.pronunciation import pronounce
>>> [[best]] = pronounce(["lecture"])
>>> " ".join(best.phonemes)
'L EH K CH ER'
"""

from unigrad.pronunciation.checkpoint import build_model, load_model, save_model, shipped
from unigrad.pronunciation.errors import WordError
from unigrad.pronunciation.pronouncer import (
    Alignment,
    Answer,
    Pronouncer,
    load_pronouncer,
    pronounce,
)

__all__ = [
    "Alignment",
    "Answer",
    "Pronouncer",
    "WordError",
    "build_model",
    "load_model",
    "load_pronouncer",
    "pronounce",
    "save_model",
    "shipped",
]
