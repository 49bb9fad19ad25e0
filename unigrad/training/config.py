"""Files that describe a run: reading them, changing them, and looking at each key and value.

A file is TOML. What may be in it is what the functions that a run is made of take: a table of
settings is checked by the signature of the function or class that it is for.
"""

from __future__ import annotations

import difflib
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from unigrad.training.errors import ConfigError

Table = dict[str, Any]

#: Words in annotations, what they take, and how that is called.
_KINDS: tuple[tuple[frozenset[str], tuple[type, ...], str], ...] = (
    (frozenset({"bool"}), (bool,), "true or false"),
    (frozenset({"float", "LearningRate", "Number"}), (int, float), "a number"),
    (frozenset({"int"}), (int,), "an integer"),
    (frozenset({"str", "Selection", "PathLike"}), (str,), "a string"),
    (frozenset({"Sequence", "list", "tuple"}), (list,), "a list"),
    (frozenset({"Mapping", "dict"}), (dict,), "a table"),
)


def read(path: Path) -> Table:
    """Return what is in a file.

    Raises:
        ConfigError: when it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Table:
    """Return tables put together; what is above wins, key by key.

    Another optimizer or schedule takes nothing of what is below.

    Example:
        >>> merged({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
        {'a': {'x': 1, 'y': 3}}
    """
    found = dict(below)
    for key, value in above.items():
        before = found.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            name = value.get("name", before.get("name"))
            other = key in ("optimizer", "schedule") and name != before.get("name")
            found[key] = dict(value) if other else merged(before, value)
        else:
            found[key] = value
    return found


def override(config: Mapping[str, Any], settings: Iterable[str]) -> Table:
    """Return a config with settings of the command line: ``optimizer.learning_rate=3e-4``.

    A value is TOML's; what is none is a string.

    Raises:
        ConfigError: when a setting has no ``=``, or its key leads into what is no table.

    Example:
        >>> override({}, ["optimizer.name=Adam", "training.epochs=3"])
        {'optimizer': {'name': 'Adam'}, 'training': {'epochs': 3}}
    """
    found = dict(config)
    for setting in settings:
        path, equals, text = setting.partition("=")
        keys = path.strip().split(".")
        if not equals or not all(keys):
            raise ConfigError(f"--set {setting}: expected key=value, such as training.epochs=3")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except (tomllib.TOMLDecodeError, KeyError):
            value = text.strip()
        table: Any = found
        for depth, key in enumerate(keys):
            if not isinstance(table, dict):
                raise ConfigError(f"--set {setting}: {'.'.join(keys[:depth])} is no table")
            if depth == len(keys) - 1:
                table[key] = value
            else:
                inside = table.get(key, {})
                table[key] = dict(inside) if isinstance(inside, Mapping) else inside
                table = table[key]
    return found


def check_keys(where: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Check that keys are among those that are known.

    Raises:
        ConfigError: when one is not; it names the key, and one that is like it.

    Example:
        >>> check_keys("optimizer", ["rate"], ["rate", "name"])
    """
    for key in given:
        if key not in known:
            path = f"{where}.{key}" if where else key
            like = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {like[0]}? There" if like else "there"
            raise ConfigError(f"{path}: unknown; {hint} are {', '.join(sorted(known))}")


def check_kind(path: str, value: Any, annotation: str) -> None:
    """Check that a value is of a kind that an annotation names.

    Raises:
        ConfigError: when it is of another; it names the key.

    Example:
        >>> check_kind("training.epochs", 3, "int | None")
        >>> check_kind("settings.sizes", [3, 4], "Sequence[int]")
    """
    # What stands in brackets is the kind of a list's entries, not that of the value.
    outline = annotation
    for _ in range(annotation.count("[")):
        outline = re.sub(r"\[[^\[\]]*\]", "", outline)
    words = set(re.findall(r"\w+", outline))
    if "Any" in words:
        return
    kinds = [(types, name) for these, types, name in _KINDS if these & words]
    for types, _ in kinds:
        # A bool is an int in Python, and none here.
        if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
            entries = re.search(r"\b(?:Sequence|list|tuple)\[([^\[\]]+)\]", annotation)
            if isinstance(value, list) and entries is not None:
                for place, one in enumerate(value):
                    check_kind(f"{path}[{place}]", one, entries[1])
            return
    if not kinds:
        raise ConfigError(f"{path}: cannot be set in a file")
    expected = " or ".join(name for _, name in kinds)
    raise ConfigError(f"{path}: expected {expected}, not {json.dumps(value, default=str)}")


def settings_for(
    where: str,
    function: Callable[..., Any],
    given: Any,
    leave_out: Sequence[str] = (),
) -> Table:
    """Return a table of settings for a function or class, each looked at.

    Args:
        where: the table's name, for messages.
        function: what the settings are for.
        given: the table.
        leave_out: parameters that no file sets.

    Raises:
        ConfigError: when it is no table, a key is unknown, a value is of another kind, or one is
            missing; it names the key.

    Example:
        >>> def make(rate: "float", steps: "int" = 1): ...
        >>> settings_for("schedule", make, {"rate": 2})
        {'rate': 2}
    """
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where}: expected a table, not {json.dumps(given, default=str)}")
    kinds = _annotations(function, leave_out)
    check_keys(where, given, [*kinds])
    for key, value in given.items():
        check_kind(f"{where}.{key}", value, kinds[key][0])
    for key, (_, needed) in kinds.items():
        if needed and key not in given:
            raise ConfigError(f"{where}.{key}: is missing")
    return dict(given)


def _annotations(
    function: Callable[..., Any], leave_out: Sequence[str]
) -> dict[str, tuple[str, bool]]:
    """Return a function's parameters: the annotation's text, and whether it must be given."""
    found: dict[str, tuple[str, bool]] = {}
    for one in inspect.signature(function).parameters.values():
        if one.name in leave_out or one.kind is one.VAR_POSITIONAL:
            continue
        if one.kind is one.VAR_KEYWORD:
            found |= {key: (kind, False) for key, kind in _of_unpacked(str(one.annotation)).items()}
            continue
        needed = one.default is one.empty
        text = "Any" if one.annotation is one.empty else str(one.annotation)
        found[one.name] = (text, needed)
    return found


def _of_unpacked(annotation: str) -> dict[str, str]:
    """Return the keys of the settings that optimizers of one formula share."""
    from unigrad.optimizers.descent import Common

    if "Common" not in annotation:
        return {}
    return {
        name: getattr(kind, "__forward_arg__", str(kind))
        for name, kind in Common.__annotations__.items()
    }


def as_toml(config: Mapping[str, Any]) -> str:
    """Return a config as the text of a file.

    Example:
        >>> print(as_toml({"task": "spirals", "optimizer": {"learning_rate": 0.1}}))
        task = "spirals"
        <BLANKLINE>
        [optimizer]
        learning_rate = 0.1
        <BLANKLINE>
    """
    plain = [
        f"{_key(key)} = {_value(value)}"
        for key, value in config.items()
        if not isinstance(value, Mapping)
    ]
    lines = [*plain, ""] if plain else []
    for key, table in config.items():
        if isinstance(table, Mapping):
            lines += [f"[{_key(key)}]"]
            lines += [f"{_key(name)} = {_value(value)}" for name, value in table.items()]
            lines += [""]
    return "\n".join(lines)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(one)}" for k, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for those of half a character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool | int):
        return json.dumps(value)
    return repr(value)  # Floats: also inf and nan.
