"""The few Linux calls that Python 3.8 does not offer: namespaces, mapped mounts, addresses; each raises OSError."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys

from . import sentences

NEW_MOUNTS, NEW_NETWORK, NEW_USER = 0x00020000, 0x40000000, 0x10000000
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219}
_JOIN_SESSION_KEYRING = 1
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_PDEATHSIG, _SUBREAPER = 1, 36
_SET_ADDRESS, _SET_NETMASK, _GET_FLAGS, _SET_FLAGS = 0x8916, 0x891C, 0x8913, 0x8914
_UP = 1

IS_LINUX = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


def unshare(flags: int) -> None:
    """Give the calling *thread* (and what it starts from now on) namespaces of its own."""
    _check(_libc.unshare(flags))


def private_mounts() -> None:
    """Keep the mounts of this thread's namespace to itself, while later mounts of the machine still arrive."""
    recursive_slave = 0x4000 | 0x80000
    _check(_libc.mount(b"none", b"/", None, ctypes.c_ulong(recursive_slave), None))


def mount_overlay(lower: str, upper: str, work: str, target: str) -> None:
    """Mount a writable view of `lower` at `target`; what is written lands in `upper`."""
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    _check(_libc.mount(b"overlay", os.fsencode(target), b"overlay", ctypes.c_ulong(0), os.fsencode(options)))


def mount_memory(target: str) -> None:
    """Mount a file system in memory at `target`, open to everybody as /dev/shm is; it holds half the memory at most."""
    _check(_libc.mount(b"tmpfs", os.fsencode(target), b"tmpfs", ctypes.c_ulong(0), b"mode=1777"))


def bind_mapped(source: str, target: str, userns: int) -> None:
    """Show `source` at `target` with the owners mapped through the user namespace behind the descriptor `userns`."""
    clone, close_on_exec, idmap, from_empty = 1, 0o2000000, 0x00100000, 4
    tree = _check(_libc.syscall(_OPEN_TREE, _AT_FDCWD, os.fsencode(source), clone | close_on_exec))
    try:
        attributes = _MountAttributes(idmap, 0, 0, userns)
        size = ctypes.c_size_t(ctypes.sizeof(attributes))
        _check(_libc.syscall(_MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH, ctypes.byref(attributes), size))
        _check(_libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(target), from_empty))
    finally:
        os.close(tree)


def user_namespace(uid: int) -> int:
    """Return a descriptor of a user namespace that shows files of root as files of `uid`. Needs root, one thread."""
    ready, made = os.pipe()
    held, hold = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(hold)
            unshare(NEW_USER)
            os.write(made, b"1")
            os.read(held, 1)  # returns when the parent closes its end, or dies
        finally:
            os._exit(0)
    os.close(made)
    os.close(held)
    try:
        if not os.read(ready, 1):
            raise OSError(sentences.NO_USER_NAMESPACES)
        for kind in ("uid_map", "gid_map"):
            with open(f"/proc/{pid}/{kind}", "w") as file:
                file.write(f"0 {uid} 1\n")
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(ready)
        os.close(hold)
        os.waitpid(pid, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that none leaves the tree of this process."""
    _check(_libc.prctl(_SUBREAPER, 1, 0, 0, 0))


def leave_keyring() -> None:
    """Leave the kernel's keyring of the session that started us (it may hold tickets and disk keys) for an empty one.

    It is inherited by every process and by no namespace kept apart. For a process that has one thread yet.
    """
    number = _KEYCTL.get(os.uname().machine)
    if IS_LINUX and number is not None:
        _check(_libc.syscall(number, _JOIN_SESSION_KEYRING, None))


def add_address(interface: str, address: str, prefix: int) -> None:
    """Give an interface of this thread's network namespace an IPv4 address, and set it up. `lo:1` adds to `lo`."""
    name = interface.encode()
    mask = socket.inet_ntoa(struct.pack(">I", (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, value in ((_SET_ADDRESS, address), (_SET_NETMASK, mask)):
            packed = struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(control, request, packed)
        _set_up(control, name)


def loopback_up() -> None:
    """Set up `lo` of this thread's network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        _set_up(control, b"lo")


def _set_up(control: socket.socket, name: bytes) -> None:
    flags = struct.unpack("16sH", fcntl.ioctl(control, _GET_FLAGS, struct.pack("16sH14x", name, 0))[:18])[1]
    fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sH14x", name, flags | _UP))


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
