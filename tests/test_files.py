from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from diffkit.files import clear_drafts, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "run.npz"
    for content in (b"before", b"", b"\r\nafter\x00"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert names(tmp_path) == ["run.npz"]


def test_what_cannot_be_moved_into_its_place_is_removed(tmp_path):
    taken = tmp_path / "run.npz"
    (taken / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match=r"run\.npz"):
        write_whole(taken, b"content")
    assert (names(tmp_path), names(taken)) == (["run.npz"], ["inside"])


@pytest.mark.skipif(os.name == "nt", reason="Windows opens no folders")
def test_the_content_is_on_disk_before_the_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    seen = []
    sync, move = os.fsync, Path.replace

    def synced(descriptor):
        status = os.fstat(descriptor)
        seen.append(("folder", status.st_ino) if stat.S_ISDIR(status.st_mode) else ("file", status.st_size))
        sync(descriptor)

    def moved(draft, target):
        seen.append(("moved", target.name))
        return move(draft, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", moved)
    write_whole(tmp_path / "run.npz", b"content")
    assert seen == [("file", len(b"content")), ("moved", "run.npz"), ("folder", tmp_path.stat().st_ino)]


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path, monkeypatch):
    sync = os.fsync

    def files_only(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError("Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    write_whole(tmp_path / "run.npz", b"content")
    assert (tmp_path / "run.npz").read_bytes() == b"content"


@pytest.mark.parametrize("name", ["run.npz", "run[1].npz"])
def test_drafts_of_this_file_are_cleared_and_no_others(tmp_path, name):
    for other in (name, f".{name}.12345.partial", f".{name}.6.partial", ".other.npz.6.partial", f"{name}.partial"):
        (tmp_path / other).write_bytes(b"content")
    clear_drafts(tmp_path / name)
    assert names(tmp_path) == sorted([name, ".other.npz.6.partial", f"{name}.partial"])
