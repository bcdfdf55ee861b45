"""Small disks for a broker's data: one that can be filled, one that loses power or fails. They need root and Linux."""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# Until a process that was killed has let go of its files.
LET_GO_SECONDS = 10.0
# A copy during which the device was written to is not one moment's: taken again, at most so often.
COPIES = 50
# From linux/fs/ext4/ext4.h.
EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH = 0x8004587D, 2
MEGABYTE = 1 << 20


def need(there: bool, what: str) -> None:
    """Skip a test without what it needs; where everything has to be there (CI), fail it."""
    if there:
        return
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def need_mounts() -> None:
    """File systems can be made and mounted."""
    root = sys.platform == "linux" and os.geteuid() == 0
    need(
        root and shutil.which("mkfs.ext4") is not None,
        "this test mounts small disks: it needs Linux, root and e2fsprogs",
    )


def run(*command: str | Path) -> str:
    """A command that has to succeed; returns its output."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def unmount(point: Path) -> None:
    """Take a file system away, once nobody has a file of it open; a loop device goes with it."""
    deadline = time.monotonic() + LET_GO_SECONDS
    while subprocess.run(["umount", str(point)], capture_output=True).returncode:
        if time.monotonic() > deadline:
            run("umount", "--lazy", point)
            raise AssertionError(f"{point} is still in use")
        threading.Event().wait(0.05)


class Ballast:
    """A file that takes all the room there is."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def fill(self, but: int = 0) -> None:
        """Have no room left, not for one block, or so many bytes."""
        with self._file.open("ab", buffering=0) as file:
            with contextlib.suppress(OSError):
                while file.write(b"\1" * MEGABYTE):
                    pass
            file.truncate(file.tell() - but)

    def free(self) -> None:
        """Give all of it back."""
        os.truncate(self._file, 0)


@contextlib.contextmanager
def small_disk(point: Path, megabytes: float) -> Iterator[Ballast]:
    """A file system in memory, of so much room."""
    point.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={int(megabytes * 1024)}k,mode=700", "none", point)
    try:
        yield Ballast(point)
    finally:
        unmount(point)


class ImageDisk:
    """ext4 in a file. What reaches the file has reached the disk; what is only in the kernel's cache has not."""

    def __init__(self, image: Path, point: Path) -> None:
        self.image, self.point = image, point
        self._mounted = False
        point.mkdir(exist_ok=True)

    def make(self, megabytes: int) -> None:
        """Make the file system."""
        with self.image.open("wb") as file:
            file.truncate(megabytes * MEGABYTE)
        run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)

    def mount(self) -> None:
        """Mount it, its journal played back. Of itself it writes as little as possible: only what is asked for."""
        run("mount", "-o", "loop,commit=300,errors=remount-ro", self.image, self.point)
        self._mounted = True

    def unmount(self) -> None:
        """Take it away; harmless if it is not there."""
        if self._mounted:
            self._mounted = False
            unmount(self.point)

    def fail(self) -> None:
        """Have the kernel find an error in it, after which nothing more is written until it is mounted again."""
        trigger = Path(f"/sys/fs/ext4/{self.device}/trigger_fs_error")
        need(trigger.exists(), "this test has a file system fail: it needs a kernel with ext4's trigger_fs_error")
        trigger.write_text("by a test\n")

    def die(self) -> None:
        """Have everything that is asked of it fail from now on; what had not reached it is lost."""
        folder = os.open(self.point, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", EXT4_GOING_FLAGS_NOLOGFLUSH))
        finally:
            os.close(folder)

    @property
    def device(self) -> str:
        """loop0, or whichever it is."""
        return Path(run("findmnt", "-n", "-o", "SOURCE", self.point).strip()).name

    def copy(self, to: Path) -> None:
        """What a power loss at this moment would leave."""
        for _ in range(COPIES):
            before = self._written()
            shutil.copyfile(self.image, to)
            if self._written() == before:
                return
        raise AssertionError(f"{self.device} is never quiet")

    def _written(self) -> tuple[str, str]:
        """How much was written to the device so far, and is on its way."""
        fields = Path(f"/sys/block/{self.device}/stat").read_text().split()
        return fields[4], fields[8]


@contextlib.contextmanager
def image_disk(image: Path, point: Path, megabytes: int) -> Iterator[ImageDisk]:
    """A new one, mounted."""
    disk = ImageDisk(image, point)
    disk.make(megabytes)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()
