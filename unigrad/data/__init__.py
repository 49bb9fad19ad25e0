"""Feeding data: from any source to batches, in an order that is the same on every backend.

A `Dataset` is a description: what an epoch's elements are, and nothing that moves. Where a run is
in its data is two numbers, the epoch and how many of its elements were given, so that it goes on
from there after a stop: see `Stream`. Data stays in NumPy until a step is given it.

How it is made, from the bottom up:

* `collating`: elements side by side as one batch; `padding`: sequences of different lengths.
* `places`: sources whose elements have places: arrays, lists, tables of other libraries.
* `datasets`: the base class, what has places, what only comes by; `batched`: batches of them.
* `prefetching`: a thread that reads ahead.
* `sources`: `dataset`, which makes one of anything.
* `batching`: `batches`, the short way from arrays to Tensors.
* `vocabulary`: symbols as tokens.
"""

from unigrad.data.batching import batches, bucket_batches
from unigrad.data.collating import collate
from unigrad.data.datasets import Dataset
from unigrad.data.padding import pad_sequences, sequence_mask
from unigrad.data.sources import dataset
from unigrad.data.streams import Stream
from unigrad.data.vocabulary import Vocabulary

__all__ = [
    "Dataset",
    "Stream",
    "Vocabulary",
    "batches",
    "bucket_batches",
    "collate",
    "dataset",
    "pad_sequences",
    "sequence_mask",
]
