//! The ladder itself: where an order goes from each rung, upon each cue. Who may give the cue, and what must hold before,
//! is the machine's business; no other way leads from rung to rung.
//!
//! Columns are the rungs, rows the cues. A name is the rung it goes to, `.` stays where it is, `x` is refused (of acts
//! only), `<` goes back to where it was before it was suspended, as far as that still holds.
//!
//! ```text
//! cue              issued ack    sched  claim  obs    prov   verif  maint  viol   indet  susp   closed cancel restor
//! order            .      issued issued claim  claim  claim  claim  claim  x      claim  x      x      x      x
//! acknowledge      ack    x      x      x      x      x      x      x      x      x      x      x      x      x
//! plan             sched  sched  .      x      x      x      x      x      x      x      x      x      x      x
//! claim            claim  claim  claim  claim  x      x      x      x      x      x      x      x      x      x
//! suspend          susp   susp   susp   susp   susp   susp   susp   susp   susp   susp   .      x      x      x
//! resume           x      x      x      x      x      x      x      x      x      x      <      x      x      x
//! seal             x      x      x      .      .      .      maint  .      x      .      x      x      x      x
//! close            x      x      x      x      x      x      x      closed x      x      x      x      x      x
//! revoke           cancel cancel cancel cancel cancel cancel cancel cancel cancel cancel cancel x      x      x
//! restore          x      x      x      restor restor restor restor restor restor restor restor x      x      x
//! reset            .      .      .      .      .      .      .      .      claim  .      .      .      .      .
//! reading_agrees   .      .      .      .      .      .      .      .      .      .      .      x      x      x
//! reading_tells_no .      .      .      .      .      .      .      .      .      .      .      x      x      x
//! reading_differs  .      .      .      .      indet  indet  indet  indet  .      .      .      x      x      x
//! dead             .      .      .      obs    .      .      .      .      .      obs    .      .      .      .
//! held             .      .      .      .      prov   verif  .      .      .      .      .      .      .      .
//! seal_stands      .      .      .      .      .      .      maint  .      .      .      .      .      .      .
//! month_held       .      .      .      .      .      .      .      maint  .      .      .      .      .      .
//! agreement_lapsed .      .      .      .      .      .      prov   prov   .      .      .      .      .      .
//! gap              .      .      .      .      .      obs    obs    obs    .      .      .      .      .      .
//! power_back       .      .      .      .      claim  .      .      .      .      claim  .      .      .      .
//! drawing          .      .      .      .      viol   viol   viol   viol   .      viol   .      .      .      .
//! exporting        .      .      .      .      viol   viol   viol   viol   .      viol   .      .      .      .
//! masked           .      .      .      .      indet  indet  indet  indet  .      .      .      .      .      .
//! no_evidence      .      .      .      .      indet  indet  indet  indet  .      .      .      .      .      .
//! suspension_over  .      .      .      .      .      .      .      .      .      .      <      .      .      .
//! ```
//!
//! Nothing in the rows below `reading_agrees` needs or takes a signature: what the meters show moves it. `reset` is never
//! refused here, for the same act opens the latch of the equipment's verdict, whatever its orders say. Overdue is no rung
//! and no cue but a question, and so is the gateway's own silence: whoever replays the log asks them.

use super::rung::Rung;

worded! {
    /// What can move an order. Also the `why` of its transitions.
    Cue {
        /// A later version of the order: what it asks for must be done anew.
        Order "amended"
        /// The supplier confirms it.
        Acknowledge "acknowledged"
        /// The supplier sets a day.
        Plan "planned"
        /// The supplier says that it is done.
        Claim "claimed"
        /// Appeal or exemption.
        Suspend "suspended"
        /// It goes on.
        Resume "resumed"
        /// Sealed, and that was witnessed.
        Seal "sealed"
        /// Demolition was accepted.
        Close "demolished"
        /// Withdrawn.
        Revoke "revoked"
        /// Reconnection is ordered.
        Restore "restored"
        /// The authority opens the latch.
        Reset "reset"
        /// The supplier's own reading agrees with a cut.
        ReadingAgrees "utility_agrees"
        /// It proves neither: estimated, ready for reconnection, off in the books only.
        ReadingTellsNothing "utility_tells_nothing"
        /// It shows energy or a closed switch where we saw none.
        ReadingDiffers "utility_differs"
        /// Every point was first seen without power.
        Dead "first_dead"
        /// The hold has lasted as long as the next rung asks.
        Held "held"
        /// It was sealed before it was verified.
        SealStands "seal_stands"
        /// Another month has held, and the supplier's reading agrees with it.
        MonthHeld "month_held"
        /// The supplier's readings end longer ago than a cut may be said to be verified without them.
        Lapsed "agreement_lapsed"
        /// A gap that does not merely pause the hold.
        Gap "gap"
        /// Power or voltage came back before the cut had been seen for as long as the order asks: it was none yet.
        PowerBack "power_back"
        /// Power or energy beyond what is allowed.
        Drawing "drawing"
        /// Energy flows backwards, or voltage stands behind the cut.
        Exporting "exporting"
        /// A strong sign of tampering.
        Masked "masked"
        /// No evidence for longer than a gap may last.
        NoEvidence "no_evidence"
        /// The time of a suspension is over.
        SuspensionOver "suspension_over"
    }
}

/// Where a cue leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To this rung: a transition.
    To(Rung),
    /// Back to where it was before it was suspended.
    Back,
    /// It stays where it is.
    Stays,
    /// An act that has no place here.
    Refused,
}

use Way::{Back, Refused, Stays, To};

/// Where this cue leads from this rung.
pub const fn way(from: Rung, cue: Cue) -> Way {
    match cue {
        Cue::Order => on_order(from),
        Cue::Acknowledge | Cue::Plan | Cue::Claim => on_supplier(from, cue),
        Cue::Suspend | Cue::Resume | Cue::SuspensionOver => on_suspension(from, cue),
        Cue::Seal | Cue::Close | Cue::Revoke | Cue::Restore | Cue::Reset => on_authority(from, cue),
        Cue::ReadingAgrees | Cue::ReadingTellsNothing | Cue::ReadingDiffers => on_reading(from, cue),
        Cue::Dead
        | Cue::Held
        | Cue::SealStands
        | Cue::MonthHeld
        | Cue::Lapsed
        | Cue::Gap
        | Cue::PowerBack => on_hold(from, cue),
        Cue::Drawing | Cue::Exporting => match from {
            Rung::Observing | Rung::Provisional | Rung::Verified | Rung::Maintained | Rung::Indeterminate => {
                To(Rung::Violated)
            }
            Rung::Issued
            | Rung::Acknowledged
            | Rung::Scheduled
            | Rung::CutClaimed
            | Rung::Violated
            | Rung::Suspended
            | Rung::Closed
            | Rung::Cancelled
            | Rung::Restored => Stays,
        },
        Cue::Masked | Cue::NoEvidence => doubted(from),
    }
}

const fn doubted(from: Rung) -> Way {
    if from.is_held() { To(Rung::Indeterminate) } else { Stays }
}

const fn on_order(from: Rung) -> Way {
    match from {
        Rung::Issued => Stays,
        Rung::Acknowledged | Rung::Scheduled => To(Rung::Issued),
        Rung::CutClaimed
        | Rung::Observing
        | Rung::Provisional
        | Rung::Verified
        | Rung::Maintained
        | Rung::Indeterminate => To(Rung::CutClaimed),
        Rung::Violated | Rung::Suspended | Rung::Closed | Rung::Cancelled | Rung::Restored => Refused,
    }
}

const fn on_supplier(from: Rung, cue: Cue) -> Way {
    match (cue, from) {
        (Cue::Acknowledge, Rung::Issued) => To(Rung::Acknowledged),
        (Cue::Plan, Rung::Issued | Rung::Acknowledged) => To(Rung::Scheduled),
        (Cue::Plan, Rung::Scheduled) => Stays,
        // Once more where power came back since, or the order was given anew.
        (Cue::Claim, Rung::Issued | Rung::Acknowledged | Rung::Scheduled | Rung::CutClaimed) => {
            To(Rung::CutClaimed)
        }
        (_, _) => Refused,
    }
}

const fn on_suspension(from: Rung, cue: Cue) -> Way {
    match (cue, from) {
        (Cue::Resume | Cue::SuspensionOver, Rung::Suspended) => Back,
        (Cue::Suspend, Rung::Suspended) | (Cue::SuspensionOver, _) => Stays,
        (Cue::Suspend, from) if !from.is_over() => To(Rung::Suspended),
        (_, _) => Refused,
    }
}

const fn on_authority(from: Rung, cue: Cue) -> Way {
    match (cue, from) {
        (Cue::Reset, Rung::Violated) => To(Rung::CutClaimed),
        (Cue::Reset, _) => Stays,
        (Cue::Seal, Rung::Verified) => To(Rung::Maintained),
        (Cue::Close, Rung::Maintained) => To(Rung::Closed),
        (
            Cue::Seal,
            Rung::CutClaimed | Rung::Observing | Rung::Provisional | Rung::Maintained | Rung::Indeterminate,
        ) => Stays,
        (Cue::Revoke, from) if !from.is_over() => To(Rung::Cancelled),
        (Cue::Restore, from) if !from.is_over() && !from.is_before_the_cut() => To(Rung::Restored),
        (_, _) => Refused,
    }
}

const fn on_reading(from: Rung, cue: Cue) -> Way {
    if from.is_over() {
        Refused
    } else if matches!(cue, Cue::ReadingDiffers) {
        doubted(from)
    } else {
        Stays
    }
}

const fn on_hold(from: Rung, cue: Cue) -> Way {
    match (cue, from) {
        (Cue::Dead, Rung::CutClaimed | Rung::Indeterminate)
        | (Cue::Gap, Rung::Provisional | Rung::Verified | Rung::Maintained) => To(Rung::Observing),
        (Cue::Held, Rung::Observing) => To(Rung::Provisional),
        (Cue::Held, Rung::Provisional) => To(Rung::Verified),
        (Cue::Lapsed, Rung::Verified | Rung::Maintained) => To(Rung::Provisional),
        (Cue::PowerBack, Rung::Observing | Rung::Indeterminate) => To(Rung::CutClaimed),
        (Cue::SealStands, Rung::Verified) | (Cue::MonthHeld, Rung::Maintained) => To(Rung::Maintained),
        (_, _) => Stays,
    }
}

impl Cue {
    /// Whether a signed act gives it.
    pub const fn is_an_act(self) -> bool {
        match self {
            Cue::Order
            | Cue::Acknowledge
            | Cue::Plan
            | Cue::Claim
            | Cue::Suspend
            | Cue::Resume
            | Cue::Seal
            | Cue::Close
            | Cue::Revoke
            | Cue::Restore
            | Cue::Reset
            | Cue::ReadingAgrees
            | Cue::ReadingTellsNothing
            | Cue::ReadingDiffers => true,
            Cue::Dead
            | Cue::Held
            | Cue::SealStands
            | Cue::MonthHeld
            | Cue::Lapsed
            | Cue::Gap
            | Cue::PowerBack
            | Cue::Drawing
            | Cue::Exporting
            | Cue::Masked
            | Cue::NoEvidence
            | Cue::SuspensionOver => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: [(&str, Rung); 14] = [
        ("issued", Rung::Issued),
        ("ack", Rung::Acknowledged),
        ("sched", Rung::Scheduled),
        ("claim", Rung::CutClaimed),
        ("obs", Rung::Observing),
        ("prov", Rung::Provisional),
        ("verif", Rung::Verified),
        ("maint", Rung::Maintained),
        ("viol", Rung::Violated),
        ("indet", Rung::Indeterminate),
        ("susp", Rung::Suspended),
        ("closed", Rung::Closed),
        ("cancel", Rung::Cancelled),
        ("restor", Rung::Restored),
    ];

    fn row(cue: Cue) -> &'static str {
        match cue {
            Cue::Order => "order",
            Cue::Acknowledge => "acknowledge",
            Cue::Plan => "plan",
            Cue::Claim => "claim",
            Cue::Suspend => "suspend",
            Cue::Resume => "resume",
            Cue::Seal => "seal",
            Cue::Close => "close",
            Cue::Revoke => "revoke",
            Cue::Restore => "restore",
            Cue::Reset => "reset",
            Cue::ReadingAgrees => "reading_agrees",
            Cue::ReadingTellsNothing => "reading_tells_no",
            Cue::ReadingDiffers => "reading_differs",
            Cue::Dead => "dead",
            Cue::Held => "held",
            Cue::SealStands => "seal_stands",
            Cue::MonthHeld => "month_held",
            Cue::Lapsed => "agreement_lapsed",
            Cue::Gap => "gap",
            Cue::PowerBack => "power_back",
            Cue::Drawing => "drawing",
            Cue::Exporting => "exporting",
            Cue::Masked => "masked",
            Cue::NoEvidence => "no_evidence",
            Cue::SuspensionOver => "suspension_over",
        }
    }

    fn told(way: Way) -> &'static str {
        match way {
            Stays => ".",
            Refused => "x",
            Back => "<",
            To(to) => SHORT.iter().find(|(_, rung)| *rung == to).unwrap().0,
        }
    }

    /// The table as the documentation of this file has it.
    fn documented() -> Vec<Vec<&'static str>> {
        let text = include_str!("table.rs").split("//! ```").nth(1).unwrap();
        let lines = text.lines().skip(1).filter_map(|line| line.strip_prefix("//! "));
        lines.map(|line| line.split_whitespace().collect()).collect()
    }

    #[test]
    fn the_documented_table_is_the_one_that_is_executed() {
        let table = documented();
        let (head, rows) = table.split_first().unwrap();
        assert_eq!(head[1..], SHORT.map(|(short, _)| short));
        assert_eq!(SHORT.map(|(_, rung)| rung), Rung::ALL);
        assert_eq!(rows.len(), Cue::ALL.len());
        for cue in Cue::ALL {
            let line = rows.iter().find(|line| line[0] == row(*cue)).unwrap();
            let said = Rung::ALL.map(|rung| told(way(rung, *cue)));
            assert_eq!(line[1..], said, "{}", cue.word());
        }
    }

    #[test]
    fn only_acts_are_refused_and_nothing_leaves_an_end() {
        for cue in Cue::ALL {
            for rung in Rung::ALL {
                let way = way(rung, *cue);
                assert!(cue.is_an_act() || way != Refused, "{} at {}", cue.word(), rung.word());
                if rung.is_over() {
                    assert!(matches!(way, Refused | Stays), "{} leaves {}", cue.word(), rung.word());
                }
            }
        }
    }

    #[test]
    fn one_way_leads_to_verified_and_one_out_of_a_violation_but_those_that_end_or_suspend_it() {
        let ways = |to: Rung| {
            let all = Cue::ALL.iter().flat_map(|cue| Rung::ALL.map(|from| (from, *cue)));
            all.filter(move |(from, cue)| way(*from, *cue) == To(to)).collect::<Vec<_>>()
        };
        assert_eq!(ways(Rung::Verified), [(Rung::Provisional, Cue::Held)]);
        let out: Vec<Cue> =
            Cue::ALL.iter().copied().filter(|cue| matches!(way(Rung::Violated, *cue), To(_))).collect();
        assert_eq!(out, [Cue::Suspend, Cue::Revoke, Cue::Restore, Cue::Reset]);
    }
}
