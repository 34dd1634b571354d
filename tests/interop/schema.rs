//! The schema beside our own reader.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use coldhearth::evidence::{Signed, record::Unverified};
use serde_json::{Value, json};

use crate::{Object, SHOWN, converse, goldens, key, keyring, messages::sign, ours, public};

const VALIDATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/schema.py");
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/evidence/coldhearth-1.schema.json");

/// What the schema says of each message, and its branches that none was valid by.
fn validated(messages: &[Object]) -> (Vec<String>, Vec<String>) {
    let mut answers = Vec::new();
    converse(
        &[VALIDATOR, SCHEMA],
        |input| {
            for message in messages {
                writeln!(input, "{}", Value::Object(message.clone())).unwrap();
            }
        },
        |lines| answers.extend(lines),
    );
    let unused = answers.split_off(messages.len());
    (answers, unused)
}

fn seed_of(message: &Object) -> u8 {
    let owner = |seed: &u8| message["kid"] == public(*seed).id().to_string();
    [7, 8, 9].into_iter().find(owner).unwrap()
}

/// Whether a message of this key is understood, wherever it may stand.
fn is_understood(message: &Object, seed: u8) -> bool {
    let bytes = serde_json::to_vec(message).unwrap();
    if seed == 9 {
        return ours(&mut keyring(), &bytes).is_some();
    }
    let unverified = Signed::read(&bytes).and_then(Unverified::of);
    unverified.and_then(|unverified| unverified.verify(&public(seed))).is_ok()
}

/// Pointers to everything inside a value.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    let mut inside = |name: String, value| {
        let place = format!("{here}/{name}");
        places(value, &place, all);
        all.push(place);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| inside(name.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| inside(at.to_string(), value)),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// What might stand there instead: nothing, something of another kind, something of this kind that says something else.
fn instead(value: &Value) -> Vec<Option<Value>> {
    let others = match value {
        Value::String(_) => vec![json!(5), json!("!"), json!("")],
        Value::Number(_) => vec![json!("5"), json!(-1), json!(true)],
        Value::Bool(flag) => vec![json!(0), json!(!flag)],
        Value::Array(_) => vec![json!({}), json!([]), json!([{}]), json!([5])],
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("zzz_unknown".into(), json!({ "a": [1, "b", false] }));
            vec![json!([]), json!({}), json!("{}"), Value::Object(more)]
        }
        Value::Null => Vec::new(),
    };
    std::iter::once(None).chain(others.into_iter().map(Some)).collect()
}

fn put(message: &Value, place: &str, instead: Option<Value>) -> Object {
    let mut message = message.clone();
    let (around, name) = place.rsplit_once('/').unwrap();
    match (message.pointer_mut(around).unwrap(), instead) {
        (Value::Object(members), Some(value)) => drop(members.insert(name.to_owned(), value)),
        (Value::Object(members), None) => drop(members.remove(name)),
        (Value::Array(items), Some(value)) => items[name.parse::<usize>().unwrap()] = value,
        (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
        (_, _) => panic!("{place}"),
    }
    let Value::Object(message) = message else { panic!() };
    message
}

#[test]
fn the_schema_holds_every_golden_and_nothing_it_does_not_need() {
    let all = goldens();
    let messages: Vec<Object> = all.iter().map(|(_, bytes)| serde_json::from_slice(bytes).unwrap()).collect();
    let (answers, unused) = validated(&messages);
    for ((name, _), answer) in all.iter().zip(answers) {
        assert_eq!(answer, "valid", "{name}");
    }
    assert_eq!(unused, [""; 0], "branches without a golden");
}

/// The words our programs write for the variants of a type, as their source has them.
fn words() -> Vec<String> {
    fn files(path: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path, all) } else { all.push(path) }
        }
    }
    let mut all = Vec::new();
    ["terms", "catalogue", "metering", "judge", "evidence"]
        .iter()
        .for_each(|room| files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room), &mut all));
    let lawful = |word: &&str| {
        word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
    };
    let mut words: Vec<String> = Vec::new();
    for path in all.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let text = fs::read_to_string(path).unwrap();
        let after = text.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap());
        words.extend(after.filter(lawful).map(str::to_owned));
        // Of enums that are written as words: a variant and its word on a line.
        let beside = text.lines().filter_map(|line| line.trim().strip_suffix('"')?.split_once(" \""));
        let named = beside.filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric()));
        words.extend(named.map(|(_, word)| word).filter(lawful).map(str::to_owned));
    }
    words.sort();
    words.dedup();
    words
}

/// Every place of a golden that holds one of the words, with every other word there. The other suite is lawful, but not
/// in every build.
#[test]
fn the_schema_knows_every_word() {
    let (words, mut seen) = (words(), BTreeSet::new());
    let (mut messages, mut tried) = (Vec::new(), Vec::new());
    for (name, bytes) in goldens() {
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        let seed = seed_of(message.as_object().unwrap());
        let mut all = Vec::new();
        places(&message, "", &mut all);
        for place in all {
            let is_word =
                |value: &Value| value.as_str().is_some_and(|text| words.iter().any(|word| word == text));
            let kind = ["/type", "/event", "/state"].map(|name| message.pointer(name).map(Value::to_string));
            // Whatever stands in a metering point is bound by its hash, of which a schema knows nothing.
            if place.ends_with("/alg")
                || place.starts_with("/point/")
                || !is_word(message.pointer(&place).unwrap())
                || !seen.insert((kind, place.clone()))
            {
                continue;
            }
            for word in &words {
                let altered = sign(put(&message, &place, Some(word.as_str().into())), &key(seed));
                let altered: Object = serde_json::from_slice(&altered).unwrap();
                tried.push((format!("{name}: {place} {word}"), is_understood(&altered, seed)));
                messages.push(altered);
            }
        }
    }
    let (answers, _) = validated(&messages);
    for ((what, understood), answer) in tried.iter().zip(answers) {
        assert_eq!(answer == "valid", *understood, "{what}: {answer}");
    }
    println!("{} words, {} tries", words.len(), tried.len());
}

/// Relations that a schema cannot say: the reader refuses more.
const BEYOND_A_SCHEMA: [&str; 20] = [
    "/attributes",
    "/point",
    "/to_unix_ms",
    "/model",
    "/serial",
    "/firmware",
    "/wiring",
    "/ct",
    "/pt",
    "/due_unix_ms",
    "/not_before_unix_ms",
    "/hold",
    "/spans",
    // Whether two witnesses agree follows from their figures.
    "/agrees",
    "/ours_wh",
    "/utility_wh",
    "/may_differ_wh",
    // And what passed while nobody looked from the two ends of the register.
    "/before/import_wh",
    "/after/import_wh",
    "/energy_wh",
];

#[test]
fn the_schema_and_the_reader_understand_the_same() {
    let (mut messages, mut tried) = (Vec::new(), Vec::new());
    for (name, bytes) in goldens() {
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        let seed = seed_of(message.as_object().unwrap());
        let mut all = Vec::new();
        places(&message, "", &mut all);
        for place in all {
            for value in instead(message.pointer(&place).unwrap()) {
                let what = format!("{name}: {place} {value:?}");
                let mut altered = put(&message, &place, value);
                if place != "/sig" {
                    altered = serde_json::from_slice(&sign(altered, &key(seed))).unwrap();
                }
                tried.push((
                    what,
                    is_understood(&altered, seed),
                    BEYOND_A_SCHEMA.iter().any(|p| place.contains(p)),
                ));
                messages.push(altered);
            }
        }
    }
    let (answers, _) = validated(&messages);
    let mut disagreements = Vec::new();
    for ((what, understood, beyond), answer) in tried.iter().zip(answers) {
        let valid = answer == "valid";
        if valid != *understood && !(valid && *beyond) {
            disagreements.push(format!("{what}: the reader says {understood}, the schema {answer}"));
        }
    }
    let count = |wanted: bool| tried.iter().filter(|(_, understood, _)| *understood == wanted).count();
    println!("{} understood, {} not", count(true), count(false));
    let shown = &disagreements[..disagreements.len().min(SHOWN)];
    assert!(shown.is_empty(), "{} of {}:\n{}", disagreements.len(), tried.len(), shown.join("\n"));
}
