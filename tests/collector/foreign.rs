//! The plant opens its latch with a key of its own: its gateway believes that, and the desk does not; over each database.

use coldhearth::{
    catalogue::{Class, Phase, Rostered, Ruling, Standing},
    evidence::{Act, Body, LogId, Sealer, Signer as _},
    judge::{Finding, PermitUse, Rung, Shares, SignSet, State, Verdict, VoltagePoint},
    regulator::{
        alarms::{Alarm, Cause, Life, Priority},
        archive,
        collector::Collector,
        foreign::look_again,
        inspect::{Inspection, inspect},
        reindex::reindex,
        reports::{Equipment, Scope, survey},
        store::{AlarmsAsked, sights},
        sums::Bearing,
    },
    terms::{AssetId, LegalDay, Name, Stamp, WattHours, place::Division, time::DAY_MS},
};
use serde_json::{Value, json};

use crate::{
    home_admitting,
    homes::{Home, Homes},
    over_both,
    support::{
        cut::{self, authority, maintained, supplier},
        voice::{NOW, TOPIC, Voice, at, gateway, key, key_of},
    },
};

/// The key of the authority's, and the plant's own.
const OURS: u8 = 9;
const THEIRS: u8 = 3;
/// When the furnace began to draw.
const SINCE: i64 = NOW - 60_000;

fn asset() -> AssetId {
    AssetId::new("eaf-2").unwrap()
}

fn verdict(state: State, violation_since_unix_ms: Option<i64>, roster: Option<Rostered>) -> Verdict {
    Verdict {
        asset: asset(),
        state,
        since: Stamp { wall_unix_ms: SINCE, ..at(0) },
        standing: Standing {
            ruling: Some(Ruling {
                class: Class::InScope,
                rule: None,
                deadline: LegalDay::parse("2011-12-31"),
            }),
            roster,
            ..Standing::default()
        },
        phase: Some(Phase::Overdue),
        violation_since_unix_ms,
        energy_overdue: WattHours(0),
        energy_closed: WattHours(0),
        shares: Shares::of_record(900_000, 0, 0).unwrap(),
        plate: None,
        permit: None,
        signs: SignSet::default(),
        grounds: None,
    }
}

fn told(state: State, violation_since_unix_ms: Option<i64>) -> Body {
    Body::Finding(Finding::Verdict(verdict(state, violation_since_unix_ms, None)))
}

/// An act of this key's, as a log has it.
fn act(seed: u8, name: &str, kind: &str, issued_unix_ms: i64, more: &Value) -> Act {
    let mut draft = json!({
        "act": kind, "act_id": name, "version": 1, "gateway_id": gateway().as_str(), "issuer": "hebei",
        "issued_unix_ms": issued_unix_ms, "expires_unix_ms": issued_unix_ms + DAY_MS,
    });
    draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Act::seal(draft.as_object().unwrap(), &mut Sealer::default(), &key(seed)).unwrap()
}

fn reset(seed: u8, name: &str, issued_unix_ms: i64) -> Body {
    Body::Act(act(seed, name, "reset", issued_unix_ms, &json!({ "asset": "eaf-2" })))
}

struct Desk {
    home: Home,
    collector: Collector,
    now: i64,
}

impl Desk {
    fn open(homes: Homes, name: &str) -> Desk {
        let home = home_admitting(homes, name);
        let collector = Collector::open(home.store(), Box::new(key(OURS))).unwrap();
        Desk { home, collector, now: NOW }
    }

    fn begin(&mut self, log: u64) -> Voice {
        let mut voice = Voice::new(log, 0, 7);
        let genesis = voice.genesis(7, None);
        self.take(&[genesis]);
        voice
    }

    /// A second later what a gateway says is there.
    fn hear(&mut self, voice: &mut Voice, bodies: &[Body]) {
        for body in bodies {
            let stamp = Stamp { wall_unix_ms: self.now + 1_000, ..at(1) };
            let line = voice.chain.seal(&stamp, body).unwrap().bytes.to_vec();
            self.take(&[line]);
        }
    }

    fn take(&mut self, lines: &[Vec<u8>]) {
        self.now += 1_000;
        let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
        assert_eq!(self.collector.take(&messages, self.now).unwrap().records, lines.len() as u64);
    }

    fn alarms(&mut self, cause: Cause) -> Vec<Alarm> {
        self.now += 60_000;
        self.collector.alarm_round(true, self.now).unwrap();
        let all = self.home.store().alarms(&AlarmsAsked::all(Division::NATION, 100)).unwrap();
        all.into_iter().filter(|alarm| alarm.about.cause == cause).collect()
    }

    fn violations(&mut self) -> Vec<Life> {
        self.alarms(Cause::Violation).iter().map(|alarm| alarm.state.life).collect()
    }

    fn row(&self) -> sights::AssetRow {
        self.home.store().asset(&sights::Scope::NATION, gateway(), asset()).unwrap().unwrap()
    }

    /// Since when screens show it latched; made anew they show the same.
    fn latched(&self) -> Option<i64> {
        let shown = self.row().violation_since_unix_ms;
        reindex(&mut *self.home.store(), &[key_of(OURS)], self.now).unwrap();
        assert_eq!(self.row().violation_since_unix_ms, shown, "made anew");
        shown
    }

    fn verified(&self) -> Inspection {
        let found = inspect(&mut *self.home.store(), &key_of(OURS), &[], (184, NOW + 60 * DAY_MS)).unwrap();
        assert_eq!(found.wrong, Vec::<String>::new());
        found
    }

    fn surveyed(&self) -> Equipment {
        let (from, to) = (LegalDay::of_unix_ms(NOW - DAY_MS), LegalDay::of_unix_ms(NOW + 2 * DAY_MS));
        let scope = Scope { within: Division::NATION, from, to, made_unix_ms: self.now };
        survey(&mut *self.home.store(), &scope, &[key_of(OURS)]).unwrap().into_values().next().unwrap()
    }
}

fn a_reset_that_the_plant_signed_opens_nothing_at_the_desk(homes: Homes) {
    let mut desk = Desk::open(homes, "foreign-reset");
    let mut voice = desk.begin(5);
    desk.hear(&mut voice, &[told(State::Drawing, Some(SINCE))]);
    assert_eq!((desk.violations(), desk.alarms(Cause::ForeignAct)), (vec![Life::UnackActive], vec![]));
    let signed = desk.now;
    desk.hear(&mut voice, &[reset(THEIRS, "mine", signed), told(State::Energised, None)]);
    assert_eq!((desk.latched(), desk.violations()), (Some(SINCE), vec![Life::UnackLatched]));
    let [foreign]: [Alarm; 1] = desk.alarms(Cause::ForeignAct).try_into().unwrap();
    assert_eq!((foreign.about.cause.priority(), foreign.about.subject), (Priority::High, Name::new("eaf-2")));
    assert!(desk.surveyed().is_latched());
    let found = desk.verified();
    assert_eq!((found.foreign_acts, found.foreign.len()), (1, 1));
    assert!(found.foreign[0].contains("act mine (reset)"), "{:?}", found.foreign);
    // A new journal does not help, nor a further act of theirs in it.
    let mut new = desk.begin(6);
    let signed = desk.now;
    desk.hear(&mut new, &[reset(THEIRS, "mine-2", signed), told(State::Energised, None)]);
    assert_eq!((desk.latched(), desk.violations()), (Some(SINCE), vec![Life::UnackLatched]));
    assert!(desk.surveyed().is_latched());
    // Ours does.
    let signed = desk.now;
    desk.hear(&mut new, &[reset(OURS, "ours", signed), told(State::Energised, None)]);
    assert_eq!((desk.latched(), desk.violations()), (None, vec![Life::UnackReturned]));
    assert!(!desk.surveyed().is_latched());
    assert_eq!(desk.verified().foreign_acts, 2);
}

fn the_authority_ends_in_the_same_log_what_a_foreign_hand_had_undone(homes: Homes) {
    let mut desk = Desk::open(homes, "foreign-same");
    let mut voice = desk.begin(5);
    desk.hear(&mut voice, &[told(State::Drawing, Some(SINCE))]);
    assert_eq!(desk.violations(), [Life::UnackActive]);
    let signed = desk.now;
    desk.hear(&mut voice, &[reset(THEIRS, "mine", signed), told(State::Energised, None)]);
    assert_eq!((desk.latched(), desk.violations()), (Some(SINCE), vec![Life::UnackLatched]));
    let mut copy = Vec::new();
    archive::backup(&mut *desk.home.store(), &mut copy, desk.now).unwrap();
    desk.hear(&mut voice, &[reset(OURS, "ours", signed), told(State::Energised, None)]);
    assert_eq!((desk.latched(), desk.violations()), (None, vec![Life::UnackReturned]));
    // What was foreign where the copy was made is where it is put back.
    let there = homes.open("foreign-there");
    archive::restore(&mut *there.store(), &mut std::io::Cursor::new(copy)).unwrap();
    reindex(&mut *there.store(), &[key_of(OURS)], desk.now).unwrap();
    assert_eq!(there.store().foreign_acts(None).unwrap().len(), 1);
    let row = there.store().asset(&sights::Scope::NATION, gateway(), asset()).unwrap().unwrap();
    assert_eq!(row.violation_since_unix_ms, Some(SINCE));
}

fn no_honest_hand_is_foreign(homes: Homes) {
    // The supplier whom an order names says what is his to say.
    let mut log = cut::Log::begin(authority());
    log.supplier = Some(supplier());
    log.commission(VoltagePoint::Load);
    let mut order = cut::order("国发〔2010〕7号 四(三)");
    order["supplier_key"] = supplier().public_key().to_base64().into();
    log.act("order", &order);
    log.act("acknowledge", &json!({}));
    log.act("claim", &cut::claim());
    log.dead_for(8 * DAY_MS);
    log.reading(7);
    let mut desk = Desk::open(homes, "honest-hands");
    let lines = log.lines.clone();
    desk.now = log.now.wall_unix_ms;
    lines.chunks(500).for_each(|some| desk.take(some));
    assert_eq!((desk.alarms(Cause::ForeignAct), desk.verified().foreign_acts), (vec![], 0));
    let row = desk.row();
    assert_eq!(row.order.map(|(_, rung)| rung), Some(log.rung()));
    // Keys that it names count beside its own.
    let store = desk.home.store();
    desk.collector = Collector::open(store, Box::new(key(8))).unwrap().believing(&[key_of(4), key_of(OURS)]);
    let mut voice = desk.begin(6);
    let signed = desk.now;
    let acts = [reset(OURS, "former", signed), reset(8, "own", signed), reset(4, "named", signed)];
    desk.hear(&mut voice, &acts);
    assert_eq!((desk.alarms(Cause::ForeignAct), desk.verified().foreign_acts), (vec![], 0));
}

fn a_key_that_is_named_late_makes_its_acts_the_authoritys(homes: Homes) {
    let mut desk = Desk::open(homes, "named-late");
    let mut voice = desk.begin(5);
    desk.hear(
        &mut voice,
        &[told(State::Drawing, Some(SINCE)), reset(4, "theirs", NOW), told(State::Dead, None)],
    );
    assert_eq!((desk.latched(), desk.alarms(Cause::ForeignAct).len()), (Some(SINCE), 1));
    let mut store = desk.home.store();
    look_again(&mut *store, &[key_of(OURS), key_of(4)]).unwrap();
    desk.collector = Collector::open(store, Box::new(key(OURS))).unwrap().believing(&[key_of(4)]);
    desk.hear(&mut voice, &[told(State::Dead, None)]);
    assert_eq!((desk.latched(), desk.verified().foreign_acts), (None, 0));
}

fn of_what_a_store_kept_before_the_desk_asked_nothing_is_asked(homes: Homes) {
    let mut desk = Desk::open(homes, "before-keys");
    let mut voice = desk.begin(5);
    desk.hear(
        &mut voice,
        &[told(State::Drawing, Some(SINCE)), reset(4, "pen", NOW), told(State::Dead, None)],
    );
    // As the version before left it.
    desk.home.sql("delete from foreign_act");
    let store = desk.home.store();
    desk.collector = Collector::open(store, Box::new(key(OURS))).unwrap();
    desk.hear(&mut voice, &[told(State::Dead, None)]);
    assert_eq!((desk.latched(), desk.verified().foreign_acts), (None, 0));
    desk.hear(&mut voice, &[reset(4, "pen-2", NOW)]);
    assert_eq!(desk.verified().foreign_acts, 1, "from then on it asks");
}

fn what_draws_under_a_permit_of_the_plants_own_is_convicted(homes: Homes) {
    let mut desk = Desk::open(homes, "foreign-permit");
    let mut voice = desk.begin(5);
    let permit = |seed, name: &str| {
        Body::Act(act(
            seed,
            name,
            "permit",
            NOW,
            &json!({
                "asset": "eaf-2", "permit": "maintenance", "from_unix_ms": NOW, "to_unix_ms": NOW + DAY_MS,
                "energy_wh": 900_000, "document_sha256": "0".repeat(64),
            }),
        ))
    };
    let under = |name: &str| {
        let permit = PermitUse { permit: Name::new(name).unwrap(), used: WattHours(700) };
        Body::Finding(Finding::Verdict(Verdict {
            permit: Some(permit),
            ..verdict(State::Drawing, None, None)
        }))
    };
    desk.hear(&mut voice, &[permit(OURS, "ours"), under("ours")]);
    assert_eq!((desk.latched(), desk.violations()), (None, vec![]));
    desk.hear(&mut voice, &[permit(THEIRS, "mine"), under("mine")]);
    assert_eq!((desk.latched(), desk.violations()), (Some(SINCE), vec![Life::UnackActive]));
    desk.hear(&mut voice, &[told(State::Energised, None)]);
    assert_eq!((desk.latched(), desk.violations()), (Some(SINCE), vec![Life::UnackLatched]));
    assert!(desk.surveyed().is_latched());
    assert_eq!(desk.verified().foreign_acts, 1);
    desk.hear(&mut voice, &[reset(OURS, "reset", NOW), told(State::Energised, None)]);
    assert_eq!((desk.latched(), desk.violations()), (None, vec![Life::UnackReturned]));
}

fn a_roster_of_the_plants_own_changes_no_price(homes: Homes) {
    let mut desk = Desk::open(homes, "foreign-roster");
    let mut voice = desk.begin(5);
    let roster = |seed, version: u32, equipment: Value| {
        let more = json!({ "uscc": "91350100M000100Y43", "order": "冀工信〔2026〕1号", "version": version,
                           "equipment": equipment });
        let act = act(seed, &format!("roster-{version}"), "roster", NOW, &more);
        let answer = act.accepted();
        [Body::Act(act), Body::Answer(answer)]
    };
    let listed =
        json!([{ "asset": "eaf-2", "entry": "steel-electric-furnace-up-to-30t", "deadline": "2012-12-31" }]);
    let by = |roster| Body::Finding(Finding::Verdict(verdict(State::Energised, None, Some(roster))));
    desk.hear(&mut voice, &roster(OURS, 1, listed));
    desk.hear(&mut voice, &[by(Rostered::By(LegalDay::parse("2012-12-31").unwrap()))]);
    let one = desk.surveyed();
    assert!(one.charges(Bearing::Charged) && !one.charges(Bearing::Free));
    desk.hear(&mut voice, &roster(THEIRS, 2, json!([])));
    desk.hear(&mut voice, &[by(Rostered::Absent)]);
    let one = desk.surveyed();
    assert!(one.charges(Bearing::Free), "the authority's roster lists it");
    assert_eq!(one.rostered.map(|rostered| rostered.deadline), LegalDay::parse("2012-12-31"));
    assert_eq!((desk.alarms(Cause::ForeignAct).len(), desk.verified().foreign_acts), (1, 1));
}

fn an_order_that_the_plant_gave_itself_is_shown_nowhere(homes: Homes) {
    let log = maintained(key(THEIRS), VoltagePoint::Load);
    assert_eq!(log.rung(), Rung::Maintained);
    let mut desk = Desk::open(homes, "foreign-order");
    desk.now = log.now.wall_unix_ms;
    log.lines.chunks(500).for_each(|some| desk.take(some));
    let rows = desk.home.store().equipment(gateway(), "", 10).unwrap();
    assert!(rows.iter().all(|row| row.order.is_none()), "{rows:?}");
    assert!(!desk.alarms(Cause::ForeignAct).is_empty());
    assert!(desk.verified().foreign_acts > 0);
    let foreign = desk.home.store().foreign_acts(None).unwrap();
    assert!(foreign.iter().all(|act| act.log != LogId(0) && act.asset == Some(asset())), "{foreign:?}");
}

over_both!(
    a_reset_that_the_plant_signed_opens_nothing_at_the_desk,
    the_authority_ends_in_the_same_log_what_a_foreign_hand_had_undone,
    no_honest_hand_is_foreign,
    a_key_that_is_named_late_makes_its_acts_the_authoritys,
    of_what_a_store_kept_before_the_desk_asked_nothing_is_asked,
    what_draws_under_a_permit_of_the_plants_own_is_convicted,
    a_roster_of_the_plants_own_changes_no_price,
    an_order_that_the_plant_gave_itself_is_shown_nowhere,
);
