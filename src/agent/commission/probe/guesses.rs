//! Registers without a map: every reading there is, side by side.

use serde::Serialize;

use super::report::register;
use crate::metering::{
    Block,
    decode::{Guess, Looks, guesses},
    profile::WordOrder,
};

/// Registers for machines.
#[derive(Serialize)]
pub struct Json {
    function: u8,
    at: u16,
    words: Vec<String>,
    readings: Vec<ReadingJson>,
}

#[derive(Serialize)]
struct ReadingJson {
    at: u16,
    r#type: &'static str,
    order: &'static str,
    number: Option<String>,
    looks_like: Vec<String>,
}

impl Json {
    /// Every reading of these words.
    pub fn of(block: Block, words: &[u16]) -> Json {
        let of = |guess: Guess| ReadingJson {
            at: block.at.saturating_add(guess.offset),
            r#type: guess.kind.word(),
            order: order(guess.order),
            number: guess.number,
            looks_like: guess.looks.iter().map(looks).collect(),
        };
        Json {
            function: block.function.code(),
            at: block.at,
            words: words.iter().map(|word| format!("0x{word:04X}")).collect(),
            readings: guesses(words).into_iter().map(of).collect(),
        }
    }
}

/// Every reading of these words, one register a line; what looks like something is said so.
pub fn all(block: Block, words: &[u16]) -> Vec<String> {
    let guesses = guesses(words);
    let mut lines = Vec::new();
    for (offset, word) in (0_u16..).zip(words) {
        let at = Block { at: block.at.saturating_add(offset), ..block };
        lines.push(format!("{} = 0x{word:04X}", register(at)));
        let here = guesses.iter().filter(|guess| guess.offset == offset && guess.number.is_some());
        lines.extend(here.map(|guess| format!("    {}", reading(guess))));
    }
    lines
}

/// The readings of these words that look like a voltage or a frequency.
pub fn likely(block: Block, words: &[u16]) -> Vec<String> {
    let guesses = guesses(words);
    let looking = guesses.iter().filter(|guess| !guess.looks.is_empty());
    let line = |guess: &Guess| {
        let at = Block { at: block.at.saturating_add(guess.offset), ..block };
        format!("  {}: {}", register(at), reading(guess))
    };
    looking.map(line).collect()
}

fn reading(guess: &Guess) -> String {
    let order = if guess.kind.words() == 1 { "" } else { order(guess.order) };
    let number = guess.number.as_deref().unwrap_or("-");
    let looks: Vec<String> = guess.looks.iter().map(looks).collect();
    let mark = if looks.is_empty() { String::new() } else { format!("   <- {}", looks.join(", ")) };
    format!("{:<4}{order:<7} {number}{mark}", guess.kind.word())
}

fn looks(looks: &Looks) -> String {
    match looks {
        Looks::Volts { nominal_dv, scale } => {
            format!("{}.{} V x {scale}", nominal_dv / 10, nominal_dv % 10)
        }
        Looks::Hertz { nominal, scale } => format!("{nominal} Hz x {scale}"),
    }
}

const fn order(order: WordOrder) -> &'static str {
    match order {
        WordOrder::Big => "big",
        WordOrder::Little => "little",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::Function;

    #[test]
    fn a_float_voltage_is_found_whatever_else_the_words_may_mean() {
        let block = Block { function: Function::Input, at: 0, count: 2 };
        let bits = 230.4_f32.to_bits();
        let words = [u16::try_from(bits >> 16).unwrap(), u16::try_from(bits & 0xFFFF).unwrap()];
        let likely = likely(block, &words);
        assert!(
            likely
                .iter()
                .any(|l| l.contains("fc 4 register 0 (0x0000, 30001): f32 big") && l.contains("230.0 V")),
            "{likely:?}"
        );
        let all = all(block, &words);
        assert!(all.len() > 8 && all.first().is_some_and(|line| line.ends_with("= 0x4366")), "{all:?}");
        let json = serde_json::to_value(Json::of(block, &words)).unwrap();
        assert_eq!((&json["function"], &json["words"][0]), (&4.into(), &"0x4366".into()));
    }
}
