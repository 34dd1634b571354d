mod figures;
mod forged;
mod ladder;
mod random;
mod stopped;
mod supplier;
pub(in crate::judge) mod tale;
mod thrown;
