//! A certificate as it is handed on: with the log it was made from, its page, and the keys, in a folder.

use std::{path::PathBuf, process::Command};

use coldhearth::evidence::{Certificate, PublicKey, Sealer, Signer as _, Witnessed, record::Unverified};
use serde_json::{Map, Value};

use super::{
    Folder,
    cut::{DAY_MS, Log, MONDAY_MS, authority, gateway, order_id},
};

pub fn witnessed(lines: &[Vec<u8>]) -> Witnessed {
    let mut witnessed = Witnessed::of(order_id());
    for line in lines {
        witnessed.on(&Unverified::read(line).unwrap().own().unwrap());
    }
    witnessed
}

pub fn keys() -> [PublicKey; 1] {
    [authority().public_key()]
}

pub fn sealed(facts: &Map<String, Value>) -> Vec<u8> {
    let mut sealer = Sealer::default();
    Certificate::seal(facts, MONDAY_MS + 9 * DAY_MS, &mut sealer, &authority()).unwrap();
    sealer.bytes().to_vec()
}

/// A folder with a log, its certificate and page, and the keys.
pub struct Handed {
    pub folder: Folder,
}

impl Handed {
    /// In a folder of its own, since tests run beside each other.
    pub fn of(log: &Log, name: &str) -> Handed {
        let handed = Handed { folder: Folder::new(name) };
        let lines: Vec<u8> = log.lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
        handed.write("records.jsonl", &lines);
        for (name, key) in [("authority.key.pub", authority()), ("gateway.key.pub", gateway())] {
            std::fs::write(handed.path(name), key.public_key().to_pem().unwrap()).unwrap();
        }
        let bytes = sealed(&witnessed(&log.lines).facts(&keys()).unwrap());
        let page = Certificate::open(&bytes, &keys()).unwrap().page();
        handed.write("order-1.json", &bytes);
        handed.write("order-1.html", page.as_bytes());
        handed
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn verify(&self) -> (i32, String) {
        self.verify_with(&[("--trust", "authority.key.pub"), ("--trust", "gateway.key.pub")])
    }

    /// With other files of the folder beside the records, the certificate and its page.
    pub fn verify_with(&self, others: &[(&str, &str)]) -> (i32, String) {
        let path = |name: &str| self.path(name).into_os_string();
        let others = others.iter().flat_map(|(flag, name)| [(*flag).into(), path(name)]);
        let out = Command::new(env!("CARGO_BIN_EXE_coldhearth"))
            .args(["verify".into(), path("records.jsonl"), "--certificate".into(), path("order-1.json")])
            .args(["--page".into(), path("order-1.html")])
            .args(others)
            .output()
            .unwrap();
        (out.status.code().unwrap(), String::from_utf8_lossy(&out.stdout).into_owned())
    }
}
