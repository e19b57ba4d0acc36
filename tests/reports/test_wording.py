"""Names and figures as words."""

from __future__ import annotations

import pytest

from tumorlens.reports.wording import counted, duration, interval, number, shortened


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "–"),
        (0.0, "<0.1 s"),
        (0.42, "0.4 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (185.0, "3 min 5 s"),
        (599.7, "10 min"),
        (812.0, "14 min"),
        (3_599.0, "1 h 0 min"),
        (3_840.0, "1 h 4 min"),
    ],
)
def test_duration(seconds, expected):
    assert duration(seconds) == expected


def test_shortened():
    assert shortened("no tumour", 9) == "no tumour"
    assert shortened("no\ntumour at all", 9) == "no tumou…"


def test_numbers():
    assert number(0.98765) == "0.988"
    assert number(None) == "–"
    assert interval(0.1, 0.25) == "0.100–0.250"
    assert interval(None, 0.2) == ""
    assert counted(1, "scan") == "1 scan"
    assert counted(3_762, "scan") == "3,762 scans"
