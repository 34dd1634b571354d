"""What the agent is held to, beside the C floor of the same run: a goal, what it reaches for, and what was measured."""

import statistics

OWN, LIVE, FLOOR = "agent, own job", "agent with live", "C floor, spread"
MEMORY_MB = {10: 6, 100: 8, 1_000: 20}
# A second of scans at the least: below that nothing can be said of who was late.
ENDURED_S = 60


class Figures:
    """What was measured, by size and program; a figure that was not measured is None."""

    def __init__(self, blocks, endured, starts, sizes_mb, costs):
        self.blocks = {(block["meters"], block["period_ms"]): block["rounds"] for block in blocks}
        self.endured, self.starts, self.sizes_mb, self.costs = endured, starts, sizes_mb, costs

    def rounds(self, program, meters, period_ms=1_000):
        return self.blocks.get((meters, period_ms), {}).get(program) or []

    def middle(self, program, meters, period_ms, *path):
        return middle(self.rounds(program, meters, period_ms), *path)

    def ratio(self, program, meters, *path, period_ms=1_000):
        """The median of the rounds' own ratios to the C floor."""
        ours, floor = (self.rounds(name, meters, period_ms) for name in (program, FLOOR))
        pairs = [(one(a, *path), one(b, *path)) for a, b in zip(ours, floor)]
        ratios = [a / b for a, b in pairs if a is not None and b]
        return statistics.median(ratios) if ratios else None

    def peak_mb(self, program, meters):
        peaks = [figures["peak_mb"] for figures in self.rounds(program, meters)]
        return max(peaks) if peaks else None


def one(figures, *path):
    for key in path:
        figures = figures.get(key) if figures is not None else None
    return figures


def middle(rounds, *path):
    values = [value for value in (one(figures, *path) for figures in rounds) if value is not None]
    return statistics.median(values) if values else None


def of(figures):
    """Each goal with what it reaches for and what was measured; a bound of None is no goal, only a figure."""
    late = {meters: block["late"] for meters, block in figures.endured.items()}
    start = figures.starts.get(OWN)
    flip = figures.ratio(LIVE, 100, "flip_ms", "p50", period_ms=100)
    beyond = max(late, default=0)
    return [
        most("CPU a scan, own job, 1,000 meters", "× C floor", 0.6, 0.4, figures.ratio(OWN, 1_000, "cpu_us")),
        most("CPU a scan, with live, 1,000 meters", "× C floor", 0.8, 0.6, figures.ratio(LIVE, 1_000, "cpu_us")),
        most("answer to subscriber, p50, 1,000 meters", "× C floor", 1.5, None, figures.ratio(LIVE, 1_000, "pipe_ms", "p50")),
        most("answer to subscriber, p99, 1,000 meters", "ms", 2, None, figures.middle(LIVE, 1_000, 1_000, "pipe_ms", "p99")),
        most("flip to subscriber, p50, 100 meters at 100 ms", "× C floor", None, None, flip),
        most(f"late polls in {ENDURED_S} s, 10,000 meters, one core", "", 0, None, late.get(10_000)),
        *([most(f"late polls in {ENDURED_S} s, {beyond:,} meters, one core", "", None, 0, late[beyond])] if beyond > 10_000 else []),
        *(
            most(f"peak memory, own job, {meters:,} meters", "MB", bound, None, figures.peak_mb(OWN, meters))
            for meters, bound in MEMORY_MB.items()
        ),
        most("first message, 10 meters, first start ever", "ms", 15, None, one(start, "first_start_ms")),
        most("first message, 10 meters, later starts", "ms", 15, None, one(start, "later_starts_ms")),
        most("stripped agent", "MB", 5, None, figures.sizes_mb.get(OWN)),
        least("attestations signed and durable, 100 a commit", "/s", 20_000, figures.costs.get("attestations_s")),
        most("allocations a scan, answer to judgement", "", 0, None, figures.costs.get("allocations")),
    ]


def most(what, unit, bound, reaching_for, measured):
    met = measured <= bound if None not in (bound, measured) else None
    return {"goal": what, "unit": unit, "bound": bound, "reaching_for": reaching_for, "measured": measured, "met": met}


def least(what, unit, bound, measured):
    met = measured >= bound if measured is not None else None
    return {"goal": what, "unit": unit, "bound": bound, "reaching_for": None, "measured": measured, "met": met}


def shown(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"


def table(goals):
    lines = ["| goal | unit | bound | reaching for | measured | |", "|---|---|--:|--:|--:|---|"]
    for line in goals:
        verdict = {True: "met", False: "**missed**", None: ""}[line["met"]]
        values = " | ".join(shown(line[key]) for key in ("bound", "reaching_for", "measured"))
        lines.append(f"| {line['goal']} | {line['unit']} | {values} | {verdict} |")
    return "\n".join(lines)
