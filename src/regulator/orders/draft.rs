//! Drafts of acts about orders: what only a person knows stands in them as text between angle brackets.

use serde_json::{Map, Value, json};

use crate::{
    evidence::ActKind,
    host::exit::{Exit, Failure},
    judge::cutoff::{Holds, order::MAX_POINTS},
    terms::{AssetId, GatewayId, Name, OrderId, time::DAY_MS},
};

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

/// A draft of an act about an order; as long as anything in it is blank, nobody signs it.
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
            "ticket_no": "<work ticket>", "tester": "<tester>",
            "live_dead_live": "<true if each phase was tested live, dead, live; else false>",
            "earthed": "<true if earth was applied; else false>", "locks": "<locks and seals>",
        })),
        ActKind::Seal => put(json!({ "seal_no": "<number of the seal>" })),
        ActKind::Close => put(json!({ "document_sha256": "<SHA-256 of the acceptance>" })),
        ActKind::Reset => put(json!({
            "version": now_unix_ms.max(1_000) / 1_000, "reason": "<what was found and settled>",
        })),
        ActKind::Reading => put(of_reading(meters)),
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

fn of_reading(meters: &[Name]) -> Value {
    json!({
        "meter": meters.first().map_or("<our meter it stands beside>", Name::as_str),
        "error_ppm": "<what the supplier's meter and transformers may err together, parts per million>",
        "step_wh": "<smallest advance of its register, watt-hours>",
        "switch": "<open, closed, ready_for_reconnection, logically_disconnected or unknown>",
        "spans": [{
            "from_unix_ms": "<Unix milliseconds>", "to_unix_ms": "<Unix milliseconds>", "energy_wh": "<watt-hours>",
            "quality": "<measured, estimated, missing or questionable>",
        }],
    })
}

fn of_order(meters: &[Name], now_unix_ms: i64) -> Value {
    let point = |meter: &str| json!({ "meter": meter, "feeder": "<feeder>", "breaker": "<breaker>", "carrier": "own" });
    let points: Vec<Value> = if meters.is_empty() {
        vec![point("<meter that shall be without power>")]
    } else {
        meters.iter().map(|meter| point(meter.as_str())).collect()
    };
    let (holds, done) = (Holds::default(), "<done, not_needed or not_done>");
    json!({
        "version": 1, "tracking_id": "<file number>", "legal_basis": "<the law, as it is cited>",
        "legal_basis_sha256": "<SHA-256 of the paper>", "entry": "<entry of the catalogue>",
        "scope": "<equipment, feeder or site>",
        "method": "<rack_out, fuse, cable_cut, jumper_removed or remote_switch>",
        "case": "<demolish, court_seizure, state_asset, heritage or lawful_conversion>", "points": points,
        "single_line": "<version of the single-line diagram>", "second_feeds": "unknown",
        "not_before_unix_ms": now_unix_ms, "due_unix_ms": now_unix_ms + DUE_DAYS * DAY_MS,
        "appeal": "<how to appeal>", "contacts": "<whom to call>",
        "requires": { "on_site_test": true, "photos": true, "seal": true },
        "safe_state": {
            "emptied": done, "cooled": done, "purged": done, "declared_by": "<who answers for it>",
            "declared_unix_ms": "<when, Unix milliseconds>", "document_sha256": "<SHA-256 of the paper>",
        },
        "hold": {
            "seen_ms": holds.seen_ms, "provisional_ms": holds.provisional_ms, "nights": holds.nights,
            "verified_ms": holds.verified_ms, "weekends": holds.weekends, "coverage_ppm": holds.coverage_ppm,
            "longest_gap_ms": holds.longest_gap_ms,
        },
    })
}

/// Whether an act of this kind is about so many meters: an order names its points, a reading the one it stands beside.
///
/// # Errors
/// Others name none.
pub fn check_meters(kind: ActKind, meters: &[Name]) -> Result<(), Failure> {
    let most = match kind {
        ActKind::Order => MAX_POINTS,
        ActKind::Reading => 1,
        ActKind::Plan
        | ActKind::Claim
        | ActKind::Suspend
        | ActKind::Resume
        | ActKind::Seal
        | ActKind::Close
        | ActKind::Revoke
        | ActKind::Restore
        | ActKind::Reset
        | ActKind::Roster
        | ActKind::Permit
        | ActKind::RevokeKey
        | ActKind::Ask
        | ActKind::Acknowledge => 0,
    };
    if meters.len() <= most {
        return Ok(());
    }
    let what =
        format!("--meter: {} are named, and an act `{}` names {most} at most", meters.len(), kind.word());
    Err(Failure::new(Exit::Usage, what))
}

/// What is still to be filled in, by the way to each member: `points[1].feeder`.
pub fn blanks(draft: &Map<String, Value>) -> Vec<String> {
    fn look(value: &Value, way: &str, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text.starts_with('<') && text.ends_with('>') => {
                found.push(way.to_owned());
            }
            Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(place, item)| look(item, &format!("{way}[{place}]"), found));
            }
            Value::Object(members) => {
                members.iter().for_each(|(name, item)| look(item, &format!("{way}.{name}"), found));
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }
    let mut found = Vec::new();
    draft.iter().for_each(|(name, value)| look(value, name, &mut found));
    found
}

#[cfg(test)]
mod tests {
    use super::{super::named::strangers, *};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn drafted(kind: ActKind, meters: &[&str]) -> Map<String, Value> {
        let about = About {
            order: Some(OrderId(name("cut-7"))),
            asset: AssetId(name("eaf-2")),
            gateway: GatewayId(name("gw-03")),
            issuer: name("hebei-miit"),
        };
        let meters: Vec<Name> = meters.iter().map(|meter| name(meter)).collect();
        draft(kind, about, &meters, 1_795_000_000_000)
    }

    #[test]
    fn what_a_person_must_state_is_blank_and_named_until_it_is_filled_in() {
        let claim = blanks(&drafted(ActKind::Claim, &[]));
        for member in
            ["live_dead_live", "earthed", "performed_by", "cut_unix_ms", "tester", "ticket_no", "locks"]
        {
            assert!(claim.iter().any(|blank| blank == member), "{member}: {claim:?}");
        }
        let order = drafted(ActKind::Order, &["m1", "m2"]);
        let open = blanks(&order);
        for way in [
            "method",
            "case",
            "scope",
            "points[1].breaker",
            "safe_state.emptied",
            "safe_state.declared_unix_ms",
        ] {
            assert!(open.iter().any(|blank| blank == way), "{way}: {open:?}");
        }
        let is_stated = |value: &Value| value.as_bool().is_some();
        assert!(!order.values().any(is_stated), "nobody has said so yet: {order:?}");
        assert!(!drafted(ActKind::Claim, &[]).values().any(is_stated));
    }

    #[test]
    fn a_reading_names_the_meter_it_is_asked_for_and_states_nothing_of_the_suppliers() {
        let reading = drafted(ActKind::Reading, &["m1"]);
        assert_eq!(reading["meter"], "m1");
        let open = blanks(&reading);
        assert_eq!(
            open,
            [
                "error_ppm",
                "spans[0].energy_wh",
                "spans[0].from_unix_ms",
                "spans[0].quality",
                "spans[0].to_unix_ms",
                "step_wh",
                "switch"
            ]
        );
        assert!(blanks(&drafted(ActKind::Reading, &[])).contains(&"meter".to_owned()));
        assert_eq!(drafted(ActKind::Order, &[])["points"][0]["carrier"], "own", "one point to be filled in");
    }

    #[test]
    fn every_member_of_a_draft_is_one_that_gateways_know() {
        for kind in
            [ActKind::Order, ActKind::Plan, ActKind::Claim, ActKind::Seal, ActKind::Close, ActKind::Reading]
        {
            assert_eq!(strangers(kind, &drafted(kind, &["m1"])), [""; 0], "{kind:?}");
        }
    }

    #[test]
    fn meters_are_named_where_they_mean_something() {
        let two = [name("m1"), name("m2")];
        assert!(
            check_meters(ActKind::Order, &two).is_ok() && check_meters(ActKind::Reading, &two[..1]).is_ok()
        );
        for (kind, meters) in [(ActKind::Reading, &two[..]), (ActKind::Claim, &two[..1])] {
            let refused = check_meters(kind, meters).unwrap_err();
            assert!(refused.exit == Exit::Usage && refused.message.contains("--meter"), "{refused}");
        }
    }
}
