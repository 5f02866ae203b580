"""Run a command that ends when its parent does: `python leash.py PARENT SIGNAL UID:GID|- COMMAND...`, run by its path.

Linux sends the signal when the parent dies, however it dies; elsewhere the command is simply run. The user is changed
before the signal is asked for, because the kernel forgets the wish when a process changes its user.
"""

import ctypes
import os
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


def main() -> None:
    parent, signal, user, *command = sys.argv[1:]
    if user != "-":
        uid, gid = map(int, user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, int(signal))
        if os.getppid() != int(parent):  # it died before the wish was known
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
