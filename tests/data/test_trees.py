"""Trees whose folders and files a job has closed to their owner, who is not root."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from trigpoint.data import copies
from trigpoint.data.objects_blobs import Blobs
from trigpoint.data.objects_tree import Tree

NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of ours in which we are not root."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    root = os.geteuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    yield folder
    if root:
        os.seteuid(0)
    for at, _, _ in os.walk(folder):
        os.chmod(at, 0o700)
    shutil.rmtree(folder)


@pytest.fixture
def tree(place: Path) -> Tree:
    made = Tree(place / "bucket", place, lambda name: None)
    made.make()
    (place / "new").write_bytes(b"new")
    for name in ("a/b/file", "read-only/file"):
        (made.root / name).parent.mkdir(parents=True, exist_ok=True)
        (made.root / name).write_bytes(b"bytes")
    (made.root / "a/b/file").chmod(0)
    (made.root / "a/b").chmod(0)
    (made.root / "a").chmod(0)
    (made.root / "read-only").chmod(0o555)
    made.root.chmod(0)
    return made


def test_nothing_is_taken_for_gone(tree: Tree) -> None:
    look = tree.look(b"a/b/file")
    assert look is not None
    assert look.size == 5
    file = tree.open(b"a/b/file")
    assert file is not None
    assert os.read(file, 9) == b"bytes"
    os.close(file)


def test_everything_is_found(tree: Tree) -> None:
    assert [name for name, _ in tree.walk(b"")] == [b"a/b/file", b"read-only/file"]


@pytest.mark.parametrize("name", [b"a/b/file", b"a/b/other", b"read-only/file", b"read-only/other", b"a/c/d"])
def test_names_change_as_ever(tree: Tree, place: Path, name: bytes) -> None:
    tree.show(name, place / "new", 3)
    file = tree.open(name)
    assert file is not None
    assert os.read(file, 9) == b"new"
    os.close(file)
    tree.hide(name, lambda folder: False)
    assert tree.look(name) is None


def test_a_copy_holds_it_all(tree: Tree, place: Path) -> None:
    copies.copy_folder(place, place.parent / f"{place.name}-copy")
    assert (place.parent / f"{place.name}-copy" / "bucket" / "a" / "b" / "file").read_bytes() == b"bytes"
    shutil.rmtree(place.parent / f"{place.name}-copy")


def test_no_link_is_opened_in_place_of_a_folder(tree: Tree, place: Path) -> None:
    (place / "outside").mkdir(mode=0o700)
    (place / "outside").chmod(0)
    tree.root.chmod(0o777)
    (tree.root / "link").symlink_to(place / "outside")
    assert tree.look(b"link/file") is None
    assert tree.open(b"link") is None
    assert (place / "outside").stat().st_mode & 0o777 == 0


def test_a_blob_that_its_other_name_closed_is_read(place: Path) -> None:
    blobs = Blobs(place / "blobs", lambda name: None)
    with blobs.create("f" * 32) as writer:
        writer.write(b"bytes")
        writer.finish()
    blobs.path("f" * 32).chmod(0)
    file = blobs.open("f" * 32)
    assert os.read(file, 9) == b"bytes"
    os.close(file)
