//! Members of acts about orders by their names: one that is mistyped protects nobody, and is told before anything is signed.

use serde_json::{Map, Value};

use crate::evidence::ActKind;

/// What every act may say.
const OF_EVERY_ACT: [&str; 10] = [
    "act",
    "act_id",
    "version",
    "gateway_id",
    "asset",
    "issuer",
    "issued_unix_ms",
    "expires_unix_ms",
    "order_id",
    "reason",
];

const OF_AN_ORDER: [&str; 19] = [
    "tracking_id",
    "legal_basis",
    "legal_basis_sha256",
    "entry",
    "scope",
    "method",
    "case",
    "points",
    "single_line",
    "second_feeds",
    "not_before_unix_ms",
    "due_unix_ms",
    "appeal",
    "contacts",
    "requires",
    "safe_state",
    "hold",
    "supplier_key",
    "auxiliary_cap_w",
];

const OF_A_CLAIM: [&str; 11] = [
    "cut_unix_ms",
    "performed_by",
    "ticket_no",
    "tester",
    "tester_calibrated_until",
    "live_dead_live",
    "earthed",
    "locks",
    "photos_sha256",
    "register_before_wh",
    "register_after_wh",
];

const OF_A_READING: [&str; 7] =
    ["meter", "meter_serial", "source_sha256", "error_ppm", "step_wh", "switch", "spans"];

/// What the members inside of these may be called.
const INSIDE: [(&str, &[&str]); 5] = [
    ("points", &["meter", "feeder", "breaker", "carrier", "upstream", "utility_meter_serial"]),
    ("requires", &["on_site_test", "photos", "seal"]),
    ("safe_state", &["emptied", "cooled", "purged", "declared_by", "declared_unix_ms", "document_sha256"]),
    (
        "hold",
        &["seen_ms", "provisional_ms", "nights", "verified_ms", "weekends", "coverage_ppm", "longest_gap_ms"],
    ),
    ("spans", &["from_unix_ms", "to_unix_ms", "energy_wh", "quality"]),
];

const fn of_kind(kind: ActKind) -> &'static [&'static str] {
    match kind {
        ActKind::Order => &OF_AN_ORDER,
        ActKind::Claim => &OF_A_CLAIM,
        ActKind::Reading => &OF_A_READING,
        ActKind::Plan => &["cut_unix_ms"],
        ActKind::Suspend => &["until_unix_ms"],
        ActKind::Seal => &["seal_no"],
        ActKind::Close => &["document_sha256"],
        ActKind::Acknowledge
        | ActKind::Resume
        | ActKind::Revoke
        | ActKind::Restore
        | ActKind::Reset
        | ActKind::Roster
        | ActKind::Permit
        | ActKind::RevokeKey
        | ActKind::Ask => &[],
    }
}

/// Members of a draft that no gateway knows, by the way to each: `points[0].utility_meter_serail`.
pub fn strangers(kind: ActKind, draft: &Map<String, Value>) -> Vec<String> {
    let is_known = |name: &str| OF_EVERY_ACT.contains(&name) || of_kind(kind).contains(&name);
    let mut strange: Vec<String> = draft.keys().filter(|name| !is_known(name)).cloned().collect();
    for (name, known) in INSIDE {
        let look = |way: &str, value: &Value| -> Vec<String> {
            let members = value.as_object().into_iter().flat_map(Map::keys);
            members
                .filter(|name| !known.contains(&name.as_str()))
                .map(|name| format!("{way}.{name}"))
                .collect()
        };
        match draft.get(name) {
            Some(Value::Array(items)) => {
                let inside = items.iter().enumerate();
                strange.extend(inside.flat_map(|(place, item)| look(&format!("{name}[{place}]"), item)));
            }
            Some(other) => strange.extend(look(name, other)),
            None => {}
        }
    }
    strange
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mistyped_member_is_named_with_the_way_to_it() {
        let mut order = json!({
            "act": "order", "points": [{ "meter": "m1", "utility_meter_serail": "31" }],
            "requires": { "sael": true }, "foo": 1,
        });
        let strange = |order: &Value| strangers(ActKind::Order, order.as_object().unwrap());
        assert_eq!(strange(&order), ["foo", "points[0].utility_meter_serail", "requires.sael"]);
        order["points"][0] = json!({ "meter": "m1", "utility_meter_serial": "31" });
        order["requires"] = json!({ "seal": true });
        order.as_object_mut().unwrap().remove("foo");
        assert_eq!(strange(&order), [""; 0]);
    }
}
