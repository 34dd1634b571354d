#!/usr/bin/env python3
"""Verifies coldhearth/1 with nothing of Coldhearth, by the words of src/evidence/mod.rs (Ed25519 only).

    verify.py KEYS.json < records.jsonl     KEYS.json: {"gateways": {"gw-03": "FIRST KEY"}, "authority": ["KEY"]}

Keys are base64. Answers each line: `ok HASH`, `unlinked HASH` if what `prev` names did not come before, `refused WHY`.
What a record means is not asked: see src/evidence/coldhearth-1.schema.json. With --base64 each line is base64."""
import base64, functools, hashlib, json, re, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPES = "genesis|boot|key_rotate|skip|gap|rollback_notice|act|answer|transition|state|verdict|event|interval|checkpoint"
HASH, COUNT = '"[0-9a-f]{64}"', "[0-9]+"
HEADER = dict(type=f'"({TYPES})"', gateway_id='"[a-z0-9_-]{1,24}"', log_id='"[0-9a-f]{16}"', seq=COUNT, prev=HASH,
              wall_unix_ms="-?[0-9]+", clock='"(ntp|rtc|none)"', clock_err_ms=COUNT, uptime_ms=COUNT, boot_count=COUNT,
              receipt=HASH + '|""', key_epoch=COUNT)
HEADER = {name: re.compile(form).fullmatch for name, form in HEADER.items()}
is_name, has_control = re.compile("[a-z0-9_]+").fullmatch, re.compile("[\0-\x1f\x7f-\x9f]").search


def need(truth, why):
    if not truth:
        raise ValueError(why)


# Canonical bytes.
encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
decode = json.JSONDecoder(parse_float=lambda _: need(False, "fraction")).decode


def lawful(value, depth=1):
    if isinstance(value, str):
        return not has_control(value)
    if isinstance(value, int):
        return abs(value) < 2**53
    if not isinstance(value, (dict, list)) or depth > 8:
        return False
    names = value if isinstance(value, dict) else ()
    items = value.values() if isinstance(value, dict) else value
    return all(map(is_name, names)) and all(lawful(item, depth + 1) for item in items)


def from_base64(text, length):
    raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    need(len(raw) == length and base64.b64encode(raw).decode() == text, "base64")
    return raw


# Keys.
P, D = 2**255 - 19, -121665 * pow(121666, -1, 2**255 - 19)


@functools.cache
def is_strong(raw):
    """On the curve, and none of the points of small order, with which anybody can sign anything."""
    yy = (int.from_bytes(raw, "little") % 2**255) ** 2 % P
    return pow((yy - 1) * (D * yy + 1), P // 2, P) == 1 and yy * (D * yy * yy + 2 * yy - 1) % P != 0


def key_of(text):
    need(is_strong(from_base64(text, 32)), "weak key")
    return from_base64(text, 32)


def key_id(key):
    return hashlib.sha256(key).hexdigest()[:16]


class Verifier:
    def __init__(self, gateways, authority):
        self.first = {key_id(key_of(key)): key_of(key) for key in gateways.values()}
        self.owner = {key_id(key_of(key)): gateway for gateway, key in gateways.items()}
        self.authority = {key_id(key_of(key)): key_of(key) for key in authority}
        self.logs, self.seen = {}, set()  # of each log its epochs: number to [key, first place, last place]

    def verify(self, wire):
        need(len(wire) <= 64 * 1024, "too long")
        m = decode(wire.decode())
        need(isinstance(m, dict) and encode(m).encode() == wire and lawful(m), "not canonical")
        need((m.get("fmt"), m.get("alg"), type(m.get("kid"))) == ("coldhearth/1", "ed25519", str), "fmt, alg or kid")
        signature = from_base64(m.pop("sig", None), 64)
        said_by_authority = m["kid"] in self.authority
        epochs = {} if said_by_authority else self.epochs(m)
        key = self.authority[m["kid"]] if said_by_authority else epochs[m["key_epoch"]][0]
        signed = b"coldhearth/1\n" + encode(m).encode()
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
        need(is_strong(signature[:32]), "weak signature")
        digest = hashlib.sha256(signed).hexdigest()
        if said_by_authority:
            fits = len(wire) <= 32 * 1024 and lawful(m, 2)  # an act travels on inside a record
            need(m.get("type") in ("receipt", "heads") or m.get("type") == "act" and fits, "type, length or depth")
            return f"ok {digest}"
        self.take(m, epochs, epochs[m["key_epoch"]])
        linked = m["type"] == "genesis" or m["prev"] in self.seen
        self.seen.add(digest)
        return f"{'ok' if linked else 'unlinked'} {digest}"

    def epochs(self, m):
        """The keys of the record's log. Its first is enrolled, or that of the log which its genesis continues."""
        for name, form in HEADER.items():
            need(name in m and form(encode(m[name])), name)
        need(max(m["clock_err_ms"], m["boot_count"], m["key_epoch"]) < 2**32, "beyond 32 bits")
        epochs, first = self.logs.get((m["gateway_id"], m["log_id"])), self.first.get(m["kid"])
        if epochs is None and first:
            epochs = {0: [first, 0, 2**53]}
        elif epochs is None:
            need(m["type"] == "genesis" and isinstance(m.get("continues"), dict), "unknown key")
            before = self.logs.get((m["gateway_id"], str(m["continues"].get("log_id"))), {})
            epochs = {number: [key, 0, 2**53] for number, (key, _, _) in before.items() if number == m["key_epoch"]}
        need(m["key_epoch"] in epochs and key_id(epochs[m["key_epoch"]][0]) == m["kid"], "unknown key")
        # A key that begins a log is its gateway's own; a later one is its log's, whoever else names it.
        begins = (m["gateway_id"], m["log_id"]) not in self.logs
        need(not begins or self.owner.get(m["kid"], m["gateway_id"]) == m["gateway_id"], "key of another gateway")
        return epochs

    def take(self, m, epochs, epoch):
        """Whether the key may sign this place; a rotation ends its epoch and begins the next."""
        seq, gateway, is_genesis = m["seq"], m["gateway_id"], m["type"] == "genesis"
        need(epoch[1] <= seq <= epoch[2] and is_genesis == (seq == 0), "place")
        need(not is_genesis or (m["prev"], key_of(m.get("public_key"))) == ("0" * 64, epoch[0]), "genesis")
        if m["type"] == "key_rotate":
            number, key = m["key_epoch"] + 1, key_of(m.get("public_key"))
            need(encode(m.get("next_epoch")) == str(number) and number < 2**32, "next_epoch")
            epoch[2] = seq
            following = epochs.setdefault(number, [key, seq + 1, 2**53])  # of two keys the first one stays
            if following[0] == key:
                following[1] = min(following[1], seq + 1)
        if (gateway, m["log_id"]) not in self.logs:
            self.owner.setdefault(m["kid"], gateway)
        self.logs[gateway, m["log_id"]] = epochs


if __name__ == "__main__":
    verifier = Verifier(**json.load(open(sys.argv[1], "rb")))
    for line in sys.stdin.buffer:
        try:
            line = line.removesuffix(b"\n")
            print(verifier.verify(base64.b64decode(line) if "--base64" in sys.argv[2:] else line))
        except (ValueError, RecursionError, InvalidSignature) as why:
            print("refused", " ".join(str(why).split()) or "signature")
