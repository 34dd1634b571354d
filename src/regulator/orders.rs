//! Cut-off orders at the authority: drafts to be filled in, acts about an order, and how each stands by its gateway's log.

use serde_json::{Map, Value, json};

use super::store::{Answered, Kept, Store};
use crate::{
    evidence::{Act, ActKind, Meaning, OrderLog, record::Unverified},
    host::exit::{Exit, Failure},
    judge::cutoff::{CutOff, Deed, Holds, Impossible, order::SecondFeeds},
    terms::{
        AssetId, Digest, GatewayId, Name, OrderId,
        time::{DAY_MS, LegalTime},
        words::{self, Language},
    },
};

/// Records read at once while a log is gone through.
const PAGE: u32 = 2_048;
/// Nothing of a gateway for so long is silence, in milliseconds: three of its checkpoints.
pub const SILENT_MS: i64 = 900_000;
/// Days until an order is due that names no day.
pub const DUE_DAYS: i64 = 7;

/// Of whom an act about an order is.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Which order; of a reset none.
    pub order: Option<OrderId>,
    /// On which equipment.
    pub asset: AssetId,
    /// Behind which gateway.
    pub gateway: GatewayId,
    /// Who signs.
    pub issuer: Name,
}

/// A draft of an act about an order. What only a person knows stands in it as text between angle brackets; as long as it
/// does, nobody signs it.
pub fn draft(kind: ActKind, about: About, meters: &[Name], now_unix_ms: i64) -> Map<String, Value> {
    let mut draft = Map::new();
    let mut put = |members: Value| {
        if let Value::Object(members) = members {
            draft.extend(members);
        }
    };
    put(json!({
        "act": kind.word(), "act_id": act_id(kind, about), "gateway_id": about.gateway.as_str(),
        "asset": about.asset.as_str(), "issuer": about.issuer.as_str(),
    }));
    if let (Some(order), true) = (about.order, kind != ActKind::Order) {
        // Each replaces the one before it of its kind, and the gateway remembers one.
        put(json!({ "order_id": order.as_str(), "version": now_unix_ms.max(1_000) / 1_000 }));
    }
    match kind {
        ActKind::Order => put(of_order(meters, now_unix_ms)),
        ActKind::Plan => put(json!({ "cut_unix_ms": "<when it will be cut, Unix milliseconds>" })),
        ActKind::Claim => put(json!({
            "cut_unix_ms": "<when it was cut, Unix milliseconds>", "performed_by": "<the two who did it>",
            "ticket_no": "<work ticket>", "tester": "<tester>", "live_dead_live": true, "earthed": true,
            "locks": "<locks and seals>",
        })),
        ActKind::Seal => put(json!({ "seal_no": "<number of the seal>" })),
        ActKind::Close => put(json!({ "document_sha256": "<SHA-256 of the acceptance>" })),
        ActKind::Reset => put(json!({
            "version": now_unix_ms.max(1_000) / 1_000, "reason": "<what was found and settled>",
        })),
        ActKind::Reading => put(json!({
            "meter": "<our meter it stands beside>", "error_ppm": 5_000, "step_wh": 1, "switch": "unknown",
            "spans": [],
        })),
        ActKind::Acknowledge
        | ActKind::Suspend
        | ActKind::Resume
        | ActKind::Revoke
        | ActKind::Restore
        | ActKind::Roster
        | ActKind::Permit
        | ActKind::RevokeKey
        | ActKind::Ask => {}
    }
    draft
}

fn act_id(kind: ActKind, about: About) -> String {
    let named = about.order.map_or(about.asset.0, |order| order.0);
    if kind == ActKind::Order {
        return named.to_string();
    }
    // Identifiers are one byte a letter, 24 at most.
    format!("{}-{named}", kind.word()).chars().take(24).collect()
}

fn of_order(meters: &[Name], now_unix_ms: i64) -> Value {
    let point = |meter: &Name| json!({ "meter": meter.as_str(), "feeder": "<feeder>", "breaker": "<breaker>", "carrier": "own" });
    let holds = Holds::default();
    json!({
        "tracking_id": "<file number>", "legal_basis": "<the law, as it is cited>",
        "legal_basis_sha256": "<SHA-256 of the paper>", "entry": "<entry of the catalogue>",
        "scope": "feeder", "method": "rack_out", "case": "demolish",
        "points": meters.iter().map(point).collect::<Vec<Value>>(),
        "single_line": "<version of the single-line diagram>", "second_feeds": "unknown",
        "not_before_unix_ms": now_unix_ms, "due_unix_ms": now_unix_ms + DUE_DAYS * DAY_MS,
        "appeal": "<how to appeal>", "contacts": "<whom to call>",
        "requires": { "on_site_test": true, "photos": true, "seal": true },
        "safe_state": {
            "emptied": "not_done", "cooled": "not_done", "purged": "not_done", "declared_by": "<who answers for it>",
            "declared_unix_ms": now_unix_ms, "document_sha256": "<SHA-256 of the paper>",
        },
        "hold": {
            "seen_ms": holds.seen_ms, "provisional_ms": holds.provisional_ms, "nights": holds.nights,
            "verified_ms": holds.verified_ms, "weekends": holds.weekends, "coverage_ppm": holds.coverage_ppm,
            "longest_gap_ms": holds.longest_gap_ms,
        },
    })
}

/// What is still to be filled in, by the names of the members.
pub fn blanks(draft: &Map<String, Value>) -> Vec<String> {
    fn look(value: &Value, name: &str, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text.starts_with('<') && text.ends_with('>') => {
                found.push(name.to_owned());
            }
            Value::Array(items) => items.iter().for_each(|item| look(item, name, found)),
            Value::Object(members) => members.iter().for_each(|(inner, item)| look(item, inner, found)),
            Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }
    let mut found = Vec::new();
    draft.iter().for_each(|(name, value)| look(value, name, &mut found));
    found
}

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
}

/// Every order by the logs that the gateways speak in now, replayed.
///
/// # Errors
/// The store cannot be read.
pub fn standing(store: &mut dyn Store, gateway: Option<GatewayId>) -> Result<Vec<Standing>, Failure> {
    let mut all = Vec::new();
    for kept in newest_heads(store, gateway)? {
        let (log, impossible) = replayed(store, &kept)?;
        all.extend(log.iter().map(|cut| Standing { kept, cut: cut.clone(), impossible }));
    }
    Ok(all)
}

/// The log that each gateway speaks in now.
///
/// # Errors
/// The store cannot be read.
pub fn newest_heads(store: &mut dyn Store, gateway: Option<GatewayId>) -> Answered<Vec<Kept>> {
    let mut newest = std::collections::BTreeMap::<GatewayId, Kept>::new();
    for kept in
        store.heads(None)?.into_iter().filter(|kept| gateway.is_none_or(|named| named == kept.gateway))
    {
        let known = newest.get(&kept.gateway).map(|known| known.received_unix_ms);
        if known.is_none_or(|known| known <= kept.received_unix_ms) {
            newest.insert(kept.gateway, kept);
        }
    }
    Ok(newest.into_values().collect())
}

fn replayed(store: &mut dyn Store, kept: &Kept) -> Answered<(OrderLog, Option<(u64, Impossible)>)> {
    let (mut log, mut from) = (OrderLog::default(), 0);
    loop {
        let page = store.records_from((kept.gateway, kept.log), from, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok((log, None)) };
        from = last + 1;
        for (seq, record) in &page {
            if !["genesis", "act", "transition", "event"].contains(&record.kind.as_str()) {
                continue;
            }
            // What is kept was verified when it came.
            let Some(record) = Unverified::read(&record.bytes)
                .and_then(Unverified::own)
                .ok()
                .filter(|record| record.body.of_orders().is_some())
            else {
                continue;
            };
            if let Err(why) = log.on(&record) {
                return Ok((log, Some((*seq, why))));
            }
        }
    }
}

impl Standing {
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
            "impossible": self.impossible.is_some(),
            "proven_ms": stand.hold.map_or(0, |hold| hold.proven_ms), "earlier_ms": stand.earlier_ms,
            "order_sha256": Digest::to_string(&order.hash),
        })
    }
}
