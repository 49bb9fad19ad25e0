"""Checkpoints in the safetensors format: written whole or not at all, verified when read."""

from unigrad.io.checkpoint import Checkpoint
from unigrad.io.files import CheckpointError, load, save
from unigrad.io.runs import latest

__all__ = ["Checkpoint", "CheckpointError", "latest", "load", "save"]
