"""What is measured: how each program is built, configured and started. See `run`."""

import contextlib
import os
import pathlib
import resource
import shutil
import sqlite3
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
BUILT = TARGET / "bench"
# Each meter has an address of its own, as floor/meters.h says.
METERS_PORT = 12_000
METERS_IP = "127.1.0.0"
BROKER_IP, BROKER_PORT = "127.0.0.9", 11_883
MOST_FILES = 65_536
# What farm and agent have open besides a connection a meter.
SOME_FILES = 500
# A hundred thousand first words on a busy machine.
MOST_SETTLING_S = 180
# libmodbus waits by select(2), which knows 1,024 files.
MOST_OF_A_FLOOR = 1_000

C_PROGRAMS = {"farm": [], "subscriber": ["-lmosquitto"], "cfloor": ["-lmodbus", "-lmosquitto"]}
PACKAGES = {
    "/usr/include/modbus/modbus.h": "libmodbus-dev",
    "/usr/include/mosquitto.h": "libmosquitto-dev",
    "/usr/sbin/mosquitto": "mosquitto",
    "/usr/bin/gcc": "gcc",
    "/usr/bin/strip": "binutils",
    "/usr/bin/valgrind": "valgrind",
}


def install():
    missing = [package for file, package in PACKAGES.items() if not pathlib.Path(file).exists()]
    if not missing:
        return
    print("installing:", *missing)
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for command in (
        ["apt-get", "update", "-qq"],
        ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
    ):
        if subprocess.run(as_root + command).returncode:
            raise SystemExit(f"These Debian packages are missing, install them by hand: {' '.join(missing)}")


def build(agent):
    """Builds the references and, unless one is given, the agent as it is shipped; tells where the agent is."""
    BUILT.mkdir(parents=True, exist_ok=True)
    for name, libraries in C_PROGRAMS.items():
        source, program = HERE / "floor" / f"{name}.c", BUILT / name
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", program, source, *libraries], check=True)
    if agent:
        return pathlib.Path(agent).resolve()
    built = subprocess.run([ROOT / "tests/packages/program", "coldhearth"], stdout=subprocess.PIPE, text=True, check=True)
    return pathlib.Path(built.stdout.strip())


def most_meters(wanted):
    """A connection a meter, and some: raises this run's limit of open files, and tells how many meters it holds."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = min(MOST_FILES, wanted + SOME_FILES)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, max(hard, want)))
    except ValueError:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        want = hard
    if want - SOME_FILES < wanted:
        print(f"  {want} open files are allowed here, so at most {want - SOME_FILES} meters", file=sys.stderr)
    return want - SOME_FILES


def broker_config(folder):
    path = folder / "mosquitto.conf"
    path.write_text(
        f"listener {BROKER_PORT} {BROKER_IP}\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n"
        "max_inflight_messages 1000\nset_tcp_nodelay true\nlog_dest none\n"
    )
    return path


def agent_config(folder, meters, period_ms, live):
    """An agent that watches the farm: a bus, a furnace and a meter for each address."""
    (folder / "meters").mkdir(parents=True)
    shutil.copy(HERE / "farm-meter.toml", folder / "meters")
    text = [
        '[gateway]\nid = "gw-bench"\ndivision = "130421"\nuscc = "91350100M000100Y43"\nstate_dir = "state"\n'
        f'\n[broker]\nhost = "{BROKER_IP}"\nport = {BROKER_PORT}\ndrain_per_s = 10_000\n' + ("live = true\n" if live else "")
    ]
    for n in range(meters):
        text.append(
            f'\n[[bus]]\nid = "b{n}"\nendpoint = "tcp://127.1.{n >> 8}.{n & 255}:{METERS_PORT}"\n'
            f'\n[[equipment]]\nid = "e{n}"\nkind = "electric_furnace"\nrated_power_w = 60_000\n'
            "decommissioned_on = 2011-12-31\n"
            f'\n[[meter]]\nid = "m{n}"\nbus = "b{n}"\nunit = 1\nprofile = "farm-meter"\nserves = "e{n}"\n'
            f'voltage_point = "load"\nnominal_v = 400\nrated_a = 100\nmeter_class = "0.5"\npoll_ms = {period_ms}\n'
            '\n[[meter.allowance]]\nname = "heaters"\nkind = "heaters"\npower_w = 20_000\n'
            "energy_kwh_per_month = 14_000\n"
        )
    path = folder / "agent.toml"
    path.write_text("".join(text))
    return path


def places(journal):
    """Places of a log that are written, and that the broker has accepted."""
    with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=30)) as database:
        [written] = database.execute("select coalesce(max(seq), 0) from record").fetchone()
        [accepted] = database.execute("select coalesce(max(seq), 0) from cursor where name = 'accepted'").fetchone()
        return written, accepted


class Floor:
    def __init__(self, burst):
        self.name = "C floor, burst" if burst else "C floor, spread"
        self.more = ["burst"] if burst else []
        self.filter, self.keys = "floor/#", ("ts", "mk")
        self.binary = BUILT / "cfloor"

    def settle(self, _folder, meters):
        """Waits until every meter is polled, and tells for how many seconds."""
        time.sleep(meters / 2_500)
        return meters / 2_500

    def commands(self, _folder, meters, period_ms):
        for first in range(0, meters, MOST_OF_A_FLOOR):
            some = min(MOST_OF_A_FLOOR, meters - first)
            yield [self.binary, METERS_PORT, first, some, period_ms, BROKER_IP, BROKER_PORT, *self.more]


class Agent:
    def __init__(self, binary, live):
        self.name = "agent with live" if live else "agent, own job"
        self.binary, self.live = binary, live
        self.filter = "coldhearth/live/#" if live else "coldhearth/#"
        self.keys = ("run_hours", "current_n")

    def settle(self, folder, meters):
        """Waits until its first word on every meter is signed and sent, and tells for how many seconds."""
        journal, began, before = folder / "state" / "journal.db", time.monotonic(), 0
        while time.monotonic() - began < MOST_SETTLING_S:
            time.sleep(1)
            written, accepted = places(journal)
            # Where nobody subscribes to records, as beside `live`, the broker accepts none.
            waiting = written - accepted if accepted else 0
            if max(written - before, waiting) <= 1 + meters / 100:
                break
            before = written
        else:
            print(f"  not settled after {MOST_SETTLING_S} s: the figures hold its first words, too", file=sys.stderr)
        return time.monotonic() - began

    def commands(self, folder, meters, period_ms):
        if not (folder / "agent.toml").exists():
            agent_config(folder, meters, period_ms, self.live)
        yield [self.binary, "run", "--config", folder / "agent.toml"]
