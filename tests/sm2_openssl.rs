//! The suite `sm2-sm3` against the `openssl` command line, both ways, and a whole log of it.
#![cfg(feature = "sm2")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{fs, path::PathBuf, process::Command};

use coldhearth::{
    evidence::{
        Audit, Body, Chain, Checkpoint, Genesis, LogId, PublicKey, Report, Signer, Sm2Key, Suite,
        record::{Refusal, SIGNED_PREFIX},
        suite::{DISTINGUISHING_ID, signature_from_base64},
    },
    terms::{
        ClockQuality, Digest, GatewayId, Stamp,
        place::{CreditCode, Division},
    },
};

/// A folder for `openssl` to read and write in, gone when the test ends.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Desk {
        let path = std::env::temp_dir().join(format!("coldhearth-sm2-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Desk(path)
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    fn get(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.get(name)).unwrap()
    }

    /// Whether `openssl` did what these words ask.
    fn openssl(&self, words: &str) -> bool {
        let mut command = Command::new("openssl");
        let output = command.args(words.split_whitespace()).current_dir(&self.0).output().unwrap();
        output.status.success()
    }

    fn openssl_verifies(&self, public: &PublicKey, message: &[u8], signature: &[u8; 64], id: &str) -> bool {
        self.put("key.pub", public.to_pem().unwrap());
        self.put("message", message);
        self.put("signature", to_der(signature));
        self.openssl(&format!(
            "pkeyutl -verify -pubin -inkey key.pub -rawin -digest sm3 -in message -sigfile signature {id}"
        ))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

fn with_id() -> String {
    format!("-pkeyopt distid:{DISTINGUISHING_ID}")
}

/// `openssl` speaks ASN.1: a sequence of two signed integers, each as short as can be.
fn to_der(raw: &[u8; 64]) -> Vec<u8> {
    let mut body = Vec::new();
    for number in raw.chunks(32) {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let mut number = number[zeros..].to_vec();
        if number.first().is_none_or(|first| first & 0x80 != 0) {
            number.insert(0, 0);
        }
        body.extend([2, u8::try_from(number.len()).unwrap()]);
        body.extend(number);
    }
    let mut der = vec![0x30, u8::try_from(body.len()).unwrap()];
    der.extend(body);
    der
}

fn from_der(der: &[u8]) -> [u8; 64] {
    assert_eq!((der[0], usize::from(der[1])), (0x30, der.len() - 2));
    let mut raw = [0; 64];
    let mut rest = &der[2..];
    for half in raw.chunks_mut(32) {
        assert_eq!(rest[0], 2);
        let (number, after) = rest[2..].split_at(usize::from(rest[1]));
        let number = if number.len() > 32 { &number[1..] } else { number };
        half[32 - number.len()..].copy_from_slice(number);
        rest = after;
    }
    assert!(rest.is_empty());
    raw
}

#[test]
fn openssl_reads_our_keys_and_verifies_what_we_sign() {
    let desk = Desk::new("ours");
    for seed in 1..=8 {
        let key = Sm2Key::from_seed(&[seed; 32]).unwrap();
        let public = key.public_key();
        desk.put("key.pem", key.to_pem().unwrap().as_bytes());
        assert!(desk.openssl("pkey -in key.pem -pubout -out theirs.pub"), "our PKCS#8 is read");
        assert_eq!(desk.text("theirs.pub"), public.to_pem().unwrap());
        let signature = key.sign(b"a furnace stays cold");
        assert_eq!(from_der(&to_der(&signature)), signature);
        assert!(desk.openssl_verifies(&public, b"a furnace stays cold", &signature, &with_id()));
        assert!(!desk.openssl_verifies(&public, b"a furnace runs hot", &signature, &with_id()));
        assert!(
            !desk.openssl_verifies(&public, b"a furnace stays cold", &signature, ""),
            "openssl's own ID is another"
        );
    }
}

#[test]
fn we_read_keys_of_openssl_and_verify_what_it_signs() {
    let desk = Desk::new("theirs");
    for turn in 0..8 {
        assert!(desk.openssl("genpkey -algorithm SM2 -out key.pem"));
        assert!(desk.openssl("pkey -in key.pem -pubout -out key.pub"));
        let key = Sm2Key::from_pem(&desk.text("key.pem")).unwrap();
        let public = PublicKey::from_pem(&desk.text("key.pub")).unwrap();
        assert_eq!(key.public_key(), public);
        assert_eq!(Suite::of_pem(&desk.text("key.pem")), Some(Suite::Sm2Sm3));
        let message = format!("message {turn}");
        desk.put("message", &message);
        let sign = "pkeyutl -sign -inkey key.pem -rawin -digest sm3 -in message -out signature";
        assert!(desk.openssl(&format!("{sign} {}", with_id())));
        let signature = from_der(&desk.get("signature"));
        assert!(public.verifies(message.as_bytes(), &signature));
        assert!(!public.verifies(b"message", &signature));
        assert!(desk.openssl(sign));
        assert!(!public.verifies(message.as_bytes(), &from_der(&desk.get("signature"))), "no ID was given");
    }
}

#[test]
fn both_sides_hash_alike() {
    let desk = Desk::new("hash");
    for length in [0, 1, 55, 56, 63, 64, 65, 4_096] {
        let bytes = vec![0xa5; length];
        desk.put("message", &bytes);
        assert!(desk.openssl("dgst -sm3 -r -out digest message"));
        assert!(desk.text("digest").starts_with(&Suite::Sm2Sm3.hash(&bytes).to_string()), "{length}");
    }
}

fn at(uptime_ms: u64) -> Stamp {
    Stamp { wall_unix_ms: 1_763_878_860_000, uptime_ms, boot: 1, clock: ClockQuality::Ntp, error_ms: 40 }
}

/// A log of a genesis and three checkpoints.
fn log(seed: u8) -> (PublicKey, Vec<Vec<u8>>, Vec<Digest>) {
    let key = Sm2Key::from_seed(&[seed; 32]).unwrap();
    let public = key.public_key();
    let genesis = Body::Genesis(Genesis {
        public_key: public,
        division: Division::parse("130421").unwrap(),
        enterprise: CreditCode::parse("91350100M000100Y43").unwrap(),
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        profiles: Vec::new(),
        continues: None,
    });
    let checkpoint = |entries| {
        Body::Checkpoint(Checkpoint { entries, reads_ok: 900, reads_failed: 0, first_unreceipted_seq: 0 })
    };
    let mut chain =
        Chain::begin(GatewayId::new("cn-hebei-0421-gw03").unwrap(), LogId(u64::from(seed)), 0, Box::new(key));
    let (mut lines, mut hashes) = (Vec::new(), Vec::new());
    for (turn, body) in (0..).zip([genesis, checkpoint(1), checkpoint(2), checkpoint(3)]) {
        let sealed = chain.seal(&at(turn), &body).unwrap();
        lines.push(sealed.bytes.to_vec());
        hashes.push(sealed.hash);
    }
    (public, lines, hashes)
}

fn audit(lines: &[Vec<u8>], trusted: &[PublicKey]) -> Report {
    let mut audit = Audit::new(trusted);
    lines.iter().for_each(|line| audit.on_line(line));
    audit.report()
}

#[test]
fn a_whole_log_of_sm2_is_authentic_and_complete() {
    let (public, lines, _) = log(0x11);
    for trusted in [&[][..], &[public]] {
        let report = audit(&lines, trusted);
        assert_eq!((report.records, report.first_bad), (4, None));
        assert!(report.authentic && report.complete);
    }
    let missing = audit(&[&lines[..1], &lines[2..]].concat(), &[public]);
    assert!(missing.authentic && !missing.complete);
    let mut altered = lines.clone();
    altered[2] = String::from_utf8(lines[2].clone()).unwrap().replace(":900", ":901").into_bytes();
    assert_eq!(audit(&altered, &[public]).first_bad, Some((3, Refusal::BadSignature)));
    let ours: Vec<Vec<u8>> = lines
        .iter()
        .map(|line| String::from_utf8(line.clone()).unwrap().replace("sm2-sm3", "ed25519").into_bytes())
        .collect();
    let wrong = Refusal::WrongSuite { said: Suite::Ed25519, key: Suite::Sm2Sm3 };
    assert_eq!(audit(&ours, &[public]).first_bad, Some((1, wrong)));
    let (stranger, ..) = log(0x12);
    assert_eq!(audit(&lines, &[stranger]).first_bad, Some((1, Refusal::UnknownKey(public.id()))));
}

/// What a stranger needs: the line without `sig`, the prefix, and `openssl`.
#[test]
fn openssl_verifies_every_record_and_its_link() {
    let desk = Desk::new("log");
    let (public, lines, hashes) = log(0x11);
    let mut prev = Digest::ZERO;
    for (line, hash) in lines.iter().zip(hashes) {
        let text = std::str::from_utf8(line).unwrap();
        assert!(text.contains(&format!("\"prev\":\"{prev}\"")));
        let (before, after) = text.split_once("\"sig\":\"").unwrap();
        let (signature, after) = after.split_once("\",").unwrap();
        let signed = [SIGNED_PREFIX, before.as_bytes(), after.as_bytes()].concat();
        let signature = signature_from_base64(signature).unwrap();
        assert!(desk.openssl_verifies(&public, &signed, &signature, &with_id()));
        assert!(!desk.openssl_verifies(&public, &signed, &signature, ""));
        assert!(desk.openssl("dgst -sm3 -r -out digest message"));
        assert!(
            desk.text("digest").starts_with(&hash.to_string()),
            "the link is the SM3 of the signed bytes"
        );
        prev = hash;
    }
}
