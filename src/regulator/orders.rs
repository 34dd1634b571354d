//! Cut-off orders at the authority: drafts to be filled in, acts about an order, and how each stands by its gateway's log.

mod draft;
mod named;

use serde_json::{Value, json};

pub use self::{
    draft::{About, DUE_DAYS, blanks, check_meters, draft},
    named::strangers,
};
use super::{
    logs::by_gateway,
    store::{Answered, Kept, Store},
};
use crate::{
    evidence::{Act, Disbelief, Hands, LogId, Meaning, OfOrders, OrderLog, PublicKey, record::Unverified},
    host::exit::{Exit, Failure},
    judge::cutoff::{CutOff, Deed, Impossible, Rung, order::SecondFeeds},
    terms::{
        AssetId, Digest, GatewayId, OrderId,
        time::LegalTime,
        words::{self, Language},
    },
};

/// Records read at once while a log is gone through.
const PAGE: u32 = 2_048;
/// The types of records that orders are told in and judged by.
const JUDGED: [&str; 8] = ["genesis", "boot", "act", "answer", "transition", "event", "state", "verdict"];
/// Those that say something only of an order that was given: most of a log.
const OF_ORDERS: [&str; 2] = ["state", "verdict"];
/// Nothing of a gateway for so long is silence, in milliseconds: three of its checkpoints.
pub const SILENT_MS: i64 = 900_000;

/// Whether a gateway could do anything with a signed act about orders; what it lacks is named before anything is sent.
///
/// # Errors
/// It is about no order, or a gateway would refuse it whatever is configured there.
pub fn check(act: &Act) -> Result<(), Failure> {
    let wrong = |what: &str| Err(Failure::new(Exit::Data, format!("the act cannot be sent: {what}")));
    match &act.meaning {
        Meaning::CutOff(about) => match &about.deed {
            Deed::Order(order) if order.basis.is_none() => wrong(
                "an order rests on law: `legal_basis` as it is cited, and `legal_basis_sha256` of the paper",
            ),
            Deed::Order(order) if !order.safe_state.as_ref().is_some_and(|state| state.is_safe()) => wrong(
                "`safe_state` must say that the equipment is emptied, cooled and purged, each `done` or `not_needed`",
            ),
            Deed::Order(_)
            | Deed::Acknowledge
            | Deed::Plan { .. }
            | Deed::Claim(_)
            | Deed::Suspend { .. }
            | Deed::Resume
            | Deed::Seal { .. }
            | Deed::Close { .. }
            | Deed::Revoke
            | Deed::Restore
            | Deed::Reset
            | Deed::Reading(_) => Ok(()),
        },
        Meaning::Reset(_) => Ok(()),
        Meaning::NotExecuted => wrong("it names no order: `order_id`, or `points` where it gives one"),
        Meaning::Permit(_) | Meaning::RevokeKey(_) | Meaning::Roster(_) | Meaning::Ask(_) => {
            wrong("it is about no order; `act sign` signs it")
        }
    }
}

/// How one order stands by its gateway's log.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The gateway, its log, and how far that is known.
    pub kept: Kept,
    /// The order.
    pub cut: CutOff,
    /// The log has a step that cannot be, at this place.
    pub impossible: Option<(u64, Impossible)>,
    /// An act about the order is not believed.
    pub disbelief: Option<Disbelief>,
    /// The log in which the gateway speaks now, where that one does not tell of the order.
    pub newer: Option<LogId>,
}

/// Every order by the logs of its gateway, replayed: by the one the gateway speaks in now, and what that one does not tell by
/// the one before it that does. `trusted` are the authority's keys: every act must be signed by one of them, or by the
/// supplier's that the order names.
///
/// # Errors
/// The store cannot be read.
pub fn standing(
    store: &mut dyn Store,
    gateway: Option<GatewayId>,
    trusted: &[PublicKey],
) -> Result<Vec<Standing>, Failure> {
    let mut all: Vec<Standing> = Vec::new();
    for logs in by_gateway(store, gateway)? {
        let kept: Vec<Kept> = std::iter::once(logs.newest).chain(logs.others).collect();
        let newest = kept.first().map(|kept| kept.log);
        let said = kept.iter().map(|kept| replayed(store, kept)).collect::<Answered<Vec<_>>>()?;
        let log_of =
            |log| kept.iter().zip(&said).find(|(kept, _)| kept.log == log).map(|(_, said)| &said.log);
        for (kept, Replayed { log, hands, impossible }) in kept.iter().zip(&said) {
            // A log that goes on after another says from its beginning how that one ended.
            let former = log.continues().and_then(|head| log_of(head.log));
            let discord = former.and_then(|former| log.agrees_with(former).err()).map(|why| (0, why));
            let impossible = impossible.or(discord);
            for cut in log.iter() {
                let order = (kept.gateway, cut.order().id, cut.order().asset);
                if !all.iter().any(|known| known.order() == order) {
                    let disbelief = hands.check(cut.order(), trusted).err();
                    let newer = newest.filter(|newest| *newest != kept.log);
                    all.push(Standing { kept: *kept, cut: cut.clone(), impossible, disbelief, newer });
                }
            }
        }
    }
    Ok(all)
}

/// What a log says of its orders, and who signed that.
#[derive(Default)]
struct Replayed {
    log: OrderLog,
    hands: Hands,
    impossible: Option<(u64, Impossible)>,
}

fn replayed(store: &mut dyn Store, kept: &Kept) -> Answered<Replayed> {
    let (mut said, mut from) = (Replayed::default(), 0);
    for epoch in store.epochs((kept.gateway, kept.log), 0)? {
        said.hands.signs_the_log(epoch.key.id());
    }
    loop {
        let page = store.records_from((kept.gateway, kept.log), from, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(said) };
        from = last + 1;
        for (seq, record) in &page {
            if !JUDGED.contains(&record.kind.as_str())
                || (is_idle(&said) && OF_ORDERS.contains(&record.kind.as_str()))
            {
                continue;
            }
            // What is kept was verified when it came.
            let Ok(record) = Unverified::read(&record.bytes).and_then(Unverified::own) else { continue };
            if let Some(OfOrders::Act(about, act)) = record.body.of_orders() {
                said.hands.on((*seq, &record.header.at), &about, act);
            }
            if let Err(why) = said.log.on(&record) {
                said.impossible = Some((*seq, why));
                return Ok(said);
            }
        }
    }
}

/// Whether a log has told of no order yet.
fn is_idle(said: &Replayed) -> bool {
    said.log.iter().next().is_none()
}

impl Standing {
    fn order(&self) -> (GatewayId, OrderId, AssetId) {
        (self.kept.gateway, self.cut.order().id, self.cut.order().asset)
    }

    /// Whether nothing that it says may be relied on, or the cut is violated.
    pub fn is_bad(&self) -> bool {
        let is_violated = self.cut.stand().rung == Rung::Violated;
        is_violated || self.impossible.is_some() || self.disbelief.is_some()
    }

    /// Whether the gateway's word ends some time ago.
    pub fn is_silent(&self, now_unix_ms: i64) -> bool {
        now_unix_ms.saturating_sub(self.kept.received_unix_ms) > SILENT_MS
    }

    /// As people read it, one line a fact.
    pub fn lines(&self, now_unix_ms: i64, language: Language) -> Vec<String> {
        let (order, stand) = (self.cut.order(), self.cut.stand());
        let say = |words: words::Words| format!("  {}", words.in_language(language));
        let mut lines = vec![format!(
            "{} {}, {} {}: {} ({})",
            order.id,
            order.asset,
            words::BEHIND_GATEWAY.in_language(language),
            self.kept.gateway,
            stand.rung.told(language),
            LegalTime(stand.since.wall_unix_ms)
        )];
        if let Some((seq, why)) = self.impossible {
            lines.push(format!("{}: #{seq} ({why:?})", say(words::IMPOSSIBLE_ORDER)));
        }
        if let Some(why) = self.disbelief {
            lines.push(format!("{}: {}", say(words::DISBELIEVED_ACT), why.told()));
        }
        if let Some(newer) = self.newer {
            lines.push(format!("{} ({newer})", say(words::NEWER_LOG)));
        }
        if self.is_silent(now_unix_ms) {
            lines.push(format!("{} ({})", say(words::GATEWAY_SILENT), LegalTime(self.kept.received_unix_ms)));
        }
        if self.cut.is_overdue(now_unix_ms) {
            lines.push(format!("{} ({})", say(words::ORDER_OVERDUE), LegalTime(order.due_unix_ms)));
        }
        if let Some(hold) = &stand.hold {
            let minutes = |ms: i64| ms / 60_000;
            let told =
                |words: words::Words, number: i64| format!("{}: {number}", words.in_language(language));
            lines.push(format!(
                "{} {}; {}; {}; {}; {}",
                say(words::HOLD_SINCE),
                LegalTime(hold.since.wall_unix_ms),
                told(words::MINUTES_PROVEN, minutes(hold.proven_ms)),
                told(words::MINUTES_UNSEEN, minutes(hold.paused_ms)),
                told(words::LONGEST_GAP, hold.longest_gap_ms / 1_000),
                hold.carrier.words().in_language(language)
            ));
            if let Some((from, to)) = hold.agreed.on_all(order.points.len()) {
                lines.push(format!(
                    "{} {} – {}",
                    say(words::SUPPLIER_AGREES),
                    LegalTime(from),
                    LegalTime(to)
                ));
            }
        }
        let beside = [
            (order.second_feeds == SecondFeeds::Unknown, words::THIS_POINT_ONLY),
            (order.holds.is_shortened(), words::SHORTENED_HOLD),
        ];
        lines.extend(beside.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| say(words)));
        lines
    }

    /// As a machine reads it.
    pub fn json(&self, now_unix_ms: i64) -> Value {
        let (order, stand) = (self.cut.order(), self.cut.stand());
        json!({
            "order_id": order.id.as_str(), "asset": order.asset.as_str(), "gateway_id": self.kept.gateway.as_str(),
            "rung": stand.rung.word(), "since_unix_ms": stand.since.wall_unix_ms,
            "overdue": self.cut.is_overdue(now_unix_ms), "silent": self.is_silent(now_unix_ms),
            "impossible": self.impossible.is_some(), "acts_signed": self.disbelief.is_none(),
            "proven_ms": stand.hold.map_or(0, |hold| hold.proven_ms), "earlier_ms": stand.earlier_ms,
            "order_sha256": Digest::to_string(&order.hash), "log_id": self.kept.log.to_string(),
            "newer_log_id": self.newer.map(|newer| newer.to_string()),
        })
    }
}
