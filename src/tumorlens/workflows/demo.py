"""The whole way on synthetic scans: made, checked, compared, reported, and one held-out scan predicted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tumorlens.bundles import Prediction
from tumorlens.datasets import Dataset, load_dataset
from tumorlens.datasets.dataset import CONTACT_SHEET
from tumorlens.datasets.synthesis import SynthesisSettings
from tumorlens.errors import NotFoundError
from tumorlens.extras import has_extra
from tumorlens.progress import SILENT, Progress
from tumorlens.workflows.compare import CompareSettings, ComparisonResult, compare_networks
from tumorlens.workflows.dataset_facts import dataset_lines
from tumorlens.workflows.scratch import ScratchSettings
from tumorlens.workflows.splits import prepare_split
from tumorlens.workflows.synthesis import draw_contact_sheet, import_synthetic, synthesize_scans
from tumorlens.workspace import Workspace

__all__ = ["DemoResult", "run_demo"]

_PATIENTS = 80
_SLICES_EACH = 5
_TUMOR_SHARE = 0.6
_SCRATCH_SIZE = 48


@dataclass(frozen=True)
class DemoResult:
    """What the demo shows.

    Attributes:
        comparison: The comparison on synthetic scans.
        prediction: The best model's answer for one scan of the test part.
        reference_label: That scan's reference label.
        opening_lines: Where the scans lie, and the short data check.
    """

    comparison: ComparisonResult
    prediction: Prediction
    reference_label: str
    opening_lines: tuple[str, ...]


def run_demo(
    workspace: Workspace, *, seed: int = 0, threads: int | None = None, progress: Progress = SILENT
) -> DemoResult:
    """Run the demo; what an earlier one computed is used again.

    Args:
        workspace: Where everything is kept.
        seed: Seed of the virtual patients.
        threads: CPU threads; all by default.
        progress: Told of all long work.
    """
    folder = workspace.root / "synthetic" / f"demo-{seed}"
    dataset = _scans(workspace, folder, seed=seed, progress=progress)
    if not has_extra("train"):
        progress.say('The CNN from scratch is left out: it needs the extra train (pip install "tumorlens[train]").')
    settings = CompareSettings(
        backbones=("efficientnet-lite0",),
        from_scratch=ScratchSettings(size=_SCRATCH_SIZE) if has_extra("train") else None,
        seed=seed,
    )
    result = compare_networks(dataset, settings, workspace=workspace, threads=threads, progress=progress)
    row = int(prepare_split(dataset, protocol="grouped", seed=seed).rows("test")[0])
    record = dataset.manifest.iloc[row]
    return DemoResult(
        comparison=result,
        prediction=result.best.predict(folder / "images" / str(record["source"])),
        reference_label=str(record["label"]),
        opening_lines=(f"Contact sheet: {_contact_sheet(folder)}", *dataset_lines(dataset)),
    )


def _contact_sheet(folder: Path) -> Path:
    sheet = folder / CONTACT_SHEET
    return sheet if sheet.is_file() else draw_contact_sheet(folder)


def _scans(workspace: Workspace, folder: Path, *, seed: int, progress: Progress) -> Dataset:
    name = f"demo-{seed}"
    try:
        return load_dataset(workspace, name)
    except NotFoundError:
        if not folder.exists():
            settings = SynthesisSettings(
                patients=_PATIENTS, slices_each=_SLICES_EACH, tumor_share=_TUMOR_SHARE, seed=seed
            )
            synthesize_scans(folder, settings, workspace=workspace, progress=progress)
        return import_synthetic(folder, name, workspace=workspace, progress=progress)
