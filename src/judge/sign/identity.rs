//! Who the meter is and how it is set up, against what it was: serial, firmware, ratios, wiring.

use super::{Figure, Figures, Sign, figure::figures};
use crate::{
    metering::{Identity, Reading, decode::Applied},
    terms::Ratio,
};

/// A paper must be journalled within this time of the edit to take the sign back, in milliseconds: 72 h.
pub const PAPER_WITHIN_MS: i64 = 72 * 3_600_000;

/// What one look says of one sign: whether the edit is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which.
    pub sign: Sign,
    /// Whether it differs now from what was known.
    pub is_there: bool,
    /// Old and new, where they are numbers.
    pub figures: Figures,
}

/// Edits of one look.
pub type Edits = heapless::Vec<Edit, 4>;

/// What is known of one meter, and what it said last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    was: Option<Identity>,
    is: Option<Identity>,
    ratios_were: Option<Applied>,
    ratios_are: Option<Applied>,
    /// Whether the ratios differ by the polls, the identity, the ratios that multiplied.
    ratio_edits: [bool; 3],
    /// The polls' ratio is another than declared, and a paper or the authority covers that.
    is_excused: bool,
}

impl Known {
    /// Goes on from what is remembered.
    pub fn recalling(was: Option<Identity>) -> Known {
        Known { was, is: was, ..Known::default() }
    }

    /// What it was before anybody edited it.
    pub fn baseline(&self) -> Option<&Identity> {
        self.was.as_ref()
    }

    /// What it says now is what it is from here on: a paper covers it, or the authority reset it.
    pub fn adopt(&mut self) {
        self.was = self.is;
        self.ratios_were = self.ratios_are;
        self.is_excused = self.ratio_edits[0];
        self.ratio_edits = [false; 3];
    }

    /// A poll failed because the ratio in the meter is not the declared one.
    pub fn on_ratio_fault(&mut self) -> Edit {
        self.ratio_edits[0] = !self.is_excused;
        self.ratio_edit()
    }

    /// A poll succeeded.
    pub fn on_reading(&mut self, reading: &Reading) -> Edit {
        let was = *self.ratios_were.get_or_insert(reading.ratios);
        self.ratios_are = Some(reading.ratios);
        self.ratio_edits[0] = false;
        self.is_excused = false;
        let same = was.ct.same_as(reading.ratios.ct) && was.pt.same_as(reading.ratios.pt);
        self.ratio_edits[2] = !same;
        self.ratio_edit()
    }

    /// The meter told who it is. What it does not tell this time says nothing.
    pub fn on_identity(&mut self, now: &Identity) -> Edits {
        let was = self.was.get_or_insert(*now);
        // What was never told before is known from here on.
        was.serial = was.serial.or(now.serial);
        was.model = was.model.or(now.model);
        was.firmware = was.firmware.or(now.firmware);
        was.wiring = was.wiring.or(now.wiring);
        was.ct = was.ct.or(now.ct);
        was.pt = was.pt.or(now.pt);
        let was = *was;
        self.is = Some(Identity {
            serial: now.serial.or(was.serial),
            model: now.model.or(was.model),
            firmware: now.firmware.or(was.firmware),
            wiring: now.wiring.or(was.wiring),
            ct: now.ct.or(was.ct),
            pt: now.pt.or(was.pt),
            ..*now
        });
        let mut edits = Edits::new();
        let mut add = |sign, is_there: Option<bool>| {
            let edit = is_there.map(|is_there| Edit { sign, is_there, figures: Figures::new() });
            // There is room for one edit of each sign.
            edits.extend(edit);
        };
        let serial = any(differs(was.serial, now.serial), differs(was.model, now.model));
        add(Sign::SerialChanged, serial);
        add(Sign::FirmwareChanged, differs(was.firmware, now.firmware));
        add(Sign::WiringChanged, differs(was.wiring, now.wiring));
        let ratio = |was: Option<Ratio>, now: Option<Ratio>| Some(!was?.same_as(now?));
        if let Some(is_there) = any(ratio(was.ct, now.ct), ratio(was.pt, now.pt)) {
            self.ratio_edits[1] = is_there;
            let edit = self.ratio_edit();
            edits.extend([edit]);
        }
        edits
    }

    fn ratio_edit(&self) -> Edit {
        let is_there = self.ratio_edits.contains(&true);
        Edit { sign: Sign::RatioChanged, is_there, figures: self.ratio_figures() }
    }

    /// The current transformer's ratio before and now, or the voltage transformer's where that is what changed.
    fn ratio_figures(&self) -> Figures {
        let of = |ct: Option<Ratio>, pt: Option<Ratio>| (ct, pt);
        let (was, now) = if self.ratio_edits[1] {
            (self.was.map(|i| of(i.ct, i.pt)), self.is.map(|i| of(i.ct, i.pt)))
        } else {
            let both = |ratios: Applied| of(Some(ratios.ct), Some(ratios.pt));
            (self.ratios_were.map(both), self.ratios_are.map(both))
        };
        let (Some((ct_was, pt_was)), Some((ct_now, pt_now))) = (was, now) else { return Figures::new() };
        let changed = [(ct_was, ct_now), (pt_was, pt_now)].into_iter().find_map(|(was, now)| {
            let (was, now) = (was?, now?);
            (!was.same_as(now)).then_some((was, now))
        });
        changed.map_or_else(Figures::new, |(was, now)| {
            figures([
                (Figure::PrimaryBefore, i64::from(was.primary())),
                (Figure::SecondaryBefore, i64::from(was.secondary())),
                (Figure::Primary, i64::from(now.primary())),
                (Figure::Secondary, i64::from(now.secondary())),
            ])
        })
    }
}

/// Whether both are told and differ; `None` where one is not.
fn differs<T: PartialEq>(was: Option<T>, now: Option<T>) -> Option<bool> {
    Some(was? != now?)
}

fn any(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (None, None) => None,
        (one, other) => Some(one == Some(true) || other == Some(true)),
    }
}
