mod ladder;
mod random;
mod supplier;
pub(in crate::judge) mod tale;
mod thrown;
