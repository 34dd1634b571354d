//! One machine that is said to be gone twice, and what of it counts.

use coldhearth::{
    evidence::{Body, Signer as _},
    judge::{Finding, Rung, Transition, VoltagePoint},
    regulator::reports::{self, Equipment, Scope, Surveyed, completion, list},
    terms::{AssetId, Digest, GatewayId, Name, OrderId, place::Division, words},
};
use serde_json::json;

use crate::{
    home_admitting,
    homes::{Home, Homes},
    moments::{Says, verdict},
    open, over_both,
    support::{
        cut::{authority, maintained, paper},
        voice::{NOW, TOPIC, Voice, gateway, key_of},
    },
};

fn take(home: &Home, topic: &str, lines: &[Vec<u8>], received_unix_ms: i64) {
    for some in lines.chunks(500) {
        let messages: Vec<_> = some.iter().map(|line| (topic, line.as_slice())).collect();
        open(home).take(&messages, received_unix_ms).unwrap();
    }
}

fn in_division(code: &str, scope: Scope) -> Scope {
    Scope { within: Division::parse(code).unwrap(), ..scope }
}

fn only(surveyed: &Surveyed) -> &Equipment {
    assert_eq!(surveyed.len(), 1);
    surveyed.values().next().unwrap()
}

/// A log that claims, by its own word alone, that a machine of this nameplate is gone.
fn claim(gateway: GatewayId, plate: Digest) -> Vec<Vec<u8>> {
    let mut voice = Voice::of(gateway, "130422", (8, 0, 8));
    let name = Name::new("order-9").unwrap();
    let step = Transition {
        order: OrderId(name),
        asset: AssetId::new("eaf-9").unwrap(),
        from: Rung::Maintained,
        to: Rung::Closed,
        actor: name,
        why: name,
        evidence: Vec::new(),
        stand: None,
    };
    vec![
        voice.genesis(8, None),
        voice.say(&verdict("eaf-9", Says::default(), Some(plate))),
        voice.say(&Body::Finding(Finding::Transition(step))),
    ]
}

fn a_machine_is_gone_once_and_only_where_its_log_bears_it_out(homes: Homes) {
    let home = home_admitting(homes, "gone");
    let plate = Digest::of(b"one machine");
    let mut log = maintained(authority(), VoltagePoint::Load);
    log.say(&verdict("eaf-2", Says::default(), Some(plate)));
    log.act("close", &json!({ "document_sha256": paper() }));
    assert_eq!(log.rung(), Rung::Closed);
    let now = log.now.wall_unix_ms;
    take(&home, TOPIC, &log.lines, now);
    let keys = [authority().public_key()];
    let county = in_division("130421", scope_around(now));
    let told = |keys: &[_], scope: Scope| reports::standing(&mut *home.store(), &scope, keys).unwrap();
    let refused = |surveyed: &Surveyed| {
        let completed = completion::completed(surveyed, &county);
        assert_eq!(completed.len(), 1);
        completed[0].refusal()
    };
    let good = told(&keys, county);
    assert_eq!((refused(&good), list::progress(only(&good), &county)), (None, words::PROGRESS_CLOSED));
    let unsigned = told(&[], county);
    assert_eq!(refused(&unsigned), Some(words::NOT_BORNE_OUT));
    assert_ne!(list::progress(only(&unsigned), &county), words::PROGRESS_CLOSED);
    // Whoever claims by his own word alone that this machine is gone elsewhere takes nothing from the plant that proved it.
    let other = GatewayId::new("gw-09").unwrap();
    assert!(home.store().admit(other, &key_of(8), NOW).unwrap());
    let topic = "coldhearth/v1/13/04/22/91350100M000100Y43/gw-09/_/attest";
    take(&home, topic, &claim(other, plate), now);
    let claimed = told(&keys, county);
    assert_eq!(refused(&claimed), None);
    assert_eq!(only(&claimed).gateway, gateway(), "of the other no more is told");
    // It melts one night, and rests again.
    log.say(&verdict("eaf-2", Says { closed_wh: 5_000, ..Says::default() }, Some(plate)));
    take(&home, TOPIC, log.lines.last().map(std::slice::from_ref).unwrap(), now);
    let drew = told(&keys, county);
    assert_eq!(refused(&drew), Some(words::DRAWS_SINCE));
    assert_ne!(list::progress(only(&drew), &county), words::PROGRESS_CLOSED);
}

fn a_new_journal_elsewhere_hides_no_melt_after_a_demolition(homes: Homes) {
    let home = home_admitting(homes, "gone-elsewhere");
    let mut log = maintained(authority(), VoltagePoint::Load);
    log.act("close", &json!({ "document_sha256": paper() }));
    let now = log.now.wall_unix_ms;
    take(&home, TOPIC, &log.lines, now);
    let keys = [authority().public_key()];
    let county = in_division("130421", scope_around(now));
    let counts = || only(&reports::standing(&mut *home.store(), &county, &keys).unwrap()).gone().is_some();
    assert!(counts());
    // Its gateway begins a journal in another county, and melts there.
    let mut voice = Voice::of(gateway(), "140105", (77, 0, 7));
    voice.wait_until(u64::try_from((now - NOW) / 1_000 + 900).unwrap());
    let melts = Says { closed_wh: 700, ..Says::default() };
    take(&home, TOPIC, &[voice.genesis(7, None), voice.say(&verdict("eaf-2", melts, None))], now + 2_000_000);
    assert!(!counts());
}

/// Ten days on both sides of a moment.
fn scope_around(unix_ms: i64) -> Scope {
    let day = |days: i64| coldhearth::terms::LegalDay::of_unix_ms(unix_ms + days * 86_400_000);
    Scope { within: Division::NATION, from: day(-10), to: day(10), made_unix_ms: unix_ms + 20 * 86_400_000 }
}

over_both!(
    a_machine_is_gone_once_and_only_where_its_log_bears_it_out,
    a_new_journal_elsewhere_hides_no_melt_after_a_demolition,
);
