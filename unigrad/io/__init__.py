"""Checkpoints in the safetensors format: written whole or not at all, read with every check."""

from unigrad.io.checkpoint import Checkpoint, latest
from unigrad.io.files import CheckpointError, load, save

__all__ = ["Checkpoint", "CheckpointError", "latest", "load", "save"]
