//! PURE file. Price documents: what a kilowatt-hour costs more, for whom, on which days. The notice names no price.
//!
//! ```toml
//! [[price]]
//! document = "发改价格〔2010〕978号"     # as it is cited
//! entry = "steel-electric-furnace-up-to-30t"   # for one entry of the catalogue; without it for every one
//! from = 2010-06-01
//! until = 2012-12-31                  # the last day it is in force; open without it
//! yuan_per_kwh = 0.3
//! ```

use crate::terms::{
    Decimal, Flaw, Flaws, LegalDay,
    flaw::Wrong,
    form::{self, Form, Node},
};

/// Largest surcharge, in millionths of a yuan for each kilowatt-hour: a hundred yuan.
pub const MAX_MICRO_YUAN: i64 = 100_000_000;
/// Power of ten from a yuan to its millionth.
const MICRO: i8 = 6;

/// One price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The document, as it is cited.
    pub document: String,
    /// The entry it is for; every one where none is named.
    pub entry: Option<String>,
    /// The first day it is in force.
    pub from: LegalDay,
    /// The last one.
    pub until: Option<LegalDay>,
    /// In millionths of a yuan for each kilowatt-hour.
    pub micro_yuan_per_kwh: i64,
}

/// All prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tariff {
    prices: Vec<Price>,
}

impl Price {
    fn is_in_force(&self, day: LegalDay) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

    fn overlaps(&self, other: &Price) -> bool {
        self.entry == other.entry
            && self.until.is_none_or(|until| other.from <= until)
            && other.until.is_none_or(|until| self.from <= until)
    }
}

/// What some energy costs more at so many millionths of a yuan for each kilowatt-hour, in fen, half a fen rounded up.
pub fn fen(energy_wh: i64, micro_yuan_per_kwh: i64) -> i64 {
    let micro = i128::from(energy_wh) * i128::from(micro_yuan_per_kwh) / 1_000;
    i64::try_from((micro + 5_000).div_euclid(10_000)).unwrap_or(i64::MAX)
}

impl Tariff {
    /// Reads price documents; `is_entry` tells what the catalogue has.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn parse(file: &str, text: &str, is_entry: &dyn Fn(&str) -> bool) -> Result<Tariff, Vec<Flaw>> {
        let node = Node::parse(file, text)?;
        let flaws = Flaws::default();
        let mut tariff = Tariff::default();
        if let Some(form) = Form::of(&node, &flaws) {
            for table in form.tables("price") {
                let place = table.place("from").clone();
                let Some(price) = price(table, is_entry) else { continue };
                if let Some(other) = tariff.prices.iter().find(|other| other.overlaps(&price)) {
                    let wrong =
                        format!("two prices on one day: of {} and of {}", other.document, price.document);
                    let what = Wrong::new(wrong, "end the earlier one by `until`");
                    flaws.add(place, what);
                }
                tariff.prices.push(price);
            }
            form.close();
        }
        if flaws.is_empty() { Ok(tariff) } else { Err(flaws.into_sorted()) }
    }

    /// Whether an entry has one price from one day to another, so that whatever was drawn in between has it.
    pub fn is_same(&self, entry: &str, first: LegalDay, last: LegalDay) -> bool {
        let after = |day: LegalDay| LegalDay::numbered(day.number().saturating_add(1));
        let turns = self.prices.iter().flat_map(|price| [Some(price.from), price.until.map(after)]).flatten();
        let mut between = turns.filter(|day| first < *day && *day <= last);
        let price = self.on(entry, first);
        between.all(|day| self.on(entry, day) == price)
    }

    /// The price of an entry on a day: its own before that of every one.
    pub fn on(&self, entry: &str, day: LegalDay) -> Option<&Price> {
        let in_force = || self.prices.iter().filter(|price| price.is_in_force(day));
        let own = in_force().find(|price| price.entry.as_deref() == Some(entry));
        own.or_else(|| in_force().find(|price| price.entry.is_none()))
    }
}

fn price(form: Form<'_>, is_entry: &dyn Fn(&str) -> bool) -> Option<Price> {
    let document = form.required("document", form::text);
    let entry = form.optional("entry", form::text);
    let from = form.required("from", form::day);
    let until = form.optional("until", form::day);
    let rate = form.required("yuan_per_kwh", form::decimal);
    if let Some(unknown) = entry.as_deref().filter(|entry| !is_entry(entry)) {
        let wrong = format!("the catalogue has no entry {unknown}");
        form.flaw(
            "entry",
            &wrong,
            "`coldhearth-regulator report list` names entries; leave it out for a price of all",
        );
    }
    if from.zip(until).is_some_and(|(from, until)| until < from) {
        form.flaw("until", "`until` lies before `from`", "name the last day it is in force");
    }
    let micro_yuan_per_kwh = rate.and_then(|rate| {
        let micro = micro_yuan(rate);
        if micro.is_none() {
            form.flaw("yuan_per_kwh", "`yuan_per_kwh` is no such price", "0 to 100, at most six decimals");
        }
        micro
    });
    form.close();
    let micro_yuan_per_kwh = micro_yuan_per_kwh?;
    Some(Price { document: document?, entry, from: from?, until, micro_yuan_per_kwh })
}

/// Exactly so many millionths; `None` where it is finer, negative, or too much.
fn micro_yuan(rate: Decimal) -> Option<i64> {
    let power = rate.exponent.checked_add(MICRO)?;
    let factor = 10_i64.checked_pow(u32::from(power.unsigned_abs()))?;
    let micro = if power >= 0 {
        rate.mantissa.checked_mul(factor)?
    } else {
        if rate.mantissa % factor != 0 {
            return None;
        }
        rate.mantissa / factor
    };
    (0..=MAX_MICRO_YUAN).contains(&micro).then_some(micro)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> LegalDay {
        LegalDay::parse(text).unwrap()
    }

    fn told(text: &str) -> Result<Tariff, String> {
        let lines = |flaws: Vec<Flaw>| flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        Tariff::parse("p.toml", text, &|entry| entry.len() == 1).map_err(lines)
    }

    #[test]
    fn a_price_counts_on_its_days_and_an_entrys_own_before_that_of_all() {
        let tariff = told(
            "[[price]]\ndocument = \"A\"\nfrom = 2010-06-01\nuntil = 2010-12-31\nyuan_per_kwh = 0.2\n\
             [[price]]\ndocument = \"B\"\nfrom = 2011-01-01\nyuan_per_kwh = 0.3\n\
             [[price]]\ndocument = \"C\"\nentry = \"e\"\nfrom = 2011-06-01\nyuan_per_kwh = 0.45\n",
        )
        .unwrap();
        let on = |entry, at| tariff.on(entry, day(at)).map(|price| price.document.as_str());
        assert_eq!(on("e", "2010-05-31"), None);
        assert_eq!((on("e", "2010-12-31"), on("e", "2011-01-01")), (Some("A"), Some("B")));
        assert_eq!((on("e", "2011-06-01"), on("f", "2011-06-01")), (Some("C"), Some("B")));
        let price = tariff.on("e", day("2026-01-01")).unwrap();
        let micro = price.micro_yuan_per_kwh;
        assert_eq!((micro, fen(1_000, micro), fen(1, micro)), (450_000, 45, 0));
        let is_same = |entry, first, last| tariff.is_same(entry, day(first), day(last));
        assert!(is_same("e", "2010-06-01", "2010-12-31"));
        assert!(!is_same("e", "2010-12-31", "2011-01-01"));
        assert!(!is_same("e", "2010-05-31", "2010-06-01"));
        // What begins for one entry is nothing to another.
        assert!(is_same("f", "2011-05-31", "2011-06-01") && !is_same("e", "2011-05-31", "2011-06-01"));
        // 0.3 yuan for 1,050 Wh are 31.5 fen.
        let of_all = tariff.on("f", day("2026-01-01")).unwrap();
        assert_eq!(fen(1_050, of_all.micro_yuan_per_kwh), 32);
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let begin = "[[price]]\ndocument = \"A\"\nfrom = 2010-06-01\n";
        for (rest, wrong) in [
            ("", "`yuan_per_kwh` is missing"),
            ("yuan_per_kwh = -0.1\n", "no such price"),
            ("yuan_per_kwh = 0.0000001\n", "no such price"),
            ("yuan_per_kwh = 0.1\nuntil = 2010-05-31\n", "lies before"),
            ("yuan_per_kwh = 0.1\nentry = \"no-such\"\n", "the catalogue has no entry no-such"),
            ("yuan_per_kwh = 0.1\nclass = \"x\"\n", "unknown key `class`"),
        ] {
            let told = told(&format!("{begin}{rest}")).unwrap_err();
            assert!(told.starts_with("p.toml:") && told.contains(wrong), "{told}");
        }
        let twice = told(&format!("{begin}yuan_per_kwh = 0.1\n{begin}yuan_per_kwh = 0.2\n")).unwrap_err();
        assert!(twice.contains("two prices on one day"), "{twice}");
    }
}
