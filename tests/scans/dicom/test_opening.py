from __future__ import annotations

import logging

import pytest

from tumorlens.scans.dicom.opening import quiet_pydicom_log


@pytest.mark.parametrize("name", ["pydicom", "openjpeg", "pylibjpeg"])
def test_logs_that_quote_headers_reach_no_handler_of_the_program(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", shown.append)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    quiet_pydicom_log()
    logging.getLogger(name).warning("Secret")
    logging.getLogger("another").warning("seen")
    assert [record.getMessage() for record in shown] == ["seen"]
