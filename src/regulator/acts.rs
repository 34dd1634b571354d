//! Acts on their way to a gateway: filled in, signed, sent, and answered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::store::{Answered, Kept, KeptEpoch, Log, Store};
use crate::{
    evidence::{
        Act, ActKind, ActRefusal, Answer, Body, Kind, Meaning, Record, Sealer, Signed, Signer, Topic,
        act::NotSealed, record::Unverified,
    },
    host::{
        Clock,
        courier::{self, Broker, Event, Send},
        exit::{Exit, Failure},
    },
    judge::Finding,
    terms::{AssetId, Digest, GatewayId, time::DAY_MS},
};

/// How long an act is valid that names no end, in days.
pub const DEFAULT_VALID_DAYS: i64 = 7;

/// Signs what a person wrote, after filling in what he may leave out: `version` 1, `issued_unix_ms` now,
/// `expires_unix_ms` [`DEFAULT_VALID_DAYS`] later.
///
/// # Errors
/// It is no JSON object, or a gateway would not understand it; the member is named.
pub fn sign(draft: &[u8], signer: &dyn Signer, now_unix_ms: i64) -> Result<Vec<u8>, Failure> {
    let wrong = |what: String| Failure::new(Exit::Data, format!("the act cannot be signed: {what}"));
    let mut draft: Map<String, Value> =
        serde_json::from_slice(draft).map_err(|e| wrong(format!("{e}; one JSON object is expected")))?;
    draft.entry("version").or_insert(json!(1));
    draft.entry("issued_unix_ms").or_insert(json!(now_unix_ms));
    draft.entry("expires_unix_ms").or_insert(json!(now_unix_ms + DEFAULT_VALID_DAYS * DAY_MS));
    let mut sealer = Sealer::default();
    match Act::seal(&draft, &mut sealer, signer) {
        Ok(act) if act.kind == ActKind::Roster && act.meaning == Meaning::NotExecuted => {
            Err(wrong("a roster lists `equipment`: asset, entry and deadline of each".into()))
        }
        Ok(_) => Ok(sealer.bytes().to_vec()),
        Err(NotSealed::Refused(refusal)) => Err(wrong(refusal.to_string())),
        Err(NotSealed::Unwritable(why)) => {
            Err(wrong(format!("{why:?}; whole numbers, texts, true and false only, no null")))
        }
    }
}

/// A signed act, to be sent.
///
/// # Errors
/// It is none.
pub fn read(bytes: &[u8]) -> Result<Act, Failure> {
    let opened = Signed::read(bytes).and_then(Act::read);
    opened.map_err(|refusal| Failure::new(Exit::Data, format!("no signed act: {refusal}")))
}

/// How often an act is put anew that was refused because another of the same second came before it.
pub const TURNS_A_SECOND: u32 = 5;

/// A question: the verdict on a piece of equipment as it stands. Its version is the second it was asked in, and its turn
/// in that second, so that each replaces the one before and a gateway remembers one per equipment.
///
/// # Errors
/// It cannot be signed.
pub fn question(
    gateway: GatewayId,
    asset: AssetId,
    signer: &dyn Signer,
    now_unix_ms: i64,
    turn: u32,
) -> Result<Vec<u8>, Failure> {
    let version = now_unix_ms.max(1_000) / 1_000 + i64::from(turn);
    // Identifiers are one byte a letter; a prefix of 20 leaves room for ours.
    let about: String = asset.as_str().chars().take(20).collect();
    let draft = json!({
        "act": ActKind::Ask.word(), "act_id": format!("ask-{about}"), "version": version,
        "gateway_id": gateway.as_str(), "asset": asset.as_str(),
    });
    sign(draft.to_string().as_bytes(), signer, now_unix_ms)
}

/// What a gateway said to an act.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// Its answer.
    pub answer: Option<Answer>,
    /// The verdict that was asked for, with the bytes it came in.
    pub verdict: Option<(Record, Vec<u8>)>,
}

impl Reply {
    /// Whether the gateway has taken another version before.
    pub fn is_outrun(&self) -> bool {
        let why = self.answer.and_then(|answer| answer.refused);
        why.is_some_and(|why| matches!(why, ActRefusal::Replayed | ActRefusal::OlderVersion))
    }
}

/// Publishes an act, retained, until its gateway has answered it in its log; then takes it away. Of one that asks, the
/// verdict is waited for too.
///
/// # Errors
/// The gateway is not known, the broker cannot be reached, or the store cannot be read.
pub async fn send(
    clock: &dyn Clock,
    broker: Broker,
    store: &mut dyn Store,
    bytes: Vec<u8>,
    patience_ms: u64,
) -> Result<Reply, Failure> {
    let act = read(&bytes)?;
    let Some(kept) = newest_log(store, act.gateway)? else {
        let message =
            format!("gateway {} was never heard of here; `serve` must have kept its genesis", act.gateway);
        return Err(Failure::new(Exit::Config, message));
    };
    let base = |kind| Topic {
        division: kept.division,
        enterprise: kept.enterprise,
        gateway: act.gateway,
        asset: None,
        kind,
    };
    let topic = format!("{}/{}", base(Kind::Act), act.id);
    let mut hearing = Hearing::of(&act, &bytes);
    // What it led to stands in the log around it; an answer alone has a topic of its own.
    let heard = if hearing.asks.is_some() { Kind::Attest } else { Kind::Answer };
    let filters = vec![base(heard).to_string()];
    let broker = Broker { filters, ..broker };
    let (mut courier, ends) = courier::pair();
    let carrying = courier::run(clock, broker, ends);
    let waiting = clock.sleep_until(clock.now().uptime_ms + patience_ms);
    tokio::pin!(carrying, waiting);
    let publish = |payload: Vec<u8>| Send::Publish { tag: 0, topic: topic.clone(), payload, retain: true };
    let gone = || Failure::new(Exit::Bug, "the courier has ended");
    let mut cleared = false;
    loop {
        let event = tokio::select! {
            event = courier.events.recv() => event,
            () = &mut carrying => None,
            () = &mut waiting => return Ok(hearing.reply()),
        };
        match event.ok_or_else(gone)? {
            Event::Subscribed => courier.send.send(publish(bytes.clone())).await.map_err(|_| gone())?,
            Event::Message { payload, .. } => {
                if let Some(record) = verified(store, act.gateway, &payload)? {
                    hearing.on(record, payload);
                }
                if hearing.is_over() && !cleared {
                    cleared = true;
                    courier.send.send(publish(Vec::new())).await.map_err(|_| gone())?;
                }
            }
            Event::Accepted { .. } | Event::Refused { .. } if cleared => return Ok(hearing.reply()),
            Event::Lost { why } => {
                return Err(Failure::new(Exit::Unreachable, format!("the broker is lost: {why:?}")));
            }
            Event::Connected { .. }
            | Event::Accepted { .. }
            | Event::Refused { .. }
            | Event::Granted { .. }
            | Event::Expiring { .. } => {}
        }
    }
}

/// Verdicts remembered until it is known which of them was asked for.
const MAX_VERDICTS: usize = 64;

/// What was heard of a gateway since an act was sent to it.
struct Hearing {
    /// SHA-256 of the act's bytes: what its answer names.
    bytes: Digest,
    hash: Digest,
    /// The equipment whose verdict it asks for.
    asks: Option<AssetId>,
    /// The places of the act and of its answer.
    act: Option<u64>,
    answer: Option<(u64, Answer)>,
    /// The newest verdicts on the equipment, by place.
    verdicts: BTreeMap<u64, (Record, Vec<u8>)>,
}

impl Hearing {
    fn of(act: &Act, bytes: &[u8]) -> Hearing {
        let asks = if let Meaning::Ask(asset) = act.meaning { Some(asset) } else { None };
        let (bytes, hash) = (Digest::of(bytes), act.hash);
        Hearing { bytes, hash, asks, act: None, answer: None, verdicts: BTreeMap::new() }
    }

    fn on(&mut self, record: Record, bytes: Vec<u8>) {
        let seq = record.header.seq;
        if let Body::Act(act) = &record.body
            && act.hash == self.hash
        {
            self.act = Some(seq);
        } else if let Body::Answer(answer) = &record.body
            && answer.bytes == self.bytes
        {
            self.answer = Some((seq, *answer));
        } else if let Body::Finding(Finding::Verdict(verdict)) = &record.body
            && Some(verdict.asset) == self.asks
        {
            self.verdicts.insert(seq, (record, bytes));
            if self.verdicts.len() > MAX_VERDICTS {
                self.verdicts.pop_first();
            }
        }
    }

    /// The place of the verdict that stands between the act and its answer.
    fn asked_for(&self) -> Option<u64> {
        let (from, to) = (self.act?, self.answer.as_ref()?.0);
        self.verdicts.range(from..to).map(|(seq, _)| *seq).next()
    }

    fn is_over(&self) -> bool {
        self.answer.as_ref().is_some_and(|(_, answer)| {
            answer.refused.is_some() || self.asks.is_none() || self.asked_for().is_some()
        })
    }

    fn reply(mut self) -> Reply {
        let verdict = self.asked_for().and_then(|seq| self.verdicts.remove(&seq));
        Reply { answer: self.answer.map(|(_, answer)| answer), verdict }
    }
}

/// A record of this gateway, if that is what the message is, signed by the key its log is at.
fn verified(store: &mut dyn Store, gateway: GatewayId, payload: &[u8]) -> Result<Option<Record>, Failure> {
    let Ok(unverified) = Unverified::read(payload) else { return Ok(None) };
    let header = *unverified.header();
    if header.gateway != gateway {
        return Ok(None);
    }
    let epochs = epochs_of(store, (gateway, header.log), header.key_epoch)?;
    let key = epochs.into_iter().find(|known| known.epoch == header.key_epoch).map(|known| known.key);
    Ok(key.and_then(|key| unverified.verify(&key).ok()))
}

/// Asked for on a thread of its own: a store may wait for its database with a runtime of its own, and here is one.
fn aside<T: std::marker::Send>(
    store: &mut dyn Store,
    ask: impl FnOnce(&mut dyn Store) -> Answered<T> + std::marker::Send,
) -> Result<T, Failure> {
    let asked = std::thread::scope(|scope| scope.spawn(|| ask(store)).join());
    Ok(asked.map_err(|_| Failure::new(Exit::Bug, "the store's thread has ended"))??)
}

fn epochs_of(store: &mut dyn Store, log: Log, from: u32) -> Result<Vec<KeptEpoch>, Failure> {
    aside(store, |store| store.epochs(log, from))
}

/// The log a gateway speaks in now.
fn newest_log(store: &mut dyn Store, gateway: GatewayId) -> Result<Option<Kept>, Failure> {
    let heads = aside(store, |store| store.heads(Some(&BTreeSet::from([gateway]))))?;
    Ok(heads.into_iter().max_by_key(|kept| kept.received_unix_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Ed25519;

    fn key() -> Ed25519 {
        Ed25519::from_seed(&[9; 32])
    }

    fn asset(id: &str) -> AssetId {
        AssetId::new(id).unwrap()
    }

    #[test]
    fn a_question_names_its_equipment_and_replaces_the_one_before() {
        let gateway = GatewayId::new("gw-03").unwrap();
        let longest = "a-furnace-of-24-letters-";
        let asked = |id, now| read(&question(gateway, asset(id), &key(), now, 0).unwrap()).unwrap();
        let (first, second) = (asked(longest, 1_795_000_000_999), asked(longest, 1_795_000_001_000));
        assert_eq!(first.meaning, Meaning::Ask(asset(longest)));
        assert_eq!((first.id, first.version + 1), (second.id, second.version));
        assert_ne!(first.id, asked("eaf-2", 1_795_000_000_999).id);
        let again = question(gateway, asset(longest), &key(), 1_795_000_000_999, 1).unwrap();
        assert_eq!(read(&again).unwrap().version, second.version, "a second turn in the same second");
        assert_eq!(asked("eaf-2", -5).version, 1, "a clock that was never set asks all the same");
    }

    #[test]
    fn a_question_without_equipment_is_never_signed() {
        let draft = r#"{"act":"ask","act_id":"ask-1","gateway_id":"gw-03"}"#;
        let refused = sign(draft.as_bytes(), &key(), 0).unwrap_err();
        assert!(refused.exit == Exit::Data && refused.message.contains("asset"), "{}", refused.message);
    }
}
