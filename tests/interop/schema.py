#!/usr/bin/env python3
"""Answers each line of JSON by `valid` or `invalid WHERE`: schema.py SCHEMA < messages

Then names the branches of the schema, members of any `oneOf`, that no line was valid by: `unused BRANCH`."""
import json, sys
import jsonschema

schema = json.load(open(sys.argv[1], "rb"))
used = set()


def one_of(validator, branches, instance, _schema):
    """As the library's own, and takes note of the branch that holds."""
    failed = [next(validator.descend(instance, branch), None) for branch in branches]
    holding = [branch for branch, error in zip(branches, failed) if error is None]
    if len(holding) == 1:
        used.add(json.dumps(holding[0]))
    else:
        yield jsonschema.ValidationError(f"{len(holding)} branches hold")


def branches(part):
    """Every branch there is."""
    if isinstance(part, dict):
        yield from (json.dumps(branch) for branch in part.get("oneOf", ()))
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from branches(inner)


jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"oneOf": one_of})(schema)
for line in sys.stdin:
    error = next(validator.iter_errors(json.loads(line)), None)
    print("valid" if error is None else f"invalid {error.json_path}: {error.message}"[:200].replace("\n", " "))
for branch in sorted(set(branches(schema)) - used):
    print("unused", branch)
