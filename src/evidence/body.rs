//! What a record says; who says it and where it stands in the log is the header's business.
//!
//! | `type` | says | priority |
//! |---|---|---|
//! | `genesis` | a log begins: public key, place, software, configuration, profiles | alert |
//! | `boot` | the agent started, on which boot of the machine, and since when it was dark | alert |
//! | `key_rotate` | the next key of the log, certified by the one before | alert |
//! | `skip` | sequence numbers that were reserved and never used, or lost by a disk | alert |
//! | `gap` | records that were dropped, declared | alert |
//! | `rollback_notice` | the authority has receipted more than the gateway still has | alert |
//! | `act` | an act of the authority, whole, before it takes effect | alert |
//! | `answer` | whether an act was accepted, and if not why | alert |
//! | `transition` | one step of a cut-off order | alert |
//! | `state` | a feeder changed its state, with the words it rests on | alert |
//! | `verdict` | what that means for the equipment; on change and with every interval | alert when a violation |
//! | `event` | a clock step, a register that fell or leapt, a nameplate; what befell the witness itself | alert |
//! | `interval` | time and energy of a feeder, accounted for | routine |
//! | `checkpoint` | the log is alive: how much was said and read | routine |

use super::{
    act::{Act, Answer},
    commissioning::Commissioning,
    continuity::{Gap, LogHead, Rollback, Rotation},
    notice::Notice,
    suite::PublicKey,
};
use crate::{
    catalogue::PlateSource,
    judge::{Ending, Event, Finding, Outcome, PlateRead},
    terms::{
        Digest, Name, Stamp,
        place::{CreditCode, Division},
    },
};

/// What leaves first when not everything can leave at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Overtakes the backlog.
    Alert,
    /// Never thinned.
    Verdict,
    /// In its turn.
    Routine,
}

impl Class {
    /// As the journal stores it.
    pub const fn number(self) -> u8 {
        match self {
            Class::Alert => 0,
            Class::Verdict => 1,
            Class::Routine => 2,
        }
    }
}

/// The beginning of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The key that signs from here on.
    pub public_key: PublicKey,
    /// Where the plant lies.
    pub division: Division,
    /// Who answers for it.
    pub enterprise: CreditCode,
    /// Name and version of the software, self-reported.
    pub software: String,
    /// SHA-256 of the configuration as read, all layers.
    pub config: Digest,
    /// SHA-256 of each profile file in use.
    pub profiles: Vec<(Name, Digest)>,
    /// The log of this gateway that ended and where: as the authority receipted it, or, its key lost, as it was left.
    pub continues: Option<LogHead>,
}

/// A start of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The kernel's name for this boot of the machine.
    pub boot_id: String,
    /// Whether the machine had booted since the agent last ran.
    pub machine_rebooted: bool,
    /// Name and version of the software, self-reported.
    pub software: String,
    /// SHA-256 of the configuration as read, all layers.
    pub config: Digest,
    /// The last record before it, and how the life that wrote that ended; none at a log's beginning.
    pub dark: Option<(Stamp, Ending)>,
}

/// A sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Records in this log before this one.
    pub entries: u64,
    /// Polls that gave a reading since the agent started.
    pub reads_ok: u64,
    /// Polls that did not.
    pub reads_failed: u64,
    /// The first record no receipt covers.
    pub first_unreceipted_seq: u64,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "bodies are written once and dropped; a box would allocate each time"
)]
pub enum Body {
    /// A log begins.
    Genesis(Genesis),
    /// The agent started.
    Boot(Boot),
    /// The log is alive.
    Checkpoint(Checkpoint),
    /// The next key of the log.
    Rotation(Rotation),
    /// Sequence numbers that were reserved and never used, both ends included: an unclean start.
    Skip {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// Records that were dropped and are declared so.
    Gap(Gap),
    /// The authority has receipted more than is left here.
    Rollback(Rollback),
    /// An act of the authority, before it takes effect.
    Act(Act),
    /// The answer to an act.
    Answer(Answer),
    /// Something befell the witness itself.
    Notice(Notice),
    /// A metering point as declared, whenever that is new.
    Commissioned(Commissioning),
    /// The judge said something.
    Finding(Finding),
}

impl Body {
    /// The word in `type`.
    pub const fn word(&self) -> &'static str {
        match self {
            Body::Genesis(_) => "genesis",
            Body::Boot(_) => "boot",
            Body::Checkpoint(_) => "checkpoint",
            Body::Skip { .. } => "skip",
            Body::Rotation(_) => "key_rotate",
            Body::Gap(_) => "gap",
            Body::Rollback(_) => "rollback_notice",
            Body::Act(_) => "act",
            Body::Answer(_) => "answer",
            Body::Finding(Finding::Transition(_)) => "transition",
            Body::Finding(Finding::State(_)) => "state",
            Body::Finding(Finding::Interval(_)) => "interval",
            Body::Finding(Finding::Verdict(_)) => "verdict",
            Body::Notice(_) | Body::Commissioned(_) | Body::Finding(Finding::Event(_)) => "event",
        }
    }

    /// The shelf it is kept on: its type, but what a meter is, each of the two nameplates of a piece of equipment and what
    /// an edit made of them how an order stands and what was drawn under a permit, on one of its own, since the newest of each is remembered.
    pub const fn shelf(&self) -> &'static str {
        match self {
            Body::Finding(Finding::Event(Event::Plate(PlateRead { source: PlateSource::Read, .. }))) => {
                "plate"
            }
            Body::Finding(Finding::Event(Event::Plate(PlateRead {
                source: PlateSource::Declared, ..
            }))) => "plate_declared",
            Body::Finding(Finding::Event(Event::Meter(_))) => "meter",
            Body::Finding(Finding::Event(Event::ClassChanged(_))) => "class_changed",
            Body::Finding(Finding::Event(Event::Hold(_))) => "hold",
            Body::Finding(Finding::Event(Event::PermitUsed { .. })) => "permit_used",
            Body::Finding(Finding::Event(Event::Dark(_))) => "dark",
            Body::Notice(Notice::LastGasp) => "last_gasp",
            Body::Notice(Notice::Stopping) => "stopping",
            Body::Commissioned(_) => "commissioned",
            Body::Genesis(_)
            | Body::Boot(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Rotation(_)
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Act(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Finding(_) => self.word(),
        }
    }

    /// The key it certifies, where it stands at this place of this epoch: the key's epoch, and the first place it signs.
    pub const fn certifies(&self, epoch: u32, seq: u64) -> Option<(u32, u64, PublicKey)> {
        match self {
            Body::Genesis(genesis) => Some((epoch, 0, genesis.public_key)),
            Body::Rotation(rotation) => Some((rotation.next_epoch, seq + 1, rotation.public_key)),
            Body::Boot(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Act(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Commissioned(_)
            | Body::Finding(_) => None,
        }
    }

    /// How urgent it is.
    pub fn class(&self) -> Class {
        match self {
            Body::Genesis(_)
            | Body::Boot(_)
            | Body::Rotation(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Act(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Commissioned(_)
            | Body::Finding(Finding::State(_) | Finding::Transition(_)) => Class::Alert,
            Body::Finding(Finding::Event(event)) => match event {
                // A weak sign asks for an inspection, and so does a residual; neither overtakes.
                Event::Sign(found) if !found.sign.is_strong() => Class::Verdict,
                Event::Balance(found) if found.outcome == Outcome::Residual => Class::Verdict,
                Event::Hold(_) | Event::PermitUsed { .. } => Class::Verdict,
                Event::Reconcile(day) if day.agrees() => Class::Verdict,
                Event::Dark(told) if told.is_still() => Class::Verdict,
                Event::Balance(_) => Class::Routine,
                Event::ClockStepped { .. }
                | Event::Register(_)
                | Event::Sign(_)
                | Event::Meter(_)
                | Event::Plate(_)
                | Event::PlateUnreadable { .. }
                | Event::PlateDiffers { .. }
                | Event::ClassChanged(_)
                | Event::DeadlineWarning(_)
                | Event::FedBehindCut { .. }
                | Event::Dark(_)
                | Event::Reconcile(_)
                | Event::NotOnRoster { .. } => Class::Alert,
            },
            Body::Finding(Finding::Verdict(verdict))
                if verdict.violation_since_unix_ms.is_some() || verdict.signs.has_strong() =>
            {
                Class::Alert
            }
            Body::Finding(Finding::Verdict(_)) => Class::Verdict,
            Body::Finding(Finding::Interval(_)) | Body::Checkpoint(_) => Class::Routine,
        }
    }

    /// The meter or equipment it is about; of each pair of shelf and subject the newest is remembered.
    pub fn subject(&self) -> Option<Name> {
        match self {
            Body::Genesis(_)
            | Body::Boot(_)
            | Body::Rotation(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Notice(_) => None,
            // Each act is remembered, not only the newest.
            Body::Act(act) => Some(act.id),
            Body::Commissioned(point) => Some(point.meter.0),
            Body::Answer(answer) => answer.act.map(|(id, _)| id),
            Body::Finding(Finding::Transition(transition)) => Some(transition.order.0),
            Body::Finding(Finding::State(found)) => Some(found.meter.0),
            Body::Finding(Finding::Interval(interval)) => Some(interval.meter.0),
            Body::Finding(Finding::Verdict(verdict)) => Some(verdict.asset.0),
            Body::Finding(Finding::Event(event)) => match event {
                Event::ClockStepped { .. } => None,
                // Which signs stand is told with each state; whoever comes late reads it there.
                Event::Sign(_) | Event::Balance(_) => None,
                Event::Register(event) => Some(event.meter.0),
                Event::Hold(note) => Some(note.order.0),
                Event::Reconcile(day) => Some(day.order.0),
                Event::PermitUsed { used, .. } => Some(used.permit),
                Event::FedBehindCut { meter, .. } => Some(meter.0),
                Event::Dark(told) => Some(told.meter.0),
                Event::Meter(told) => Some(told.meter.0),
                Event::Plate(read) => Some(read.asset.0),
                Event::PlateUnreadable { asset, .. }
                | Event::PlateDiffers { asset, .. }
                | Event::NotOnRoster { asset, .. } => Some(asset.0),
                Event::ClassChanged(change) => Some(change.asset.0),
                Event::DeadlineWarning(warning) => Some(warning.asset.0),
            },
        }
    }

    /// The equipment a subscriber would look for it under.
    pub fn asset(&self) -> Option<Name> {
        match self {
            Body::Finding(Finding::State(found)) => Some(found.asset.0),
            Body::Finding(Finding::Interval(interval)) => Some(interval.asset.0),
            Body::Finding(Finding::Verdict(verdict)) => Some(verdict.asset.0),
            Body::Finding(Finding::Event(Event::Plate(read))) => Some(read.asset.0),
            Body::Finding(Finding::Event(Event::Sign(found))) => Some(found.asset.0),
            Body::Finding(Finding::Event(Event::Hold(note))) => Some(note.asset.0),
            Body::Finding(Finding::Event(Event::Dark(told))) => Some(told.asset.0),
            Body::Finding(Finding::Event(Event::Reconcile(day))) => Some(day.asset.0),
            Body::Finding(Finding::Event(
                Event::PlateUnreadable { asset, .. }
                | Event::PlateDiffers { asset, .. }
                | Event::FedBehindCut { asset, .. }
                | Event::NotOnRoster { asset, .. }
                | Event::PermitUsed { asset, .. },
            )) => Some(asset.0),
            Body::Finding(Finding::Event(Event::ClassChanged(change))) => Some(change.asset.0),
            Body::Finding(Finding::Event(Event::DeadlineWarning(warning))) => Some(warning.asset.0),
            Body::Act(act) => act.asset.map(|asset| asset.0),
            Body::Finding(Finding::Transition(transition)) => Some(transition.asset.0),
            Body::Finding(Finding::Event(
                Event::ClockStepped { .. } | Event::Register(_) | Event::Meter(_) | Event::Balance(_),
            ))
            | Body::Genesis(_)
            | Body::Commissioned(_)
            | Body::Boot(_)
            | Body::Rotation(_)
            | Body::Checkpoint(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Answer(_)
            | Body::Notice(_) => None,
        }
    }
}
