"""Checkpoints in the safetensors format: written whole or not at all, verified when read."""

from unigrad.io.checkpoint import Checkpoint
from unigrad.io.files import CheckpointError, load, save
from unigrad.io.programs import LoadedProgram, load_program, save_program
from unigrad.io.runs import latest

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "LoadedProgram",
    "latest",
    "load",
    "load_program",
    "save",
    "save_program",
]
