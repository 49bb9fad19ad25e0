"""Training runs: a `Trainer`, its callbacks, and files that describe a run.

How it is made, from the bottom up:

* `steps`: a step of training or evaluation as one function of a batch; `precision`: in 16 bits.
* `callbacks`: a class each for whatever takes part in a run.
* `saving`: what is in a checkpoint beside weights; `evaluating`: means, metrics, predictions.
* `checks`, `interrupting`: what a run is given; Ctrl-C between steps.
* `trainer`: the loop.
* `tasks`, `config`, `building`, `command`: a run from a TOML file, for ``unigrad train``.
"""

from unigrad.training.callbacks import (
    AccumulateGradients,
    AverageCheckpoints,
    AverageWeights,
    BestCheckpoints,
    Callback,
    ClipGradients,
    EarlyStopping,
    JSONLines,
    LearningRateSchedule,
    Logs,
    Progress,
    ReduceOnPlateau,
    TensorBoard,
    average_checkpoints,
    read_log,
)
from unigrad.training.errors import ConfigError, TrainingError
from unigrad.training.interrupting import interruptible
from unigrad.training.precision import MixedPrecision
from unigrad.training.saving import History
from unigrad.training.tasks import Task
from unigrad.training.trainer import Trainer

__all__ = [
    "AccumulateGradients",
    "AverageCheckpoints",
    "AverageWeights",
    "BestCheckpoints",
    "Callback",
    "ClipGradients",
    "ConfigError",
    "EarlyStopping",
    "History",
    "JSONLines",
    "LearningRateSchedule",
    "Logs",
    "MixedPrecision",
    "Progress",
    "ReduceOnPlateau",
    "Task",
    "TensorBoard",
    "Trainer",
    "TrainingError",
    "average_checkpoints",
    "interruptible",
    "read_log",
]
