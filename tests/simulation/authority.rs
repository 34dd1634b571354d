//! The authority's side: follows the log as it arrives, in whatever order, and gives receipts.

use coldhearth::{
    evidence::{Act, Arrival, Head, LogHead, LogId, Receipt, Sealer},
    terms::Digest,
};
use serde_json::json;

use crate::{gateway::gateway, script::BEGINS_UNIX_MS, vault::Vault, works::FURNACES};

/// Holes one receipt names.
const HOLES: usize = 32;

pub(crate) struct Authority {
    head: Head,
    vault: Vault,
    told: Option<(LogHead, Vec<(u64, u64)>)>,
    /// The receipt that is retained.
    pub(crate) retained: Option<Vec<u8>>,
    /// What was receipted last: a place and what stands there.
    pub(crate) receipted: Option<(u64, Digest)>,
    nonce: u8,
    asked: u32,
}

impl Authority {
    pub(crate) fn new(vault: &Vault) -> Authority {
        Authority {
            head: Head::default(),
            vault: vault.clone(),
            told: None,
            retained: None,
            receipted: None,
            nonce: 0,
            asked: 0,
        }
    }

    /// The next place it waits for.
    pub(crate) fn upto(&self) -> u64 {
        self.head.head().map_or(0, |(seq, _)| seq + 1)
    }

    /// Takes a record; what is wrong with its log, if anything.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), String> {
        let record = self.vault.open(bytes);
        match self.head.take(&record) {
            arrival @ (Arrival::Fork { .. } | Arrival::WrongEpoch | Arrival::Amnesia { .. }) => {
                Err(format!("an honest gateway is accused: {arrival:?} at record {}", record.header.seq))
            }
            _fine => Ok(()),
        }
    }

    /// A receipt, if there is anything new to say.
    pub(crate) fn receipt(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let (seq, head) = self.head.head()?;
        let upto = LogHead { log: LogId(1), seq, head };
        let missing = self.head.holes(HOLES);
        let told = (upto, missing.clone());
        if self.told.as_ref() == Some(&told) && missing.is_empty() {
            return None;
        }
        self.told = Some(told);
        self.receipted = Some((seq, head));
        self.nonce = self.nonce.wrapping_add(1);
        let key_epoch = self.head.next_epoch().unwrap();
        let receipt = Receipt {
            gateway: gateway(),
            upto,
            key_epoch,
            public_key: Vault::public(key_epoch),
            received_unix_ms: BEGINS_UNIX_MS + now_ms.cast_signed(),
            nonce: [self.nonce; 16],
            missing,
        };
        let mut sealer = Sealer::default();
        receipt.seal(&mut sealer, &*self.vault.authority()).unwrap();
        self.retained = Some(sealer.bytes().to_vec());
        self.retained.clone()
    }

    /// A question about a furnace.
    pub(crate) fn question(&mut self, furnace: usize) -> Vec<u8> {
        self.asked += 1;
        let draft = json!({
            "act": "ask", "act_id": "ask", "version": self.asked, "gateway_id": gateway().as_str(),
            "asset": FURNACES[furnace], "issued_unix_ms": 0, "expires_unix_ms": i64::from(u32::MAX) * 1_000,
        });
        let mut sealer = Sealer::default();
        Act::seal(draft.as_object().unwrap(), &mut sealer, &*self.vault.authority()).unwrap();
        sealer.bytes().to_vec()
    }
}
