//! Things an auditor must know that are neither a state nor a verdict.

use super::{
    balance::BalanceFinding,
    cutoff::{HoldNote, Reconciliation},
    dark::DarkMeter,
    leave::PermitUse,
    memory::Mark,
    sign::SignFinding,
};
use crate::{
    catalogue::{Citation, Difference, Edit, Nameplate, PlateSource, Ruling},
    metering::Identity,
    terms::{AssetId, Digest, LegalDay, MeterId, Name, OrderId},
};

/// Something an auditor must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The wall clock was moved against the boot clock, in milliseconds.
    ClockStepped {
        /// Positive: set forward.
        by_ms: i64,
    },
    /// An energy register did not simply advance.
    Register(RegisterEvent),
    /// A sign of tampering begins or ends.
    Sign(SignFinding),
    /// What came in over the incomers of a balance group against what went out.
    Balance(BalanceFinding),
    /// How a cut-off order stands, between two of its steps.
    Hold(HoldNote),
    /// A day of a cut feeder as the supplier's meter and ours counted it: an alarm where they differ.
    Reconcile(Reconciliation),
    /// Voltage stands behind a cut: a danger to whoever works there, told with the first reading that shows it.
    FedBehindCut {
        /// Of which order.
        order: OrderId,
        /// Of which equipment.
        asset: AssetId,
        /// Which meter shows it.
        meter: MeterId,
    },
    /// What one meter shows of the time in which the witness was dark.
    Dark(DarkMeter),
    /// A meter told for the first time who it is, or tells otherwise: a new series of evidence begins.
    Meter(MeterTold),
    /// A nameplate was read, or declared, for the first time, or says something else.
    Plate(PlateRead),
    /// A nameplate cannot be read.
    PlateUnreadable {
        /// Whose.
        asset: AssetId,
        /// The word of the fault.
        why: Name,
    },
    /// A nameplate as read says something else than the one that was declared.
    PlateDiffers {
        /// Whose.
        asset: AssetId,
        /// In which line.
        difference: Difference,
    },
    /// An edit of a nameplate crossed a bound of the law.
    ClassChanged(ClassChange),
    /// Its last lawful day nears.
    DeadlineWarning(DeadlineWarning),
    /// It is in scope, and the authority's roster in force does not list it.
    NotOnRoster {
        /// Which equipment.
        asset: AssetId,
        /// The entry it is in scope of.
        entry: Option<Citation>,
        /// The version of the roster.
        version: u32,
    },
    /// What was drawn under a permit, where the verdict tells of another one that was used since.
    PermitUsed {
        /// By which equipment.
        asset: AssetId,
        /// Under which, and how much, up to the last interval of each feeder.
        used: PermitUse,
    },
}

/// An edit of a nameplate that made another case of it. What it was held to before, it is held to still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassChange {
    /// Whose.
    pub asset: AssetId,
    /// Which of its two nameplates was edited.
    pub source: PlateSource,
    /// What the edited nameplate alone would be judged before.
    pub before: Ruling,
    /// What it would be judged now.
    pub after: Ruling,
    /// Its lines that are not what they were.
    pub edits: Vec<Edit>,
}

/// A warning in time to shut down in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlineWarning {
    /// Which equipment.
    pub asset: AssetId,
    /// Its last lawful day.
    pub last_day: LegalDay,
    /// Days that are left until then.
    pub days_left: u16,
    /// Days that equipment of its kind needs to be shut down in good order.
    pub lead_days: u16,
}

impl MeterTold {
    /// Whether it is another meter than before, as far as both tell: its register does not continue that one's.
    pub fn is_another(&self) -> bool {
        let told = |identity: &Identity| (identity.serial, identity.model);
        self.before.is_some_and(|before| before.serial.is_some() && told(&before) != told(&self.after))
    }
}

impl Event {
    /// Whether a register begins anew with it: nothing may be weighed across that.
    pub fn begins_a_count(&self) -> bool {
        match self {
            Event::Register(event) => event.what.begins_a_count(),
            Event::Meter(told) => told.before.is_some(),
            Event::ClockStepped { .. }
            | Event::Sign(_)
            | Event::Balance(_)
            | Event::Hold(_)
            | Event::Reconcile(_)
            | Event::FedBehindCut { .. }
            | Event::Dark(_)
            | Event::Plate(_)
            | Event::PlateUnreadable { .. }
            | Event::PlateDiffers { .. }
            | Event::ClassChanged(_)
            | Event::DeadlineWarning(_)
            | Event::NotOnRoster { .. }
            | Event::PermitUsed { .. } => false,
        }
    }
}

/// A register that fell, leapt or rolled over, with both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterEvent {
    /// Whose register.
    pub meter: MeterId,
    /// What it did instead.
    pub what: RegisterQuirk,
    /// The reading before.
    pub before: Mark,
    /// The reading after.
    pub after: Mark,
    /// The authority's paper for a replaced meter, if there is one.
    pub permit: Option<Name>,
}

/// Who a meter says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterTold {
    /// Which meter.
    pub meter: MeterId,
    /// Who it was, if that was known.
    pub before: Option<Identity>,
    /// Who it is.
    pub after: Identity,
    /// The authority's paper, if there is one.
    pub permit: Option<Name>,
}

/// A nameplate as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlateRead {
    /// Whose.
    pub asset: AssetId,
    /// Which of its two nameplates.
    pub source: PlateSource,
    /// Its fingerprint before, if one was known.
    pub before: Option<Digest>,
    /// What it says now.
    pub plate: Nameplate,
}

/// What a register did instead of advancing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterQuirk {
    /// It went backwards.
    Fell,
    /// It advanced beyond what is possible.
    Leapt,
    /// It passed its width and went on from zero.
    RolledOver,
    /// The meter was without power and lost the counts it had not kept: it goes on from a little earlier.
    Unsaved,
    /// After a fall or leap two readings agreed on the new count: the sums begin anew from there.
    Rebased,
    /// It stands lower, and so much may have passed that it went round or fell: nothing tells which. The sums begin anew from
    /// there, and it proves nothing against anybody.
    FellOrRolledOver,
    /// It advanced over a time no clock can tell: a reboot without a synchronised clock on both sides.
    Untimed,
}

impl RegisterQuirk {
    /// Every one of them.
    pub const ALL: [RegisterQuirk; 7] = [
        RegisterQuirk::Fell,
        RegisterQuirk::Leapt,
        RegisterQuirk::RolledOver,
        RegisterQuirk::Unsaved,
        RegisterQuirk::Rebased,
        RegisterQuirk::FellOrRolledOver,
        RegisterQuirk::Untimed,
    ];

    /// Whether the count begins anew with it: nothing may be weighed across that.
    pub const fn begins_a_count(self) -> bool {
        match self {
            RegisterQuirk::Fell | RegisterQuirk::Leapt | RegisterQuirk::RolledOver => false,
            RegisterQuirk::Unsaved
            | RegisterQuirk::Rebased
            | RegisterQuirk::FellOrRolledOver
            | RegisterQuirk::Untimed => true,
        }
    }

    /// The word records use.
    pub const fn word(self) -> &'static str {
        match self {
            RegisterQuirk::Fell => "fell",
            RegisterQuirk::Leapt => "leapt",
            RegisterQuirk::RolledOver => "rolled_over",
            RegisterQuirk::Unsaved => "unsaved",
            RegisterQuirk::Rebased => "rebased",
            RegisterQuirk::FellOrRolledOver => "fell_or_rolled_over",
            RegisterQuirk::Untimed => "untimed",
        }
    }

    /// Reads the word of a record.
    pub fn from_word(word: &str) -> Option<RegisterQuirk> {
        RegisterQuirk::ALL.into_iter().find(|q| q.word() == word)
    }
}
