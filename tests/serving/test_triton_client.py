"""An existing client of the inference protocol, over a port: JSON and binary, one output and all."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tumorlens.bundles import Predictor
from tumorlens.scans import read_scan

pytest.importorskip("tritonclient", reason="tritonclient is not installed")

SCRIPT = """
import sys
import numpy as np
import tritonclient.http as http

address, name, file, binary = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] == "binary"
scans = np.load(file)
client = http.InferenceServerClient(address.removeprefix("http://"))
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(name)
facts = client.get_model_metadata(name)
assert [one["name"] for one in facts["outputs"]] == ["probabilities", "map", "features"], facts
pixels = http.InferInput("pixels", list(scans.shape), "UINT8")
pixels.set_data_from_numpy(scans, binary_data=binary)
wanted = [http.InferRequestedOutput(one["name"], binary_data=binary) for one in facts["outputs"]]
answer = client.infer(name, [pixels], outputs=wanted, request_id="7")
assert answer.get_response()["id"] == "7"
np.save(file + ".answer.npy", answer.as_numpy("probabilities"))
assert answer.as_numpy("map").shape[0] == len(scans) and answer.as_numpy("features").shape[0] == len(scans)
try:
    client.infer("other", [pixels])
except http.InferenceServerException as error:
    assert "no model 'other'" in str(error), error
else:
    raise SystemExit("a model that is not there answered")
"""


@pytest.mark.parametrize("way", ["json", "binary"])
def test_tritonclient_is_answered(server: str, settings, scans, tmp_path, way: str) -> None:
    """In a process of its own, as its event loop changes sockets and threads for all."""
    batch, predictor = np.stack([read_scan(scan).pixels for scan in scans]), Predictor(settings.bundle)
    np.save(tmp_path / "scans.npy", batch)
    words = [server, predictor.card.name, str(tmp_path / "scans.npy"), way]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "scans.npy.answer.npy")
    assert found == pytest.approx(predictor.predict_many(batch).probabilities, abs=1e-5)
