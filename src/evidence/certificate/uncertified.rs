//! Why there is no certificate, and what to do about it.

use super::bearings::Figure;
use crate::{
    evidence::{hands::Disbelief, record::LogId},
    judge::cutoff::{Impossible, Lack, Rung},
};

/// Why there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncertified {
    /// The log has no such order.
    UnknownOrder,
    /// The log cannot be the machine's work, from this place on.
    Impossible(u64, Impossible),
    /// An act that it would rest on is not believed.
    Disbelieved(Disbelief),
    /// The record at this place says something of a hold that the records before it do not bear out.
    NotBorneOut(u64, Figure),
    /// Another log of the gateway tells of the order, and neither goes on after the other as it stood there.
    Another(LogId),
    /// The record at this place was written at another time than it says, by the receipts around it.
    Mistimed(LogId, u64),
    /// Another log of the gateway does not know the order, and tells of power behind the cut while it held.
    Power(LogId),
    /// It says that it goes on after this place of another log, and that log says otherwise.
    Otherwise(LogId, u64),
    /// The order does not stand where a cut is proven.
    NotProven(Rung),
    /// It was proven, and by now the hold lacks this: nothing of it may be certified as of now.
    NotHeld(Lack),
}

impl Uncertified {
    /// Why there is no certificate, for a person.
    pub fn told(self) -> String {
        match self {
            Uncertified::UnknownOrder => "no log that is kept has such an order".to_owned(),
            Uncertified::Impossible(seq, why) => {
                let what = match why {
                    Impossible::Hold(lack) => format!("{lack:?} is lacking"),
                    Impossible::UnknownOrder
                    | Impossible::From
                    | Impossible::Why
                    | Impossible::Way
                    | Impossible::Actor
                    | Impossible::NoHold
                    | Impossible::Stand
                    | Impossible::NotYet
                    | Impossible::Agreed
                    | Impossible::NotTheSupplier
                    | Impossible::Dark
                    | Impossible::Carrier
                    | Impossible::Since
                    | Impossible::Power
                    | Impossible::NotForHere
                    | Impossible::Expired
                    | Impossible::NotNewer
                    | Impossible::Continued => format!("{why:?}"),
                    Impossible::Unfit(unfit) => format!("a gateway refuses the act: {unfit:?}"),
                };
                format!("the log has an impossible step at #{seq} ({what})")
            }
            Uncertified::Disbelieved(why) => why.told(),
            Uncertified::NotBorneOut(seq, figure) => {
                format!(
                    "what #{seq} says of the hold's `{}` the records before it do not bear out",
                    figure.member()
                )
            }
            Uncertified::Another(log) => format!(
                "log {log} of the same gateway tells of the order too, and this log does not go on after it as it stood there; \
                 settle with the gateway which of them holds, and have the authority give the order anew"
            ),
            Uncertified::Mistimed(log, seq) => format!(
                "#{seq} of log {log} was written at another time than it says, by the receipts around it, and no hold is proven \
                 by such a clock: set the gateway's clock, and have the order given anew, or wait for a new hold"
            ),
            Uncertified::Power(log) => format!(
                "log {log} of the same gateway knows nothing of the order, and tells of power behind the cut while it is said \
                 to have held; see what the gateway's meters showed, and have the authority give the order anew"
            ),
            Uncertified::Otherwise(log, seq) => format!(
                "it says that it goes on after #{seq} of log {log}, and that log tells the order otherwise; a certificate \
                 wants the order given anew, or its latch opened, by the authority"
            ),
            Uncertified::NotHeld(lack) => {
                format!(
                    "it was verified, and by now the hold lacks {lack:?}: send the supplier's readings, and see what the gateway's log tells of its gaps"
                )
            }
            Uncertified::NotProven(rung) => {
                format!("it stands at {}; one is given where it is verified or maintained", rung.word())
            }
        }
    }
}
