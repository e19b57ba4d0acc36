"""Reads damaged files one after another and tells of each what came of it; started and watched by :mod:`fuzz`.

Its address space may grow by one gigabyte over what it has after reading all sound files. Linux only.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from fuzz_mutators import damaged
from fuzz_seeds import seeds
from tumorlens.errors import InputError
from tumorlens.scans import SCAN_SUFFIXES, Reading, Scan, open_arrays, parse_window, read_scan, read_texts
from tumorlens.scans.archives import unpacked
from tumorlens.scans.files import all_files

_GIGABYTE = 1 << 30
_WINDOWS = tuple(map(parse_window, ("percentiles", "dicom", "percentiles", "0,1000")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--start", type=int, required=True)
    parser.add_argument("--stop", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    work(arguments.format, arguments.seed, range(arguments.start, arguments.stop), arguments.folder)


def work(name: str, seed: int, indices: range, folder: Path) -> None:
    """Read the sound files, then the damaged ones; one line of JSON before and after each of the latter."""
    sound = seeds(name)
    unread = [outcome for each in sound if (outcome := _attempt(name, folder, each.suffix, each.wrap(each.data)))]
    tell({"sound": len(sound), "sound_refused": [outcome["message"] for outcome in unread]})
    limit = psutil.Process().memory_info().vms + _GIGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for index in indices:
        suffix, data = damaged(name, sound, seed=seed, index=index)
        tell({"begin": index})
        reset_peak()
        before, started = peak_kb(), processor_seconds()
        outcome = _attempt(name, folder, suffix, data) or {"kind": "read"}
        seconds, growth = processor_seconds() - started, (peak_kb() - before) / 1000
        tell({"end": index, **outcome, "seconds": round(seconds, 4), "growth_mb": round(growth, 1)})


def _attempt(name: str, folder: Path, suffix: str, data: bytes) -> dict[str, Any] | None:
    """Read one file; ``None`` where it was read, else how it was refused or failed."""
    file = folder / f"scan{suffix}"
    file.write_bytes(data)
    try:
        _READERS[name](file)
        outcome = None
    except InputError as error:
        outcome = refusal(str(error))
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
        outcome = {"kind": "exception", "message": message[:300]}
    file.unlink()
    left = [entry.name for entry in folder.iterdir()]
    return {"kind": "left behind", "message": ", ".join(left)} if left else outcome


def refusal(message: str) -> dict[str, Any]:
    """A refusal, or a fault where it is no one sentence or only the limit on memory prevented worse."""
    one_sentence = "\n" not in message and "Traceback" not in message and 20 < len(message) < 700
    kind = "refused" if one_sentence else "no sentence"
    return {"kind": "memory" if "MemoryError" in message else kind, "message": message[:300]}


def _read_array(file: Path) -> None:
    _check(open_arrays(file))
    _or_refuse(lambda: read_texts(file, "Y"))


def _read_archive(file: Path) -> None:
    with unpacked(file, into=file.parent) as folder:
        for member in all_files(folder):
            if not member.resolve().is_relative_to(folder.resolve()):
                raise AssertionError(f"{member} lies outside")
            if member.suffix.lower() in SCAN_SUFFIXES:
                _or_refuse(partial(read_scan, member))


def _or_refuse(read: Callable[[], object]) -> None:
    try:
        read()
    except InputError:
        return


def _read_picture(file: Path) -> None:
    _check([read_scan(file)])


def _read_dicom(file: Path) -> None:
    from tumorlens.scans.dicom import read_dicom

    window = _WINDOWS[file.stat().st_size % len(_WINDOWS)]
    _check(read_dicom(file, Reading(window)))


def _read_nifti(file: Path) -> None:
    from tumorlens.scans.nifti import read_nifti

    _check(read_nifti(file))


def _check(scans: Iterable[Scan]) -> None:
    for scan in scans:
        assert scan.pixels.ndim == 3 and scan.pixels.shape[2] == 3


_READERS: dict[str, Callable[[Path], None]] = {
    "png": _read_picture,
    "jpeg": _read_picture,
    "tiff": _read_picture,
    "bmp": _read_picture,
    "webp": _read_picture,
    "npz": _read_array,
    "zip": _read_archive,
    "dicom": _read_dicom,
    "nifti": _read_nifti,
}


def processor_seconds() -> float:
    """Processor time of this process and of its children, living and ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = [psutil.Process(int(pid)).cpu_times() for pid in Path("/proc/thread-self/children").read_text().split()]
    children = sum(times.user + times.system for times in living)
    return time.process_time() + ended.ru_utime + ended.ru_stime + children


def reset_peak() -> None:
    """Set the kernel's record of the largest resident memory to the present."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_kb() -> int:
    """Largest resident memory since the last reset, in kB (1,024 bytes)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def tell(document: dict[str, Any]) -> None:
    """Send one line to the watching process."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Image.init()
    main()
