//! The desk's alarms: what is the matter, who knows of it, who is told.
//!
//! Records say of each thing that can be the matter whether it stands ([`signals`]); the store keeps that with the record,
//! never one without the other. Silence is seen by looking at who was heard when ([`outage`]). The [`board`] makes
//! alarms of both, by the states of ISA-18.2 ([`state`]), and goes through their delays, shelves, wider alarms and levels.
//! Each step is signed, names the one before it, and is kept ([`entry`]); pagers read that log and tell receivers ([`pager`]).
//!
//! A screen reads alarms from the store ([`crate::regulator::store::Alarms`]: pages by division and kind, counts, the steps of
//! one), shows them by [`notice::alarm_json`] or the words of their state, cause and kind, and does what a person wants done
//! by [`act`], which signs and keeps it. Whether that person may is for the screen to know: [`About::division`] says whose it is.
//!
//! The latch of a violation is the judge's. An alarm shows it, and nothing here opens it.

pub mod ahead;
pub mod alarm;
pub mod board;
pub mod cause;
pub mod condition;
mod doubt;
pub mod ending;
pub mod entry;
pub mod escalation;
pub mod kpi;
pub mod left;
pub mod log;
pub mod notice;
pub mod numbers;
pub mod office;
pub mod outage;
pub mod outs;
pub mod pager;
pub mod receiver;
pub mod regime;
pub mod shelf;
pub mod signals;
pub mod state;
mod telling;
pub mod untold;
mod wider;

pub use self::{
    alarm::{Alarm, Hand, MAX_RETIRED_MS, MAX_SHELF_MS, Step},
    board::{Board, Deed, Own, Refused},
    cause::{Cause, Kind, Priority},
    condition::{About, AlarmId, Condition, Settled, Shown, Waiting},
    entry::{Entry, KeptStep, level},
    numbers::Numbers,
    office::{Office, act},
    pager::{KeptPager, Notification},
    receiver::{Format, Receiver, Way, Webhook},
    regime::Regime,
    state::{Event, Hush, Life, State},
};
