//! The format as others read it: a verifier in Python and a JSON Schema, each written from the format's description,
//! must say of every message what our own verifier says of it; and the notice as an evaluator in Python reads it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and waits for one event among many"
)]

mod contract;
mod law;
mod messages;
#[path = "../catalogue/random.rs"]
mod random;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod verifier;

use std::{
    env, fs,
    io::{BufRead as _, BufReader, BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
};

use coldhearth::{
    evidence::{
        Ed25519, Keyring, PublicKey, Receipt, Signed, Signer as _, Trust, heads::Heads, record::Unverified,
    },
    terms::{ClockQuality, Digest, GatewayId, Stamp},
};
use serde_json::{Map, Value};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/coldhearth-1");

/// Disagreements that are shown before a test gives up.
const SHOWN: usize = 10;

type Object = Map<String, Value>;

fn gateway() -> GatewayId {
    GatewayId::new("gw-03").unwrap()
}

/// The golden gateway's first key, its second key and the authority's have the seeds 7, 8 and 9.
fn key(seed: u8) -> Ed25519 {
    Ed25519::from_seed(&[seed; 32])
}

fn public(seed: u8) -> PublicKey {
    key(seed).public_key()
}

/// Every golden with the name of its file, in order.
fn goldens() -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<_> = fs::read_dir(GOLDEN).unwrap().map(|entry| entry.unwrap().path()).collect();
    let number = |path: &Path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        name.split('-').next().unwrap().parse::<u32>().unwrap()
    };
    paths.sort_by_key(|path| number(path));
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

fn golden(name: &str) -> Object {
    serde_json::from_slice(&fs::read(format!("{GOLDEN}/{name}.json")).unwrap()).unwrap()
}

/// A Python that has what the two scripts import: `tests/run` names one, or it is found.
fn python() -> String {
    let candidates =
        [env::var("COLDHEARTH_PYTHON").ok(), Some("python3".into()), Some("/usr/bin/python3".into())];
    let has_all = |python: &String| {
        let imports =
            Command::new(python).args(["-c", "import cryptography, jsonschema, referencing"]).output();
        imports.is_ok_and(|output| output.status.success())
    };
    candidates.into_iter().flatten().find(has_all).unwrap_or_else(|| {
        panic!("no Python 3 with `cryptography` and `jsonschema`: tests/run installs them, or set COLDHEARTH_PYTHON")
    })
}

/// Starts a script, writes to it from a thread of its own, and hands every line it answers to `take`.
fn converse(
    arguments: &[&str],
    write: impl FnOnce(&mut dyn Write) + Send,
    mut take: impl FnMut(&mut dyn Iterator<Item = String>),
) {
    let mut command = Command::new(python());
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = BufWriter::new(child.stdin.take().unwrap());
    let output = BufReader::new(child.stdout.take().unwrap());
    thread::scope(|scope| {
        scope.spawn(move || write(&mut input));
        take(&mut output.lines().map(Result::unwrap));
    });
    assert!(child.wait().unwrap().success());
}

// What our own verifier says.

fn now() -> Stamp {
    let wall_unix_ms = 1_795_000_010_000;
    Stamp { wall_unix_ms, uptime_ms: 10_000, boot: 2, clock: ClockQuality::Ntp, error_ms: 40 }
}

fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    keyring.admit(gateway(), public(7));
    keyring
}

/// The hash of a message that is believed. What the authority's key signed is its word, anything else a record.
fn ours(keyring: &mut Keyring, bytes: &[u8]) -> Option<Digest> {
    let signed = Signed::read(bytes).ok()?;
    let hash = signed.hash();
    if signed.key_id() != public(9).id() {
        return keyring.open(Unverified::of(signed).ok()?).is_ok().then_some(hash);
    }
    if Receipt::is_claimed_by(&signed) {
        return Receipt::open(&signed, &public(9)).is_ok().then_some(hash);
    }
    if Heads::is_claimed_by(&signed) {
        return Heads::open(&signed, &public(9)).is_ok().then_some(hash);
    }
    // An act that was read is believed, whatever the gateway makes of it.
    let opened = Trust::new(gateway(), vec![public(9)]).open_act(bytes, &now(), |_| Ok(()));
    let believed = opened.map_or_else(|refused| refused.act.is_some(), |act| act.hash == hash);
    believed.then_some(hash)
}
