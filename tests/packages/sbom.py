"""What a program is made of, as a CycloneDX 1.5 document: every crate that is built for it, with version, licence and the
checksum of Cargo.lock; those that only build it (macros, build scripts) have the scope "excluded". Beside them SQLite, whose
C sources one crate carries, and Rust's own library.

    sbom.py PROGRAM FEATURES < Cargo.lock > sbom.cdx.json
    sbom.py PROGRAM --holds sbom.cdx.json < what `cargo build --message-format json` said

The same sources give the same bytes.
"""

import json
import pathlib
import re
import subprocess
import sys

# The crates of this tree, and the programs that are made of another than the first.
OWN = ("coldhearth", "coldhearth-sim")


def said_by(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def locked(text):
    """SHA-256 of each crate of Cargo.lock, by name and version."""
    entries = re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"(?:\nsource = "[^"]+")?(?:\nchecksum = "([^"]+)")?', text)
    return {(name, version): checksum for name, version, checksum in entries}


def crates(program, features, edges):
    """Licence of every crate along these edges, by name and version."""
    package = program if program in OWN else OWN[0]
    tree = ["cargo", "tree", "--locked", "--package", package, "--no-default-features", "--features", features]
    found = {}
    for line in said_by(*tree, "--edges", edges, "--prefix", "none", "--format", "{p}\t{l}").splitlines():
        crate, licence = line.removesuffix(" (*)").split("\t")
        name, version = crate.split(" ")[:2]
        found[name, version.removeprefix("v")] = licence.replace("/", " OR ")
    return found


def component(kind, name, version, licence, checksum=None, only_builds=False):
    place = f"pkg:{kind}/{name}@{version}"
    told = {"type": "library", "bom-ref": place, "name": name, "version": version, "purl": place}
    if licence:
        told["licenses"] = [{"expression": licence}]
    if checksum:
        told["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if only_builds:
        told["scope"] = "excluded"
    return told


def sqlite():
    """The C sources that come with the crate libsqlite3-sys."""
    packages = json.loads(said_by("cargo", "metadata", "--locked", "--format-version", "1"))["packages"]
    manifest = next(package["manifest_path"] for package in packages if package["name"] == "libsqlite3-sys")
    header = (pathlib.Path(manifest).parent / "sqlite3" / "sqlite3.h").read_text()
    version = re.search(r'#define SQLITE_VERSION +"([^"]+)"', header)[1]
    return component("generic", "sqlite", version, "blessing")


def rust():
    version = re.search(r"^release: (.+)$", said_by("rustc", "-vV"), re.MULTILINE)[1]
    return component("generic", "rust-std", version, "MIT OR Apache-2.0")


def written(program, features):
    """The document."""
    checksums = locked(sys.stdin.read())
    built, linked = crates(program, features, "normal,build"), crates(program, features, "normal,no-proc-macro")
    own = next(version for name, version in built if name in OWN)
    components = [
        component("cargo", *crate, licence, checksums[crate], only_builds=crate not in linked)
        for crate, licence in sorted(built.items())
        if crate[0] not in OWN
    ]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": program, "name": program, "version": own}},
        "components": [*components, rust(), sqlite()],
    }
    return json.dumps(document, indent=1, sort_keys=True)


def held(program, document):
    """Holds the document against every crate that the compiler was given; returns a word on it."""
    compiled = set()
    for line in sys.stdin:
        told = json.loads(line)
        if told["reason"] == "compiler-artifact":
            # `…#NAME@VERSION`, and `…/NAME#VERSION` where the folder has the crate's name.
            place, _, crate = told["package_id"].partition("#")
            compiled.add(crate if "@" in crate else f"{place.rsplit('/', 1)[-1]}@{crate}")
    compiled = {f"pkg:cargo/{crate}" for crate in compiled if crate.partition("@")[0] not in OWN}
    listed = {part["purl"] for part in document["components"] if part["purl"].startswith("pkg:cargo/")}
    assert compiled, "nothing was compiled"
    assert listed == compiled, f"{program}: not listed {sorted(compiled - listed)}, not built {sorted(listed - compiled)}"
    inside = sum("scope" not in part for part in document["components"])
    return f"{program}: {len(listed)} crates were built, and its list has each; {inside} parts are in the program"


def main():
    program, what = sys.argv[1:3]
    print(held(program, json.loads(pathlib.Path(sys.argv[3]).read_text())) if what == "--holds" else written(program, what))


main()
