//! The fuzz targets on stable: the goldens, then thousands of mutations that are the same in every run. Libfuzzer drives
//! the same functions for longer in `tests/all`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test fails by panicking"
)]

#[path = "fuzz/targets.rs"]
mod targets;

use std::{fs, path::Path};

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// What parsers trip over.
const WORDS: &[&str] = &[
    "9007199254740991",
    "9007199254740992",
    "-9007199254740991",
    "18446744073709551615",
    "4294967295",
    "-1",
    "0",
    "-0",
    "1e3",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\\u0000",
    "炉",
    "\u{7f}",
    "ed25519",
    "sm2-sm3",
    "genesis",
    "key_rotate",
    "skip",
    "gap",
    "act",
    "receipt",
    "[{}]",
    "\"seq\":0",
    "\n",
];

fn goldens() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/coldhearth-1");
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    all.sort();
    all
}

/// A run of digits, to be replaced by another number.
fn number(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let start = (from..bytes.len()).find(|at| bytes[*at].is_ascii_digit())?;
    let end = (start..bytes.len()).find(|at| !bytes[*at].is_ascii_digit()).unwrap_or(bytes.len());
    Some((start, end))
}

fn mutated(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(40)).min(bytes.len());
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, again));
            }
            3 => drop(bytes.splice(at..end, WORDS[dice.below(WORDS.len())].bytes())),
            4 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len());
                let to = (from + dice.below(200)).min(other.len());
                drop(bytes.splice(at..end, other[from..to].iter().copied()));
            }
            _ => {
                if let Some((start, end)) = number(&bytes, at) {
                    drop(bytes.splice(start..end, WORDS[dice.below(7)].bytes()));
                }
            }
        }
    }
    bytes
}

fn run(name: &str, target: fn(&[u8]), turns: usize) {
    let seeds = targets::seeds(name, &goldens());
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|seed| target(seed));
    let mut dice = Dice(0);
    for turn in 0..turns {
        let bytes = mutated(&seeds, &mut dice);
        let held = std::panic::catch_unwind(|| target(&bytes));
        assert!(held.is_ok(), "{name}, turn {turn}: {:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn canonical_bytes() {
    run("canonical", targets::canonical, 20_000);
}

#[test]
fn records() {
    run("record", targets::record, 2_000);
}

#[test]
fn receipts() {
    run("receipt", targets::receipt, 5_000);
}

#[test]
fn acts() {
    run("act", targets::act, 5_000);
}

#[test]
fn journals() {
    run("journal", targets::journal, 300);
}

/// `COLDHEARTH_SEEDS=FOLDER` writes what libFuzzer begins from.
#[test]
fn seeds_for_a_fuzzer_are_written_on_request() {
    let Some(folder) = std::env::var_os("COLDHEARTH_SEEDS") else { return };
    for name in ["canonical", "record", "receipt", "act", "journal"] {
        let folder = Path::new(&folder).join(name);
        fs::create_dir_all(&folder).unwrap();
        for (number, seed) in targets::seeds(name, &goldens()).iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:02}")), seed).unwrap();
        }
    }
}
