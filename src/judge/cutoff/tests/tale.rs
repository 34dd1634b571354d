//! A life of one order: facts go in, what the log would hold comes out, and a replayer follows.

use crate::{
    judge::{
        Event, Finding,
        cutoff::{
            Carrier, CutOff, Deed, Hold, HoldNote, Holds, Impossible, Order, OrderAct, OrderMemory, Orders,
            Point, Rung, SafeState, Seen, Stand, Transition, UtilityReading,
            order::{Case, Done, LegalBasis, Method, Required, Scope, SecondFeeds},
            reading::{Quality, Switch, UtilitySpan},
        },
        memory::Mark,
        state::{State, Why},
    },
    metering::{Fault, Register},
    terms::{AssetId, ClockQuality, Digest, KeyId, MeterId, MilliWatts, Name, OrderId, Stamp, WattHours},
};

/// The authority's key.
pub(in crate::judge) const AUTHORITY: KeyId = KeyId([9; 8]);
/// The supplier's.
pub(super) const SUPPLIER: KeyId = KeyId([5; 8]);
pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
/// 2026-11-16 00:00 +08:00, a Monday.
pub(super) const MONDAY_MS: i64 = 1_794_758_400_000;
/// How late a meter may be before there is a gap, in milliseconds.
pub(super) const PATIENCE_MS: i64 = 4 * MINUTE_MS;
const STEP: i64 = 10;

pub(in crate::judge) fn meter(id: &str) -> MeterId {
    MeterId::new(id).unwrap()
}

fn asset() -> AssetId {
    AssetId::new("eaf-2").unwrap()
}

pub(in crate::judge) fn holds() -> Holds {
    Holds {
        seen_ms: 15 * MINUTE_MS,
        provisional_ms: 2 * HOUR_MS,
        nights: 0,
        verified_ms: 6 * HOUR_MS,
        weekends: 0,
        coverage_ppm: 900_000,
        longest_gap_ms: 15 * MINUTE_MS,
    }
}

pub(in crate::judge) fn point(carrier: Carrier) -> Point {
    let upstream = (carrier == Carrier::Upstream).then(|| meter("up"));
    Point { meter: meter("m1"), feeder: None, breaker: None, carrier, upstream, utility_meter: None }
}

pub(in crate::judge) fn order(holds: Holds, points: Vec<Point>) -> Order {
    let document = Digest::of(b"paper");
    Order {
        id: OrderId::new("order-1").unwrap(),
        version: 1,
        asset: asset(),
        issuer: Name::new("hebei").unwrap(),
        hash: Digest::of(b"order"),
        supplier: None,
        tracking: None,
        basis: Some(LegalBasis { text: "国发〔2010〕7号 四(三)".into(), document, entry: None }),
        scope: Scope::Feeder,
        method: Method::RackOut,
        case: Case::Demolish,
        points,
        single_line: "v4".into(),
        second_feeds: SecondFeeds::Excluded,
        not_before_unix_ms: MONDAY_MS,
        due_unix_ms: MONDAY_MS + 30 * DAY_MS,
        appeal: None,
        auxiliary_cap: None,
        required: Required::default(),
        contacts: None,
        safe_state: Some(SafeState {
            emptied: Done::Done,
            cooled: Done::Done,
            purged: Done::NotNeeded,
            declared_by: "li".into(),
            declared_unix_ms: MONDAY_MS,
            document,
        }),
        holds,
    }
}

/// What a log holds of an order.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a test's log")]
pub(super) enum Entry {
    Act(OrderAct),
    Said(Finding),
    /// The act with this hash was answered.
    Answered(Digest),
    /// The state of a meter's feeder, as it changes.
    Shows(MeterId, State),
}

pub(super) struct Tale {
    pub(super) orders: Orders,
    pub(super) log: Vec<(Stamp, Entry)>,
    pub(super) now: Stamp,
    /// The register of each of the two meters.
    pub(super) energy: [i64; 2],
    /// What may be nothing but no-load losses and the floor.
    pub(super) idle: MilliWatts,
    /// Whether the meters count energy.
    pub(super) counts: bool,
    acts: u64,
    /// The key that signs.
    pub(super) key: KeyId,
    replayed: Option<CutOff>,
    /// Acts that whoever follows has not heard an answer to.
    open: Vec<Digest>,
    /// What each of the two meters showed last.
    shown: [Option<State>; 2],
    /// How much of the log it has followed.
    followed: usize,
}

impl Tale {
    pub(super) fn new(order: Order) -> Tale {
        let now = Stamp {
            wall_unix_ms: MONDAY_MS + 8 * HOUR_MS,
            uptime_ms: 1_000_000,
            boot: 1,
            clock: ClockQuality::Ntp,
            error_ms: 1,
        };
        let mut tale = Tale {
            orders: Orders::default(),
            log: Vec::new(),
            now,
            energy: [5_000; 2],
            idle: MilliWatts(0),
            counts: true,
            acts: 0,
            key: AUTHORITY,
            replayed: None,
            open: Vec::new(),
            shown: [None; 2],
            followed: 0,
        };
        assert_eq!(tale.act(Deed::Order(order)), Ok(()));
        tale
    }

    /// A log to be replayed, and nothing else.
    pub(super) fn of(log: Vec<(Stamp, Entry)>) -> Tale {
        Tale { log, ..Tale::new(order(holds(), vec![point(Carrier::Own)])) }
    }

    pub(super) fn cut(&self) -> &CutOff {
        self.orders.iter().next().unwrap()
    }

    pub(super) fn stand(&self) -> Stand {
        *self.cut().stand()
    }

    pub(super) fn rung(&self) -> Rung {
        self.stand().rung
    }

    pub(super) fn wait(&mut self, ms: i64) -> &mut Self {
        self.now.wall_unix_ms += ms;
        self.now.uptime_ms += ms.cast_unsigned();
        self
    }

    /// An act, if it has a place; it is written down before it takes effect.
    pub(super) fn act(&mut self, deed: Deed) -> Result<(), crate::judge::cutoff::Unfit> {
        self.acts += 1;
        let named = !matches!(deed, Deed::Reset);
        let act = OrderAct {
            order: named.then(|| OrderId::new("order-1").unwrap()),
            asset: asset(),
            actor: Name::new("hebei").unwrap(),
            hash: Digest::of(&self.acts.to_be_bytes()),
            key: self.key,
            deed,
        };
        self.orders.may(&self.now, &act)?;
        self.log.push((self.now, Entry::Act(act.clone())));
        let at = self.now;
        self.hear(|orders, say| orders.on_act(&at, &act, |_| Vec::new(), say));
        self.log.push((at, Entry::Answered(act.hash)));
        Ok(())
    }

    pub(super) fn claim(&mut self) -> &mut Self {
        self.act(Deed::Claim(Default::default())).unwrap();
        self
    }

    /// The supplier's meter tells of these hours back from now.
    pub(super) fn reading(&mut self, hours: i64, energy: i64, switch: Switch) -> &mut Self {
        self.reading_at("m1", hours, energy, switch)
    }

    /// The same, of the meter beside another point.
    pub(super) fn reading_at(&mut self, at: &str, hours: i64, energy: i64, switch: Switch) -> &mut Self {
        let to = self.now.wall_unix_ms;
        let reading = self.told_of(at, (to - hours * HOUR_MS, to), energy, switch);
        self.act(Deed::Reading(reading)).unwrap();
        self
    }

    /// What the supplier's meter beside a point tells of a time.
    pub(super) fn told_of(
        &self,
        at: &str,
        (from_unix_ms, to_unix_ms): (i64, i64),
        energy: i64,
        switch: Switch,
    ) -> UtilityReading {
        let (energy, quality) = (WattHours(energy), Quality::Measured);
        let span = UtilitySpan { from_unix_ms, to_unix_ms, energy, quality };
        let (meter, spans) = (meter(at), vec![span]);
        let (serial, source, error_ppm, step) = (None, None, 5_000, WattHours(STEP));
        UtilityReading { meter, serial, source, error_ppm, step, switch, spans }
    }

    /// Where somebody stands who replays the log as it is now, or what he refuses first.
    pub(super) fn replayed_anew(&self) -> Result<Rung, Impossible> {
        let mut replayed = None;
        let mut open = Vec::new();
        for (at, entry) in &self.log {
            replay(&mut replayed, &mut open, at, entry)?;
        }
        Ok(replayed.unwrap().stand().rung)
    }

    /// The hold as the log told it last, to be told otherwise.
    pub(super) fn last_hold(&mut self) -> &mut Hold {
        let hold = self.log.iter_mut().rev().find_map(|(_, entry)| match entry {
            Entry::Said(Finding::Event(Event::Hold(note))) => note.stand.hold.as_mut(),
            Entry::Act(_) | Entry::Said(_) | Entry::Answered(_) | Entry::Shows(..) => None,
        });
        hold.unwrap()
    }

    /// A note that no machine has written.
    pub(super) fn told_by_hand(&mut self, stand: Stand) {
        let order = self.cut().order();
        let note = HoldNote { order: order.id, asset: order.asset, stand };
        self.log.push((self.now, Entry::Said(Finding::Event(Event::Hold(note)))));
    }

    /// What happens is written down, and nobody follows.
    pub(super) fn unwatched(&mut self, happens: impl FnOnce(&mut Tale)) {
        let followed = std::mem::replace(&mut self.followed, usize::MAX);
        happens(self);
        self.followed = followed.max(self.log.len());
    }

    /// From here on this key signs.
    pub(super) fn signed_by(&mut self, key: KeyId) -> &mut Self {
        self.key = key;
        self
    }

    /// What a meter shows; `None` for a poll that failed.
    pub(super) fn see(&mut self, which: usize, state: Option<State>) -> &mut Self {
        let register = Register {
            energy: WattHours(self.energy[which]),
            step: WattHours(STEP),
            modulus: None,
            raw: 0,
            raw_words: 2,
        };
        let seen = Seen {
            meter: meter(["m1", "up"][which]),
            at: self.now,
            state: state.unwrap_or(State::Unknown(Why::Fault(Fault::Timeout))),
            is_told: state.is_some(),
            mark: self.counts.then_some(Mark { at: self.now, register }),
            idle: self.idle,
            error_ppm: 5_000,
            power_fails: None,
            patience_ms: PATIENCE_MS,
            is_fed: state == Some(State::Energised),
            rated: MilliWatts::from_watts(12_500_000),
            capacity: MilliWatts::from_watts(15_000_000),
        };
        if self.shown[which].replace(seen.state) != Some(seen.state) {
            self.log.push((self.now, Entry::Shows(seen.meter, seen.state)));
        }
        self.hear(|orders, say| orders.on_seen(&seen, say));
        self
    }

    /// One minute and a reading after the other of its own meter, for so long.
    pub(super) fn dead_for(&mut self, ms: i64) -> &mut Self {
        for _ in 0..ms / MINUTE_MS {
            self.wait(MINUTE_MS).see(0, Some(State::Dead)).tick(true);
        }
        self
    }

    pub(super) fn tick(&mut self, is_awake: bool) -> &mut Self {
        let at = self.now;
        self.hear(|orders, say| orders.on_tick(&at, is_awake, say));
        self
    }

    pub(super) fn step_clock(&mut self, ms: i64) -> &mut Self {
        self.now.wall_unix_ms += ms;
        let at = self.now;
        self.hear(|orders, say| orders.on_clock_step(&at, say));
        self
    }

    /// The power goes for so long. What the log holds is all that is left; `lost` entries of this very moment never
    /// reached it, though no act among them.
    pub(super) fn power_cut(&mut self, ms: i64, lost: usize) -> &mut Self {
        for _ in 0..lost {
            let last = self.log.last();
            let is_lost = |entry: &Entry| !matches!(entry, Entry::Act(_));
            if last.is_some_and(|(at, entry)| *at == self.now && is_lost(entry)) {
                self.log.pop();
            }
        }
        let mut memory: Option<OrderMemory> = None;
        for (at, entry) in &self.log {
            match (entry, memory.as_mut()) {
                (Entry::Act(OrderAct { deed: Deed::Order(order), .. }), None) => {
                    let (order, given) = (order.clone(), *at);
                    memory = Some(OrderMemory { order, given, stand: None, after: Vec::new(), power: None });
                }
                (Entry::Act(act), Some(memory)) => memory.after.push(act.clone()),
                (Entry::Answered(act), Some(memory)) => settle(memory, *act),
                (Entry::Said(said), Some(memory)) => {
                    if let Some(stand) = stand_of(said) {
                        memory.on_stand(stand);
                    }
                    if let Finding::Transition(step) = said {
                        step.evidence.iter().for_each(|act| settle(memory, *act));
                    }
                }
                (Entry::Shows(meter, state), Some(memory)) => memory.on_state(*meter, *state),
                (_, None) => {}
            }
        }
        self.orders = Orders::recalling(memory.as_slice(), |_| Vec::new());
        (self.replayed, self.followed, self.shown) = (None, 0, [None; 2]);
        self.open.clear();
        self.follow();
        self.now.wall_unix_ms += ms;
        (self.now.uptime_ms, self.now.boot) = (10_000, self.now.boot + 1);
        let (at, acts) = (self.now, self.orders.unfinished());
        self.hear(|orders, say| {
            for act in &acts {
                orders.on_act(&at, act, |_| Vec::new(), say);
            }
            orders.finish_power(&at, say);
        });
        self.log.extend(acts.iter().map(|act| (at, Entry::Answered(act.hash))));
        self
    }

    fn hear(&mut self, tell: impl FnOnce(&mut Orders, &mut dyn FnMut(Finding))) {
        let mut said = Vec::new();
        tell(&mut self.orders, &mut |finding| said.push(finding));
        let at = self.now;
        self.log.extend(said.into_iter().map(|finding| (at, Entry::Said(finding))));
        self.follow();
    }

    /// Whoever replays goes along and refuses nothing, and stands where the log was last told that the order stands.
    fn follow(&mut self) {
        if self.followed == usize::MAX {
            return;
        }
        for (at, entry) in self.log.iter().skip(self.followed) {
            let stand = self.replayed.as_ref().map(|cut| *cut.stand());
            let taken = replay(&mut self.replayed, &mut self.open, at, entry);
            assert_eq!(taken, Ok(()), "{at:?} {entry:?} after {stand:?}");
        }
        self.followed = self.log.len();
        // What the power cut took the outcome of is executed later.
        if let Some(cut) = self.replayed.as_ref().filter(|_| !self.orders.has_unfinished()) {
            assert_eq!(cut.stand(), self.cut().told(), "replayed, and told");
        }
    }

    /// Every step of the log.
    pub(super) fn steps(&self) -> Vec<Transition> {
        let step = |entry: &'_ (Stamp, Entry)| {
            if let Entry::Said(Finding::Transition(step)) = &entry.1 { Some(step.clone()) } else { None }
        };
        self.log.iter().filter_map(step).collect()
    }

    /// The rungs it went over, and why.
    pub(super) fn ways(&self) -> Vec<(&'static str, String)> {
        self.steps().iter().map(|step| (step.to.word(), step.why.to_string())).collect()
    }
}

/// Takes the next entry, as `evidence::OrderLog` does.
fn replay(
    replayed: &mut Option<CutOff>,
    open: &mut Vec<Digest>,
    at: &Stamp,
    entry: &Entry,
) -> Result<(), Impossible> {
    match (entry, replayed) {
        (Entry::Act(OrderAct { deed: Deed::Order(order), .. }), none @ None) => {
            *none = Some(CutOff::given(order.clone(), at));
        }
        (Entry::Act(act), Some(cut)) => {
            if open.is_empty() {
                cut.may_take(at, act).map_err(Impossible::unfit)?;
            }
            open.push(act.hash);
            cut.replay_act(at, act)?;
        }
        (Entry::Answered(act), cut) => {
            open.retain(|open| open != act);
            cut.iter_mut().for_each(|cut| cut.replay_answer(*act));
        }
        (Entry::Shows(meter, state), Some(cut)) => cut.replay_state((*meter, *state), (at, at), false),
        (Entry::Said(Finding::Transition(step)), Some(cut)) => cut.replay(at, step)?,
        (Entry::Said(Finding::Event(Event::Hold(note))), Some(cut)) => cut.replay_note(at, note)?,
        (Entry::Act(_) | Entry::Said(_) | Entry::Shows(..), None) | (Entry::Said(_), Some(_)) => {}
    }
    Ok(())
}

/// As `evidence::recall` does: all that follows from an act stands in the log.
fn settle(memory: &mut OrderMemory, act: Digest) {
    let Some(place) = memory.after.iter().position(|after| after.hash == act) else { return };
    match memory.after.remove(place).deed {
        Deed::Order(order) => memory.order = order,
        Deed::Reading(reading) => memory.order.bind(&reading),
        Deed::Acknowledge
        | Deed::Plan { .. }
        | Deed::Claim(_)
        | Deed::Suspend { .. }
        | Deed::Resume
        | Deed::Seal { .. }
        | Deed::Close { .. }
        | Deed::Revoke
        | Deed::Restore
        | Deed::Reset => {}
    }
}

fn stand_of(said: &Finding) -> Option<Stand> {
    match said {
        Finding::Transition(step) => step.stand,
        Finding::Event(Event::Hold(note)) => Some(note.stand),
        Finding::State(_) | Finding::Interval(_) | Finding::Verdict(_) | Finding::Event(_) => None,
    }
}
