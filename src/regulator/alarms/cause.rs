//! PURE file. What can raise an alarm, and of which of five kinds it is. The kinds are never merged: a furnace that
//! draws, evidence that is missing, a meter that was tampered with, a device that failed and a rule that is wrong want
//! different people.

use crate::terms::words::{self, Words};

/// What an alarm asks somebody to do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The judge convicts.
    Violation,
    /// Nothing tells.
    EvidenceMissing,
    /// Somebody may have tampered.
    Tamper,
    /// A meter, a disk, a clock or a certificate of a gateway.
    DeviceFault,
    /// Rule and data do not go together.
    RuleData,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 5] =
        [Kind::Violation, Kind::EvidenceMissing, Kind::Tamper, Kind::DeviceFault, Kind::RuleData];

    /// The word of outputs and of the log.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Violation => "violation",
            Kind::EvidenceMissing => "evidence_missing",
            Kind::Tamper => "tamper",
            Kind::DeviceFault => "device_fault",
            Kind::RuleData => "rule_data",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether nobody below may keep it from those above: it is never out of service, and whoever puts it aside puts it aside
    /// for its own division.
    pub const fn is_kept(self) -> bool {
        match self {
            Kind::Violation | Kind::Tamper => true,
            Kind::EvidenceMissing | Kind::DeviceFault | Kind::RuleData => false,
        }
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Kind::Violation => words::KIND_VIOLATION,
            Kind::EvidenceMissing => words::KIND_EVIDENCE_MISSING,
            Kind::Tamper => words::KIND_TAMPER,
            Kind::DeviceFault => words::KIND_DEVICE_FAULT,
            Kind::RuleData => words::KIND_RULE_DATA,
        }
    }
}

/// How soon somebody must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Now.
    High,
    /// This shift.
    Medium,
    /// This week.
    Low,
    /// For whoever looks after the gateways.
    Diagnostic,
}

impl Priority {
    /// Every priority, the most urgent first.
    pub const ALL: [Priority; 4] = [Priority::High, Priority::Medium, Priority::Low, Priority::Diagnostic];

    /// The word of outputs and of the log.
    pub const fn word(self) -> &'static str {
        match self {
            Priority::High => "high",
            Priority::Medium => "medium",
            Priority::Low => "low",
            Priority::Diagnostic => "diagnostic",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Priority> {
        Priority::ALL.into_iter().find(|priority| priority.word() == word)
    }

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Priority::High => words::PRIORITY_HIGH,
            Priority::Medium => words::PRIORITY_MEDIUM,
            Priority::Low => words::PRIORITY_LOW,
            Priority::Diagnostic => words::PRIORITY_DIAGNOSTIC,
        }
    }
}

/// How long something stands before it counts, in milliseconds: against chatter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// Before it is raised.
    pub on_ms: i64,
    /// Before it is taken for gone.
    pub off_ms: i64,
}

/// No delay: the judge has waited already.
const AT_ONCE: Delays = Delays { on_ms: 0, off_ms: 0 };
/// A quarter of an hour, as the judge's own off-delay, in milliseconds.
const QUARTER_MS: i64 = 900_000;
/// Five minutes, the time between two checkpoints, in milliseconds.
const CHECKPOINT_MS: i64 = 300_000;
/// A minute, in milliseconds.
const MINUTE_MS: i64 = 60_000;

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident $word:literal $kind:ident $priority:ident $words:expr;)*) => {
        /// What raises an alarm.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Cause {
            $($(#[$doc])* $name,)*
        }

        impl Cause {
            /// Every cause.
            pub const ALL: &'static [Cause] = &[$(Cause::$name,)*];

            /// The word of outputs and of the log.
            pub const fn word(self) -> &'static str {
                match self { $(Cause::$name => $word,)* }
            }

            /// Which of the five kinds it is.
            pub const fn kind(self) -> Kind {
                match self { $(Cause::$name => Kind::$kind,)* }
            }

            /// How soon somebody must act.
            pub const fn priority(self) -> Priority {
                match self { $(Cause::$name => Priority::$priority,)* }
            }

            /// What a person reads.
            pub const fn words(self) -> Words {
                match self { $(Cause::$name => $words,)* }
            }
        }
    };
}

causes! {
    /// The judge's latch on equipment is closed.
    Violation "violation" Violation High words::CAUSE_VIOLATION;
    /// The judge's latch on equipment is closed in a log that its gateway has left, kept in another division than it speaks from.
    LatchedElsewhere "latched_elsewhere" Violation High words::CAUSE_LATCHED_ELSEWHERE;
    /// A cut-off order stands at `violated`.
    CutViolated "cut_violated" Violation High words::CAUSE_CUT_VIOLATED;
    /// Voltage was seen behind a cut.
    FedBehindCut "fed_behind_cut" Violation High words::CAUSE_FED_BEHIND_CUT;
    /// Nothing was heard of a gateway.
    Silent "silent" EvidenceMissing Medium words::CAUSE_SILENT;
    /// Nothing is heard of most gateways of a division.
    Outage "outage" EvidenceMissing High words::CAUSE_OUTAGE;
    /// Our own line to the broker is down.
    Unreachable "unreachable" EvidenceMissing High words::CAUSE_UNREACHABLE;
    /// A gateway was admitted, and nothing was ever heard of it.
    NeverHeard "never_heard" EvidenceMissing Low words::CAUSE_NEVER_HEARD;
    /// A gateway speaks, and of equipment under a duty no longer.
    Untold "untold" EvidenceMissing Medium words::CAUSE_UNTOLD;
    /// Equipment under a duty is `unknown`, and no device is to blame.
    NoEvidence "no_evidence" EvidenceMissing Medium words::CAUSE_NO_EVIDENCE;
    /// A cut-off order stands at `indeterminate`.
    Indeterminate "indeterminate" EvidenceMissing Medium words::CAUSE_INDETERMINATE;
    /// Records were dropped, declared.
    Gap "gap" EvidenceMissing Low words::CAUSE_GAP;
    /// A strong sign of tampering stands.
    Tamper "tamper" Tamper High words::CAUSE_TAMPER;
    /// Two signed histories of one log.
    Fork "fork" Tamper High words::CAUSE_FORK;
    /// A gateway obeyed an act that none of the authority's keys signed.
    ForeignAct "foreign_act" Tamper High words::CAUSE_FOREIGN_ACT;
    /// An edit of a nameplate made another case of it.
    PlateEdited "plate_edited" Tamper High words::CAUSE_PLATE_EDITED;
    /// A gateway has less than was receipted.
    Rollback "rollback" Tamper High words::CAUSE_ROLLBACK;
    /// One meter at two places.
    MeterTwice "meter_twice" Tamper Medium words::METER_TWICE;
    /// Two nameplates of one machine on two sides of a bound.
    RatingEdited "rating_edited" Tamper Medium words::RATING_EDITED;
    /// Equipment under a duty is `unknown` for a meter's sake.
    MeterFault "meter_fault" DeviceFault Medium words::CAUSE_METER_FAULT;
    /// A gateway's disk was full.
    DiskFull "disk_full" DeviceFault Medium words::CAUSE_DISK_FULL;
    /// A gateway's journal was damaged.
    JournalDamaged "journal_damaged" DeviceFault High words::CAUSE_JOURNAL_DAMAGED;
    /// A gateway's certificate ends.
    CertificateExpiring "certificate_expiring" DeviceFault Low words::CAUSE_CERTIFICATE_EXPIRING;
    /// A gateway's supply fails.
    LastGasp "last_gasp" DeviceFault Medium words::CAUSE_LAST_GASP;
    /// A record is too large for the broker.
    Oversized "oversized" DeviceFault Low words::CAUSE_OVERSIZED;
    /// A gateway's clock was moved.
    ClockStepped "clock_stepped" DeviceFault Diagnostic words::CAUSE_CLOCK_STEPPED;
    /// A nameplate cannot be read.
    PlateUnreadable "plate_unreadable" DeviceFault Low words::CAUSE_PLATE_UNREADABLE;
    /// A nameplate as read differs from the declared one.
    PlateDiffers "plate_differs" RuleData Medium words::CAUSE_PLATE_DIFFERS;
    /// In scope, and on no roster.
    NotOnRoster "not_on_roster" RuleData Low words::CAUSE_NOT_ON_ROSTER;
    /// Its class cannot be told.
    Undetermined "undetermined" RuleData Diagnostic words::CAUSE_UNDETERMINED;
    /// Gateway and supplier counted a day differently.
    Reconcile "reconcile" RuleData Medium words::CAUSE_RECONCILE;
    /// One machine at two places: a fact to look into, which convicts nobody.
    Transfer "transfer" RuleData High words::TRANSFER;
    /// One machine at two places by the word of one gateway.
    PlaceChanged "place_changed" RuleData Low words::PLACE_CHANGED;
    /// One machine under two names.
    ListedTwice "listed_twice" RuleData Low words::LISTED_TWICE;
    /// Reported eliminated, and drew later: a contradiction, which convicts nobody.
    EliminatedDraws "eliminated_draws" RuleData High words::ELIMINATED_DRAWS;
}

impl Cause {
    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Cause> {
        Cause::ALL.iter().copied().find(|cause| cause.word() == word)
    }

    /// Whether it happens and is over, so that nothing will ever say that it has ended.
    pub const fn is_moment(self) -> bool {
        match self {
            Cause::FedBehindCut
            | Cause::Gap
            | Cause::Fork
            | Cause::ForeignAct
            | Cause::PlateEdited
            | Cause::Rollback
            | Cause::DiskFull
            | Cause::JournalDamaged
            | Cause::CertificateExpiring
            | Cause::LastGasp
            | Cause::Oversized
            | Cause::ClockStepped
            | Cause::PlateUnreadable
            | Cause::PlateDiffers
            | Cause::NotOnRoster
            | Cause::Reconcile
            // The latch that its later record closes is the violation's; of the contradiction itself nothing more is to come.
            | Cause::EliminatedDraws => true,
            Cause::Violation
            | Cause::LatchedElsewhere
            | Cause::CutViolated
            | Cause::Silent
            | Cause::Outage
            | Cause::Unreachable
            | Cause::NeverHeard
            | Cause::Untold
            | Cause::NoEvidence
            | Cause::Indeterminate
            | Cause::Tamper
            | Cause::MeterTwice
            | Cause::RatingEdited
            | Cause::MeterFault
            | Cause::Undetermined
            | Cause::Transfer
            | Cause::PlaceChanged
            | Cause::ListedTwice => false,
        }
    }

    /// How long it stands before it counts.
    pub const fn delays(self) -> Delays {
        match self {
            // Gateways speak every five minutes, so that those of one outage fall silent within as much.
            Cause::Silent => Delays { on_ms: CHECKPOINT_MS, off_ms: MINUTE_MS },
            Cause::Outage => Delays { on_ms: MINUTE_MS, off_ms: CHECKPOINT_MS },
            Cause::Unreachable => Delays { on_ms: MINUTE_MS, off_ms: MINUTE_MS },
            Cause::NoEvidence | Cause::MeterFault => Delays { on_ms: QUARTER_MS, off_ms: CHECKPOINT_MS },
            Cause::Tamper => Delays { on_ms: 0, off_ms: QUARTER_MS },
            Cause::Violation
            | Cause::LatchedElsewhere
            | Cause::CutViolated
            | Cause::FedBehindCut
            | Cause::NeverHeard
            | Cause::Untold
            | Cause::Indeterminate
            | Cause::Gap
            | Cause::Fork
            | Cause::ForeignAct
            | Cause::PlateEdited
            | Cause::Rollback
            | Cause::MeterTwice
            | Cause::RatingEdited
            | Cause::DiskFull
            | Cause::JournalDamaged
            | Cause::CertificateExpiring
            | Cause::LastGasp
            | Cause::Oversized
            | Cause::ClockStepped
            | Cause::PlateUnreadable
            | Cause::PlateDiffers
            | Cause::NotOnRoster
            | Cause::Undetermined
            | Cause::Reconcile
            | Cause::Transfer
            | Cause::PlaceChanged
            | Cause::ListedTwice
            | Cause::EliminatedDraws => AT_ONCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_cause_has_a_word_of_its_own_and_is_of_one_kind() {
        let words: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.word()).collect();
        assert_eq!(words.len(), Cause::ALL.len());
        for cause in Cause::ALL {
            assert_eq!(Cause::from_word(cause.word()), Some(*cause));
            assert!(!cause.words().zh.is_empty() && !cause.words().en.is_empty());
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
            assert!(Cause::ALL.iter().any(|cause| cause.kind() == kind), "{}", kind.word());
        }
    }

    #[test]
    fn only_the_judge_convicts() {
        let convicting: Vec<Cause> =
            Cause::ALL.iter().copied().filter(|cause| cause.kind() == Kind::Violation).collect();
        let judged = [Cause::Violation, Cause::LatchedElsewhere, Cause::CutViolated, Cause::FedBehindCut];
        assert_eq!(convicting, judged);
    }

    #[test]
    fn what_happens_and_is_over_waits_for_nothing() {
        for cause in Cause::ALL.iter().filter(|cause| cause.is_moment()) {
            assert_eq!(cause.delays(), AT_ONCE, "{}", cause.word());
        }
    }
}
