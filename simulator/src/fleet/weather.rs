//! PURE file: what befalls each gateway and when, by seed: outages of its network, restarts, and storms, in which every
//! link of the fleet breaks at once.

use crate::Chance;

/// Longest outage of one gateway, in milliseconds of life.
pub const MAX_OUTAGE_MS: u64 = 20_000;
/// Shortest outage of one gateway, in milliseconds of life.
pub(super) const MIN_OUTAGE_MS: u64 = 1_000;
/// How long a storm keeps every link broken, in milliseconds of life.
pub const STORM_MS: u64 = 2_000;
/// Share of the run, in percent from its end, in which nothing new befalls anybody.
const CALM_PERCENT: u64 = 10;

/// What befalls one gateway; every time in milliseconds of life since the fleet began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Weather {
    /// From when to when there is no way to the broker, in order, none overlapping.
    pub dark: Vec<(u64, u64)>,
    /// When the gateway loses its power and starts again.
    pub restarts: Vec<u64>,
}

/// How much befalls a fleet.
#[derive(Clone, Debug)]
pub(super) struct Climate {
    /// Decides all of it.
    pub seed: u64,
    /// Gateways of the fleet.
    pub gateways: u32,
    /// How long the fleet runs, in milliseconds of life.
    pub for_ms: u64,
    /// Outages of single gateways over the whole run.
    pub outages: u32,
    /// Restarts of single gateways over the whole run.
    pub restarts: u32,
    /// When every link breaks.
    pub storms_ms: Vec<u64>,
}

impl Climate {
    /// The weather of every gateway, by number.
    pub(super) fn weather(&self) -> Vec<Weather> {
        let mut all: Vec<Weather> = (0..self.gateways).map(|_| Weather::default()).collect();
        let (whom, when, how_long) = (self.chance(1), self.chance(2), self.chance(3));
        for outage in 0..u64::from(self.outages) {
            let from = part(when.unit(outage), self.eventful_ms());
            let to = from + MIN_OUTAGE_MS + part(how_long.unit(outage), MAX_OUTAGE_MS - MIN_OUTAGE_MS);
            if let Some(weather) = self.one_of(&mut all, whom, outage) {
                weather.dark.push((from, to));
            }
        }
        let (whom, when) = (self.chance(4), self.chance(5));
        for restart in 0..u64::from(self.restarts) {
            let at = part(when.unit(restart), self.eventful_ms());
            if let Some(weather) = self.one_of(&mut all, whom, restart) {
                weather.restarts.push(at);
            }
        }
        for weather in &mut all {
            weather.dark.extend(self.storms_ms.iter().map(|storm| (*storm, storm + STORM_MS)));
            weather.dark.sort_unstable();
            weather.dark = joined(&weather.dark);
            weather.restarts.sort_unstable();
        }
        all
    }

    fn one_of<'w>(&self, all: &'w mut [Weather], whom: Chance, turn: u64) -> Option<&'w mut Weather> {
        let number = part(whom.unit(turn), u64::from(self.gateways));
        all.get_mut(usize::try_from(number).ok()?)
    }

    fn eventful_ms(&self) -> u64 {
        self.for_ms / 100 * (100 - CALM_PERCENT)
    }

    fn chance(&self, label: u64) -> Chance {
        Chance::new(self.seed).branch(label)
    }
}

/// A part of a whole, `unit` being at least 0 and below 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "both are far below 2^52, and the part is below the whole"
)]
fn part(unit: f64, whole: u64) -> u64 {
    ((unit * whole as f64) as u64).min(whole.saturating_sub(1))
}

fn joined(spans: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for (from, to) in spans {
        match all.last_mut() {
            Some((_, end)) if *from <= *end => *end = (*end).max(*to),
            Some(_) | None => all.push((*from, *to)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climate(seed: u64) -> Climate {
        Climate { seed, gateways: 50, for_ms: 60_000, outages: 40, restarts: 10, storms_ms: vec![30_000] }
    }

    #[test]
    fn the_same_seed_brings_the_same_weather_and_another_another() {
        assert_eq!(climate(7).weather(), climate(7).weather());
        assert_ne!(climate(7).weather(), climate(8).weather());
    }

    #[test]
    fn a_storm_befalls_everybody_and_nothing_befalls_anybody_at_the_end() {
        let all = climate(7).weather();
        assert_eq!(all.iter().map(|weather| weather.restarts.len()).sum::<usize>(), 10);
        for weather in &all {
            assert!(weather.dark.iter().any(|(from, to)| *from <= 30_000 && *to >= 32_000));
            assert!(weather.dark.windows(2).all(|pair| pair[0].1 < pair[1].0), "{weather:?}");
            assert!(weather.dark.iter().all(|(from, _)| *from < 54_000), "{weather:?}");
        }
        assert!(all.iter().filter(|weather| weather.dark.len() > 1).count() > 10);
    }
}
