//! PURE file: what comes in from the broker and what is answered. Whatever is refused is refused in the log, but nobody
//! can fill the log by sending rubbish.

use std::collections::BTreeSet;

use crate::{
    evidence::{Act, ActRefusal, Answer, Body, Meaning, Notice, Received, Refusal, Trust},
    judge::{OrderAct, Permitted, cutoff::Unfit},
    terms::{AssetId, Digest, MeterId, Name, Stamp, place::CreditCode},
};

/// Refused letters answered in one [`REFUSALS_MS`]; what comes beyond is counted in the log file only.
pub const MAX_REFUSALS: u32 = 60;
/// The time [`MAX_REFUSALS`] counts for, in milliseconds.
pub const REFUSALS_MS: u64 = 3_600_000;
/// Time between two notices of refused receipts, in milliseconds; each tells how many there were.
pub const RECEIPT_NOTICE_MS: u64 = 900_000;
/// Refused letters remembered, so that a retained one is answered once and not at every connection.
pub const MAX_REMEMBERED: usize = 1_024;

/// Whether an act about an order has a place where the order stands.
pub type MayOrder<'s> = &'s dyn Fn(&OrderAct) -> Result<(), Unfit>;

/// Something that came for this gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Letter {
    /// It stood on the receipt's topic.
    Receipt(Vec<u8>),
    /// It stood on a topic of acts.
    Act(Vec<u8>),
}

/// What a letter leads to, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "passed once from hand to hand")]
pub enum Outcome {
    /// Nothing: it is known already, or beyond what is answered.
    Nothing,
    /// A receipt that is believed, with its bytes.
    Receipt(Received, Vec<u8>),
    /// To be written down.
    Say(Body),
    /// To be written down in this order, and then to take effect.
    Do(Act, Answer),
}

/// The gateway's letter box.
#[derive(Debug)]
pub struct Letters {
    trust: Trust,
    assets: Vec<AssetId>,
    meters: Vec<MeterId>,
    enterprise: CreditCode,
    refused: BTreeSet<Digest>,
    answered: u32,
    answered_since_ms: u64,
    receipts_refused: u32,
    receipt_notice_at_ms: u64,
    unanswered: Vec<Act>,
}

impl Letters {
    /// A letter box for what is configured here.
    pub fn new(trust: Trust, assets: Vec<AssetId>, meters: Vec<MeterId>, enterprise: CreditCode) -> Letters {
        Letters {
            trust,
            assets,
            meters,
            enterprise,
            refused: BTreeSet::new(),
            answered: 0,
            answered_since_ms: 0,
            receipts_refused: 0,
            receipt_notice_at_ms: 0,
            unanswered: Vec::new(),
        }
    }

    /// Acts that took effect before the power went, and were never answered.
    #[must_use]
    pub fn owing(self, unanswered: Vec<Act>) -> Letters {
        Letters { unanswered, ..self }
    }

    /// Takes them, to be answered.
    pub fn unanswered(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.unanswered)
    }

    /// Takes a letter. `may` tells whether an act about an order has a place where the order stands.
    pub fn on(&mut self, letter: Letter, now: &Stamp, may: MayOrder<'_>) -> Outcome {
        match letter {
            Letter::Receipt(bytes) => self.on_receipt(bytes, now),
            Letter::Act(bytes) => self.on_act(&bytes, now, may),
        }
    }

    /// Takes an act that was handed over as a file: like a letter, but one that was taken before is no news.
    pub fn on_file(&mut self, bytes: &[u8], now: &Stamp, may: MayOrder<'_>) -> Outcome {
        let outcome = self.on_act(bytes, now, may);
        let known = [Some(ActRefusal::Replayed), Some(ActRefusal::OlderVersion)];
        let is_known =
            matches!(&outcome, Outcome::Say(Body::Answer(answer)) if known.contains(&answer.refused));
        if is_known { Outcome::Nothing } else { outcome }
    }

    fn on_receipt(&mut self, bytes: Vec<u8>, now: &Stamp) -> Outcome {
        let refusal = match self.trust.open_receipt(&bytes) {
            Ok(received) => return Outcome::Receipt(received, bytes),
            Err(refusal) => refusal,
        };
        self.receipts_refused = self.receipts_refused.saturating_add(1);
        let why = Name::new(word(refusal));
        match why.filter(|_| now.uptime_ms >= self.receipt_notice_at_ms) {
            None => Outcome::Nothing,
            Some(why) => {
                self.receipt_notice_at_ms = now.uptime_ms + RECEIPT_NOTICE_MS;
                let count = std::mem::take(&mut self.receipts_refused);
                let bytes = Digest::of(&bytes);
                Outcome::Say(Body::Notice(Notice::ReceiptRefused { bytes, why, count }))
            }
        }
    }

    fn on_act(&mut self, bytes: &[u8], now: &Stamp, may: MayOrder<'_>) -> Outcome {
        let digest = Digest::of(bytes);
        let (assets, meters, enterprise) = (&self.assets, &self.meters, self.enterprise);
        let fits = |act: &Act| match &act.meaning {
            _ if !is_ours(act, assets, meters, enterprise) => Err(ActRefusal::UnknownAsset),
            Meaning::CutOff(about) => may(about).map_err(ActRefusal::unfit),
            Meaning::Permit(_)
            | Meaning::Reset(_)
            | Meaning::RevokeKey(_)
            | Meaning::Roster(_)
            | Meaning::Ask(_)
            | Meaning::NotExecuted => Ok(()),
        };
        match self.trust.open_act(bytes, now, fits) {
            Ok(act) => {
                let answer = Answer { act: Some((act.id, act.version)), bytes: digest, refused: None };
                Outcome::Do(act, answer)
            }
            Err(_) if self.refused.contains(&digest) || !self.may_answer(now) => Outcome::Nothing,
            Err(refused) => {
                self.remember(digest);
                Outcome::Say(Body::Answer(Answer {
                    act: refused.act,
                    bytes: digest,
                    refused: Some(refused.why),
                }))
            }
        }
    }

    fn remember(&mut self, digest: Digest) {
        if self.refused.len() < MAX_REMEMBERED {
            self.refused.insert(digest);
        }
    }

    fn may_answer(&mut self, now: &Stamp) -> bool {
        if now.uptime_ms >= self.answered_since_ms + REFUSALS_MS {
            (self.answered, self.answered_since_ms) = (0, now.uptime_ms);
        }
        self.answered += 1;
        self.answered <= MAX_REFUSALS
    }
}

/// Whether everything an act names is configured here.
///
/// A roster may list what stands behind another gateway of the enterprise, but no other enterprise's.
fn is_ours(act: &Act, assets: &[AssetId], meters: &[MeterId], enterprise: CreditCode) -> bool {
    let asset = act.asset.is_none_or(|asset| assets.contains(&asset));
    let named = match &act.meaning {
        Meaning::Permit(permit) => match permit.what {
            Permitted::MeterReplacement { meter } => meters.contains(&meter),
            Permitted::Maintenance { .. } | Permitted::Allowance { .. } => true,
        },
        Meaning::Roster(roster) => roster.enterprise == enterprise,
        Meaning::Reset(_)
        | Meaning::Ask(_)
        | Meaning::RevokeKey(_)
        | Meaning::CutOff(_)
        | Meaning::NotExecuted => true,
    };
    asset && named
}

fn word(refusal: Refusal) -> &'static str {
    ActRefusal::of(refusal).word()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::{
        evidence::{Ed25519, LogHead, LogId, Receipt, Sealer, Signer as _, act::NotSealed},
        terms::{ClockQuality, GatewayId},
    };

    const USCC: &str = "91350100M000100Y43";

    fn authority() -> Ed25519 {
        Ed25519::from_seed(&[9; 32])
    }

    fn gateway() -> GatewayId {
        GatewayId::new("gw-03").unwrap()
    }

    fn hear(letters: &mut Letters, letter: Letter, now: &Stamp) -> Outcome {
        letters.on(letter, now, &|_| Ok(()))
    }

    fn letters() -> Letters {
        let trust = Trust::new(gateway(), vec![authority().public_key()]);
        let assets = vec![AssetId::new("eaf-2").unwrap()];
        Letters::new(trust, assets, vec![MeterId::new("m1").unwrap()], enterprise())
    }

    fn enterprise() -> CreditCode {
        CreditCode::parse(USCC).unwrap()
    }

    fn at(uptime_ms: u64) -> Stamp {
        let wall_unix_ms = 1_795_000_000_000 + uptime_ms.cast_signed();
        Stamp { wall_unix_ms, uptime_ms, boot: 1, clock: ClockQuality::Rtc, error_ms: 0 }
    }

    fn signed(more: Value, by: &Ed25519) -> Letter {
        let mut draft = json!({
            "act": "reset", "act_id": "reset-1", "version": 1, "gateway_id": "gw-03", "asset": "eaf-2",
            "issuer": "hebei", "issued_unix_ms": 1_795_000_000_000_i64, "expires_unix_ms": 1_795_000_900_000_i64,
        });
        let (Value::Object(members), Value::Object(more)) = (&mut draft, more) else { panic!() };
        members.extend(more);
        let members: Map<String, Value> = members.clone();
        let mut sealer = Sealer::default();
        Act::seal(&members, &mut sealer, by).unwrap();
        Letter::Act(sealer.bytes().to_vec())
    }

    fn refused(outcome: &Outcome) -> Option<ActRefusal> {
        if let Outcome::Say(Body::Answer(answer)) = outcome { answer.refused } else { None }
    }

    #[test]
    fn an_act_takes_effect_once_and_every_refusal_has_its_word() {
        let mut letters = letters();
        let reset = signed(json!({}), &authority());
        assert!(matches!(hear(&mut letters, reset.clone(), &at(1_000)), Outcome::Do(..)));
        assert_eq!(refused(&hear(&mut letters, reset.clone(), &at(2_000))), Some(ActRefusal::Replayed));
        assert_eq!(hear(&mut letters, reset, &at(3_000)), Outcome::Nothing, "said once is enough");
        let newer = signed(json!({ "version": 3 }), &authority());
        assert!(matches!(hear(&mut letters, newer, &at(4_000)), Outcome::Do(..)));
        let cases = [
            (json!({ "version": 2 }), ActRefusal::OlderVersion),
            (json!({ "act_id": "a", "asset": "eaf-9" }), ActRefusal::UnknownAsset),
            (json!({ "act_id": "b", "gateway_id": "gw-04" }), ActRefusal::WrongGateway),
            (json!({ "act_id": "c", "expires_unix_ms": 1_795_000_004_000_i64 }), ActRefusal::Expired),
            (json!({ "act_id": "d", "act": "order" }), ActRefusal::NotExecuted),
        ];
        for (more, why) in cases {
            assert_eq!(refused(&hear(&mut letters, signed(more, &authority()), &at(5_000))), Some(why));
        }
        let asked =
            hear(&mut letters, signed(json!({ "act_id": "q", "act": "ask" }), &authority()), &at(5_500));
        let Outcome::Do(act, answer) = asked else { panic!("{asked:?}") };
        assert_eq!(act.meaning, Meaning::Ask(AssetId::new("eaf-2").unwrap()));
        assert_eq!((answer.act, answer.refused), (Some((act.id, 1)), None));
        let elsewhere = signed(json!({ "act_id": "r", "act": "ask", "asset": "eaf-9" }), &authority());
        assert_eq!(refused(&hear(&mut letters, elsewhere, &at(5_500))), Some(ActRefusal::UnknownAsset));
        let stranger = signed(json!({ "act_id": "e" }), &Ed25519::from_seed(&[1; 32]));
        assert_eq!(refused(&hear(&mut letters, stranger, &at(6_000))), Some(ActRefusal::WrongKey));
        let Letter::Act(mut bytes) = signed(json!({ "act_id": "f" }), &authority()) else { panic!() };
        bytes.insert(1, b' ');
        assert_eq!(
            refused(&hear(&mut letters, Letter::Act(bytes), &at(7_000))),
            Some(ActRefusal::NotCanonical)
        );
        let unset = Stamp { clock: ClockQuality::Unset, ..at(8_000) };
        let late = signed(json!({ "act_id": "g" }), &authority());
        assert_eq!(refused(&hear(&mut letters, late, &unset)), Some(ActRefusal::ClockUnset));
    }

    fn order(id: &str, supplier_key: &Ed25519) -> Letter {
        let more = json!({
            "act": "order", "act_id": id, "points": [{ "meter": "m1", "carrier": "own" }], "scope": "feeder",
            "method": "fuse", "case": "demolish", "single_line": "v4", "second_feeds": "excluded",
            "not_before_unix_ms": 0, "due_unix_ms": 1, "supplier_key": supplier_key.public_key().to_base64(),
        });
        signed(more, &authority())
    }

    #[test]
    fn a_suppliers_key_may_say_what_is_the_suppliers_of_the_order_that_names_it_and_nothing_else() {
        let (supplier, second) = (Ed25519::from_seed(&[5; 32]), Ed25519::from_seed(&[8; 32]));
        let keys = vec![authority().public_key(), second.public_key()];
        let assets = vec![AssetId::new("eaf-2").unwrap()];
        let meters = vec![MeterId::new("m1").unwrap()];
        let mut letters = Letters::new(Trust::new(gateway(), keys), assets, meters, enterprise());
        let mut hear_at = |letter, at_ms| hear(&mut letters, letter, &at(at_ms));
        let span = json!({ "from_unix_ms": 0, "to_unix_ms": 1, "energy_wh": 0, "quality": "measured" });
        let reading = |id: &str, order: &str| {
            json!({
                "act": "reading", "act_id": id, "order_id": order, "meter": "m1", "error_ppm": 1, "step_wh": 1,
                "switch": "open", "spans": [span.clone()],
            })
        };
        let early = signed(reading("r-0", "o-1"), &supplier);
        assert_eq!(refused(&hear_at(early, 1_000)), Some(ActRefusal::WrongKey), "nobody has named it yet");
        // Whoever holds two of the authority's keys is no second party.
        assert_eq!(refused(&hear_at(order("o-1", &second), 1_000)), Some(ActRefusal::WrongKey));
        assert!(matches!(hear_at(order("o-1", &supplier), 2_000), Outcome::Do(..)));
        for kind in ["acknowledge", "claim", "plan"] {
            let more = json!({ "act": kind, "act_id": kind, "order_id": "o-1", "cut_unix_ms": 1 });
            assert!(matches!(hear_at(signed(more, &supplier), 3_000), Outcome::Do(..)), "{kind}");
        }
        assert!(matches!(hear_at(signed(reading("r-1", "o-1"), &supplier), 4_000), Outcome::Do(..)));
        for (place, more) in [
            reading("r-2", "o-2"),
            json!({ "act": "revoke", "act_id": "v", "order_id": "o-1" }),
            json!({ "act": "restore", "act_id": "w", "order_id": "o-1" }),
            json!({ "act": "seal", "act_id": "s", "order_id": "o-1", "seal_no": "F-1" }),
            json!({ "act_id": "reset-9" }),
            json!({ "act": "ask", "act_id": "q" }),
        ]
        .into_iter()
        .enumerate()
        {
            let outcome = hear_at(signed(more, &supplier), 5_000);
            assert_eq!(refused(&outcome), Some(ActRefusal::WrongKey), "{place}");
        }
        // A stolen key of the supplier's is believed no longer once the authority says so.
        let kid = supplier.public_key().id().to_string();
        let revoke = json!({ "act": "revoke_key", "act_id": "k", "revoked_kid": kid });
        assert!(matches!(hear_at(signed(revoke, &authority()), 6_000), Outcome::Do(..)));
        let late = hear_at(signed(reading("r-3", "o-1"), &supplier), 7_000);
        assert_eq!(refused(&late), Some(ActRefusal::WrongKey));
    }

    #[test]
    fn nobody_signs_an_order_that_names_his_own_key_as_the_suppliers() {
        let mut draft = json!({
            "act": "order", "act_id": "o-1", "version": 1, "gateway_id": "gw-03", "asset": "eaf-2", "issuer": "hebei",
            "points": [{ "meter": "m1", "carrier": "own" }], "scope": "feeder", "method": "fuse",
            "case": "demolish", "single_line": "v4", "second_feeds": "excluded", "not_before_unix_ms": 0,
            "due_unix_ms": 1, "supplier_key": authority().public_key().to_base64(), "issued_unix_ms": 1,
            "expires_unix_ms": 2,
        });
        let sealed = Act::seal(draft.as_object_mut().unwrap(), &mut Sealer::default(), &authority());
        assert_eq!(sealed.unwrap_err(), NotSealed::Refused(Refusal::Member("supplier_key")));
    }

    /// A roster as one act would list it.
    fn roster(id: &str, version: u32, uscc: &str, assets: &[&str]) -> Letter {
        let line = |asset: &&str| json!({ "asset": asset, "entry": "steel-electric-furnace-up-to-30t", "deadline": "2011-12-31" });
        let equipment: Vec<Value> = assets.iter().map(line).collect();
        let mut draft = json!({
            "act": "roster", "act_id": id, "version": version, "gateway_id": "gw-03", "uscc": uscc,
            "order": "冀工信〔2011〕12号", "equipment": equipment,
            "issued_unix_ms": 1_795_000_000_000_i64, "expires_unix_ms": 1_795_000_900_000_i64,
        });
        let mut sealer = Sealer::default();
        Act::seal(draft.as_object_mut().unwrap(), &mut sealer, &authority()).unwrap();
        Letter::Act(sealer.bytes().to_vec())
    }

    #[test]
    fn there_is_one_roster_and_an_older_version_is_refused_whatever_its_name() {
        let mut letters = letters();
        let first = hear(&mut letters, roster("list", 2, USCC, &["eaf-2", "elsewhere"]), &at(1_000));
        let Outcome::Do(act, _) = first else { panic!("{first:?}") };
        let Meaning::Roster(taken) = &act.meaning else { panic!() };
        assert_eq!((taken.listed().len(), taken.version), (2, 2));
        let older = [("list", 1), ("another", 2), ("another", 1)];
        for (id, version) in older {
            let outcome = hear(&mut letters, roster(id, version, USCC, &["eaf-2"]), &at(2_000));
            assert_eq!(refused(&outcome), Some(ActRefusal::OlderVersion), "{id} {version}");
        }
        let strange = hear(&mut letters, roster("list", 3, "91420000737944946L", &["eaf-2"]), &at(3_000));
        assert_eq!(refused(&strange), Some(ActRefusal::UnknownAsset));
        assert!(matches!(hear(&mut letters, roster("another", 3, USCC, &[]), &at(4_000)), Outcome::Do(..)));
        // As after a restart.
        let mut again = Trust::new(gateway(), vec![authority().public_key()]);
        again.recall(&act);
        let Letter::Act(bytes) = roster("another", 2, USCC, &["eaf-2"]) else { panic!() };
        let refusal = again.open_act(&bytes, &at(5_000), |_| Ok(())).unwrap_err();
        assert_eq!(refusal.why, ActRefusal::OlderVersion);
    }

    #[test]
    fn a_roster_that_lists_something_twice_is_never_signed() {
        let mut draft = json!({
            "act": "roster", "act_id": "r", "version": 1, "gateway_id": "gw-03", "uscc": USCC, "order": "1",
            "equipment": [
                { "asset": "a", "entry": "e", "deadline": "2011-12-31" },
                { "asset": "a", "entry": "f", "deadline": "2012-12-31" },
            ],
            "issued_unix_ms": 1, "expires_unix_ms": 2,
        });
        let sealed = Act::seal(draft.as_object_mut().unwrap(), &mut Sealer::default(), &authority());
        assert_eq!(sealed.unwrap_err(), NotSealed::Refused(Refusal::Member("equipment")));
    }

    #[test]
    fn a_clock_set_back_does_not_make_an_act_young_again() {
        let mut letters = letters();
        let mut sealer = Sealer::default();
        let upto = LogHead { log: LogId(1), seq: 4, head: Digest::of(b"head") };
        let receipt = Receipt {
            gateway: gateway(),
            upto,
            key_epoch: 0,
            public_key: authority().public_key(),
            received_unix_ms: 1_795_001_000_000,
            nonce: [0; 16],
            missing: Vec::new(),
        };
        receipt.seal(&mut sealer, &authority()).unwrap();
        let receipt = Letter::Receipt(sealer.bytes().to_vec());
        assert!(matches!(hear(&mut letters, receipt, &at(1_000)), Outcome::Receipt(..)));
        let reset = signed(json!({}), &authority());
        assert_eq!(refused(&hear(&mut letters, reset, &at(2_000))), Some(ActRefusal::Expired));
    }

    #[test]
    fn rubbish_is_refused_in_the_log_but_cannot_fill_it() {
        let mut letters = letters();
        let mut said = 0;
        for turn in 0..500_u64 {
            let rubbish = Letter::Act(format!("rubbish {turn}").into_bytes());
            said += u32::from(hear(&mut letters, rubbish, &at(1_000 + turn)) != Outcome::Nothing);
        }
        assert_eq!(said, MAX_REFUSALS);
        let mut notices = Vec::new();
        for turn in 0..500_u64 {
            let forged = Letter::Receipt(format!("forged {turn}").into_bytes());
            if let Outcome::Say(Body::Notice(notice)) =
                hear(&mut letters, forged, &at(RECEIPT_NOTICE_MS * turn / 100))
            {
                notices.push(notice);
            }
        }
        let counts: Vec<u32> = notices
            .iter()
            .map(|n| if let Notice::ReceiptRefused { count, .. } = n { *count } else { 0 })
            .collect();
        assert_eq!(counts, [1, 100, 100, 100, 100]);
    }

    #[test]
    fn only_the_first_key_revokes_and_nobody_revokes_it() {
        let second = Ed25519::from_seed(&[2; 32]);
        let keys = vec![authority().public_key(), second.public_key()];
        let mut letters = Letters::new(
            Trust::new(gateway(), keys),
            vec![AssetId::new("eaf-2").unwrap()],
            vec![],
            enterprise(),
        );
        let revoke = |id: &str, key: &Ed25519, by: &Ed25519| {
            let kid = key.public_key().id().to_string();
            signed(json!({ "act": "revoke_key", "act_id": id, "revoked_kid": kid }), by)
        };
        let by_second = hear(&mut letters, revoke("r1", &authority(), &second), &at(1_000));
        assert_eq!(refused(&by_second), Some(ActRefusal::WrongKey));
        let itself = hear(&mut letters, revoke("r2", &authority(), &authority()), &at(1_000));
        assert_eq!(refused(&itself), Some(ActRefusal::WrongKey));
        assert!(matches!(
            hear(&mut letters, revoke("r3", &second, &authority()), &at(1_000)),
            Outcome::Do(..)
        ));
        let after = hear(&mut letters, signed(json!({ "act_id": "x" }), &second), &at(2_000));
        assert_eq!(refused(&after), Some(ActRefusal::WrongKey));
    }
}
