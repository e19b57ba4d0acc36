"""Where things lie, and how they are written: atomically, with a format version. Knows nothing about their content."""

from tumorlens.workspace.atomic import (
    atomic_directory,
    atomic_path,
    storage_errors,
    temporary_name,
    write_bytes,
    write_json,
    write_text,
)
from tumorlens.workspace.cleanup import folder_size, remove_leftovers
from tumorlens.workspace.folders import Workspace, check_name
from tumorlens.workspace.locks import one_process

__all__ = [
    "Workspace",
    "atomic_directory",
    "atomic_path",
    "check_name",
    "folder_size",
    "one_process",
    "remove_leftovers",
    "storage_errors",
    "temporary_name",
    "write_bytes",
    "write_json",
    "write_text",
]
