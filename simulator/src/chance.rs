//! Seeded chance as a function of time: asked twice about the same moment it answers the same, so a plant does not
//! depend on how often it is looked at.

/// A source of chance. `Copy`, without state: the moment asked about takes the place of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance(u64);

impl Chance {
    /// The source of a seed.
    pub const fn new(seed: u64) -> Chance {
        Chance(mix(seed))
    }

    /// Another source, unlike this one.
    pub const fn branch(self, label: u64) -> Chance {
        Chance(mix(self.0 ^ mix(label)))
    }

    /// Evenly spread over 0 to 1, 1 left out.
    pub fn unit(self, at: u64) -> f64 {
        let bits = mix(self.0.wrapping_add(mix(at))) >> 32;
        f64::from(u32::try_from(bits).unwrap_or(0)) / 4_294_967_296.0
    }

    /// Evenly spread over -1 to 1.
    pub fn swing(self, at: u64) -> f64 {
        2.0 * self.unit(at) - 1.0
    }

    /// Between -1 and 1, another value every `period_ms` and a smooth way from each to the next.
    pub fn wander(self, at_ms: u64, period_ms: u32) -> f64 {
        let period = u64::from(period_ms.max(1));
        let (step, into) = (at_ms / period, at_ms % period);
        let way = f64::from(u32::try_from(into).unwrap_or(0)) / f64::from(period_ms.max(1));
        let (from, to) = (self.swing(step), self.swing(step + 1));
        from + (to - from) * way * way * (3.0 - 2.0 * way)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014) after one step of its sequence.
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixer_is_splitmix64() {
        // First outputs of the published generator for seed 1234567.
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
        assert_eq!(mix(1_234_567_u64.wrapping_add(0x9E37_79B9_7F4A_7C15)), 3_203_168_211_198_807_973);
    }

    #[test]
    fn chance_is_even_and_the_same_twice() {
        let chance = Chance::new(7);
        let mean = (0..10_000).map(|at| chance.unit(at)).sum::<f64>() / 10_000.0;
        assert!((0.48..0.52).contains(&mean), "{mean}");
        assert_eq!(chance.unit(5).to_bits(), Chance::new(7).unit(5).to_bits());
        assert_ne!(chance.unit(5).to_bits(), chance.branch(1).unit(5).to_bits());
    }

    #[test]
    fn a_wander_stays_in_bounds_and_has_no_jumps() {
        let chance = Chance::new(3);
        for at in 0..60_000 {
            let (now, next) = (chance.wander(at, 1_000), chance.wander(at + 1, 1_000));
            assert!(now.abs() <= 1.0 && (now - next).abs() < 0.004, "{at}: {now} {next}");
        }
    }
}
