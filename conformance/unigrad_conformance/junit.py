"""The results as JUnit XML, for services that show test results.

Format: a ``testsuite`` per backend and a ``testcase`` per trial, as pytest's ``--junitxml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from unigrad_conformance.session import Outcome

#: What no XML document can hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(
    outcomes: Mapping[str, Sequence[Outcome]], absent: Mapping[str, str], *, chosen: bool
) -> str:
    """Return the document.

    Args:
        outcomes: of each backend that was tried.
        absent: why each of the others was not.
        chosen: whether the backends were asked for by name: then an absent one is a failure.
    """
    root = ElementTree.Element("testsuites", name="unigrad conformance")
    for backend, some in outcomes.items():
        suite = _suite(root, backend, some)
        for outcome in some:
            case = _case(suite, backend, outcome.family, outcome.name, outcome.seconds)
            if outcome.ledger.findings:
                findings = [str(one) for one in outcome.ledger.findings]
                failure = ElementTree.SubElement(case, "failure", message=_clean(findings[0]))
                failure.text = _clean("\n".join(findings))
    for backend, reason in absent.items():
        suite = ElementTree.SubElement(root, "testsuite", name=backend, tests="1", time="0")
        suite.attrib |= {"failures": str(int(chosen)), "errors": "0", "skipped": str(1 - chosen)}
        case = _case(suite, backend, "loading", backend, 0.0)
        ElementTree.SubElement(case, "failure" if chosen else "skipped", message=_clean(reason))
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _suite(
    root: ElementTree.Element, backend: str, outcomes: Sequence[Outcome]
) -> ElementTree.Element:
    suite = ElementTree.SubElement(root, "testsuite", name=backend)
    suite.attrib |= {
        "tests": str(len(outcomes)),
        "failures": str(sum(bool(one.ledger.findings) for one in outcomes)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(one.seconds for one in outcomes):.3f}",
    }
    return suite


def _case(
    suite: ElementTree.Element, backend: str, family: str, name: str, seconds: float
) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite,
        "testcase",
        classname=_clean(f"unigrad_conformance.{backend}.{family}"),
        name=_clean(name),
        time=f"{seconds:.3f}",
    )


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
