//! Keys, and everything that was signed or verified with them before: a seed is lived twice, and signed once.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex},
};

use coldhearth::{
    evidence::{Ed25519, PublicKey, Record, Signer, record::Unverified},
    terms::Digest,
};

type Signatures = Arc<Mutex<BTreeMap<Digest, [u8; 64]>>>;

struct Remembering {
    key: Ed25519,
    signatures: Signatures,
}

impl Signer for Remembering {
    fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signatures = self.signatures.lock().unwrap();
        *signatures.entry(Digest::of(bytes)).or_insert_with(|| self.key.sign(bytes))
    }
}

/// What is remembered of a seed.
#[derive(Clone, Default)]
pub(crate) struct Vault {
    signatures: Signatures,
    records: Rc<RefCell<BTreeMap<Digest, Rc<Record>>>>,
}

impl Vault {
    /// The seed of an epoch's key.
    pub(crate) fn seed(epoch: u32) -> [u8; 32] {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&epoch.to_be_bytes());
        seed
    }

    pub(crate) fn public(epoch: u32) -> PublicKey {
        Ed25519::from_seed(&Vault::seed(epoch)).public_key()
    }

    pub(crate) fn signer(&self, epoch: u32) -> Box<dyn Signer> {
        let key = Ed25519::from_seed(&Vault::seed(epoch));
        Box::new(Remembering { key, signatures: self.signatures.clone() })
    }

    pub(crate) fn authority(&self) -> Box<dyn Signer> {
        Box::new(Remembering { key: Ed25519::from_seed(&[9; 32]), signatures: self.signatures.clone() })
    }

    /// A record as it travels, its signature verified once.
    pub(crate) fn open(&self, bytes: &[u8]) -> Rc<Record> {
        let digest = Digest::of(bytes);
        if let Some(known) = self.records.borrow().get(&digest) {
            return known.clone();
        }
        let unverified = Unverified::read(bytes).unwrap();
        let key = Vault::public(unverified.header().key_epoch);
        let record = Rc::new(unverified.verify(&key).unwrap());
        self.records.borrow_mut().insert(digest, record.clone());
        record
    }
}
