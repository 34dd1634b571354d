//! The head of heads: the authority's daily word on how far it knows every log. Whoever has kept one can tell later
//! whether the authority has changed its history since.

use super::{
    canonical::{Object, Unwritable},
    members::{BadMember, Members},
    record::{LogId, Refusal},
    seal::Sealer,
    signed::Signed,
    suite::{PublicKey, Signer},
};
use crate::terms::{Digest, GatewayId, LegalDay, digest::Hasher};

/// Where the newest stands, retained; below it the short name of the key that signs it.
pub const HEADS_TOPIC: &str = "coldhearth/v1/heads";

/// What the authority knew of every log when a legal day had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// The day that had ended.
    pub day: LegalDay,
    /// Its number, from 1.
    pub number: u64,
    /// Hash of the one before; zeros for the first.
    pub before: Digest,
    /// When it was made, Unix milliseconds.
    pub made_unix_ms: i64,
    /// Logs in the list.
    pub logs: u64,
    /// SHA-256 over the list: for each log, by gateway and then by log, a line `gateway log seq head` that ends in a line
    /// feed.
    pub root: Digest,
    /// How far the desk's own log of alarms is known: number and hash of its newest step, 0 and zeros before the first. None
    /// in what was signed before that was told.
    pub desk: Option<(u64, Digest)>,
}

/// A log in the list: how far it is known, and the hash there.
pub type Listed = (GatewayId, LogId, u64, Digest);

/// The hash of a list.
pub fn root_of<'a>(list: impl IntoIterator<Item = &'a Listed>) -> Digest {
    let mut hasher = Hasher::default();
    for (gateway, log, seq, head) in list {
        hasher.update(format!("{gateway} {log} {seq} {head}\n").as_bytes());
    }
    hasher.digest()
}

impl Heads {
    /// Seals it with the authority's key; the bytes are left in the sealer.
    ///
    /// # Errors
    /// It cannot be written canonically.
    pub fn seal(&self, sealer: &mut Sealer, signer: &dyn Signer) -> Result<Digest, Unwritable> {
        sealer.seal(signer, |object| self.write(object))
    }

    fn write(&self, object: &mut Object<'_>) {
        object
            .text("type", "heads")
            .shown("day", self.day)
            .count("number", self.number)
            .shown("before", self.before)
            .whole("made_unix_ms", self.made_unix_ms)
            .count("logs", self.logs)
            .shown("root", self.root);
        if let Some((steps, head)) = self.desk {
            object.count("alarm_steps", steps).shown("alarm_head", head);
        }
    }

    /// Whether these bytes claim to be one.
    pub fn is_claimed_by(signed: &Signed) -> bool {
        signed.members().text("type") == Ok("heads")
    }

    /// Believes it if `authority` signed it. Tells its hash, too, which the next one names.
    ///
    /// # Errors
    /// Why not.
    pub fn open(signed: &Signed, authority: &PublicKey) -> Result<(Heads, Digest), Refusal> {
        signed.check(authority)?;
        Ok((Heads::read(signed.members())?, signed.hash()))
    }

    /// Both or neither.
    fn desk(m: Members<'_>) -> Result<Option<(u64, Digest)>, BadMember> {
        let steps = m.optional("alarm_steps", |m| m.fitting("alarm_steps"))?;
        let head = m.optional("alarm_head", |m| m.parsed("alarm_head", Digest::from_hex))?;
        match (steps, head) {
            (Some(steps), Some(head)) => Ok(Some((steps, head))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(BadMember("alarm_head")),
            (None, Some(_)) => Err(BadMember("alarm_steps")),
        }
    }

    fn read(m: Members<'_>) -> Result<Heads, BadMember> {
        m.parsed("type", |kind| (kind == "heads").then_some(()))?;
        let number: u64 = m.fitting("number")?;
        if number == 0 {
            return Err(BadMember("number"));
        }
        Ok(Heads {
            day: m.parsed("day", LegalDay::parse)?,
            number,
            before: m.parsed("before", Digest::from_hex)?,
            made_unix_ms: m.whole("made_unix_ms")?,
            logs: m.fitting("logs")?,
            root: m.parsed("root", Digest::from_hex)?,
            desk: Heads::desk(m)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Ed25519;

    fn listed(gateway: &str, seq: u64) -> Listed {
        (GatewayId::new(gateway).unwrap(), LogId(5), seq, Digest::of(gateway.as_bytes()))
    }

    #[test]
    fn it_is_believed_from_the_authority_only_and_every_head_counts() {
        let list = [listed("gw-1", 7), listed("gw-2", 9)];
        let root = root_of(&list);
        assert_ne!(root_of(&[listed("gw-1", 7), listed("gw-2", 8)]), root);
        assert_ne!(root_of(&list[..1]), root);
        assert_eq!(
            root,
            Digest::of(
                format!("gw-1 {} 7 {}\ngw-2 {} 9 {}\n", list[0].1, list[0].3, list[1].1, list[1].3)
                    .as_bytes()
            )
        );
        let day = LegalDay::parse("2026-11-27").unwrap();
        let older = Heads {
            day,
            number: 1,
            before: Digest::ZERO,
            made_unix_ms: 1_795_800_000_000,
            logs: 2,
            root,
            desk: None,
        };
        let (mut sealer, key) = (Sealer::default(), Ed25519::from_seed(&[9; 32]));
        for heads in [older, Heads { desk: Some((14, Digest::of(b"a step"))), ..older }] {
            let hash = heads.seal(&mut sealer, &key).unwrap();
            let signed = Signed::read(sealer.bytes()).unwrap();
            assert!(Heads::is_claimed_by(&signed));
            assert_eq!(Heads::open(&signed, &key.public_key()).unwrap(), (heads, hash));
        }
        let signed = Signed::read(sealer.bytes()).unwrap();
        let stranger = Ed25519::from_seed(&[8; 32]).public_key();
        assert!(Heads::open(&signed, &stranger).is_err());
    }
}
