"""What single steps cost: runs `cargo bench --bench costs` and `instructions`, and reads what they print."""

import os
import re
import subprocess

from programs import BUILT, HERE, ROOT

SCALES = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9}


def measure(core):
    """Prints both, pinned to a core; the figures the goals are about, and both texts."""
    subprocess.run(["cargo", "bench", "--bench", "costs", "--no-run"], cwd=ROOT, check=True)
    print("\nWhat single steps cost (`cargo bench --bench costs`):\n", flush=True)
    steps = printed(["cargo", "bench", "--bench", "costs"], core)
    counted = printed([HERE / "instructions"], core)
    (BUILT / "costs.txt").write_text(steps + counted)
    return {
        "attestations_s": attestations_s(steps),
        "allocations": allocations(steps),
        "instructions": int(match[1]) if (match := re.search(r"(\d+) instructions", counted)) else None,
        "text": steps,
    }


def printed(command, core):
    def settle():
        if os.cpu_count() > 1:
            os.sched_setaffinity(0, core)

    words = [str(word) for word in command]
    ran = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=settle)
    print(ran.stdout, flush=True)
    return ran.stdout


def lines_of(text, name):
    """What stands under a name of divan's tree, its own line first."""
    lines = text.splitlines()
    at = next((n for n, line in enumerate(lines) if re.match(rf"[│ ]*[├╰]─ {name}\b", line)), None)
    if at is None:
        return []
    depth = lines[at].index("─")
    below = []
    for line in lines[at + 1 :]:
        branch = re.match(r"[│ ]*[├╰]─", line)
        if branch and branch.end() - 1 <= depth:
            break
        below.append(line)
    return [lines[at], *below]


def attestations_s(text):
    """The median of the commits of a hundred records."""
    commits = lines_of("\n".join(lines_of(text, "journal_commit")), "100")
    rates = [rate for line in commits if (rate := re.findall(r"([\d.]+) ?([KMG]?)item/s", line))]
    if not rates:
        return None
    # Columns: fastest, slowest, median, mean.
    value, scale = rates[0][min(2, len(rates[0]) - 1)]
    return float(value) * SCALES[scale]


def allocations(text):
    """The median of those of a scan that is decoded and judged; divan says nothing of them where there were none."""
    lines = lines_of(text, "decode_and_judge")
    if not lines:
        return None
    at = next((n for n, line in enumerate(lines) if re.search(r"\balloc:", line)), None)
    if at is None:
        return 0
    counts = re.findall(r"[\d.]+", lines[at + 1])
    return float(counts[min(2, len(counts) - 1)]) if counts else None
