mod ladder;
mod random;
pub(in crate::judge) mod tale;
mod thrown;
