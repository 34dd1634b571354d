//! Whoever writes to the gateway in the authority's name: acts and receipts.

use super::log::{Log, WALL_MS, at, audit, authority, beat, gateway, key, opened, receipt, sealed};
use coldhearth::{
    agent::letters::{Letter, Letters, Outcome},
    evidence::{
        Act, ActRefusal, Body, Chain, Ed25519, LogHead, LogId, MemoryJournal, Notice, Receipt, Received,
        Refusal, Scribe, Sealer, Signed, Signer as _, Trust, canonical::MAX_RECORD_BYTES, record::Unverified,
    },
    terms::{AssetId, ClockQuality, Digest, GatewayId, MeterId, Stamp, place::CreditCode},
};
use serde_json::{Map, Value, json};

/// An act as the authority's clerk would write it.
fn draft(kind: &str, more: Value) -> Map<String, Value> {
    let common = json!({
        "act": kind, "act_id": format!("{kind}-1"), "version": 1, "gateway_id": "gw-03", "asset": "eaf-1",
        "issued_unix_ms": WALL_MS, "expires_unix_ms": WALL_MS + 600_000,
    });
    let (Value::Object(mut draft), Value::Object(more)) = (common, more) else { panic!() };
    draft.extend(more);
    draft
}

pub(super) fn permit(more: Value) -> Map<String, Value> {
    let mut permit = draft(
        "permit",
        json!({
            "permit": "maintenance", "energy_wh": 1_000, "from_unix_ms": WALL_MS, "to_unix_ms": WALL_MS + 1,
            "document_sha256": Digest::of(b"paper").to_string(),
        }),
    );
    let Value::Object(more) = more else { panic!() };
    permit.extend(more);
    permit
}

/// Signs whatever is given as an act, even what no honest clerk's program would.
pub(super) fn signed_by(key: &Ed25519, draft: &Map<String, Value>) -> Vec<u8> {
    let mut sealer = Sealer::default();
    sealer
        .seal(key, |object| {
            object.text("type", "act").members(draft, &[]);
        })
        .unwrap();
    sealer.bytes().to_vec()
}

fn letters() -> Letters {
    let trust = Trust::new(gateway(), vec![authority().public_key(), key(10).public_key()]);
    let enterprise = CreditCode::parse("91350100M000100Y43").unwrap();
    Letters::new(trust, vec![AssetId::new("eaf-1").unwrap()], vec![MeterId::new("m1").unwrap()], enterprise)
}

/// What the gateway says to an act: why it is refused, or nothing where it obeys.
fn answer(letters: &mut Letters, bytes: &[u8], now: &Stamp) -> Option<ActRefusal> {
    match letters.on(Letter::Act(bytes.to_vec()), now, &|_| Ok(())) {
        Outcome::Do(..) => None,
        Outcome::Say(Body::Answer(answer)) => Some(answer.refused.unwrap()),
        other @ (Outcome::Nothing | Outcome::Receipt(..) | Outcome::Say(_)) => panic!("{other:?}"),
    }
}

#[test]
fn acts_forged_altered_expired_and_replayed_are_each_refused_with_their_word() {
    let now = at(1);
    let honest = signed_by(&authority(), &permit(json!({})));
    let text = String::from_utf8(honest.clone()).unwrap();
    let refusals = [
        ("wrong_key", signed_by(&key(66), &permit(json!({})))),
        ("bad_signature", text.replace("\"energy_wh\":1000", "\"energy_wh\":9000").into_bytes()),
        ("not_canonical", text.replacen(':', ": ", 1).into_bytes()),
        ("not_canonical", b"rubbish".to_vec()),
        ("malformed", signed_by(&authority(), &permit(json!({ "permit": "everything" })))),
        ("malformed", signed_by(&authority(), &permit(json!({ "version": 0 })))),
        ("malformed", signed_by(&authority(), &permit(json!({ "energy_wh": -1 })))),
        ("wrong_gateway", signed_by(&authority(), &permit(json!({ "gateway_id": "gw-04" })))),
        ("expired", signed_by(&authority(), &permit(json!({ "expires_unix_ms": WALL_MS })))),
        ("unknown_asset", signed_by(&authority(), &permit(json!({ "asset": "eaf-9" })))),
        ("not_executed", signed_by(&authority(), &draft("order", json!({})))),
        // One of several keys may not silence the others, and nobody the first.
        (
            "wrong_key",
            signed_by(
                &key(10),
                &draft("revoke_key", json!({ "revoked_kid": authority().public_key().id().to_string() })),
            ),
        ),
        (
            "wrong_key",
            signed_by(
                &authority(),
                &draft("revoke_key", json!({ "revoked_kid": authority().public_key().id().to_string() })),
            ),
        ),
    ];
    let mut letters = letters();
    for (word, bytes) in &refusals {
        let refused = answer(&mut letters, bytes, &now).map(ActRefusal::word);
        assert_eq!(refused, Some(*word), "{}", String::from_utf8_lossy(bytes));
        assert_eq!(
            letters.on(Letter::Act(bytes.clone()), &now, &|_| Ok(())),
            Outcome::Nothing,
            "answered once"
        );
    }
    let unset = Stamp { clock: ClockQuality::Unset, ..now };
    assert_eq!(answer(&mut letters, &honest, &unset), Some(ActRefusal::ClockUnset));
    assert_eq!(answer(&mut letters, &honest, &now), None, "the right one still comes through");
    // Known to the word already, and so answered as a replay even where nothing else would be wrong.
    let mut again = self::letters();
    assert_eq!(answer(&mut again, &honest, &now), None);
    assert_eq!(answer(&mut again, &honest, &now), Some(ActRefusal::Replayed));
    let newer = signed_by(&authority(), &permit(json!({ "version": 3 })));
    let older = signed_by(&authority(), &permit(json!({ "version": 2 })));
    assert_eq!(answer(&mut again, &newer, &now), None);
    assert_eq!(answer(&mut again, &older, &now), Some(ActRefusal::OlderVersion));
}

#[test]
fn an_old_act_is_not_in_time_again_because_the_clock_was_set_back() {
    let mut letters = letters();
    let log = Log::of(3);
    let (_, late) = sealed(&receipt(&log.lines[2], 7, 3_600), &authority());
    assert!(matches!(letters.on(Letter::Receipt(late), &at(1), &|_| Ok(())), Outcome::Receipt(..)));
    let honest = signed_by(&authority(), &permit(json!({})));
    assert_eq!(
        answer(&mut letters, &honest, &at(1)),
        Some(ActRefusal::Expired),
        "an hour after by its own receipt"
    );
}

#[test]
fn an_act_nested_deep_or_nearly_as_long_as_a_record_is_refused_or_fits_into_one() {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }));
    let mut taken = 0;
    let drafts = (1..9).map(|depth| json!({ "note": nested(depth) })).chain(
        [1_000, 31_000, 32_000, 33_000, 60_000, 65_000]
            .map(|length| json!({ "note": "\"\\".repeat(length / 4) })),
    );
    for (nth, more) in drafts.enumerate() {
        let mut act = permit(more);
        act.insert("act_id".into(), format!("permit-{nth}").into());
        let mut sealer = Sealer::default();
        let sealed = sealer.seal(&authority(), |object| {
            object.text("type", "act").members(&act, &[]);
        });
        let mut letters = letters();
        let Ok(_) = sealed else { continue };
        match letters.on(Letter::Act(sealer.bytes().to_vec()), &at(1), &|_| Ok(())) {
            Outcome::Do(act, _) => {
                // What is accepted must be written down, or the agent could never go on.
                let mut log = Log::of(2);
                log.say(&Body::Act(act.clone()));
                let record = opened(log.lines.last().unwrap(), 7);
                assert_eq!(record.body, Body::Act(act));
                taken += 1;
            }
            Outcome::Say(Body::Answer(answer)) => {
                assert_eq!(answer.refused, Some(ActRefusal::NotCanonical), "{nth}");
            }
            other @ (Outcome::Nothing | Outcome::Receipt(..) | Outcome::Say(_)) => panic!("{other:?}"),
        }
    }
    assert!(taken >= 4);
    let long = vec![b'x'; MAX_RECORD_BYTES * 20];
    assert_eq!(answer(&mut letters(), &long, &at(1)), Some(ActRefusal::NotCanonical));
}

#[test]
fn an_act_that_the_gateway_made_up_is_not_believed_in_its_log_either() {
    let act = |bytes: &[u8]| Act::read(Signed::read(bytes).unwrap()).unwrap();
    let honest = signed_by(&authority(), &permit(json!({})));
    let text = String::from_utf8(honest.clone()).unwrap();
    let altered = text.replace("\"energy_wh\":1000", "\"energy_wh\":9000");
    for (bytes, is_fine) in [(honest.as_slice(), true), (altered.as_bytes(), false)] {
        let mut log = Log::of(2);
        log.say(&Body::Act(act(bytes)));
        let report = audit(&log.lines);
        assert_eq!(report.authentic, is_fine, "{report:?}");
        if !is_fine {
            assert_eq!(report.first_bad, Some((3, Refusal::BadSignature)));
        }
    }
}

#[test]
fn rubbish_fills_neither_the_log_nor_memory() {
    let mut letters = letters();
    let mut said = 0;
    for n in 0..5_000_u32 {
        let outcome = letters.on(Letter::Act(n.to_be_bytes().to_vec()), &at(2), &|_| Ok(()));
        said += u32::from(outcome != Outcome::Nothing);
        let outcome = letters.on(Letter::Receipt(n.to_be_bytes().to_vec()), &at(2), &|_| Ok(()));
        said += u32::from(outcome != Outcome::Nothing);
    }
    assert_eq!(said, 61, "sixty answers an hour, and one notice that counts the receipts");
}

#[test]
fn forged_receipts_are_refused_told_once_and_delete_nothing() {
    let log = Log::of(5);
    let honest = receipt(&log.lines[4], 7, 10);
    let mut letters = letters();
    let (_, forged) = sealed(&honest, &key(7));
    let elsewhere = Receipt { gateway: GatewayId::new("gw-04").unwrap(), ..honest.clone() };
    let (_, elsewhere) = sealed(&elsewhere, &authority());
    let Outcome::Say(Body::Notice(Notice::ReceiptRefused { why, count, .. })) =
        letters.on(Letter::Receipt(forged.clone()), &at(1), &|_| Ok(()))
    else {
        panic!("a forged receipt is told")
    };
    assert_eq!((why.as_str(), count), ("wrong_key", 1));
    for bytes in [&forged, &elsewhere] {
        assert_eq!(
            letters.on(Letter::Receipt(bytes.clone()), &at(2), &|_| Ok(())),
            Outcome::Nothing,
            "counted, not said"
        );
    }
    let (_, bytes) = sealed(&honest, &authority());
    assert!(matches!(letters.on(Letter::Receipt(bytes), &at(2), &|_| Ok(())), Outcome::Receipt(..)));
}

#[test]
fn blocked_receipts_stand_still_in_the_gateways_own_words() {
    let chain = Chain::begin(gateway(), LogId(1), 0, Box::new(key(7)));
    let mut scribe = Scribe::begin(&at(0), chain, Box::new(MemoryJournal::default())).unwrap();
    (0..5).for_each(|n| scribe.write(at(n), beat(n)));
    scribe.commit().unwrap();
    let mut bytes = Vec::new();
    scribe
        .journal()
        .read(3, coldhearth::evidence::Class::Routine, &mut |_, _, line| {
            bytes = line.to_vec();
            false
        })
        .unwrap();
    let header = *Unverified::read(&bytes).unwrap().header();
    let upto = LogHead { log: LogId(1), seq: 3, head: Unverified::read(&bytes).unwrap().hash() };
    let heard = Receipt {
        gateway: gateway(),
        upto,
        key_epoch: header.key_epoch,
        public_key: key(7).public_key(),
        received_unix_ms: WALL_MS,
        nonce: [3; 16],
        missing: Vec::new(),
    };
    assert_eq!(scribe.is_rolled_back(&heard), Ok(false));
    let (hash, line) = sealed(&heard, &authority());
    scribe.on_receipt(Received { receipt: heard.clone(), hash }, line);
    (5..50).for_each(|n| scribe.write(at(n), beat(n)));
    scribe.commit().unwrap();
    assert_eq!((scribe.first_unreceipted(), scribe.next_seq()), (4, 50));
    // What is not receipted is not pruned, whatever its age.
    assert_eq!(scribe.prune(i64::MAX, 1_000), Ok(4));
    assert_eq!(scribe.prune(i64::MAX, 1_000), Ok(0));
    // A receipt for what was never said, and one of a later key, tell the gateway what befell it.
    let ahead = Receipt { upto: LogHead { seq: 50, ..upto }, ..heard.clone() };
    let other = Receipt { upto: LogHead { seq: 20, head: Digest::ZERO, ..upto }, ..heard.clone() };
    let later_key = Receipt { key_epoch: 1, ..heard.clone() };
    for told in [ahead, other, later_key] {
        assert_eq!(scribe.is_rolled_back(&told), Ok(true), "{told:?}");
    }
    let elsewhere = Receipt { upto: LogHead { log: LogId(9), seq: 99, ..upto }, ..heard };
    assert_eq!(scribe.is_rolled_back(&elsewhere), Ok(false), "that is another log's");
}
