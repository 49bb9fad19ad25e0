"""The trials of checkpoints are themselves tested: each fault that is planted must be found.

A fault is a few lines of Python that replace a part of `unigrad.io`, run before the trial.
"""

import pytest
from apart import apart

#: Each trial, as code that leaves what is wrong in ``found``.
TRIALS = {
    "flips": "run_of(1.0).save(folder / 'a'); found = flip_bits(folder / 'a', 500)",
    "length": "run_of(1.0).save(folder / 'a'); found = change_length(folder / 'a')",
    "kills": "found = kill_writers(folder, 20)",
    "together": "found = write_together(folder, 4, 12)",
    "shared": "found = share_a_folder(folder)",
    "restored": "found = restore_what_does_not_fit(folder)",
}
FAULTS = {
    "nothing is verified": ("flips", "checksum.verify = lambda data, metadata: None"),
    "the header is not in the checksum": (
        "flips",
        "checksum._digest = lambda data, start, end: (\n"
        "    hashlib.sha256(data[8 + int.from_bytes(data[:8], 'little') :]).hexdigest().encode())",
    ),
    "the data are not in the checksum": (
        "flips",
        "checksum._digest = lambda data, start, end: (\n"
        "    hashlib.sha256(data[:start]).hexdigest().encode())",
    ),
    "a file whose checksum has lost its name counts as foreign": (
        "flips",
        "honest = checksum.verify\n"
        "checksum.verify = lambda data, words: 'unigrad.checksum' in words and honest(data, words)",
    ),
    "a file whose checksum has lost its form counts as foreign": (
        "flips",
        "honest = checksum.verify\n"
        "checksum.verify = lambda data, words: checksum._find(data) and honest(data, words)",
    ),
    "a longer file is read": (
        "length",
        "honest = files.checksum.verify, safetensors.deserialize\n"
        "whole = lambda data: data[: data.rindex(bytes([0, 0, 128, 63])) + 4]\n"
        "checksum.verify = lambda data, words: honest[0](whole(data), words)\n"
        "safetensors.deserialize = lambda data: honest[1](whole(data))",
    ),
    "unfinished files stay": ("kills", "replacing.remove_abandoned = lambda folder: None"),
    "a file is written in its place": (
        "kills",
        "def replace(path, parts):\n"
        "    with open(path, 'wb', buffering=0) as file:\n"
        "        for part in parts: file.write(part); time.sleep(0.002)\n"
        "files.replace = replace",
    ),
    "old files go before the new one is there": (
        "kills",
        "honest = checkpoint.save\n"
        "def save(path, *rest):\n"
        "    for old in path.parent.glob('checkpoint-*'): old.unlink()\n"
        "    time.sleep(0.002)\n"
        "    honest(path, *rest)\n"
        "checkpoint.save = save",
    ),
    "unfinished files of living writers are removed": (
        "together",
        "def remove(folder):\n"
        "    for path in folder.glob('.unigrad-*'): path.unlink(missing_ok=True)\n"
        "replacing.remove_abandoned = remove",
    ),
    "all writers share one unfinished file": (
        "together",
        "honest = os.open\n"
        "replacing.secrets.token_hex = lambda count: 'same'\n"
        "os.open = lambda path, flags, mode=0o777: honest(path, flags & ~os.O_EXCL, mode)",
    ),
    "keep counts the files of all runs": (
        "shared",
        "runs.outdated = lambda folder, newest, keep: "
        "[one.path for one in runs.numbered(folder)[:-keep] if one.origin != newest]",
    ),
    "keep removes what was just written": (
        "shared",
        "runs.outdated = lambda folder, newest, keep: [one.path for one in "
        "[one for one in runs.numbered(folder) if newest.includes(one.origin)][:-keep]]",
    ),
    "the latest is the highest number": (
        "shared",
        "io.latest = lambda folder: (runs.numbered(folder) or [None])[-1].path",
    ),
    "a restored run owns all that the earlier one wrote": (
        "shared",
        "runs.Origin.includes = lambda self, other: other.run == self.run or "
        "other.run in self.before",
    ),
    "a restored run forgets where it comes from": (
        "shared",
        "runs.Lineage.follow = lambda self, origin: None",
    ),
    "plain values are not looked at": (
        "restored",
        "checkpoint._check_plain = lambda path, plain, wanted: None",
    ),
    "what does not fit is found while variables are assigned": (
        "restored",
        "def load_into(named, arrays, owner):\n"
        "    for name, variable in named.items(): variable.assign(arrays[name])\n"
        "checkpoint.load_into = load_into",
    ),
}


def found_by(trial: str, folder: str, fault: str = "") -> list[str]:
    """Return what a trial finds wrong, with a fault planted."""
    code = (
        "import hashlib, os, time\nfrom pathlib import Path\nimport safetensors\n"
        "from unigrad import io\n"
        "from unigrad.io import checkpoint, checksum, files, replacing, runs\n"
        "from checkpoint_trials import *\n"
        f"folder = Path(folder)\n{fault}\n{TRIALS[trial]}"
    )
    found: list[str] = apart(code, folder=str(folder))
    return found


@pytest.mark.parametrize("trial", TRIALS)
def test_nothing_is_found_without_a_fault(trial, tmp_path):
    assert found_by(trial, tmp_path) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault, tmp_path):
    trial, code = FAULTS[fault]
    assert found_by(trial, tmp_path, code) != []
