//! Cut-off orders through the whole judge: what the meter shows, second by second, moves them.

use super::*;
use crate::{
    judge::{
        Dark, DarkMeter, Ending, Event, Mark, OrderAct,
        cutoff::{
            Carrier, Deed, Holds, Impossible, Order, OrderMemory, Rung, Stand, Unfit, UtilityReading,
            reading::{Quality, Switch, UtilitySpan},
            tests::tale,
        },
    },
    terms::{Digest, OrderId},
};

const MINUTE: i64 = 60;

fn asset() -> AssetId {
    AssetId::new("eaf-1").unwrap()
}

fn order() -> Order {
    let minutes = |minutes: i64| minutes * 60_000;
    let holds =
        Holds { seen_ms: minutes(2), provisional_ms: minutes(5), verified_ms: minutes(10), ..tale::holds() };
    Order { asset: asset(), ..tale::order(holds, vec![tale::point(Carrier::Own)]) }
}

fn act(deed: Deed) -> OrderAct {
    let named = !matches!(deed, Deed::Reset);
    OrderAct {
        order: named.then(|| OrderId::new("order-1").unwrap()),
        asset: asset(),
        actor: Name::new("hebei").unwrap(),
        hash: Digest::of(b"act"),
        key: tale::AUTHORITY,
        deed,
    }
}

impl Story {
    fn order(&mut self, deed: Deed) -> &mut Story {
        let act = act(deed);
        assert_eq!(self.site.may(&self.stamp(), &act), Ok(()), "{:?}", act.deed);
        let (at, said) = (self.stamp(), &mut self.said);
        self.site.on(&at, Fact::Order(&act), &mut |f| said.push(f));
        self
    }

    /// The line is dead and the meter lives on its auxiliary supply.
    fn dead(&mut self, seconds: i64) -> &mut Story {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            let mut reading = self.reading(0, 0, Some((self.now_ms / 5_000).cast_signed()));
            for quantity in [Quantity::VoltageL12, Quantity::VoltageL23, Quantity::VoltageL31] {
                reading.values[quantity.index()] = Some(0);
            }
            self.hear(&Sample::Reading(reading));
            let (at, said) = (self.stamp(), &mut self.said);
            self.site.on(&at, Fact::Tick, &mut |f| said.push(f));
        }
        self
    }

    fn supplier_agrees(&mut self) -> &mut Story {
        let to = self.stamp().wall_unix_ms;
        let span = UtilitySpan {
            from_unix_ms: to - 3_600_000,
            to_unix_ms: to,
            energy: WattHours(0),
            quality: Quality::Measured,
        };
        self.order(Deed::Reading(UtilityReading {
            meter: tale::meter("m1"),
            serial: None,
            source: None,
            error_ppm: 5_000,
            step: WattHours(10),
            switch: Switch::Open,
            spans: vec![span],
        }))
    }

    fn stand(&self) -> Stand {
        *self.site.orders().next().unwrap().stand()
    }

    fn fed(&self) -> usize {
        self.said.iter().filter(|f| matches!(f, Finding::Event(Event::FedBehindCut { .. }))).count()
    }
}

fn verified() -> Story {
    let mut story = Story::new("2026-10-31");
    story.run(10, 5_000, 100);
    story
        .order(Deed::Order(order()))
        .order(Deed::Claim(Default::default()))
        .dead(13 * MINUTE)
        .supplier_agrees();
    assert_eq!(story.stand().rung, Rung::Verified, "{:?} {:?}", story.stand(), story.states());
    story
}

#[test]
fn a_cut_is_verified_by_what_the_meter_shows_and_the_supplier_says() {
    let story = verified();
    let steps: Vec<Rung> = story
        .said
        .iter()
        .filter_map(|f| if let Finding::Transition(step) = f { Some(step.to) } else { None })
        .collect();
    assert_eq!(steps, [Rung::CutClaimed, Rung::Observing, Rung::Provisional, Rung::Verified]);
    assert!(story.stand().hold.unwrap().gaps == 0 && story.fed() == 0);
}

#[test]
fn back_feed_is_told_with_the_first_reading_and_violates_after_a_minute() {
    let mut story = verified();
    story.run(1, 0, 100);
    assert_eq!((story.fed(), story.stand().rung), (1, Rung::Verified));
    story.run(58, 0, 100);
    assert_eq!(story.stand().rung, Rung::Verified);
    story.run(4, 0, 100);
    assert_eq!((story.fed(), story.stand().rung), (1, Rung::Violated));
    assert_eq!(story.last_state().state, State::Exporting);
    story.dead(30 * MINUTE);
    assert_eq!(story.stand().rung, Rung::Violated, "time never opens it");
    story.order(Deed::Reset);
    assert_eq!(story.stand().rung, Rung::CutClaimed);
}

#[test]
fn the_suppliers_word_alone_makes_no_voltage_a_back_feed() {
    let mut story = Story::new("2026-10-31");
    story.order(Deed::Order(order())).order(Deed::Claim(Default::default())).run(300, 5_000, 100);
    assert_eq!((story.stand().rung, story.fed()), (Rung::CutClaimed, 0));
    assert_eq!(story.last_state().state, State::Energised, "not cut yet, and nothing is fed back");
}

#[test]
fn a_melt_behind_the_cut_violates_order_and_law_and_one_reset_opens_both() {
    let mut story = verified();
    story.run(30, 8_000_000, 100);
    assert_eq!(story.stand().rung, Rung::Violated);
    assert!(story.verdict().violation_since_unix_ms.is_some());
    story.dead(20 * MINUTE);
    let at = story.stamp();
    let mut said = Vec::new();
    story.site.on(&at, Fact::Reset(asset()), &mut |f| said.push(f));
    story.site.on(&at, Fact::Order(&act(Deed::Reset)), &mut |f| said.push(f));
    story.said.extend(said);
    assert_eq!(story.stand().rung, Rung::CutClaimed);
    assert_eq!(story.verdict().violation_since_unix_ms, None);
}

#[test]
fn an_order_that_no_meter_could_ever_tell_of_is_refused() {
    let refused = |change: &dyn Fn(&mut Commissioned), order: Order| {
        let mut own = terms();
        change(&mut own);
        let upstream = Commissioned { meter: tale::meter("up"), ..own.clone() };
        let standing = Standing::declared(LegalDay::parse("2026-10-31"));
        let site =
            Site::new(vec![own, upstream], vec![Equipment { id: asset(), standing }], &Memory::default());
        site.may(&Story::new("2026-10-31").stamp(), &act(Deed::Order(order)))
    };
    let upstream = || Order { points: vec![tale::point(Carrier::Upstream)], ..order() };
    assert_eq!(refused(&|_| (), order()), Ok(()));
    assert_eq!(refused(&|_| (), upstream()), Ok(()));
    let at_bus = |terms: &mut Commissioned| terms.voltage_point = VoltagePoint::Bus;
    assert_eq!(refused(&at_bus, order()), Err(Unfit::CannotTell), "it sees the bus, whatever is cut");
    let silenced = |terms: &mut Commissioned| terms.powered_by = Some(tale::meter("m1"));
    assert_eq!(refused(&silenced, order()), Err(Unfit::CannotTell), "it falls silent with the cut");
    let blind = |terms: &mut Commissioned| terms.no_load = MilliWatts(terms.rated.0 / 10);
    assert_eq!(refused(&blind, upstream()), Err(Unfit::CannotTell), "a tenth of the furnace hides there");
}

#[test]
fn what_must_never_be_cut_is_refused_whoever_orders_it() {
    let refused = |change: &dyn Fn(&mut Commissioned), order: Order| {
        let mut terms = terms();
        change(&mut terms);
        let standing = Standing::declared(LegalDay::parse("2026-10-31"));
        let site = Site::new(vec![terms], vec![Equipment { id: asset(), standing }], &Memory::default());
        site.may(&Story::new("2026-10-31").stamp(), &act(Deed::Order(order)))
    };
    let nothing: &dyn Fn(&mut Commissioned) = &|_| ();
    assert_eq!(refused(nothing, order()), Ok(()));
    assert_eq!(refused(&|terms| terms.role = crate::judge::Role::Safety, order()), Err(Unfit::NeverToBeCut));
    for kind in [AllowanceKind::Barring, AllowanceKind::Cooling, AllowanceKind::Crane] {
        let hangs = |terms: &mut Commissioned| terms.allowances[0].kind = kind;
        assert_eq!(refused(&hangs, order()), Err(Unfit::NeverToBeCut), "{kind:?}");
    }
    assert_eq!(refused(nothing, Order { basis: None, ..order() }), Err(Unfit::NoLegalBasis));
    assert_eq!(refused(nothing, Order { safe_state: None, ..order() }), Err(Unfit::NoSafeState));
    let mut hot = order();
    hot.safe_state.as_mut().unwrap().cooled = crate::judge::cutoff::order::Done::NotDone;
    assert_eq!(refused(nothing, hot), Err(Unfit::NoSafeState));
    let mut elsewhere = order();
    elsewhere.points[0].meter = tale::meter("m9");
    assert_eq!(refused(nothing, elsewhere), Err(Unfit::UnknownPoint));
    let story = Story::new("2026-10-31");
    assert_eq!(story.site.may(&story.stamp(), &act(Deed::Revoke)), Err(Unfit::UnknownOrder));
}

/// The gateway went dark for so long, and its log tells the order as it was told last.
fn reborn(story: &Story, dark_ms: u64, ends: Vec<(MeterId, Mark, Mark)>) -> Story {
    let mut after = Story::new("2026-10-31");
    (after.energy, after.now_ms, after.boot) = (story.energy, 5_000, 2);
    after.wall_offset_ms = (story.now_ms + dark_ms).cast_signed();
    let cut = story.site.orders().next().unwrap();
    let (order, given, stand) = (cut.order().clone(), story.stamp(), Some(*cut.stand()));
    let known = story.said.iter().rev().find_map(|finding| match finding {
        Finding::State(found) => found.mark,
        Finding::Interval(_) | Finding::Verdict(_) | Finding::Transition(_) | Finding::Event(_) => None,
    });
    let meter = MeterMemory {
        meter: tale::meter("m1"),
        mark: known,
        earlier: None,
        windows: None,
        accounted_to: story.stamp(),
        identity: None,
    };
    let memory = Memory {
        meters: vec![meter],
        orders: vec![OrderMemory { order, given, stand, after: Vec::new(), power: None }],
        ends,
        last: Some(story.stamp()),
        dark: Some(Dark { from: story.stamp(), to: after.stamp(), ended: Ending::LastGasp }),
        ..Memory::default()
    };
    after.site = site("2026-10-31", &memory);
    after
}

fn darks(story: &Story) -> Vec<DarkMeter> {
    let dark = |finding: &Finding| match finding {
        Finding::Event(Event::Dark(told)) => Some(*told),
        Finding::State(_)
        | Finding::Interval(_)
        | Finding::Verdict(_)
        | Finding::Transition(_)
        | Finding::Event(_) => None,
    };
    story.said.iter().filter_map(dark).collect()
}

#[test]
fn a_register_that_stood_while_the_gateway_was_dark_proves_that_nothing_passed() {
    let before = verified();
    let mut after = reborn(&before, 120_000, Vec::new());
    after.dead(2 * MINUTE);
    let [told] = darks(&after)[..] else { panic!("{:?}", after.said) };
    assert!(told.is_still() && told.dark.ended == Ending::LastGasp, "{told:?}");
    assert_eq!((told.dark.from, told.dark.to.boot), (before.stamp(), 2));
    assert_eq!((after.stand().rung, after.stand().restarts), (Rung::Verified, 0));
    let proven = |story: &Story| story.stand().hold.unwrap().proven_ms;
    assert!(proven(&after) < proven(&before) + 3 * 60_000, "silence is not added to what is proven");
}

#[test]
fn energy_that_passed_while_the_gateway_was_dark_breaks_the_hold_however_little_and_short() {
    for dark_ms in [2_000, 120_000, 600_000] {
        let before = verified();
        let mut after = reborn(&before, dark_ms, Vec::new());
        after.energy.0 += 10;
        after.dead(2 * MINUTE);
        let [told] = darks(&after)[..] else { panic!("{:?}", after.said) };
        assert_eq!(told.energy(), Some(WattHours(10)), "{dark_ms}");
        let stand = after.stand();
        assert_eq!((stand.rung, stand.restarts), (Rung::Observing, 1), "{dark_ms}");
        assert!(stand.hold.is_none_or(|hold| hold.since.boot == 2), "{stand:?}");
        // Whoever reads the log learns that the hold is over, and then why.
        let is_gap =
            |finding: &Finding| matches!(finding, Finding::Transition(step) if step.why.as_str() == "gap");
        let is_dark = |finding: &Finding| matches!(finding, Finding::Event(Event::Dark(_)));
        let place = |what: &dyn Fn(&Finding) -> bool| after.said.iter().position(what).unwrap();
        assert!(place(&is_gap) < place(&is_dark));
        assert_eq!(before.site.orders().next().unwrap().replay_dark(&told), Err(Impossible::Dark));
        assert_eq!(after.site.orders().next().unwrap().replay_dark(&told), Ok(()));
    }
}

#[test]
fn a_day_before_the_restart_is_set_beside_the_suppliers() {
    const QUARTER_MS: i64 = 900_000;
    const DAY_MS: i64 = 86_400_000;
    let before = verified();
    let midnight = before.stamp().legal_day().starts_unix_ms() - DAY_MS;
    // The register stands, read at the end of every quarter of an hour from the evening before to the morning after.
    let mark = |quarter: i64| Mark {
        at: Stamp { wall_unix_ms: midnight + quarter * QUARTER_MS - 1_000, ..before.stamp() },
        register: Register {
            energy: before.energy,
            step: WattHours(10),
            modulus: None,
            raw: 7,
            raw_words: 2,
        },
    };
    let ends = (-4..100).map(|quarter| (tale::meter("m1"), mark(quarter), mark(quarter + 1))).collect();
    let told = |ends: Vec<(MeterId, Mark, Mark)>, energy: i64| {
        let mut after = reborn(&before, 120_000, ends);
        after.dead(MINUTE);
        let span = UtilitySpan {
            from_unix_ms: midnight,
            to_unix_ms: midnight + DAY_MS,
            energy: WattHours(energy),
            quality: Quality::Measured,
        };
        let (meter, spans) = (tale::meter("m1"), vec![span]);
        let (serial, source, error_ppm, step) = (None, None, 5_000, WattHours(10));
        let reading = UtilityReading { meter, serial, source, error_ppm, step, switch: Switch::Open, spans };
        after.order(Deed::Reading(reading));
        let agrees = after.said.iter().filter_map(|finding| match finding {
            Finding::Event(Event::Reconcile(day)) => Some(day.agrees()),
            Finding::State(_)
            | Finding::Interval(_)
            | Finding::Verdict(_)
            | Finding::Transition(_)
            | Finding::Event(_) => None,
        });
        agrees.collect::<Vec<bool>>()
    };
    let ends: Vec<(MeterId, Mark, Mark)> = ends;
    assert_eq!(told(Vec::new(), 0).len(), 0, "nobody remembers the day");
    assert_eq!(told(ends.clone(), 0), [true]);
    assert_eq!(told(ends.clone(), 9_000_000), [false], "the supplier counted a furnace");
    // A register that counts anew in the middle of the day: the day is none.
    let mut torn = ends;
    for (_, before, after) in torn.iter_mut().skip(50) {
        before.register.energy.0 += 77;
        after.register.energy.0 += 77;
    }
    assert_eq!(told(torn, 0).len(), 0);
}
