//! The console over real HTTP: who comes in, what each may see, what stands on the screens, and how large they are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking, and tells its figures"
)]

mod brought;
mod browser;
mod called;
mod desk;
mod door;
mod encrypted;
mod figures;
mod finding;
mod looked;
mod monitoring;
mod own;
mod programs;
mod same;
mod screens;
mod sizes;
mod subtree;
#[path = "../support/mod.rs"]
mod support;
