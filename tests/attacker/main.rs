//! The adversary as a program, played against the real verifiers and, where it takes one, the real agent: one test for
//! each move that software can show.
//!
//! What no software here shows, and no test pretends to: a bypassed feeder, a substituted current transformer, a second
//! unmetered cable; a live relay of another, idle meter; an owner who holds the agent before it signs and never goes
//! offline; a copied key whose rightful owner is switched off; records replaced before anybody received them; what ran
//! during a blackout beyond the energy register; the reason of a silence. Swapped meters, changed ratios and played
//! registers are the judge's and the simulator's tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod broker;
mod keys;
mod letters;
mod log;
mod places;
mod restored;
#[path = "../support/mod.rs"]
mod support;
