//! The orders of a log, replayed: what every reader of a log knows of them, and why a log cannot be the machine's work.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    act::{Act, Answer},
    continuity::LogHead,
    of_orders::{BesideOrders, OfOrders},
    record::{Header, Record},
};
use crate::{
    judge::{
        Rung, StateFinding,
        cutoff::{
            CutOff, Deed, HoldNote, Impossible, MAX_ORDERS, OrderAct, Stand, Transition, Unfit,
            fitness::{self, PointTerms},
        },
    },
    terms::{AssetId, ClockQuality, Digest, MeterId, Name, OrderId, Stamp},
};

/// The orders of one log, in the order they were given. Takes the log's records in their order.
#[derive(Clone, Debug, Default)]
pub struct OrderLog {
    orders: Vec<Followed>,
    /// The log that this one goes on after: how its orders stood is told once and believed.
    continues: Option<LogHead>,
    /// What that log held is being told again: it was judged there.
    is_carried: bool,
    /// Acts that it says were taken in the log that it goes on after.
    carried: BTreeSet<Digest>,
    /// The newest version of each act that was taken, and its hash.
    taken: BTreeMap<Name, (u32, Digest)>,
    /// Every act that was taken.
    heard: BTreeSet<Digest>,
    /// Acts that were not answered yet: what follows from them may not have been told.
    open: Vec<Name>,
    points: BTreeMap<MeterId, PointTerms>,
}

#[derive(Clone, Debug)]
struct Followed {
    cut: CutOff,
    /// It was given in the log that this one goes on after, by this one's word.
    is_carried: bool,
    /// How it stood where this log began was told, and is the gateway's word alone.
    adopted: Option<Stand>,
    /// Nothing was told of it yet in a log that goes on after another.
    is_open: bool,
    /// The authority opened its latch in this log.
    was_reset: bool,
}

impl OrderLog {
    /// Takes the next record; what orders are not judged by is nothing.
    ///
    /// # Errors
    /// Why the record cannot follow from those before; it has changed nothing.
    pub fn on(&mut self, record: &Record) -> Result<(), Impossible> {
        let at = &record.header.at;
        if let Some(beside) = record.body.beside_orders() {
            self.on_beside(at, beside);
        }
        match record.body.of_orders() {
            Some(OfOrders::Begins(genesis)) => {
                let continues = genesis.continues;
                *self = OrderLog { continues, is_carried: continues.is_some(), ..OrderLog::default() };
                Ok(())
            }
            Some(OfOrders::Act(about, act)) => self.on_act(&record.header, &about, act),
            Some(OfOrders::Step(step)) => self.on_step(at, step),
            Some(OfOrders::Note(note)) => self.on_note(at, note),
            Some(OfOrders::Dark(told)) => self.iter().try_for_each(|cut| cut.replay_dark(told)),
            Some(OfOrders::Day(day)) => {
                let of = |followed: &&mut Followed| followed.cut.order().id == day.order;
                self.orders.iter_mut().filter(of).for_each(|followed| followed.cut.replay_day(day));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Each order as it stands.
    pub fn iter(&self) -> impl Iterator<Item = &CutOff> {
        self.orders.iter().map(|followed| &followed.cut)
    }

    /// One of them.
    pub fn get(&self, order: OrderId) -> Option<&CutOff> {
        self.iter().find(|cut| cut.order().id == order)
    }

    /// The log it goes on after, and where.
    pub fn continues(&self) -> Option<LogHead> {
        self.continues
    }

    /// The log in which an order was given, where this one took it over from there without its proof.
    pub fn adopted_from(&self, order: OrderId) -> Option<LogHead> {
        let known = self.orders.iter().find(|followed| followed.cut.order().id == order);
        self.continues.filter(|_| known.is_some_and(|followed| followed.is_carried))
    }

    /// Whether it takes over the orders of the log that it goes on after as they stand at the end of that one, and no act
    /// that was not taken there.
    ///
    /// # Errors
    /// It tells one of them otherwise, or begins one anew that only the authority may.
    pub fn agrees_with(&self, former: &OrderLog) -> Result<(), Impossible> {
        let is_so = |followed: &Followed| {
            let order = followed.cut.order();
            let known =
                former.iter().find(|cut| (cut.order().id, cut.order().asset) == (order.id, order.asset));
            match (known, &followed.adopted) {
                (None, adopted) => adopted.is_none(),
                (Some(known), Some(adopted)) => adopted.is_word_of(known.stand()),
                (Some(known), None) => followed.was_reset || may_begin_anew(known.stand().rung),
            }
        };
        if self.carried.is_subset(&former.heard) && self.orders.iter().all(is_so) {
            Ok(())
        } else {
            Err(Impossible::Continued)
        }
    }

    fn on_beside(&mut self, at: &Stamp, beside: BesideOrders<'_>) {
        match beside {
            BesideOrders::Boots => {
                self.is_carried = false;
                self.orders.iter_mut().for_each(|followed| followed.cut.replay_boot());
            }
            BesideOrders::Answered(Answer { act: Some((id, _)), refused: None, .. }) => {
                self.open.retain(|open| open != id);
                if let Some((_, hash)) = self.taken.get(id) {
                    self.orders.iter_mut().for_each(|followed| followed.cut.replay_answer(*hash));
                }
            }
            BesideOrders::Answered(_) => {}
            BesideOrders::Commissioned(point) => {
                if let Some(terms) = point.terms() {
                    self.points.insert(point.meter, terms);
                }
            }
            BesideOrders::State(told) => self.on_state(at, told),
            BesideOrders::Verdict(told) => {
                let of = self.orders.iter_mut().filter(|followed| followed.cut.order().asset == told.asset);
                of.for_each(|followed| followed.cut.replay_verdict(told));
            }
        }
    }

    fn on_state(&mut self, at: &Stamp, told: &StateFinding) {
        let terms = self.points.get(&told.meter);
        for followed in &mut self.orders {
            let asset = followed.cut.order().asset;
            let is_beside = terms.is_some_and(|terms| terms.feeds_only(asset));
            followed.cut.replay_state((told.meter, told.state), (&told.since, at), is_beside);
        }
    }

    fn on_act(&mut self, header: &Header, about: &OrderAct, act: &Act) -> Result<(), Impossible> {
        let at = &header.at;
        self.check_act(header, act)?;
        self.check_fit(at, about)?;
        let mut is_new = true;
        for followed in &mut self.orders {
            if about.is_about(followed.cut.order()) {
                is_new = false;
                followed.cut.replay_act(at, about)?;
                // What a reset of before opened stands in the log of before.
                followed.was_reset |= !self.is_carried && matches!(about.deed, Deed::Reset);
            }
        }
        self.taken.insert(act.id, (act.version, act.hash));
        self.heard.insert(act.hash);
        if self.is_carried {
            self.carried.insert(act.hash);
        }
        self.open.push(act.id);
        if let (true, Deed::Order(order)) = (is_new, &about.deed) {
            self.orders.push(Followed {
                cut: CutOff::given(order.clone(), at),
                is_carried: self.is_carried,
                adopted: None,
                is_open: self.continues.is_some(),
                was_reset: false,
            });
        }
        Ok(())
    }

    /// Whether a gateway takes an act at all: one of its own, in time, and newer than any of its name before.
    fn check_act(&self, header: &Header, act: &Act) -> Result<(), Impossible> {
        if act.gateway != header.gateway {
            return Err(Impossible::NotForHere);
        }
        if self.taken.get(&act.id).is_some_and(|(version, _)| act.version <= *version) {
            return Err(Impossible::NotNewer);
        }
        // An act that is told again was in time when it came.
        let at = &header.at;
        let is_in_time = at.clock != ClockQuality::Unset && act.expires_unix_ms >= at.wall_unix_ms;
        if is_in_time || self.is_carried { Ok(()) } else { Err(Impossible::Expired) }
    }

    /// Whether an act has a place here, as the gateway asks before it takes one.
    fn check_fit(&self, at: &Stamp, about: &OrderAct) -> Result<(), Impossible> {
        let named = |cut: &&CutOff| Some(cut.order().id) == about.order && cut.order().asset == about.asset;
        let known = self.iter().find(named);
        let unfit = |result: Result<(), Unfit>| result.map_err(Impossible::unfit);
        if let Deed::Order(order) = &about.deed {
            if !self.is_carried {
                unfit(fitness::check(order, |meter| self.points.get(&meter).cloned()))?;
            }
            let in_force = self.iter().filter(|cut| !cut.stand().rung.is_over()).count();
            unfit(match known {
                None if self.get(order.id).is_some() => Err(Unfit::UnknownOrder),
                None if in_force >= MAX_ORDERS => Err(Unfit::TooMany),
                None | Some(_) => Ok(()),
            })?;
        }
        match (known, &about.deed) {
            (None, Deed::Order(_) | Deed::Reset) => Ok(()),
            (None, _) => Err(Impossible::UnknownOrder),
            // What follows from an act that was not answered may be told later, and so may what it made room for.
            (Some(_), _) if self.is_carried || !self.open.is_empty() => Ok(()),
            (Some(known), _) => unfit(known.may_take(at, about)),
        }
    }

    fn on_step(&mut self, at: &Stamp, step: &Transition) -> Result<(), Impossible> {
        // Of before only how orders stood is told again, no step.
        self.is_carried = false;
        let known = self.find(step.order, step.asset)?;
        // An order of before is told how it stood; the first that is told otherwise begins here.
        known.is_open = false;
        known.cut.replay(at, step)
    }

    fn on_note(&mut self, at: &Stamp, note: &HoldNote) -> Result<(), Impossible> {
        let is_carried = self.is_carried;
        let known = self.find(note.order, note.asset)?;
        if std::mem::take(&mut known.is_open) && is_carried {
            known.cut.adopt(note.stand);
            known.adopted = Some(note.stand);
            return Ok(());
        }
        known.cut.replay_note(at, note)
    }

    fn find(&mut self, order: OrderId, asset: AssetId) -> Result<&mut Followed, Impossible> {
        let is_meant = |followed: &&mut Followed| {
            let known = followed.cut.order();
            known.id == order && known.asset == asset
        };
        self.orders.iter_mut().find(is_meant).ok_or(Impossible::UnknownOrder)
    }
}

/// Whether a gateway that has lost its memory may be given an order anew that stood there: never over a latch or an end.
const fn may_begin_anew(rung: Rung) -> bool {
    match rung {
        Rung::Violated | Rung::Closed | Rung::Cancelled | Rung::Restored => false,
        Rung::Issued
        | Rung::Acknowledged
        | Rung::Scheduled
        | Rung::CutClaimed
        | Rung::Observing
        | Rung::Provisional
        | Rung::Verified
        | Rung::Maintained
        | Rung::Indeterminate
        | Rung::Suspended => true,
    }
}
