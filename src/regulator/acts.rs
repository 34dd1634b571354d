//! Acts on their way to a gateway: filled in, signed, sent, and answered.

use serde_json::{Map, Value, json};

use super::store::{Kept, Store};
use crate::{
    evidence::{
        Act, ActKind, Answer, Body, Kind, Meaning, Sealer, Signed, Signer, Topic, act::NotSealed,
        record::Unverified,
    },
    host::{
        Clock,
        courier::{self, Broker, Event, Send},
        exit::{Exit, Failure},
    },
    terms::{Digest, GatewayId, time::DAY_MS},
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

/// Publishes an act, retained, until its gateway has answered it in its log; then takes it away.
///
/// # Errors
/// The gateway is not known, the broker cannot be reached, or the store cannot be read.
pub async fn send(
    clock: &dyn Clock,
    broker: Broker,
    store: &Store,
    bytes: Vec<u8>,
    patience_ms: u64,
) -> Result<Option<Answer>, Failure> {
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
    let digest = Digest::of(&bytes);
    let broker = Broker { filters: vec![base(Kind::Answer).to_string()], ..broker };
    let (mut courier, ends) = courier::pair();
    let carrying = courier::run(clock, broker, ends);
    let waiting = clock.sleep_until(clock.now().uptime_ms + patience_ms);
    tokio::pin!(carrying, waiting);
    let publish = |payload: Vec<u8>| Send::Publish { tag: 0, topic: topic.clone(), payload, retain: true };
    let gone = || Failure::new(Exit::Bug, "the courier has ended");
    let mut answer = None;
    let mut leaving = false;
    loop {
        let event = tokio::select! {
            event = courier.events.recv() => event,
            () = &mut carrying => None,
            () = &mut waiting => return Ok(answer),
        };
        match event.ok_or_else(gone)? {
            Event::Subscribed => courier.send.send(publish(bytes.clone())).await.map_err(|_| gone())?,
            Event::Message { payload, .. } => {
                if let Some(found) = answer_to(store, act.gateway, &digest, &payload)? {
                    answer = Some(found);
                    leaving = true;
                    courier.send.send(publish(Vec::new())).await.map_err(|_| gone())?;
                }
            }
            Event::Accepted { .. } | Event::Refused { .. } if leaving => return Ok(answer),
            Event::Lost { why } => {
                return Err(Failure::new(Exit::Unreachable, format!("the broker is lost: {why:?}")));
            }
            Event::Connected { .. }
            | Event::Accepted { .. }
            | Event::Refused { .. }
            | Event::Expiring { .. } => {}
        }
    }
}

/// The gateway's answer to these bytes, if that is what the message is, signed by the key its log is at.
fn answer_to(
    store: &Store,
    gateway: GatewayId,
    act: &Digest,
    payload: &[u8],
) -> Result<Option<Answer>, Failure> {
    let Ok(unverified) = Unverified::read(payload) else { return Ok(None) };
    let header = *unverified.header();
    if header.gateway != gateway {
        return Ok(None);
    }
    let epochs = store.epochs(gateway, header.log)?;
    let key = epochs.into_iter().find(|(epoch, ..)| *epoch == header.key_epoch).map(|(_, _, key)| key);
    let record = key.and_then(|key| unverified.verify(&key).ok());
    Ok(record.and_then(|record| {
        if let Body::Answer(answer) = record.body {
            Some(answer).filter(|answer| answer.bytes == *act)
        } else {
            None
        }
    }))
}

/// The log a gateway speaks in now.
fn newest_log(store: &Store, gateway: GatewayId) -> Result<Option<Kept>, Failure> {
    let heads = store.heads()?;
    Ok(heads.into_iter().filter(|kept| kept.gateway == gateway).max_by_key(|kept| kept.received_unix_ms))
}
