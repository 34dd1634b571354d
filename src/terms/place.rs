//! Where a plant lies and who answers for it: division codes (GB/T 2260) and unified social credit codes (GB 32100).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A level of a division code, which is a level of a topic, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The first two digits.
    Province,
    /// The next two: a prefecture.
    City,
    /// The last two.
    County,
}

impl Level {
    /// Every one of them, from the top.
    pub const ALL: [Level; 3] = [Level::Province, Level::City, Level::County];

    /// Its name in configuration and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Level::Province => "province",
            Level::City => "city",
            Level::County => "county",
        }
    }
}

/// Province-level divisions (GB/T 2260).
const PROVINCES: [&str; 34] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42",
    "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82",
];

/// Of provinces that there are those that a code which names none may have meant: one of its digits stands where it does there.
/// All of them where none does; none of them where it names one, or the whole nation.
pub fn provinces_meant(code: &str) -> Vec<&'static str> {
    let Some(two) = code.get(..2).filter(|two| *two != "00" && !PROVINCES.contains(two)) else {
        return Vec::new();
    };
    let shares = |known: &&&str| known.bytes().zip(two.bytes()).any(|(known, asked)| known == asked);
    let near: Vec<&str> = PROVINCES.iter().filter(shares).copied().collect();
    if near.is_empty() { PROVINCES.to_vec() } else { near }
}

/// What is said to whoever named a province that there is none of, with those he may have [meant](provinces_meant).
pub fn no_such_province(meant: &[&str]) -> String {
    format!("there is no such province; there are {}", meant.join(", "))
}

/// A six-digit division code of a county: two digits each for province, prefecture and county.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Division([u8; 6]);

impl Division {
    /// `None` unless exactly six digits.
    pub fn parse(text: &str) -> Option<Division> {
        let digits: [u8; 6] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Division(digits))
    }

    /// The three levels as topics carry them: province, prefecture, county.
    pub fn levels(&self) -> [&str; 3] {
        let level =
            |from: usize| self.0.get(from..from + 2).and_then(|d| str::from_utf8(d).ok()).unwrap_or("00");
        [level(0), level(2), level(4)]
    }

    /// The division of a level that it lies in: its own digits down to there, zeros below.
    #[must_use]
    pub fn at(self, level: Level) -> Division {
        let told = match level {
            Level::Province => 2,
            Level::City => 4,
            Level::County => 6,
        };
        let mut digits = self.0;
        digits.iter_mut().skip(told).for_each(|digit| *digit = b'0');
        Division(digits)
    }

    /// Its own level: the last whose digits are not both zero; `None` for the nation, `000000`.
    pub fn level(self) -> Option<Level> {
        let [province, city, county] = self.levels().map(|level| level != "00");
        match (province, city, county) {
            (_, _, true) => Some(Level::County),
            (_, true, false) => Some(Level::City),
            (true, false, false) => Some(Level::Province),
            (false, false, false) => None,
        }
    }

    /// Whether another lies in it, or is it.
    pub fn covers(self, other: Division) -> bool {
        self.level().is_none_or(|level| other.at(level) == self)
    }

    /// Whether a plant may lie there: not in a province that there is none of, nor in no part of one. Which prefectures and
    /// counties a province has changes every year, and is not looked at.
    pub fn may_hold_a_plant(self) -> bool {
        let [province, ..] = self.levels();
        PROVINCES.contains(&province) && !matches!(self.level(), None | Some(Level::Province))
    }

    /// The whole nation.
    pub const NATION: Division = Division(*b"000000");
}

impl fmt::Display for Division {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.levels().iter().try_for_each(|level| f.write_str(level))
    }
}

const CREDIT_SYMBOLS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const CREDIT_WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// The 18 symbols of an enterprise's unified social credit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreditCode([u8; 18]);

impl CreditCode {
    /// `None` unless 18 of the 31 symbols of GB 32100. The check symbol is not required to fit:
    /// codes that fail it have been issued, so it only warrants a warning.
    pub fn parse(text: &str) -> Option<CreditCode> {
        let symbols: [u8; 18] = text.as_bytes().try_into().ok()?;
        symbols.iter().all(|s| CREDIT_SYMBOLS.contains(s)).then_some(CreditCode(symbols))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or("")
    }

    /// Whether the last symbol is the check symbol GB 32100 computes from the others.
    pub fn check_symbol_fits(&self) -> bool {
        let value = |s: &u8| {
            CREDIT_SYMBOLS.iter().position(|c| c == s).and_then(|v| u32::try_from(v).ok()).unwrap_or(0)
        };
        let sum: u32 = self.0.iter().zip(CREDIT_WEIGHTS).map(|(s, weight)| value(s) * weight).sum();
        self.0.last().map(value) == Some((31 - sum % 31) % 31)
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_division_has_three_levels() {
        assert_eq!(Division::parse("140525").unwrap().levels(), ["14", "05", "25"]);
        assert_eq!(Division::parse("140525").unwrap().to_string(), "140525");
        for wrong in ["14052", "1405255", "14052x", ""] {
            assert_eq!(Division::parse(wrong), None);
        }
    }

    #[test]
    fn a_province_that_there_is_not_is_told_by_those_that_may_be_meant() {
        assert_eq!(provinces_meant("16"), ["11", "12", "13", "14", "15", "36", "46"]);
        assert_eq!(provinces_meant("999999").len(), PROVINCES.len());
        for good in ["13", "1304", "130421", "000000", "", "1"] {
            assert_eq!(provinces_meant(good), [""; 0], "{good}");
        }
    }

    #[test]
    fn a_plant_lies_in_a_county_of_a_province_that_there_is() {
        for good in ["130421", "441900", "659001", "110101"] {
            assert!(Division::parse(good).unwrap().may_hold_a_plant(), "{good}");
        }
        for wrong in ["000000", "999999", "130000", "990421"] {
            assert!(!Division::parse(wrong).unwrap().may_hold_a_plant(), "{wrong}");
        }
    }

    #[test]
    fn a_division_covers_what_lies_in_it() {
        let division = |code: &str| Division::parse(code).unwrap();
        let county = division("130421");
        assert_eq!(Level::ALL.map(|level| county.at(level).to_string()), ["130000", "130400", "130421"]);
        let levels = ["000000", "130000", "130400", "130421"].map(|code| division(code).level());
        assert_eq!(levels, [None, Some(Level::Province), Some(Level::City), Some(Level::County)]);
        for above in ["000000", "130000", "130400", "130421"] {
            assert!(division(above).covers(county), "{above}");
        }
        for beside in ["130422", "130500", "140000"] {
            assert!(!division(beside).covers(county) && !county.covers(division(beside)), "{beside}");
        }
        assert!(!county.covers(division("130400")) && Division::NATION == division("000000"));
    }

    #[test]
    fn the_check_symbol_warns_but_never_rejects() {
        assert!(CreditCode::parse("91350100M000100Y43").unwrap().check_symbol_fits());
        assert!(CreditCode::parse("91420000737944946L").unwrap().check_symbol_fits());
        assert!(!CreditCode::parse("91350211M0000XUF46").unwrap().check_symbol_fits());
        assert_eq!(CreditCode::parse("91350100M000100Y4I"), None);
    }
}
