//! Whether an order may be executed here at all. What must never be cut is refused, whoever orders it.

use super::order::{Carrier, Order, Point};
use crate::{
    judge::{AllowanceKind, Commissioned, Role, VoltagePoint, floor::UNFIT_PERCENT},
    terms::{AssetId, MeterId, MilliWatts},
};

/// Why an act about an order is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It rests on no law.
    NoLegalBasis,
    /// Nobody answers for it that the equipment may lose its power without harm.
    NoSafeState,
    /// It names a meter that is not configured here, or one that does not serve the equipment.
    UnknownPoint,
    /// It would cut what must never be cut.
    NeverToBeCut,
    /// No such order was given here.
    UnknownOrder,
    /// The order stands where the act has no place.
    OutOfTurn,
    /// More orders than can be remembered are in force.
    TooMany,
    /// It tells of a time that has not been yet.
    NotYet,
    /// A reading that is not signed by the supplier's key which the order names.
    NotTheSupplier,
    /// A reading of another meter than the supplier's beside the point.
    AnotherMeter,
    /// A point that no meter of the order can ever tell without power: its voltage is taken before the breaker, it is fed
    /// by what is cut, or too much could hide below the floor of the meter upstream.
    CannotTell,
}

/// What an order asks of a metering point, as it was commissioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointTerms {
    /// What it is for.
    pub role: Role,
    /// What hangs on it besides the process.
    pub allowed: Vec<AllowanceKind>,
    /// The equipment it serves.
    pub serves: Vec<AssetId>,
    /// Where its meter takes its voltage.
    pub voltage_point: VoltagePoint,
    /// The feeder the meter itself is fed from, where that is a meter here.
    pub powered_by: Option<MeterId>,
    /// Power that is nothing but no-load losses and the floor.
    pub idle: MilliWatts,
    /// Rated power of what it serves.
    pub rated: MilliWatts,
}

impl From<&Commissioned> for PointTerms {
    fn from(terms: &Commissioned) -> PointTerms {
        PointTerms {
            role: terms.role,
            allowed: terms.allowances.iter().map(|allowance| allowance.kind).collect(),
            serves: terms.serves.to_vec(),
            voltage_point: terms.voltage_point,
            powered_by: terms.powered_by,
            idle: terms.idle_limit(),
            rated: terms.rated,
        }
    }
}

impl PointTerms {
    /// Whether cutting this point would take away what people's lives or the plant hang on: cooling, drainage,
    /// ventilation, gas purge and exhaust, gas detection, fire water and emergency lighting have feeders of role `safety`;
    /// barring, cooling and cranes that hang on another feeder are among its allowances.
    pub fn is_never_to_be_cut(&self) -> bool {
        let keeps =
            |kind| matches!(kind, AllowanceKind::Barring | AllowanceKind::Cooling | AllowanceKind::Crane);
        self.role == Role::Safety || self.allowed.iter().any(|kind| keeps(*kind))
    }

    /// Whether it feeds this equipment and nothing else.
    pub fn feeds_only(&self, asset: AssetId) -> bool {
        self.role == Role::Process && self.serves == [asset]
    }
}

/// Whether an order may be executed, by itself and by what is commissioned here.
///
/// # Errors
/// Why not.
pub fn check(order: &Order, terms_of: impl Fn(MeterId) -> Option<PointTerms>) -> Result<(), Unfit> {
    if order.basis.is_none() {
        return Err(Unfit::NoLegalBasis);
    }
    for point in &order.points {
        let terms = terms_of(point.meter).ok_or(Unfit::UnknownPoint)?;
        if terms.is_never_to_be_cut() {
            return Err(Unfit::NeverToBeCut);
        }
        if !can_tell(order, point, &terms, &terms_of) {
            return Err(Unfit::CannotTell);
        }
        let knows_upstream = point.upstream.is_none_or(|meter| terms_of(meter).is_some());
        if !terms.serves.contains(&order.asset) || !knows_upstream {
            return Err(Unfit::UnknownPoint);
        }
    }
    if order.safe_state.as_ref().is_some_and(|state| state.is_safe()) {
        Ok(())
    } else {
        Err(Unfit::NoSafeState)
    }
}

/// Whether what carries the proof of this point can: its own meter behind the breaker and fed from elsewhere, or one
/// upstream that would be fit as the point's own meter.
fn can_tell(
    order: &Order,
    point: &Point,
    own: &PointTerms,
    terms_of: &impl Fn(MeterId) -> Option<PointTerms>,
) -> bool {
    match point.carrier {
        Carrier::Own => {
            let is_cut = |feeder| order.points.iter().any(|point| point.meter == feeder);
            own.voltage_point != VoltagePoint::Bus && !own.powered_by.is_some_and(is_cut)
        }
        Carrier::Upstream => {
            let upstream = point.upstream.and_then(terms_of);
            // One that is not configured is refused as such.
            upstream.is_none_or(|upstream| upstream.idle.0 <= own.rated.0 / 100 * UNFIT_PERCENT)
        }
        Carrier::Utility => true,
    }
}
