//! The second verifier, `verify.py`, beside our own.

use std::{env, fs};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    SHOWN, converse, goldens, keyring,
    messages::{RIGHTLY_KEYED, every_message, wrongly_keyed},
    ours, public,
};

const VERIFIER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/verify.py");

/// The file that tells the second verifier whom to believe; gone when the test ends.
struct Keys(String);

impl Keys {
    fn new(name: &str) -> Keys {
        let path = env::temp_dir().join(format!("coldhearth-{name}-{}.json", std::process::id()));
        let keys =
            json!({ "gateways": { "gw-03": public(7).to_base64() }, "authority": [public(9).to_base64()] });
        fs::write(&path, keys.to_string()).unwrap();
        Keys(path.to_str().unwrap().to_owned())
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _left = fs::remove_file(&self.0);
    }
}

#[test]
fn a_key_signs_its_own_places_only() {
    let (mut keyring, mut believed) = (keyring(), Vec::new());
    wrongly_keyed(&mut |what, bytes| believed.extend(ours(&mut keyring, bytes).map(|_| what())));
    assert_eq!(believed, RIGHTLY_KEYED);
}

#[test]
fn a_second_verifier_sees_what_is_missing() {
    let (keys, all) = (Keys::new("interop-lines"), goldens());
    let lines: Vec<&[u8]> =
        all.iter().enumerate().filter(|(at, _)| *at != 4).map(|(_, (_, bytes))| &bytes[..]).collect();
    converse(
        &[VERIFIER, &keys.0],
        |input| input.write_all(&lines.join(&b'\n')).unwrap(),
        |answers| {
            let words: Vec<String> = answers.map(|line| line.split(' ').next().unwrap().to_owned()).collect();
            let unlinked: Vec<usize> = (0..words.len()).filter(|at| words[*at] == "unlinked").collect();
            assert_eq!(unlinked, [4], "{words:?}");
            assert_eq!(words.iter().filter(|word| *word == "ok").count(), lines.len() - 1);
        },
    );
}

#[test]
fn a_second_verifier_agrees_on_every_message() {
    let keys = Keys::new("interop");
    let (mut messages, mut believed, mut disagreements) = (0_u64, 0_u64, Vec::new());
    converse(
        &[VERIFIER, &keys.0, "--base64"],
        |input| {
            let mut line = String::new();
            every_message(&mut |_, bytes| {
                line.clear();
                STANDARD.encode_string(bytes, &mut line);
                line.push('\n');
                input.write_all(line.as_bytes()).unwrap();
            });
        },
        |answers| {
            let mut keyring = keyring();
            every_message(&mut |what, bytes| {
                let theirs = answers.next().unwrap_or_else(|| panic!("no answer to {}", what()));
                let ours = ours(&mut keyring, bytes);
                messages += 1;
                believed += u64::from(ours.is_some());
                let digest = theirs.strip_prefix("ok ").or(theirs.strip_prefix("unlinked "));
                if ours.map(|digest| digest.to_string()).as_deref() != digest {
                    disagreements.push(format!("{}: we say {ours:?}, they say {theirs}", what()));
                }
            });
            assert_eq!(answers.next(), None);
        },
    );
    println!("{messages} messages, {believed} believed");
    let shown = &disagreements[..disagreements.len().min(SHOWN)];
    assert!(shown.is_empty(), "{} of {messages}:\n{}", disagreements.len(), shown.join("\n"));
}
