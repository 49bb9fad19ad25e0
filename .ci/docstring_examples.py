"""A griffe extension: the docstrings' ``Example:`` is what griffe knows as ``Examples:``.

Without it the doctests are taken for prose, and ``[[1, 2], [3, 4]]`` for a link.
"""

import re
from typing import Any

from griffe import Extension, Object


class SingularExample(Extension):
    """Rename the section in every docstring."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rewrite the docstring of an object that was just collected."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(
                r"^(\s*)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE
            )
