//! What a record says of cut-off orders, told apart in one place for everybody who follows them.

use super::{
    act::{Act, Answer},
    body::{Body, Genesis},
    commissioning::Commissioning,
};
use crate::judge::{
    DarkMeter, Event, Finding, OrderAct, StateFinding, Transition, Verdict,
    cutoff::{HoldNote, Reconciliation},
};

/// What a record says of orders.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "looked at once and dropped")]
pub enum OfOrders<'b> {
    /// A log begins, and every order with it.
    Begins(&'b Genesis),
    /// Something is done about one, by this act.
    Act(OrderAct, &'b Act),
    /// A step of one.
    Step(&'b Transition),
    /// How one stands between two steps.
    Note(&'b HoldNote),
    /// A day as both meters counted it.
    Day(&'b Reconciliation),
    /// What a meter shows of a time in which the witness was dark.
    Dark(&'b DarkMeter),
}

/// What a record says that orders are judged by, and no more.
#[derive(Clone, Copy, Debug)]
pub enum BesideOrders<'b> {
    /// A life of the witness begins: what the log before held has been told.
    Boots,
    /// An act was answered: all that follows from it stands before.
    Answered(&'b Answer),
    /// What was declared of a metering point.
    Commissioned(&'b Commissioning),
    /// The state of a meter's feeder.
    State(&'b StateFinding),
    /// The verdict on a piece of equipment.
    Verdict(&'b Verdict),
}

impl Body {
    /// What it says that cut-off orders are judged by besides what is said of them.
    pub fn beside_orders(&self) -> Option<BesideOrders<'_>> {
        match self {
            Body::Boot(_) => Some(BesideOrders::Boots),
            Body::Answer(answer) => Some(BesideOrders::Answered(answer)),
            Body::Commissioned(point) => Some(BesideOrders::Commissioned(point)),
            Body::Finding(Finding::State(told)) => Some(BesideOrders::State(told)),
            Body::Finding(Finding::Verdict(told)) => Some(BesideOrders::Verdict(told)),
            Body::Genesis(_)
            | Body::Checkpoint(_)
            | Body::Rotation(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Act(_)
            | Body::Notice(_)
            | Body::Finding(Finding::Interval(_) | Finding::Event(_) | Finding::Transition(_)) => None,
        }
    }

    /// What it says of cut-off orders, if anything. A transition of the time before orders were executed says nothing.
    pub fn of_orders(&self) -> Option<OfOrders<'_>> {
        match self {
            Body::Genesis(genesis) => Some(OfOrders::Begins(genesis)),
            Body::Act(act) => act.about_orders().map(|about| OfOrders::Act(about, act)),
            Body::Finding(Finding::Transition(step)) => step.stand.map(|_| OfOrders::Step(step)),
            Body::Finding(Finding::Event(event)) => match event {
                Event::Hold(note) => Some(OfOrders::Note(note)),
                Event::Reconcile(day) => Some(OfOrders::Day(day)),
                Event::Dark(told) => Some(OfOrders::Dark(told)),
                Event::ClockStepped { .. }
                | Event::Register(_)
                | Event::Sign(_)
                | Event::Balance(_)
                | Event::FedBehindCut { .. }
                | Event::Meter(_)
                | Event::Plate(_)
                | Event::PlateUnreadable { .. }
                | Event::PlateDiffers { .. }
                | Event::ClassChanged(_)
                | Event::DeadlineWarning(_)
                | Event::NotOnRoster { .. }
                | Event::PermitUsed { .. } => None,
            },
            Body::Boot(_)
            | Body::Checkpoint(_)
            | Body::Rotation(_)
            | Body::Skip { .. }
            | Body::Gap(_)
            | Body::Rollback(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Commissioned(_)
            | Body::Finding(Finding::State(_) | Finding::Interval(_) | Finding::Verdict(_)) => None,
        }
    }
}
