//! What a site does when days pass, nameplates are read, rosters come, and the authority resets: the law's side of it.

use super::{Site, corroborated};
use crate::{
    catalogue::{Nameplate, PlateSource, Roster},
    judge::{
        Finding, Memory,
        duty::Papers,
        event::{Event, PlateRead},
    },
    terms::{AssetId, Name, Stamp},
};

impl Site {
    /// The same site, with the papers to ask the law with. Without them only declared days count.
    #[must_use]
    pub fn with_papers(mut self, papers: Vec<Papers>, memory: &Memory) -> Site {
        for papers in papers {
            if let Some(docket) = self.docket(papers.asset) {
                let asset = papers.asset;
                docket.duty.take(papers, memory);
                self.name_plate(asset);
            }
        }
        self
    }

    /// A new day may have begun for some equipment.
    pub(super) fn on_day(&mut self, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        for index in 0..self.dockets.len() {
            let Some(docket) = self.dockets.get_mut(index) else { continue };
            if docket.duty.on_time(at, self.roster.as_ref(), &mut |event| say(Finding::Event(event))) {
                let asset = docket.id();
                self.review(asset, at, say);
            }
        }
    }

    pub(super) fn on_roster(&mut self, roster: &Roster, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        let in_force = match self.roster.take() {
            Some(before) => before.newer(roster.clone()),
            None => roster.clone(),
        };
        let in_force = self.roster.insert(in_force).clone();
        for index in 0..self.dockets.len() {
            let Some(docket) = self.dockets.get_mut(index) else { continue };
            if docket.duty.on_roster(at, &in_force, &mut |event| say(Finding::Event(event))) {
                let asset = docket.id();
                self.review(asset, at, say);
            }
        }
    }

    pub(super) fn on_plate(
        &mut self,
        asset: AssetId,
        words: &[u16],
        at: &Stamp,
        say: &mut dyn FnMut(Finding),
    ) {
        let plate = match Nameplate::from_words(words) {
            Ok(plate) => plate,
            Err(fault) => return self.on_plate_fault(asset, fault.word(), say),
        };
        let Some(docket) = self.place(asset).and_then(|place| self.dockets.get_mut(place)) else { return };
        if let Some(before) = docket.on_plate(plate.fingerprint()) {
            let read = PlateRead { asset, source: PlateSource::Read, before, plate: plate.clone() };
            say(Finding::Event(Event::Plate(read)));
            self.name_plate(asset);
        }
        let Some(docket) = self.place(asset).and_then(|place| self.dockets.get_mut(place)) else { return };
        let roster = self.roster.as_ref();
        if docket.duty.on_plate(&plate, at, roster, &mut |event| say(Finding::Event(event))) {
            self.review(asset, at, say);
        }
    }

    pub(super) fn on_plate_fault(&mut self, asset: AssetId, why: &'static str, say: &mut dyn FnMut(Finding)) {
        let news = self.docket(asset).is_some_and(|docket| docket.on_plate_fault(why));
        if let Some(why) = Name::new(why).filter(|_| news) {
            say(Finding::Event(Event::PlateUnreadable { asset, why }));
        }
    }

    /// From now on what its feeders say names this nameplate.
    fn name_plate(&mut self, asset: AssetId) {
        let plate = self.docket(asset).and_then(|docket| docket.plate());
        self.each_serving(asset, |feeder| {
            if feeder.terms().asset() == asset {
                feeder.on_plate(plate);
            }
        });
    }

    /// What its standing means for equipment that was judged before; the first verdict waits for a reading, or for none.
    fn review(&mut self, asset: AssetId, at: &Stamp, say: &mut dyn FnMut(Finding)) {
        let Some(place) = self.place(asset) else { return };
        let Some(docket) = self.dockets.get_mut(place).filter(|docket| docket.was_judged()) else { return };
        if let Some(verdict) = docket.review(at, &self.links.serving(place, &self.feeders)) {
            say(corroborated(&self.balances, at, verdict));
        }
    }
}
