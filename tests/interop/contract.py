#!/usr/bin/env python3
"""Holds captured messages against the contract: contract.py DIR SPEC < messages

DIR is what `coldhearth-regulator contract` wrote, SPEC the JSON Schema of AsyncAPI documents. Each line of input is
{"topic": .., "payload": .., "retained": ..}; each is answered by `CHANNEL MESSAGE`, or by `none` and why. Then come the
messages that no line was: `unused CHANNEL MESSAGE`."""
import json, os, re, sys
import jsonschema

folder, spec = sys.argv[1:]
page = lambda name: open(os.path.join(folder, name), encoding="utf-8").read()
document = json.loads(page("asyncapi.json"))
meta = json.load(open(spec, encoding="utf-8"))
error = next(jsonschema.Draft7Validator(meta).iter_errors(document), None)
assert error is None, f"asyncapi.json: {error.json_path}: {error.message}"
base = json.loads(page("coldhearth-1.schema.json"))


def at(pointer):
    """What a reference inside the document leads to."""
    part = document
    for step in pointer.removeprefix("#/").split("/"):
        part = part[step]
    return part


def validator(payload):
    """Of a message's payload: its schema's file, with the base schema's parts beside it."""
    if "schema" not in payload:
        return jsonschema.Draft202012Validator(payload)
    text = page(payload["schema"]["$ref"].removeprefix("./"))
    schema = json.loads(text.replace('"coldhearth-1.schema.json#', '"#'))
    schema["$defs"] = base["$defs"]
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


channels = {}
for name, channel in document["channels"].items():
    patterns = {level: value["x-pattern"] for level, value in channel["parameters"].items()}
    named = re.split(r"\{(\w+)\}", channel["address"])
    assert set(named[1::2]) == set(patterns), name
    pattern = "".join(re.escape(part) if at % 2 == 0 else f"({patterns[part]})" for at, part in enumerate(named))
    messages = {message: validator(at_["payload"]) for message, at_ in
                ((message, at(ref["$ref"])) for message, ref in channel["messages"].items())}
    channels[name] = re.compile(pattern), messages
retained = {}
for operation in document["operations"].values():
    channel = operation["channel"]["$ref"].rsplit("/", 1)[1]
    assert channel in channels and channel not in retained, channel
    for message in operation["messages"]:
        at(message["$ref"])
    retained[channel] = operation["bindings"]["mqtt"]["retain"]
assert set(retained) == set(channels)

used = set()
for line in sys.stdin:
    captured = json.loads(line)
    found = [name for name, (pattern, _) in channels.items() if pattern.fullmatch(captured["topic"])]
    if len(found) != 1:
        print(f"none: {len(found)} channels have the topic {captured['topic']}")
        continue
    [channel] = found
    if captured["retained"] and not retained[channel]:
        print(f"none: {channel} is never retained")
        continue
    try:
        payload = json.loads(captured["payload"]) if captured["payload"] else ""
    except ValueError as error:
        print(f"none: {channel}: no JSON: {error}")
        continue
    errors = {name: next(schema.iter_errors(payload), None) for name, schema in channels[channel][1].items()}
    holding = [name for name, error in errors.items() if error is None]
    if len(holding) != 1:
        print(f"none: {channel}: it is {holding}: {[str(e.message)[:120] for e in errors.values() if e]}".replace("\n", " "))
        continue
    used.add((channel, holding[0]))
    print(channel, holding[0])
for name, (_, messages) in sorted(channels.items()):
    for message in sorted(set(messages) - {message for channel, message in used if channel == name}):
        print("unused", name, message)
