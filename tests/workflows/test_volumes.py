"""Volumes and DICOM series go the whole way: the steps of the import are those of the prediction."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from pydicom.dataset import Dataset as Header
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from tumorlens import compare, evaluate, import_scans
from tumorlens.bundles import Predictor, predict_files
from tumorlens.datasets import Dataset, prepare_dataset
from tumorlens.errors import InputError
from tumorlens.scans import CUT, HARMONISED, Scan
from tumorlens.workflows.compare import ComparisonResult
from tumorlens.workflows.ledger import count_openings
from tumorlens.workspace import Workspace

SIZE, SLICES, PATIENTS = 48, 6, 10
MR_STORAGE = "1.2.840.10008.5.1.4.1.1.4"


def head(seed: int, *, tumor: bool) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """A volume ``(48, 48, 6)`` with a bright ball off its middle, and its mask."""
    random = np.random.default_rng(seed)
    x, y = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    values = np.zeros((SIZE, SIZE, SLICES))
    mask = np.zeros(values.shape, np.uint8)
    skull = np.hypot(x - 4, y) < 15 + random.uniform(0, 2)
    for z in range(SLICES):
        values[:, :, z] = np.where(skull, 400 + random.normal(0, 40, skull.shape), random.uniform(0, 10, skull.shape))
        if tumor and z in (2, 3):
            ball = np.hypot(x - 6, y + 4) < 5
            values[ball, z] = 1000
            mask[ball, z] = 4
    return values.astype(np.int16), mask


@pytest.fixture(scope="module")
def brats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("volumes") / "brats"
    for patient in range(PATIENTS):
        place = folder / f"BraTS20_Training_{patient:03d}"
        place.mkdir(parents=True)
        for kind, values in zip(("flair", "seg"), head(patient, tumor=patient % 2 == 0), strict=True):
            nibabel.Nifti1Image(values, np.eye(4)).to_filename(place / f"{place.name}_{kind}.nii.gz")
    return folder


@pytest.fixture(scope="module")
def volumes(brats: Path) -> Dataset:
    return import_scans(
        brats, name="brats", layout="brats", sequence="flair", crop="brain", workspace=brats.parent / "workspace"
    )


@pytest.fixture(scope="module")
def compared(volumes: Dataset) -> ComparisonResult:
    return compare(volumes, backbones=["efficientnet-lite0"], size=64)


def test_masks_give_labels_and_are_cropped_with_the_pixels(volumes: Dataset) -> None:
    assert volumes.groups_are == "patients" and len(set(volumes.groups)) == PATIENTS
    assert volumes.scan_steps == ("plane=axial", "window=percentiles", "crop=brain")
    assert volumes.record.flow.by_class == {"no_tumor": PATIENTS * SLICES - PATIENTS, "tumor": PATIENTS}
    with volumes.open_pixels() as pixels, volumes.open_masks() as masks:
        for row in volumes.manifest.itertuples():
            mask = masks.get(row.pixel_digest)
            assert mask is not None and mask.shape == (row.height, row.width)
            assert mask.any() == (row.label == "tumor")
            if mask.any():
                grey = pixels.get(row.pixel_digest)[:, :, 0]
                assert grey[mask].min() > np.median(grey[~mask])
    assert volumes.manifest["receipt"].str.contains("window=percentiles").all()
    assert volumes.manifest["receipt"].str.contains("crop=head").all()


@pytest.mark.parametrize(("steps", "option"), [(CUT, {"crop": "brain"}), (HARMONISED, {"harmonise": True})])
def test_a_prepared_copy_has_the_masks_of_an_import_with_its_steps(brats: Path, tmp_path: Path, steps, option) -> None:
    plain = import_scans(brats, name="plain", layout="brats", sequence="flair", workspace=tmp_path)
    copy = prepare_dataset(Workspace.locate(tmp_path), plain, steps)
    wanted = import_scans(brats, name="wanted", layout="brats", sequence="flair", workspace=tmp_path, **option)
    assert copy.scan_steps == wanted.scan_steps and copy.digests.tolist() == wanted.digests.tolist()
    with copy.open_masks() as masks, wanted.open_masks() as others:
        for digest in copy.digests.tolist():
            mask, other = masks.get(digest), others.get(digest)
            assert mask is not None and other is not None and np.array_equal(mask, other)


@pytest.mark.slow
def test_a_volume_is_predicted_as_it_was_imported(brats: Path, volumes: Dataset, compared: ComparisonResult) -> None:
    run = compared.best_run
    assert run is not None
    stored = pd.read_parquet(run.folder / "predictions.parquet")["probability_tumor"].to_numpy()
    patient = volumes.groups[0]
    place = brats / patient / f"{patient}_flair.nii.gz"
    answers = [answer.prediction for answer in predict_files(Predictor(run.bundle), [place])]
    wanted = stored[volumes.groups == patient]
    assert len(answers) == len(wanted) == SLICES
    for answer, probability in zip(answers, wanted, strict=True):
        assert answer is not None and answer.probabilities["tumor"] == pytest.approx(probability, abs=1e-5)


@pytest.mark.slow
def test_a_zipped_series_is_answered_slice_by_slice(tmp_path: Path, compared: ComparisonResult) -> None:
    values, _ = head(99, tumor=True)
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for z in reversed(range(SLICES)):
            save_slice(tmp_path / f"slice{z}", values[:, :, z], z=z)
            archive.write(tmp_path / f"slice{z}", f"study/IM{SLICES - z}")
    run = compared.best_run
    assert run is not None
    predictor = Predictor(run.bundle)
    answers = list(predict_files(predictor, [tmp_path / "study.zip"]))
    assert [answer.source.name for answer in answers] == [f"IM{SLICES - z}" for z in range(SLICES)]
    assert all(str(answer.source).startswith(str(tmp_path / "study.zip")) for answer in answers)
    assert all(answer.prediction is not None and answer.error is None for answer in answers)
    single = predictor.predict(tmp_path / "slice3")
    assert set(single.probabilities) == {"no_tumor", "tumor"}


def save_slice(path: Path, values: npt.NDArray[Any], *, z: int) -> None:
    header = Header()
    header.SOPClassUID, header.SOPInstanceUID = MR_STORAGE, generate_uid(entropy_srcs=[str(z)])
    header.StudyInstanceUID = header.SeriesInstanceUID = generate_uid(entropy_srcs=["series"])
    header.PatientID, header.Modality = "P1", "MR"
    header.ImageOrientationPatient, header.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 5.0 * z]
    header.Rows, header.Columns = values.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 1
    header.PixelData = values.astype("<i2").tobytes()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = MR_STORAGE
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.save_as(path, enforce_file_format=True)


@pytest.mark.slow
def test_heatmaps_are_scored_on_the_masks_of_the_judged_scans(volumes: Dataset, compared: ComparisonResult) -> None:
    from tumorlens.explanation import class_evidence, energy_inside, points_inside
    from tumorlens.explanation.regions import region_of_mask

    run = compared.runs[0]
    found = evaluate(run.name, volumes, heatmaps=True)
    table = pd.read_parquet(run.folder / "predictions.parquet")
    rows = np.flatnonzero((table["part"] == "test") & (table["reference_label"] == volumes.positive_class))
    predictor, points, energy = Predictor(run.bundle), [], []
    with volumes.open_pixels() as pixels, volumes.open_masks() as masks:
        for row in rows:
            mask = masks.get(volumes.digests[row])
            assert mask is not None
            maps = predictor.answer(Scan(pixels.get(volumes.digests[row]), "a", "RGB", "a")).class_maps
            evidence = class_evidence(maps, target=volumes.classes.index(str(volumes.positive_class)))
            region = region_of_mask(mask, shape=evidence.shape)
            points.append(points_inside(evidence, region))
            energy.append(energy_inside(evidence, region) or 0.0)
    assert found.heatmaps is not None and found.heatmaps.n_scans == len(rows) > 0
    assert found.heatmaps.pointing.value == pytest.approx(np.mean(points))
    assert found.heatmaps.energy.value == pytest.approx(np.mean(energy), abs=1e-6)
    assert 0 < (found.heatmaps.area.value or 0) < 0.5
    document = found.to_json()["heatmaps"]
    assert {"n_scans", "pointing", "energy", "overlap", "centre", "area"} == set(document)


def test_heatmaps_without_masks_are_refused_before_the_test_part_is_opened(tiny_study, tiny_comparison) -> None:
    run = tiny_comparison.best_run
    before = count_openings(tiny_study.workspace, run.split_digest)
    with pytest.raises(InputError, match="holds no lesion masks"):
        evaluate(run.name, tiny_study.dataset, heatmaps=True)
    assert count_openings(tiny_study.workspace, run.split_digest) == before
