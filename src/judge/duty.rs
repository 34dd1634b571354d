//! What a piece of equipment owes the law on this day: its class, its last lawful day, the warnings before that day, and
//! what is said when any of it changes. Between two changes nothing is weighed and nothing allocates.

use super::{
    edge,
    event::{ClassChange, DeadlineWarning, Event, PlateRead},
    memory::Memory,
};
use crate::{
    catalogue::{Class, Nameplate, Phase, PlateSource, Plates, Remembered, Roster, Rostered, Standing, Turn},
    terms::{AssetId, ClockQuality, LegalDay, Stamp},
};

/// Days before the shutdown must begin at which its owner is warned; the shutdown's own days come on top.
pub const WARN_BEFORE_DAYS: [u16; 3] = [90, 30, 7];

/// What the law is asked with for one piece of equipment.
#[derive(Clone, Debug)]
pub struct Papers {
    /// Which.
    pub asset: AssetId,
    /// Its nameplates.
    pub plates: Plates,
    /// Days that equipment of its kind needs to be shut down in good order.
    pub lead_days: u16,
}

/// One piece of equipment before the law.
#[derive(Debug)]
pub struct Duty {
    asset: AssetId,
    standing: Standing,
    /// The last lawful day its owner declares now; the earliest he ever declared counts until the authority's reset.
    decommissioned_on: Option<LegalDay>,
    plates: Option<Plates>,
    lead_days: u16,
    /// The day everything was last looked at.
    day: Option<LegalDay>,
    /// What a log remembers of its nameplates, until the first day.
    remembered: Option<Remembered>,
}

impl Duty {
    /// What was declared of it, and no nameplate.
    pub fn new(asset: AssetId, standing: Standing) -> Duty {
        let decommissioned_on = standing.decommissioned_on;
        Duty { asset, standing, decommissioned_on, plates: None, lead_days: 0, day: None, remembered: None }
    }

    /// Its nameplates, and what is remembered of them and of the law.
    pub fn take(&mut self, papers: Papers, memory: &Memory) {
        let Papers { plates, lead_days, .. } = papers;
        let plate = |source| {
            let found = memory.plates.iter().find(|(asset, of, _)| (*asset, *of) == (self.asset, source));
            found.map(|(.., plate)| plate.clone())
        };
        let last = memory.equipment.iter().find(|memory| memory.asset == self.asset).map(|m| m.standing);
        self.remembered = Some(Remembered {
            declared: plate(PlateSource::Declared),
            read: plate(PlateSource::Read),
            ruling: last.and_then(|last| last.ruling),
        });
        let days = [self.decommissioned_on, last.and_then(|last| last.decommissioned_on)];
        let decommissioned_on = days.into_iter().flatten().min();
        // What was said already is not said again.
        self.standing = Standing { decommissioned_on, ..last.unwrap_or_default() };
        self.standing.declared_plate = Some(plates.declared().fingerprint());
        if last.is_some_and(|last| last.last_day() != self.standing.last_day()) {
            self.standing.warned_days = None;
        }
        (self.plates, self.lead_days) = (Some(plates), lead_days);
    }

    /// What it owes.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// The phase on the day of a moment, as its clock shows it: by it energy is laid to a day.
    pub fn phase(&self, at: &Stamp) -> Option<Phase> {
        self.standing.phase(at.legal_day())
    }

    /// The phase of a moment as far as its clock can tell: overdue is only what no error of the clock could excuse.
    pub fn certain_phase(&self, at: &Stamp) -> Option<Phase> {
        self.standing.phase(edge::earliest_day(at))
    }

    /// Looks at the day; true when something about its standing is different. A clock that was never set is no other day,
    /// and a rule holds from its day on only when no error of the clock could make it the day before.
    pub fn on_time(&mut self, at: &Stamp, roster: Option<&Roster>, say: &mut dyn FnMut(Event)) -> bool {
        let day = edge::earliest_day(at);
        if self.day == Some(day) || (self.day.is_some() && at.clock == ClockQuality::Unset) {
            return false;
        }
        self.day = Some(day);
        match (&mut self.plates, self.remembered.take()) {
            (Some(plates), Some(remembered)) => {
                if let Some(turn) = plates.begin(day, &remembered) {
                    let (plate, source) = (plates.declared().clone(), PlateSource::Declared);
                    let before = remembered.declared.map(|before| before.fingerprint());
                    say(Event::Plate(PlateRead { asset: self.asset, source, before, plate }));
                    self.tell(source, turn, say);
                }
            }
            (Some(plates), None) => plates.on_day(day),
            (None, _) => {}
        }
        self.settle(at, roster, say)
    }

    /// A nameplate was read; true when something about its standing is different.
    pub fn on_plate(
        &mut self,
        plate: &Nameplate,
        at: &Stamp,
        roster: Option<&Roster>,
        say: &mut dyn FnMut(Event),
    ) -> bool {
        let Some(turn) = self.plates.as_mut().and_then(|plates| plates.on_read(plate)) else { return false };
        self.tell(PlateSource::Read, turn, say);
        self.settle(at, roster, say)
    }

    /// Another roster is in force; true when something about its standing is different.
    pub fn on_roster(&mut self, at: &Stamp, roster: &Roster, say: &mut dyn FnMut(Event)) -> bool {
        let before = self.standing;
        self.standing.roster = None;
        self.settle(at, Some(roster), say);
        self.standing != before
    }

    /// The authority's reset: what was held from earlier nameplates and declarations is let go.
    pub fn reset(&mut self, at: &Stamp, roster: Option<&Roster>, say: &mut dyn FnMut(Event)) {
        if let Some(plates) = &mut self.plates {
            plates.reset();
        }
        self.standing.decommissioned_on = self.decommissioned_on;
        self.settle(at, roster, say);
    }

    fn tell(&self, source: PlateSource, turn: Turn, say: &mut dyn FnMut(Event)) {
        let Turn { rulings, edits, differences } = turn;
        for difference in differences {
            say(Event::PlateDiffers { asset: self.asset, difference });
        }
        if let Some((before, after)) = rulings.filter(|(before, after)| before != after) {
            say(Event::ClassChanged(ClassChange { asset: self.asset, source, before, after, edits }));
        }
    }

    /// Puts the standing together anew, and says what follows.
    fn settle(&mut self, at: &Stamp, roster: Option<&Roster>, say: &mut dyn FnMut(Event)) -> bool {
        let before = self.standing;
        self.standing.ruling = self.plates.as_ref().map(Plates::ruling).or(before.ruling);
        self.standing.roster = roster.map(|roster| roster.on(self.asset));
        let is_missing = |standing: &Standing| {
            standing.roster == Some(Rostered::Absent) && standing.class() == Some(Class::InScope)
        };
        if let Some(roster) = roster.filter(|_| is_missing(&self.standing) && !is_missing(&before)) {
            let entry = self.standing.ruling.and_then(|ruling| ruling.rule).map(|rule| rule.entry);
            say(Event::NotOnRoster { asset: self.asset, entry, version: roster.version });
        }
        if self.standing.last_day() != before.last_day() {
            self.standing.warned_days = None;
        }
        if let Some(warning) = self.warning(at) {
            self.standing.warned_days = Some(warning.days_left);
            say(Event::DeadlineWarning(warning));
        }
        self.standing != before
    }

    /// The warning that is due and was not given yet. Who comes late is warned once, not three times; who owes nothing,
    /// exempt or not in scope and neither listed nor declared, never is.
    fn warning(&self, at: &Stamp) -> Option<DeadlineWarning> {
        let last_day = self.standing.last_day().filter(|_| at.clock != ClockQuality::Unset)?;
        let days_left = u16::try_from(at.legal_day().days_to(last_day)).ok()?;
        let is_due = |before: u16| {
            let from = before.saturating_add(self.lead_days);
            days_left <= from && self.standing.warned_days.is_none_or(|warned| warned > from)
        };
        let due = self.plates.is_some() && WARN_BEFORE_DAYS.into_iter().any(is_due);
        due.then_some(DeadlineWarning { asset: self.asset, last_day, days_left, lead_days: self.lead_days })
    }
}
