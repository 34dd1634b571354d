"""Runs a program with the system calls that a unit leaves it: what systemd would load, loaded by libseccomp.

    under_unit.py UNIT PROGRAM ARGUMENTS..

The members of a group (`@system-service`) are those that this machine's systemd-analyze names.
"""

import errno
import os
import subprocess
import sys

import seccomp


def members(name):
    """The system calls that a word of SystemCallFilter= stands for."""
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    words = [line.strip() for line in said.stdout.splitlines()[1:] if line.startswith("    ")]
    return set().union(*(members(word) for word in words if not word.startswith("#")))


def allowed(unit):
    """What is left after every line, in their order."""
    left = set()
    settings = [line.split("=", 1) for line in open(unit, encoding="utf-8") if "=" in line and not line.startswith("#")]
    for key, value in settings:
        if key == "SystemCallFilter":
            removes = value.startswith("~")
            for word in value.strip().lstrip("~").split():
                left = left - members(word) if removes else left | members(word)
        # ProtectClock= has a filter of its own, over every other.
    if ["ProtectClock", "yes\n"] in settings:
        left -= members("@clock")
    assert ["SystemCallErrorNumber", "EPERM\n"] in settings, "what is not left would kill"
    return left


def main():
    unit, command = sys.argv[1], sys.argv[2:]
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for call in sorted(allowed(unit)):
        try:
            rules.add_rule(seccomp.ALLOW, call)
        except (RuntimeError, OSError, ValueError):
            pass  # A call of another architecture.
    # Python itself is still here until the program takes its place.
    os.set_inheritable(2, True)
    rules.load()
    os.execv(command[0], command)


main()
