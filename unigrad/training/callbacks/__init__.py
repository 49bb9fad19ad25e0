"""What takes part in a training run; each does one thing."""

from unigrad.training.callbacks.callback import Callback, Logs
from unigrad.training.callbacks.gradients import (
    AccumulateGradients,
    AverageWeights,
    ClipGradients,
    LearningRateSchedule,
    ReduceOnPlateau,
)
from unigrad.training.callbacks.keeping import (
    AverageCheckpoints,
    BestCheckpoints,
    average_checkpoints,
)
from unigrad.training.callbacks.logs import JSONLines, TensorBoard, read_log
from unigrad.training.callbacks.progress import Progress
from unigrad.training.callbacks.stopping import EarlyStopping

__all__ = [
    "AccumulateGradients",
    "AverageCheckpoints",
    "AverageWeights",
    "BestCheckpoints",
    "Callback",
    "ClipGradients",
    "EarlyStopping",
    "JSONLines",
    "LearningRateSchedule",
    "Logs",
    "Progress",
    "ReduceOnPlateau",
    "TensorBoard",
    "average_checkpoints",
    "read_log",
]
