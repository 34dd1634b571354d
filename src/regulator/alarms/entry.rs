//! PURE file. The desk's own log: every step of every alarm, in the canonical bytes and with the signature of everything
//! else, each naming the one before. Whoever keeps the newest can tell later whether the desk has changed its history.
//!
//! A step is one object of the format `coldhearth/1` with `"type":"alarm_step"`. It has no place in any gateway's log.

use super::{
    alarm::{Hand, Step},
    cause::Cause,
    condition::About,
    state::{Event, Hush, Life, State},
};
use crate::{
    evidence::{
        PublicKey, Refusal, Sealer, Signed, Signer,
        canonical::{Object, Unwritable},
        members::{BadMember, Members},
    },
    terms::{
        Digest, GatewayId, Name,
        place::{CreditCode, Division, Level},
    },
};

/// What its `type` says.
const TYPE: &str = "alarm_step";

/// A step with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u64,
    /// Hash of the one before; zeros for the first.
    pub before: Digest,
    /// What happened.
    pub step: Step,
}

/// A step as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptStep {
    /// Its number, from 1.
    pub number: u64,
    /// Of which alarm.
    pub alarm: super::AlarmId,
    /// When, Unix milliseconds.
    pub at_unix_ms: i64,
    /// Its hash, which the next one names.
    pub hash: Digest,
    /// Its bytes, signed.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// Seals it with the authority's key.
    ///
    /// # Errors
    /// It cannot be written canonically.
    pub fn seal(&self, sealer: &mut Sealer, signer: &dyn Signer) -> Result<KeptStep, Unwritable> {
        let hash = sealer.seal(signer, |object| self.write(object))?;
        Ok(KeptStep {
            number: self.number,
            alarm: self.step.about.id(),
            at_unix_ms: self.step.at_unix_ms,
            hash,
            bytes: sealer.bytes().to_vec(),
        })
    }

    fn write(&self, object: &mut Object<'_>) {
        let Step { about, event, at_unix_ms, from, to, level, hand, until_unix_ms, record, gateways, act } =
            &self.step;
        object
            .text("type", TYPE)
            .count("number", self.number)
            .shown("before", self.before)
            .whole("at_unix_ms", *at_unix_ms)
            .shown("alarm_id", about.id())
            .text("cause", about.cause.word())
            .text("kind", about.cause.kind().word())
            .shown("division", about.division)
            .text("event", event.word())
            .text("from", from.life.word())
            .text("from_hush", from.hush.word())
            .text("to", to.life.word())
            .text("to_hush", to.hush.word())
            .text("level", level.word());
        if let Some(enterprise) = about.enterprise {
            object.shown("uscc", enterprise);
        }
        if let Some(gateway) = about.gateway {
            object.shown("gateway_id", gateway);
        }
        if let Some(subject) = about.subject {
            object.shown("subject", subject);
        }
        if let Some(Hand { who, why }) = hand {
            object.text("who", who).text("why", why);
        }
        if let Some(until_unix_ms) = until_unix_ms {
            object.whole("until_unix_ms", *until_unix_ms);
        }
        if let Some(record) = record {
            object.shown("record", record);
        }
        if let Some(gateways) = gateways {
            object.count("gateways", u64::from(*gateways));
        }
        if let Some(act) = act {
            object.text("act", act);
        }
    }

    /// Believes it if `authority` signed it. Tells its hash, too, which the next one names.
    ///
    /// # Errors
    /// Why not.
    pub fn open(bytes: &[u8], authority: &PublicKey) -> Result<(Entry, Digest), Refusal> {
        let signed = Signed::read(bytes)?;
        signed.check(authority)?;
        Ok((Entry::read(signed.members())?, signed.hash()))
    }

    /// Reads one that is our own: it was signed when it was kept.
    ///
    /// # Errors
    /// It is none.
    pub fn own(bytes: &[u8]) -> Result<Entry, Refusal> {
        Ok(Entry::read(Signed::read(bytes)?.members())?)
    }

    fn read(m: Members<'_>) -> Result<Entry, BadMember> {
        m.parsed("type", |kind| (kind == TYPE).then_some(()))?;
        let number: u64 = m.fitting("number")?;
        if number == 0 {
            return Err(BadMember("number"));
        }
        let about = About {
            cause: m.parsed("cause", Cause::from_word)?,
            division: m.parsed("division", Division::parse)?,
            enterprise: m.optional("uscc", |m| m.parsed("uscc", CreditCode::parse))?,
            gateway: m.optional("gateway_id", |m| m.parsed("gateway_id", GatewayId::new))?,
            subject: m.optional("subject", |m| m.parsed("subject", Name::new))?,
        };
        if m.text("alarm_id")? != about.id().to_string() {
            return Err(BadMember("alarm_id"));
        }
        if m.text("kind")? != about.cause.kind().word() {
            return Err(BadMember("kind"));
        }
        let hand = |m: Members<'_>| Hand::new(m.text("who")?, m.text("why")?).ok_or(BadMember("who"));
        let step = Step {
            about,
            event: m.parsed("event", Event::from_word)?,
            at_unix_ms: m.whole("at_unix_ms")?,
            from: State {
                life: m.parsed("from", Life::from_word)?,
                hush: m.parsed("from_hush", Hush::from_word)?,
            },
            to: State { life: m.parsed("to", Life::from_word)?, hush: m.parsed("to_hush", Hush::from_word)? },
            level: m.parsed("level", level)?,
            hand: m.optional("who", hand)?,
            until_unix_ms: m.optional("until_unix_ms", |m| m.whole("until_unix_ms"))?,
            record: m.optional("record", |m| m.parsed("record", Digest::from_hex))?,
            gateways: m.optional("gateways", |m| m.fitting("gateways"))?,
            act: m.optional("act", |m| m.text("act").map(str::to_owned))?,
        };
        Ok(Entry { number, before: m.parsed("before", Digest::from_hex)?, step })
    }
}

/// Reads the word of a level.
pub fn level(word: &str) -> Option<Level> {
    Level::ALL.into_iter().find(|level| level.word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::Ed25519,
        regulator::alarms::alarm::{Alarm, tests::about},
    };

    fn entry() -> Entry {
        let alarm = Alarm::unheard(about(Cause::Violation, "gw-1", "130421"));
        let raised = alarm.step(Event::Raise, 1_795_000_000_000).unwrap();
        let alarm = alarm.after(&raised).unwrap();
        let shelved = alarm.step(Event::Shelve, 1_795_000_100_000).unwrap();
        let step = Step {
            hand: Hand::new("王", "检修：至周一"),
            until_unix_ms: Some(1_795_100_000_000),
            record: Some(Digest::of(b"a record")),
            gateways: Some(9_000),
            act: Some("{\"type\":\"act\"}".to_owned()),
            ..shelved
        };
        Entry { number: 7, before: Digest::of(b"before"), step }
    }

    #[test]
    fn it_is_believed_from_the_authority_only_and_every_byte_counts() {
        let (mut sealer, key) = (Sealer::default(), Ed25519::from_seed(&[9; 32]));
        let kept = entry().seal(&mut sealer, &key).unwrap();
        assert_eq!(Entry::open(&kept.bytes, &key.public_key()).unwrap(), (entry(), kept.hash));
        assert_eq!(Entry::own(&kept.bytes).unwrap(), entry());
        let stranger = Ed25519::from_seed(&[8; 32]).public_key();
        assert!(Entry::open(&kept.bytes, &stranger).is_err());
        let text = String::from_utf8(kept.bytes.clone()).unwrap();
        for (from, to) in [("unack_active", "ack_active"), ("130421", "130422"), ("9000", "9001")] {
            let altered = text.replacen(from, to, 1);
            assert_ne!(altered, text);
            assert!(Entry::open(altered.as_bytes(), &key.public_key()).is_err(), "{from}");
        }
    }
}
