//! What words might mean when no map is known: every type and word order side by side, the likely ones marked.

use super::{
    super::{
        profile::{Kind, WordOrder},
        scan::MAX_BLOCK_WORDS,
    },
    number::{Number, number},
};
use crate::terms::Decimal;

/// Most words looked at in one go.
pub const MAX_GUESS_WORDS: usize = MAX_BLOCK_WORDS as usize;

/// What a number looks like, and by which scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Within 10 % of a usual voltage.
    Volts {
        /// Which, in tenths of a volt.
        nominal_dv: u32,
        /// The scale that makes it so.
        scale: Decimal,
    },
    /// Within 1 % of a usual frequency.
    Hertz {
        /// Which, in hertz.
        nominal: u32,
        /// The scale that makes it so.
        scale: Decimal,
    },
}

/// One way to read some of the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// Words from the first one looked at.
    pub offset: u16,
    /// The type.
    pub kind: Kind,
    /// The word order; big for single words.
    pub order: WordOrder,
    /// The raw number in digits, as exact as the type; `None` for NaN and infinity.
    pub number: Option<String>,
    /// What it looks like; empty for most.
    pub looks: Vec<Looks>,
}

/// Usual voltages in tenths of a volt: transformer secondaries, low voltage, medium voltage.
const VOLTS: &[u32] = &[
    577, 1_000, 1_200, 2_200, 2_300, 2_400, 2_770, 3_800, 4_000, 4_150, 4_800, 6_600, 6_900, 60_000, 63_000,
    100_000, 105_000, 350_000,
];
/// Usual frequencies in hertz.
const HERTZ: &[u32] = &[50, 60];
/// Scales that meters use for voltages and frequencies, by their power of ten.
const POWERS: &[i8] = &[0, -1, -2, -3];

/// Every reading of every position of these words, in the order of positions and types; words past
/// [`MAX_GUESS_WORDS`] are left out.
pub fn guesses(words: &[u16]) -> Vec<Guess> {
    let words = words.get(..words.len().min(MAX_GUESS_WORDS)).unwrap_or(&[]);
    let at = |offset: usize| {
        Kind::ALL.iter().flat_map(move |(_, kind)| {
            let run = words.get(offset..offset + usize::from(kind.words()));
            let orders: &[WordOrder] =
                if kind.words() == 1 { &[WordOrder::Big] } else { &[WordOrder::Big, WordOrder::Little] };
            orders.iter().filter_map(move |order| Some(guess(offset, *kind, *order, run?)))
        })
    };
    (0..words.len()).flat_map(at).collect()
}

fn guess(offset: usize, kind: Kind, order: WordOrder, words: &[u16]) -> Guess {
    let number = number(kind, order, words);
    let (digits, millis) = match number {
        Number::Whole(raw) => (Some(raw.to_string()), raw.checked_mul(1_000)),
        Number::Float { value, .. } => (value.is_finite().then(|| digits(value)), millis(value)),
    };
    Guess {
        offset: u16::try_from(offset).unwrap_or(u16::MAX),
        kind,
        order,
        number: digits,
        looks: millis.map_or_else(Vec::new, looks),
    }
}

/// Digits a person can compare with a display.
fn digits(value: f64) -> String {
    let usual = value == 0.0 || (1e-3..1e12).contains(&value.abs());
    if usual { format!("{value:.4}") } else { format!("{value:e}") }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn millis(value: f64) -> Option<i128> {
    (value.is_finite() && value.abs() < 1e15).then(|| (value * 1e3).round() as i128)
}

fn looks(millis: i128) -> Vec<Looks> {
    let mut looks = Vec::new();
    for power in POWERS {
        let scale = Decimal { mantissa: 1, exponent: *power };
        // Thousandths of thousandths, so that the smallest scale loses nothing.
        let Some(found) = millis.checked_mul(1_000).and_then(|fine| scale.times(fine)) else { continue };
        let near = |nominal: i128, parts: i128| (found - nominal).abs() * parts <= nominal;
        let volts = VOLTS.iter().filter(|dv| near(i128::from(**dv) * 100_000, 10));
        // Of several the nearest: 230 V also lies within 10 % of 220 V.
        let nearest = volts.min_by_key(|dv| (found - i128::from(**dv) * 100_000).abs());
        looks.extend(nearest.map(|dv| Looks::Volts { nominal_dv: *dv, scale }));
        let hertz = HERTZ.iter().find(|hertz| near(i128::from(**hertz) * 1_000_000, 100));
        looks.extend(hertz.map(|hertz| Looks::Hertz { nominal: *hertz, scale }));
    }
    looks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_true_reading_is_marked_among_all_the_others() {
        // 231.68 V as a single, then 2301 tenths of a volt, then 50.01 Hz in hundredths.
        let guesses = guesses(&[0x4367, 0xAF55, 2_301, 5_001]);
        let marked = |offset: u16, kind: Kind| {
            guesses
                .iter()
                .find(|g| g.offset == offset && g.kind == kind && g.order == WordOrder::Big)
                .unwrap()
        };
        let scale = |exponent| Decimal { mantissa: 1, exponent };
        let single = marked(0, Kind::F32);
        assert_eq!(single.number.as_deref(), Some("231.6849"));
        assert!(single.looks.contains(&Looks::Volts { nominal_dv: 2_300, scale: scale(0) }), "{single:?}");
        assert!(marked(2, Kind::U16).looks.contains(&Looks::Volts { nominal_dv: 2_300, scale: scale(-1) }));
        assert!(marked(3, Kind::U16).looks.contains(&Looks::Hertz { nominal: 50, scale: scale(-2) }));
        let swapped = guesses.iter().find(|g| g.kind == Kind::F32 && g.order == WordOrder::Little).unwrap();
        assert!(swapped.looks.is_empty(), "the other word order is nothing: {swapped:?}");
        assert_eq!(guesses.iter().filter(|g| g.offset == 3).count(), 2, "one register is one of two types");
    }

    #[test]
    fn no_number_is_made_of_nothing_and_zero_looks_like_nothing() {
        let nan = guesses(&[0x7FC0, 0]);
        assert!(nan.iter().any(|g| g.kind == Kind::F32 && g.number.is_none()));
        assert!(guesses(&[0; 4]).iter().all(|g| g.looks.is_empty()));
        assert!(guesses(&[]).is_empty());
        assert_eq!(guesses(&[1; 400]), guesses(&[1; MAX_GUESS_WORDS]));
    }
}
