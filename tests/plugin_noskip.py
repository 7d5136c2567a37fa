"""Where CI=true, a skipped test is a failure: a missing program is to be installed, not passed over."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge one step of one test."""
    return _judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge one collected file: a whole file may be skipped too."""
    return _judged((yield))


def _judged(report: Report) -> Report:
    expected_to_fail = hasattr(report, "wasxfail")  # pytest reports these as skipped as well
    if os.environ.get("CI") == "true" and report.skipped and not expected_to_fail:
        report.longrepr = f"In CI nothing is skipped; install what this needs. It said: {report.longrepr}"
        report.outcome = "failed"
    return report
