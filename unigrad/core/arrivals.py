"""What runs once another library is imported, before or after unigrad.

A library that keeps a registry of classes must be told of `Tensor` before it first meets one, and
does not ask. Importing it for that would load it for everybody. So a finder waits in front of the
others for its name, takes itself out when it comes, and lets those find it as ever.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


def when_imported(name: str, then: Callable[[], None]) -> None:
    """Call a function when a top-level module has been imported; at once if it is there already.

    Example:
        >>> when_imported("math", lambda: print("there"))
        there
    """
    # None stands there for a module that somebody has forbidden.
    if sys.modules.get(name) is not None:
        then()
    else:
        sys.meta_path.insert(0, _Waiting(name, then))


class _Waiting(importlib.abc.MetaPathFinder):
    """Finds nothing itself; sees a module come by."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self.name = name
        self.then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            sys.meta_path.insert(0, self)
            return None
        load = spec.loader.exec_module

        def load_and_tell(module: ModuleType) -> None:
            try:
                load(module)
            except BaseException:
                sys.meta_path.insert(0, self)  # It may be tried again.
                raise
            # A loader of several modules, as an archive's is, loads others with it.
            if module.__name__ == self.name:
                self.then()

        vars(spec.loader)["exec_module"] = load_and_tell
        return spec
