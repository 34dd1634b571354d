"""What a program is made of, as a CycloneDX 1.5 document: every crate that is built into it, with version, licence and
the checksum of Cargo.lock.

    sbom.py PROGRAM < Cargo.lock > sbom.cdx.json

The same sources give the same bytes.
"""

import json
import re
import subprocess
import sys


def locked(text):
    """SHA-256 of each crate of Cargo.lock, by name and version."""
    entries = re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"(?:\nsource = "[^"]+")?(?:\nchecksum = "([^"]+)")?', text)
    return {(name, version): checksum for name, version, checksum in entries}


def built_in():
    """Name, version and licence of every crate that ends up in a program, once."""
    command = ["cargo", "tree", "--locked", "--package", "coldhearth", "--edges", "normal,build", "--prefix", "none"]
    said = subprocess.run([*command, "--format", "{p}\t{l}"], capture_output=True, text=True, check=True)
    for line in sorted(set(line.removesuffix(" (*)") for line in said.stdout.splitlines())):
        crate, licence = line.split("\t")
        name, version = crate.split(" ")[:2]
        yield name, version.removeprefix("v"), licence.removesuffix(" (*)").replace("/", " OR ")


def component(name, version, licence, checksum):
    told = {
        "type": "library",
        "bom-ref": f"pkg:cargo/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:cargo/{name}@{version}",
    }
    if licence:
        told["licenses"] = [{"expression": licence}]
    if checksum:
        told["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return told


def main():
    program = sys.argv[1]
    checksums = locked(sys.stdin.read())
    crates = {(name, version): licence for name, version, licence in built_in()}
    own = next(version for name, version in crates if name == "coldhearth")
    missing = [crate for crate in crates if crate not in checksums]
    assert not missing, f"not in Cargo.lock: {missing}"
    components = [component(*crate, licence, checksums[crate]) for crate, licence in sorted(crates.items())]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": program, "name": program, "version": own}},
        "components": [told for told in components if told["name"] != "coldhearth"],
    }
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


main()
