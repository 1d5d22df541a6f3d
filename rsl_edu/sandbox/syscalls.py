"""The seccomp filter for bubblewrap, which limits the Linux system calls of a process in the sandbox."""

from __future__ import annotations

import contextlib
import errno
import functools
import socket
import tempfile
from collections.abc import Iterator
from typing import Any

from .error import SandboxError

DENIED = {
    # Keys outlive the process, so the next process could read them.
    "keys": "add_key keyctl request_key",
    # This memory need not be mapped by any process, so it would not be counted.
    "memory": "memfd_create memfd_secret shmget shmat msgget semget mq_open io_setup vmsplice userfaultfd",
    "processes": "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp",
    # Large parts of the kernel that nothing here needs, and in which vulnerabilities are found every year.
    "kernel": "io_uring_setup io_uring_enter io_uring_register bpf perf_event_open fanotify_init personality"
    " modify_ldt",
    "mounts": "unshare setns chroot pivot_root mount umount umount2 mount_setattr open_tree move_mount fsopen fsconfig"
    " fsmount fspick name_to_handle_at open_by_handle_at",
    "system": "acct syslog quotactl quotactl_fd swapon swapoff reboot kexec_load kexec_file_load init_module"
    " finit_module delete_module settimeofday clock_settime iopl ioperm uselib vhangup",
}
"""Names of the calls that always fail with ``EPERM``."""

_NUMBERS = 1024  # Linux 6.18 has fewer than 500 calls; a call that libseccomp does not know fails with ENOSYS
_SHARED, _ANONYMOUS, _HUGE = 0x01, 0x20, 0x40000  # flags of mmap, the same on x86-64 and on ARM
_NEW_USER = 0x10000000  # CLONE_NEWUSER
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_LOW = 0xFFFFFFFF  # the kernel reads only these bits of an ioctl request


@contextlib.contextmanager
def open_filter() -> Iterator[int]:
    """Open a file with the filter, for a single start of bubblewrap, because bubblewrap reads the file to its end.

    Yields:
        The file's descriptor, for ``--seccomp`` and ``pass_fds``.

    Raises:
        SandboxError: If there is no libseccomp.
    """
    with tempfile.TemporaryFile() as file:
        file.write(_program())
        file.seek(0)
        yield file.fileno()


@functools.cache
def _program() -> bytes:
    """Make the filter. It allows the calls that libseccomp knows, with some exceptions; other calls do not exist."""
    try:
        import pyseccomp  # looks for libseccomp when it is imported
    except (ImportError, RuntimeError) as error:
        says = "the filter for system calls needs pyseccomp and libseccomp.so.2"
        advice = "pip install pyseccomp; apt-get install libseccomp2, or dnf install libseccomp"
        raise SandboxError(f"{says} ({error}): {advice}") from None
    arg, differs, masked = pyseccomp.Arg, pyseccomp.NE, pyseccomp.MASKED_EQ
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)

    def deny(name: str | int, *conditions: Any, number: int = errno.EPERM) -> None:
        rules.add_rule(pyseccomp.ERRNO(number), name, *conditions)

    for names in DENIED.values():
        for name in names.split():
            if pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) >= 0:
                deny(name)
    for number in range(_NUMBERS):
        if not _known(pyseccomp, number):
            deny(number, number=errno.ENOSYS)
    deny("clone3", number=errno.ENOSYS)  # a filter cannot see the flags of clone3; without clone3, glibc calls clone
    deny("clone", arg(0, masked, _NEW_USER, _NEW_USER))
    deny("socket", arg(0, differs, socket.AF_UNIX))
    for flags in (_SHARED | _ANONYMOUS, _HUGE):  # both kinds can stay in memory while no process has them mapped
        deny("mmap", arg(3, masked, flags, flags))
    for request in (_TIOCSTI, _TIOCLINUX):
        deny("ioctl", arg(1, masked, _LOW, request))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _known(pyseccomp: Any, number: int) -> bool:
    try:
        pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, number)
    except ValueError:
        return False
    return True
