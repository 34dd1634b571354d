//! Reactive power that was declared: capacitors and filters, what magnetises a transformer, and what may lawfully run.

use crate::judge::commission::Commissioned;

/// Reactive power that magnetises a transformer, in percent of its no-load loss: a power factor of 0.1, the smallest of
/// those in METERING.md C.
pub const MAGNETISING_PERCENT: i128 = 1_000;
/// Declared capacitors are believed to stand at no more than this, in percent of nominal: an earth fault lifts what the
/// phases show against the neutral, and not what stands between them.
pub const HIGHEST_PERCENT: i128 = 110;

/// What was declared, in thousandths of var, where this is the highest voltage, in millivolts: with its square capacitors
/// give and a transformer is magnetised; beside them what may lawfully run takes what it was allowed. Never less than at
/// nominal: a voltage that a blown fuse hides is there.
pub fn declared_var(terms: &Commissioned, highest: i128) -> i128 {
    let nominal = i128::from(terms.nominal.0).max(1);
    let magnetising = i128::from(terms.no_load.0) * MAGNETISING_PERCENT / 100;
    let standing = i128::from(terms.compensation_var) * 1_000 + magnetising;
    let voltage = highest.clamp(nominal, nominal * HIGHEST_PERCENT / 100);
    standing * voltage / nominal * voltage / nominal + running_var(terms)
}

/// What may lawfully run takes as reactive power, in thousandths of var.
pub fn running_var(terms: &Commissioned) -> i128 {
    terms.allowances.iter().map(|a| i128::from(a.var) * 1_000).sum()
}

/// What declared capacitors and filters give, in thousandths of var, at this voltage in millivolts.
pub fn compensation_var(terms: &Commissioned, voltage: i128) -> i128 {
    let nominal = i128::from(terms.nominal.0).max(1);
    i128::from(terms.compensation_var) * 1_000 * voltage / nominal * voltage / nominal
}
