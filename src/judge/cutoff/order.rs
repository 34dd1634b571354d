//! What a cut-off order says. The authority signs it; the gateway witnesses whether it is carried out, and switches nothing.

use super::{holds::Holds, reading::UtilityReading, table::Cue};
use crate::{
    catalogue::Citation,
    judge::state::State,
    terms::{AssetId, Digest, KeyId, MeterId, MilliWatts, Name, OrderId},
};

/// Most metering points one order names.
pub const MAX_POINTS: usize = 8;

worded! {
    /// How far the cut reaches.
    Scope {
        /// The equipment and nothing else.
        Equipment "equipment"
        /// The whole feeder.
        Feeder "feeder"
        /// All of the site but what must never be cut.
        Site "site"
    }
}

worded! {
    /// How the supplier cuts.
    Method {
        /// The breaker is racked out.
        RackOut "rack_out"
        /// The fuses are taken.
        Fuse "fuse"
        /// The cable is cut.
        CableCut "cable_cut"
        /// The jumpers are removed.
        JumperRemoved "jumper_removed"
        /// Switched from afar: an open contact is one button away from a closed one.
        RemoteSwitch "remote_switch"
    }
}

worded! {
    /// What becomes of the equipment.
    Case {
        /// It is to be demolished.
        Demolish "demolish"
        /// Sealed, not demolished: a court has seized it.
        CourtSeizure "court_seizure"
        /// Sealed, not demolished: a procedure on state assets runs.
        StateAsset "state_asset"
        /// Sealed, not demolished: heritage or tourism.
        Heritage "heritage"
        /// Sealed, not demolished: lawfully converted to something else.
        LawfulConversion "lawful_conversion"
    }
}

worded! {
    /// Whether something that must come before the cut was done.
    Done {
        /// It was.
        Done "done"
        /// This equipment has no need of it.
        NotNeeded "not_needed"
        /// It was not: no power may be cut.
        NotDone "not_done"
    }
}

worded! {
    /// Who can tell that a point is without power.
    Carrier {
        /// The point's own meter, which lives on another supply.
        Own "own"
        /// The meter upstream: the point's own is fed by what is cut, and falls silent with it.
        Upstream "upstream"
        /// The supplier's own meter alone.
        Utility "utility"
    }
}

worded! {
    /// What the single-line diagram says of other ways to feed the equipment.
    SecondFeeds {
        /// There is none, or each is among the points.
        Excluded "excluded"
        /// It does not tell: the claim is about these metering points only.
        Unknown "unknown"
    }
}

/// That the equipment may lose its power without harm, as somebody answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeState {
    /// Tapped or emptied.
    pub emptied: Done,
    /// Cooled down.
    pub cooled: Done,
    /// Purged of gas.
    pub purged: Done,
    /// Who says so.
    pub declared_by: String,
    /// When, Unix milliseconds.
    pub declared_unix_ms: i64,
    /// SHA-256 of the paper.
    pub document: Digest,
}

impl SafeState {
    /// Whether nothing is left to be done before the cut.
    pub fn is_safe(&self) -> bool {
        ![self.emptied, self.cooled, self.purged].contains(&Done::NotDone)
    }
}

/// A metering point that shall be without power, and where it is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The meter that watches it.
    pub meter: MeterId,
    /// The feeder, as the single-line diagram names it.
    pub feeder: Option<String>,
    /// The breaker, fuse or cable, as the single-line diagram names it.
    pub breaker: Option<String>,
    /// Who can tell that it is without power.
    pub carrier: Carrier,
    /// The meter upstream, which measures this point and nothing else; with [`Carrier::Upstream`] only.
    pub upstream: Option<MeterId>,
    /// The number of the supplier's meter beside it. Where the order names none it is that of the first reading.
    pub utility_meter: Option<UtilityMeter>,
}

impl Point {
    /// The meters that show something of it: its own, and the one upstream where the order names one.
    pub fn meters(&self) -> impl Iterator<Item = MeterId> {
        [Some(self.meter), self.upstream].into_iter().flatten()
    }

    /// Whether what this meter shows is about it.
    pub fn concerns(&self, meter: MeterId) -> bool {
        self.meters().any(|known| known == meter)
    }
}

/// Which of the supplier's meters stands beside a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtilityMeter {
    /// The number on it.
    pub serial: String,
    /// The order names it; otherwise the first reading did.
    pub is_ordered: bool,
}

/// The law an order rests on: none without it (国发〔2010〕7号 IV.3, 依法).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalBasis {
    /// As it is cited.
    pub text: String,
    /// SHA-256 of the paper.
    pub document: Digest,
    /// The entry of the catalogue, where one is cited.
    pub entry: Option<Citation>,
}

/// What the authority wants to be shown beside the meters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// A test for dead on the spot.
    pub on_site_test: bool,
    /// Photographs.
    pub photos: bool,
    /// A seal with a number.
    pub seal: bool,
}

/// A cut-off order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its identifier: that of the act.
    pub id: OrderId,
    /// Its version.
    pub version: u32,
    /// Which equipment.
    pub asset: AssetId,
    /// Who orders.
    pub issuer: Name,
    /// Hash of the act.
    pub hash: Digest,
    /// The supplier's own key. Where there is one, nobody else's readings are the supplier's.
    pub supplier: Option<KeyId>,
    /// The file number of the authority.
    pub tracking: Option<String>,
    /// The law.
    pub basis: Option<LegalBasis>,
    /// How far it reaches.
    pub scope: Scope,
    /// How it is cut.
    pub method: Method,
    /// What becomes of the equipment.
    pub case: Case,
    /// Where, at most [`MAX_POINTS`].
    pub points: Vec<Point>,
    /// The version of the single-line diagram the points are taken from.
    pub single_line: String,
    /// Other ways to feed it.
    pub second_feeds: SecondFeeds,
    /// Not before, Unix milliseconds.
    pub not_before_unix_ms: i64,
    /// Not after, Unix milliseconds.
    pub due_unix_ms: i64,
    /// How to appeal, and what is exempt.
    pub appeal: Option<String>,
    /// What its auxiliaries may draw on.
    pub auxiliary_cap: Option<MilliWatts>,
    /// What is to be shown beside the meters.
    pub required: Required,
    /// Whom to call.
    pub contacts: Option<String>,
    /// That it may lose its power without harm.
    pub safe_state: Option<SafeState>,
    /// How long it must hold.
    pub holds: Holds,
}

impl Order {
    /// Whether any of its points is about what this meter shows.
    pub fn looks_at(&self, meter: MeterId) -> bool {
        self.points.iter().any(|point| point.concerns(meter))
    }

    /// The power behind the cut that a state of a meter shows, as the cue that it gives.
    pub fn power_shown(&self, meter: MeterId, state: State) -> Option<Cue> {
        let is_own = self.points.iter().any(|point| point.meter == meter);
        let is_upstream = self.points.iter().any(|point| point.upstream == Some(meter));
        match state {
            State::Drawing if is_own || is_upstream => Some(Cue::Drawing),
            State::Exporting if is_own => Some(Cue::Exporting),
            State::Drawing
            | State::Exporting
            | State::Masked(_)
            | State::Unknown(_)
            | State::Auxiliary
            | State::Energised
            | State::Dead => None,
        }
    }

    /// Whether this can be the least of those who carry the proof: a point's own meter always can, another only where the
    /// order names it.
    pub fn lets_carry(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Own || self.points.iter().any(|point| point.carrier == carrier)
    }

    /// Whether a reading is of another meter than the supplier's that stands beside the point.
    pub fn is_another_meters(&self, reading: &UtilityReading) -> bool {
        let named = self.points.iter().find(|point| point.meter == reading.meter);
        let named = named.and_then(|point| point.utility_meter.as_ref());
        named.is_some_and(|named| reading.serial.as_deref() != Some(named.serial.as_str()))
    }

    /// The first reading of a point for which the order names no number of the supplier's meter names it.
    pub fn bind(&mut self, reading: &UtilityReading) {
        let Some(serial) = &reading.serial else { return };
        if let Some(point) = self.points.iter_mut().find(|point| point.meter == reading.meter) {
            let first = || UtilityMeter { serial: serial.clone(), is_ordered: false };
            point.utility_meter.get_or_insert_with(first);
        }
    }
}
