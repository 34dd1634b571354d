//! Goldens of cut-off orders: each act as gateways execute it, and what a log says of an order.

use super::*;
use crate::{
    judge::{
        Dark, DarkMeter, Ending,
        cutoff::{
            Agreed, Carrier, Hold, HoldNote, Recent, Reconciliation, Registers, Stand,
            registers::{AtPoint, Known},
            window::Kept,
        },
    },
    terms::{AssetId, MeterId},
};

const DAY_MS: i64 = 86_400_000;
const FIRST_MS: i64 = 1_795_000_000_000;

/// The acts about an order, as people would write them.
fn drafts() -> Vec<Map<String, Value>> {
    let paper = |text: &str| Digest::of(text.as_bytes()).to_string();
    let order = json!({
        "tracking_id": "冀工信断〔2026〕3号", "legal_basis_sha256": paper("basis"),
        "entry": "steel-electric-furnace-up-to-30t", "scope": "feeder", "method": "rack_out",
        "case": "demolish", "single_line": "USCC-1-v4", "second_feeds": "excluded",
        "not_before_unix_ms": FIRST_MS, "due_unix_ms": FIRST_MS + 5 * DAY_MS, "appeal": "60日内行政复议",
        "auxiliary_cap_w": 30_000, "contacts": "值班 0311-0000", "points": [
            { "meter": "m1", "feeder": "35kV-312", "breaker": "312", "carrier": "own", "utility_meter_serial": "31-0042" },
            { "meter": "m2", "carrier": "upstream", "upstream": "m9" },
        ],
        "requires": { "on_site_test": true, "photos": true, "seal": false },
        "safe_state": {
            "emptied": "done", "cooled": "done", "purged": "not_needed", "declared_by": "李工",
            "declared_unix_ms": FIRST_MS, "document_sha256": paper("safe"),
        },
        "hold": {
            "seen_ms": 900_000, "provisional_ms": DAY_MS, "nights": 1, "verified_ms": 7 * DAY_MS, "weekends": 1,
            "coverage_ppm": 990_000, "longest_gap_ms": 900_000,
        },
    });
    let claim = json!({
        "cut_unix_ms": FIRST_MS + DAY_MS, "performed_by": "王某、赵某", "ticket_no": "GZP-7", "tester": "YD-35-1",
        "tester_calibrated_until": "2027-03-01", "live_dead_live": true, "earthed": true, "locks": "L-11, L-12",
        "photos_sha256": paper("photos"), "register_before_wh": 918_273_645_000_i64,
        "register_after_wh": 918_273_645_000_i64,
    });
    let span = |day: i64, quality: &str| {
        json!({ "from_unix_ms": FIRST_MS + day * DAY_MS, "to_unix_ms": FIRST_MS + (day + 1) * DAY_MS,
                "energy_wh": 0, "quality": quality })
    };
    let reading = json!({
        "meter": "m1", "meter_serial": "20190417003", "error_ppm": 5_000, "step_wh": 2_100, "switch": "open",
        "spans": [span(1, "measured"), span(2, "estimated")],
    });
    let of_order = |kind: ActKind, more: Value| {
        let mut draft = draft(kind);
        let (_, Value::Object(more)) = (draft.remove("import_wh"), more) else { panic!() };
        draft.remove("read_unix_ms");
        draft.insert("act_id".into(), format!("{}-2", kind.word()).into());
        if kind != ActKind::Order {
            draft.insert("order_id".into(), "order-2".into());
        }
        draft.extend(more);
        draft
    };
    vec![
        of_order(ActKind::Order, order),
        of_order(ActKind::Acknowledge, json!({})),
        of_order(ActKind::Plan, json!({ "cut_unix_ms": FIRST_MS + DAY_MS })),
        of_order(ActKind::Claim, claim),
        of_order(ActKind::Suspend, json!({ "until_unix_ms": FIRST_MS + 9 * DAY_MS })),
        of_order(ActKind::Resume, json!({})),
        of_order(ActKind::Seal, json!({ "seal_no": "F-2026-77" })),
        of_order(ActKind::Close, json!({ "document_sha256": paper("acceptance") })),
        of_order(ActKind::Revoke, json!({})),
        of_order(ActKind::Restore, json!({})),
        of_order(ActKind::Reading, reading),
    ]
}

/// The same, signed, with the names of their files.
pub(super) fn acts() -> Vec<(String, Vec<u8>)> {
    let mut sealer = Sealer::default();
    let mut signed = |draft: Map<String, Value>| {
        let act = Act::seal(&draft, &mut sealer, &authority()).unwrap();
        (format!("act-{}-executed", act.kind.word()), sealer.bytes().to_vec())
    };
    drafts().into_iter().map(&mut signed).collect()
}

fn stand() -> Stand {
    let kept = Kept { full: 7, from_unix_ms: FIRST_MS, proven_ms: 3_600_000, is_counted: false };
    let hold = Hold {
        since: at(60),
        until: at(119),
        proven_ms: 58_000,
        paused_ms: 1_000,
        longest_gap_ms: 1_000,
        gaps: 1,
        nights: kept,
        weekends: Kept { full: 1, is_counted: true, ..kept },
        moved: WattHours(0),
        blind: WattHours(4_200),
        carrier: Carrier::Own,
        agreed: {
            let mut agreed = Agreed::default();
            agreed.set(0, (FIRST_MS, FIRST_MS + DAY_MS));
            agreed
        },
        registers: {
            let known = |energy, power_fails| Some(Known { energy: WattHours(energy), power_fails });
            let mut registers = Registers::default();
            registers.set(0, AtPoint { own: known(918_273_645_000, Some(3)), upstream: known(4_200, None) });
            registers
        },
        recent: Recent { proven_ms: 58_000, paused_ms: 1_000 },
    };
    Stand {
        rung: Rung::Verified,
        since: at(119),
        before: None,
        suspended_until_unix_ms: None,
        is_fed_again: false,
        was_seen: true,
        is_sealed: false,
        hold: Some(hold),
        earlier_ms: 86_400_000,
        restarts: 1,
        month: None,
    }
}

/// What a log says of a time in which the witness was dark, and an order that names its supplier's key.
pub(super) fn later_bodies() -> Vec<Body> {
    let dark = Dark { from: at(80), to: at(95), ended: Ending::LastGasp };
    let boot = Boot {
        boot_id: "2a7f3c1e-6b1d-4f7e-9a55-0c1d2e3f4a5b".into(),
        machine_rebooted: true,
        software: "coldhearth 0.1.0".into(),
        config: Digest::of(b"config"),
        dark: Some((dark.from, dark.ended)),
    };
    let mark = |second, energy| {
        let (energy, step) = (WattHours(energy), WattHours(2_100));
        Mark {
            at: at(second),
            register: Register { energy, step, modulus: None, raw: 0x0003_5f6a, raw_words: 2 },
        }
    };
    let (meter, asset) = (MeterId::new("m1").unwrap(), AssetId::new("eaf-2").unwrap());
    let still =
        DarkMeter { meter, asset, dark, before: mark(79, 918_273_645_000), after: mark(96, 918_273_645_000) };
    let fell = DarkMeter { after: mark(96, 0), ..still };
    let mut named = drafts().remove(0);
    named.insert("act_id".into(), "order-3".into());
    named.insert("supplier_key".into(), Ed25519::from_seed(&[5; 32]).public_key().to_base64().into());
    let named = Act::seal(&named, &mut Sealer::default(), &authority()).unwrap();
    vec![
        Body::Notice(Notice::LastGasp),
        Body::Boot(boot),
        Body::Finding(Finding::Event(Event::Dark(still))),
        Body::Finding(Finding::Event(Event::Dark(fell))),
        Body::Notice(Notice::Stopping),
        Body::Act(named),
    ]
}

/// What a log says of an order.
pub(super) fn bodies() -> Vec<Body> {
    let (order, asset) = (OrderId::new("order-2").unwrap(), AssetId::new("eaf-2").unwrap());
    let name = |text| Name::new(text).unwrap();
    let mut sealer = Sealer::default();
    let acts =
        drafts().into_iter().take(1).map(|draft| Act::seal(&draft, &mut sealer, &authority()).unwrap());
    let acts: Vec<Body> = acts.map(Body::Act).collect();
    let step = Transition {
        order,
        asset,
        from: Rung::Provisional,
        to: Rung::Verified,
        actor: name("agent"),
        why: name("held"),
        evidence: vec![Digest::of(b"state"), Digest::of(b"reading")],
        stand: Some(stand()),
    };
    let suspended = Stand {
        rung: Rung::Suspended,
        before: Some(Rung::Maintained),
        suspended_until_unix_ms: Some(FIRST_MS + 9 * DAY_MS),
        is_sealed: true,
        hold: None,
        month: Some(24_311),
        ..stand()
    };
    let note = Event::Hold(HoldNote { order, asset, stand: suspended });
    let fed = Event::FedBehindCut { order, asset, meter: MeterId::new("m1").unwrap() };
    let refused = Answer {
        act: Some((order.0, 1)),
        bytes: Digest::of(b"act"),
        refused: Some(ActRefusal::NoLegalBasis),
    };
    let day = Event::Reconcile(Reconciliation {
        order,
        asset,
        meter: MeterId::new("m1").unwrap(),
        from_unix_ms: FIRST_MS,
        ours: WattHours(0),
        theirs: WattHours(12_000),
        may_differ: WattHours(6_264),
    });
    let said = [Finding::Transition(step), Finding::Event(note), Finding::Event(fed)];
    acts.into_iter()
        .chain(said.map(Body::Finding))
        .chain([Body::Answer(refused), Body::Finding(Finding::Event(day))])
        .collect()
}
