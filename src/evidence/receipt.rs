//! The authority's receipt: everything up to a place has arrived, and this is its head. Nothing else is delivery.

use super::{
    canonical::{Object, Unwritable},
    continuity::LogHead,
    members::{BadMember, Members},
    record::Refusal,
    seal::Sealer,
    signed::Signed,
    suite::{PublicKey, Signer},
};
use crate::terms::{Digest, GatewayId, digest::hex_into};

/// Most missing ranges one receipt names.
pub const MAX_MISSING: usize = 32;

/// What the authority says it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whose log.
    pub gateway: GatewayId,
    /// Every place up to this one has arrived or is accounted for, and its head is the only one ever seen. Place 0 with
    /// a hash of zeros: the log was heard of, but its genesis has not arrived.
    pub upto: LogHead,
    /// Epoch of the key that signs the next record.
    pub key_epoch: u32,
    /// That key: whoever trusts the authority may join the log here.
    pub public_key: PublicKey,
    /// When the record at the head arrived, by the authority's clock, Unix milliseconds.
    pub received_unix_ms: i64,
    /// 16 random bytes: a record that names this receipt's hash was written after it.
    pub nonce: [u8; 16],
    /// Places beyond that are asked for again, both ends included; at most [`MAX_MISSING`].
    pub missing: Vec<(u64, u64)>,
}

impl Receipt {
    /// Seals it with the authority's key; the bytes are left in the sealer.
    ///
    /// # Errors
    /// It cannot be written canonically.
    pub fn seal(&self, sealer: &mut Sealer, signer: &dyn Signer) -> Result<Digest, Unwritable> {
        sealer.seal(signer, |object| self.write(object))
    }

    fn write(&self, object: &mut Object<'_>) {
        object.text("type", "receipt").shown("gateway_id", self.gateway);
        self.upto.write(object);
        object
            .count("key_epoch", u64::from(self.key_epoch))
            .text("public_key", &self.public_key.to_base64())
            .whole("received_unix_ms", self.received_unix_ms)
            .shown("nonce", Hex(&self.nonce))
            .list("missing", |list| {
                for (from, to) in &self.missing {
                    list.object(|o| {
                        o.count("from_seq", *from).count("to_seq", *to);
                    });
                }
            });
    }

    /// Whether these bytes claim to be a receipt.
    pub fn is_claimed_by(signed: &Signed) -> bool {
        signed.members().text("type") == Ok("receipt")
    }

    /// Believes a receipt if `authority` signed it.
    ///
    /// # Errors
    /// Why not.
    pub fn open(signed: &Signed, authority: &PublicKey) -> Result<Receipt, Refusal> {
        signed.check(authority)?;
        Ok(Receipt::read(signed.members())?)
    }

    /// Reads a receipt that was believed when it was kept; its signature is not looked at again.
    pub fn kept(signed: &Signed) -> Option<Receipt> {
        Receipt::read(signed.members()).ok()
    }

    fn read(m: Members<'_>) -> Result<Receipt, BadMember> {
        m.parsed("type", |kind| (kind == "receipt").then_some(()))?;
        let nonce = |text: &str| {
            let mut bytes = [0; 16];
            hex_into(text, &mut bytes).then_some(bytes)
        };
        let range = |m: Members<'_>| Ok((m.fitting("from_seq")?, m.fitting("to_seq")?));
        let missing = m.objects("missing")?.into_iter().map(range).collect::<Result<Vec<(u64, u64)>, _>>()?;
        if missing.len() > MAX_MISSING || missing.iter().any(|(from, to)| to < from) {
            return Err(BadMember("missing"));
        }
        Ok(Receipt {
            gateway: m.parsed("gateway_id", GatewayId::new)?,
            upto: LogHead::read(m)?,
            key_epoch: m.fitting("key_epoch")?,
            public_key: m.parsed("public_key", PublicKey::from_base64)?,
            received_unix_ms: m.whole("received_unix_ms")?,
            nonce: m.parsed("nonce", nonce)?,
            missing,
        })
    }

    /// Whether it receipts nothing: the authority has heard of the log and asks for its beginning.
    pub fn is_empty(&self) -> bool {
        self.upto.head == Digest::ZERO
    }

    /// Whether it says more than an earlier receipt: an old one played again never counts.
    pub fn is_newer_than(&self, before: &Receipt) -> bool {
        self.upto.log != before.upto.log
            || (self.upto.seq, self.received_unix_ms) > (before.upto.seq, before.received_unix_ms)
    }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Ed25519, LogId};

    #[test]
    fn a_receipt_is_believed_from_the_authority_only_and_never_altered() {
        let gateway_key = Ed25519::from_seed(&[7; 32]).public_key();
        let receipt = Receipt {
            gateway: GatewayId::new("gw-03").unwrap(),
            upto: LogHead { log: LogId(5), seq: 8, head: Digest::of(b"head") },
            key_epoch: 2,
            public_key: gateway_key,
            received_unix_ms: 1_795_000_030_000,
            nonce: [3; 16],
            missing: vec![(10, 11), (15, 15)],
        };
        let (authority, mut sealer) = (Ed25519::from_seed(&[9; 32]), Sealer::default());
        receipt.seal(&mut sealer, &authority).unwrap();
        let signed = Signed::read(sealer.bytes()).unwrap();
        assert_eq!(Receipt::open(&signed, &authority.public_key()), Ok(receipt.clone()));
        assert!(Receipt::open(&signed, &gateway_key).is_err());
        let altered = String::from_utf8(sealer.bytes().to_vec()).unwrap().replace("\"seq\":8", "\"seq\":9");
        let signed = Signed::read(altered.as_bytes()).unwrap();
        assert_eq!(Receipt::open(&signed, &authority.public_key()), Err(Refusal::BadSignature));
        assert!(!receipt.is_newer_than(&receipt));
        let older = Receipt { received_unix_ms: 7, ..receipt.clone() };
        assert!(receipt.is_newer_than(&older) && !older.is_newer_than(&receipt));
    }
}
