"""Pixels and labels become a manifest, clusters and splits. Knows nothing about networks."""

from tumorlens.datasets.clusters import CLUSTER_THRESHOLD, cluster_scans
from tumorlens.datasets.coarse_groups import COARSE_GROUPS, join_groups
from tumorlens.datasets.contact_sheet import contact_sheet, draw_sheet
from tumorlens.datasets.data_check import DataCheck, short_check
from tumorlens.datasets.dataset import Dataset
from tumorlens.datasets.fold_splits import leave_out_alike, leave_out_at_random, split_folds
from tumorlens.datasets.grouped_folds import RepeatedFolds, repeat_folds, residual_in_folds
from tumorlens.datasets.grouped_split import DEFAULT_FRACTIONS, split_by_group
from tumorlens.datasets.importing import ImportResult, import_scans
from tumorlens.datasets.library import copies_made_from, list_datasets, load_dataset, remove_dataset
from tumorlens.datasets.manifest import MANIFEST_COLUMNS
from tumorlens.datasets.nifti_masks import NO_MASKS, MaskOptions
from tumorlens.datasets.pixelstore import PixelStore, open_pixel_store
from tumorlens.datasets.prepared_copy import copy_name, find_prepared_copies, prepare_dataset
from tumorlens.datasets.record import DatasetRecord, ImportFlow
from tumorlens.datasets.residual import ResidualNeighbours, residual_neighbours
from tumorlens.datasets.split import LEFT_OUT, PARTS, Split
from tumorlens.datasets.split_check import check_split
from tumorlens.datasets.split_files import load_split, save_split
from tumorlens.datasets.study_split import split_like_study

__all__ = [
    "CLUSTER_THRESHOLD",
    "COARSE_GROUPS",
    "DEFAULT_FRACTIONS",
    "LEFT_OUT",
    "MANIFEST_COLUMNS",
    "NO_MASKS",
    "PARTS",
    "DataCheck",
    "Dataset",
    "DatasetRecord",
    "ImportFlow",
    "ImportResult",
    "MaskOptions",
    "PixelStore",
    "RepeatedFolds",
    "ResidualNeighbours",
    "Split",
    "check_split",
    "cluster_scans",
    "contact_sheet",
    "copies_made_from",
    "copy_name",
    "draw_sheet",
    "find_prepared_copies",
    "import_scans",
    "join_groups",
    "leave_out_alike",
    "leave_out_at_random",
    "list_datasets",
    "load_dataset",
    "load_split",
    "open_pixel_store",
    "prepare_dataset",
    "remove_dataset",
    "repeat_folds",
    "residual_in_folds",
    "residual_neighbours",
    "save_split",
    "short_check",
    "split_by_group",
    "split_folds",
    "split_like_study",
]
