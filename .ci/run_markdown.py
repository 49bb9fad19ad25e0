"""Run the Python code of Markdown pages, so that no published example is wrong.

The blocks of a page marked ``python`` run in order in one namespace, as a reader would type them,
each page in a process and an empty directory of its own. Blocks marked ``pycon`` are for doctest,
which also compares the output. A block that cannot run says why in a comment on the line before it:
``<!-- not run: needs a GPU -->``.

usage: run_markdown.py PAGE_OR_FOLDER...
"""

import doctest
import linecache
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

FENCE = re.compile(
    r"^(?P<skip>[ ]*<!-- not run: .+ -->\n+)?"
    r"^(?P<indent>[ ]*)```[ ]?(?P<language>python|pycon)\b[^\n]*\n"
    r"(?P<code>.*?)"
    r"^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)


def blocks(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield language, number of lines before the code, and code of each block that runs."""
    for match in FENCE.finditer(text):
        if match["skip"] is None:
            lines_before = text.count("\n", 0, match.start("code"))
            yield match["language"], lines_before, textwrap.dedent(match["code"])


def run_page(page: Path) -> None:
    """Run one page in this process; a failure shows the page's own file name and line."""
    text = page.read_text(encoding="utf-8")
    # Tracebacks quote the page itself.
    linecache.cache[str(page)] = (len(text), None, text.splitlines(keepends=True), str(page))
    namespace: dict[str, object] = {"__name__": "__main__"}
    failures = 0
    for language, lines_before, code in blocks(text):
        if language == "python":
            exec(compile("\n" * lines_before + code, str(page), "exec"), namespace)
        else:
            test = doctest.DocTestParser().get_doctest(
                code, namespace, page.name, str(page), lines_before
            )
            failures += doctest.DocTestRunner().run(test, clear_globs=False).failed
            # The test holds a copy of the namespace; later blocks go on with what this one defined.
            namespace = test.globs
    sys.exit(failures > 0)


def main(arguments: list[str]) -> int:
    """Run each page in a fresh process; return the number of pages that failed."""
    pages: list[Path] = []
    for argument in map(Path, arguments):
        pages.extend(sorted(argument.rglob("*.md")) if argument.is_dir() else [argument])
    failed = 0
    for page in pages:
        count = len(list(blocks(page.read_text(encoding="utf-8"))))
        if count == 0:
            continue
        with tempfile.TemporaryDirectory() as directory:
            command = [sys.executable, __file__, "--page", str(page.resolve())]
            passed = subprocess.run(command, cwd=directory).returncode == 0
        print(f"{page}: {count} blocks {'passed' if passed else 'FAILED'}", flush=True)
        failed += not passed
    return failed


if __name__ == "__main__":
    if sys.argv[1:2] == ["--page"]:
        run_page(Path(sys.argv[2]))
    else:
        sys.exit(main(sys.argv[1:]))
