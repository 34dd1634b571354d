"""A second opinion of the notice, slow and plain, written from its grammar and not from our evaluator.

Reads the catalogue named on the command line, then one case a line; answers each with one line of JSON.
"""

import json
import re
import sys
import tomllib
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

T, F, U = "true", "false", "unknown"
ORDER = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
SHANGHAI = timezone(timedelta(hours=8))
ISSUED = date(2010, 2, 6)


def is_number(value):
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def all_of(values):
    values = list(values)
    return F if F in values else U if U in values else T


def any_of(values):
    values = list(values)
    return T if T in values else U if U in values else F


def negate(value):
    return {T: F, F: T, U: U}[value]


def truth(flag):
    return T if flag else F


def agreed(values):
    values = set(values)
    return values.pop() if len(values) == 1 else U


def whole_date(text):
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None
    return None


def first_and_last(text):
    """The days a date text may mean."""
    day = whole_date(text)
    if day:
        return day, day
    if re.fullmatch(r"[0-9]{4}", text) and text != "0000":
        return date(int(text), 1, 1), date(int(text), 12, 31)
    return None


def anniversary(day, years):
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def legal_day(text):
    day = whole_date(text)
    return day or datetime.fromisoformat(text).astimezone(SHANGHAI).date()


class Catalogue:
    def __init__(self, path):
        with open(path, "rb") as file:
            data = tomllib.load(file, parse_float=Decimal)
        self.types = {name: entry["type"] for name, entry in data["attributes"].items()}
        self.entries = data["entry"]
        self.kinds = set(data["document"]["known_kinds"])
        self.kinds.update(kinds_of(self.entries))
        self.rules = data["document"]["consistency"]


def predicates(criteria):
    for item in criteria:
        yield from item.get("any", [item])


def kinds_of(entries):
    for entry in entries:
        for p in predicates(entry.get("criteria", [])):
            if p["attr"] == "equipment_kind" and p["op"] == "==":
                yield p["value"]
            if p["attr"] == "equipment_kind" and p["op"] == "in":
                yield from p["value"]


class Plate:
    """What can be used of a nameplate: attribute -> list of candidates; None where a candidate cannot be used."""

    def __init__(self, nameplate, on, catalogue, kinds):
        self.on = on
        self.types = catalogue.types
        self.kinds = kinds
        self.known = {}
        self.contradictions = set()
        for name, value in nameplate.items():
            if name not in self.types:
                continue
            if isinstance(value, dict) and isinstance(value.get("values"), list):
                candidates = value["values"]
                self.known[name] = candidates if candidates and all(self.usable(name, c) for c in candidates) else None
            elif self.usable(name, value):
                self.known[name] = [value]
        original = dict(self.known)
        for left, op, right in catalogue.rules:
            a, b = self.side(original, left), self.side(original, right)
            if a and b and not any(ORDER[op](x, y) for x in a for y in b):
                names = sorted(side.removesuffix(".year") for side in (left, right))
                self.contradictions.add("contradiction:" + ",".join(names))
                for name in names:
                    self.known.pop(name, None)

    def usable(self, name, value):
        kind = self.types[name]
        if kind == "number":
            return is_number(value) and (isinstance(value, int) or value.is_finite()) and value > 0
        if kind == "bool":
            return isinstance(value, bool)
        if kind == "map":
            return isinstance(value, dict)
        if not isinstance(value, str) or value == "":
            return False
        if kind == "date":
            return first_and_last(value) is not None
        return name != "equipment_kind" or value in self.kinds

    def side(self, known, side):
        if side == "at.year":
            return [self.on.year]
        candidates = known.get(side.removesuffix(".year"))
        if candidates and side.endswith(".year"):
            return [first_and_last(c)[0].year for c in candidates]
        return candidates

    def ask(self, name, question):
        if name not in self.known or self.known[name] is None:
            return U
        return agreed(question(candidate) for candidate in self.known[name])


class Version:
    """An entry as the nation or a region has it."""

    def __init__(self, entry, region=None):
        self.id = entry["id"]
        self.deadline = entry["deadline"]
        self.determination = entry.get("determination", "none")
        self.criteria = entry.get("criteria", [])
        self.exemptions = entry.get("exemption", [])
        self.dispute = entry.get("dispute")
        self.region = region

    def predicate(self, p, plate, rival=False, to=None):
        name, op, value = p["attr"], p["op"], p["value"]
        if op == "determined":
            unruled = F if self.determination == "closed" else U

            def ruled(rulings):
                ruling = rulings.get(value)
                return truth(ruling) if isinstance(ruling, bool) else unruled

            return plate.ask(name, ruled) if name in plate.known else unruled
        if op == "service_years_gt":
            to = to or self.deadline

            def over(days):
                return agreed(truth(anniversary(day, value) < to) for day in days)

            if name in plate.known:
                return plate.ask(name, lambda text: over(first_and_last(text)))

            def since_built(year):
                if year != int(year):
                    return U
                return F if anniversary(date(int(year), 1, 1), value) >= to else U

            return plate.ask("built_year", since_built)
        if op == "==":
            return plate.ask(name, lambda x: truth(x == value))
        if op == "in":
            return plate.ask(name, lambda x: truth(x in value))
        if op == "prefix":
            return plate.ask(name, lambda x: truth(x.startswith(value)))
        if rival:
            op = p.get("alt_op", op)
        return plate.ask(name, lambda x: truth(ORDER[op](x, value)))

    def criterion(self, item, plate, **how):
        return any_of(self.predicate(p, plate, **how) for p in item.get("any", [item]))

    def all(self, criteria, plate, **how):
        return all_of(self.criterion(item, plate, **how) for item in criteria)

    def base(self, plate, **how):
        region = [] if self.region is None else [self.predicate(self.region, plate)]
        return all_of([self.all(self.criteria, plate, **how), *region])

    def exempt(self, plate, to=None):
        return any_of(self.all(e["criteria"], plate, to=to) for e in self.exemptions)

    def truth(self, plate, rival=False, to=None):
        return all_of([self.base(plate, rival=rival, to=to), negate(self.exempt(plate, to=to))])

    def missing(self, plate):
        open_lists = [self.criteria] + [e["criteria"] for e in self.exemptions if self.all(e["criteria"], plate) == U]
        open_items = [i for items in open_lists for i in items if self.criterion(i, plate) == U]
        names = set()
        for p in predicates(open_items + ([self.region] if self.region else [])):
            if self.predicate(p, plate) == U:
                names.add("determinations:" + p["value"] if p["op"] == "determined" else p["attr"])
        return names


def day_of(value):
    return value if isinstance(value, date) else whole_date(value)


def derive(change, national):
    entry = dict(national)
    if "deadline" in change:
        entry["deadline"] = day_of(change["deadline"])
    dropped = change.get("drop_criteria", [])
    bounded = [bound["attr"] for bound in change.get("set_bounds", [])]

    def stays(item):
        if "any" in item:
            return True
        return item["attr"] not in dropped and not (item["op"] in ORDER and item["attr"] in bounded)

    entry["criteria"] = [i for i in national["criteria"] if stays(i)]
    entry["criteria"] += change.get("set_bounds", []) + change.get("add_criteria", [])
    kept = [e for e in national.get("exemption", []) if e["id"] not in change.get("drop_exemptions", [])]
    entry["exemption"] = kept + change.get("add_exemptions", [])
    return entry


def same_or_tighter(new, old):
    if "any" in new or "any" in old:
        return new == old
    if new["attr"] != old["attr"]:
        return False
    a, b = new["op"], old["op"]
    if a in ORDER and b in ORDER and a[0] == b[0]:
        if new["value"] == old["value"]:
            return a == b or b.endswith("=")
        return new["value"] < old["value"] if a[0] == "<" else new["value"] > old["value"]
    if a == b == "in":
        return set(new["value"]) <= set(old["value"])
    return a == b and new["value"] == old["value"]


def lint_of(change, national):
    name = national["id"]
    if "deadline" in change and day_of(change["deadline"]) > national["deadline"]:
        yield f"later-deadline:{name}"
    if change.get("add_criteria"):
        yield f"added-criterion:{name}"
    for bound in change.get("set_bounds", []):
        olds = [i for i in national["criteria"] if i.get("attr") == bound["attr"] and i["op"] in ORDER]
        # Everything the nation catches must still be caught.
        for old in olds or [None]:
            if old is None or old["op"][0] != bound["op"][0]:
                yield f"narrower-bound:{name}:{bound['attr']}"
            elif bound["value"] == old["value"]:
                if old["op"].endswith("=") and not bound["op"].endswith("="):
                    yield f"inclusive-to-exclusive:{name}:{bound['attr']}"
            elif (bound["value"] < old["value"]) == (bound["op"][0] == "<"):
                yield f"narrower-bound:{name}:{bound['attr']}"
    for exemption in change.get("add_exemptions", []):
        old = [e for e in national.get("exemption", []) if e["id"] == exemption["id"]]
        if not old or exemption["id"] not in change.get("drop_exemptions", []):
            yield f"added-exemption:{name}"
        elif not all(any(same_or_tighter(n, o) for n in exemption["criteria"]) for o in old[0]["criteria"]):
            yield f"widened-exemption:{name}"


def classify(case, catalogue):
    on = legal_day(case["at"])
    overlays = case.get("overlays", [])
    versions = [Version(e) for e in catalogue.entries if e["kind"] != "national-target"]
    lint, kinds = set(), set(catalogue.kinds)
    national = {e["id"]: e for e in catalogue.entries}
    for overlay in overlays:
        lint.update("repeal:" + entry for entry in overlay.get("repeal", []))
        region = {"attr": "region_code", "op": "prefix", "value": overlay["region_code"]}
        live = day_of(overlay.get("effective_from", ISSUED)) <= on
        for change in overlay["entries"]:
            if "base" in change:
                base = national[change["base"]]
                entry = derive(change, base)
                lint.update(lint_of(change, base))
            else:
                entry = {**change, "deadline": day_of(change["deadline"])}
            kinds.update(kinds_of([entry]))
            if live and entry.get("kind") != "national-target":
                versions.append(Version(entry, region))
    plate = Plate(case["nameplate"], on, catalogue, kinds)
    return result(versions, plate, on, lint)


def result(versions, plate, on, lint):
    advisories = set(plate.contradictions)
    matched, undecided, exempted = [], [], []
    for version in versions:
        value, base = version.truth(plate), version.base(plate)
        if value == T:
            matched.append(version)
            if version.dispute and version.predicate(version.dispute, plate) == T:
                advisories.add("reading:" + version.id)
        elif value == U:
            undecided.append(version)
            if base == T:
                advisories.add("presume-in-scope:" + version.id)
        elif base == T:
            exempted.append(version)
        if value != T and version.region is None and any("alt_op" in p for p in predicates(version.criteria)):
            rival = version.truth(plate, rival=True)
            if rival == T or (rival == U and value == F):
                advisories.add("bound-exact:" + version.id)
        if value == F and any(p["op"] == "service_years_gt" for p in predicates(version.criteria)):
            if version.truth(plate, to=on) == T:
                advisories.add("rolling-age:" + version.id)
    ids = {version.id for version in matched}
    undetermined = {version.id for version in undecided} - ids
    let_go = {version.id for version in exempted} - ids
    deadline = min((version.deadline for version in matched), default=None)
    earlier = bool(matched) and any(version.deadline < deadline for version in undecided)
    if earlier:
        advisories.add("possible-earlier-deadline")
    if matched:
        if plate.ask("relocation_date", lambda x: truth((whole_date(x) or date.min) >= ISSUED)) == T:
            advisories.add("transfer")
        begun = plate.ask("service_start_date", lambda x: truth((whole_date(x) or date.min) > ISSUED))
        if T in (begun, plate.ask("built_year", lambda x: truth(x > 2010))):
            advisories.add("new-backward-capacity")
    missing = set()
    if earlier or not matched:
        for version in undecided:
            missing |= version.missing(plate)
    verdict = "in_scope" if ids else "undetermined" if undetermined else "exempt" if let_go else "out_of_scope"
    return {
        "verdict": verdict,
        "matched": sorted(ids),
        "deadline": deadline and deadline.isoformat(),
        "phase": deadline and ("overdue" if on > deadline else "pre_deadline"),
        "exempted": sorted(let_go),
        "undetermined": sorted(undetermined),
        "missing": sorted(missing),
        "advisories": sorted(advisories),
        "lint": sorted(lint),
    }


def main():
    catalogue = Catalogue(sys.argv[1])
    for line in sys.stdin:
        case = json.loads(line, parse_float=Decimal, parse_constant=Decimal)
        print(json.dumps(classify(case, catalogue), sort_keys=True))


if __name__ == "__main__":
    main()
