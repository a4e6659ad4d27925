"""Backup and restore: rows in a file that says what is in it, independent of the server's version."""

from ops.backup.archive import Archive, BackupRefusedError, Keys, Manifest, TableFacts
from ops.backup.dumping import dump
from ops.backup.restoring import Target, look_at, prepare, restore

__all__ = [
    "Archive",
    "BackupRefusedError",
    "Keys",
    "Manifest",
    "TableFacts",
    "Target",
    "dump",
    "look_at",
    "prepare",
    "restore",
]
