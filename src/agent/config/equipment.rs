//! Equipment as a person describes it: what it is, what its nameplate says, where the nameplate can be read.

use super::{
    Bus, Furnace, PlateAt,
    law::Law,
    listed::Known,
    read::{MAX_POWER_W, Reader},
};
use crate::{
    catalogue::{
        Attribute, Nameplate, Plates, Standing, Surroundings,
        lead::MAX_LEAD_DAYS,
        plate::{MAKER, MAX_PLACES, PlateValue, SERIAL},
    },
    judge::{Equipment, Papers},
    terms::{
        AssetId, LegalDay, MilliWatts,
        flaw::Wrong,
        form::{self, Form, Node, Value},
        place::Division,
    },
};

/// The attribute that says what the equipment is.
const KIND: &str = "equipment_kind";
/// Longest kind, in bytes: the catalogue's longest word has 25.
const MAX_KIND_BYTES: usize = 40;

impl Reader<'_> {
    pub(super) fn furnace(
        &self,
        form: Form<'_>,
        buses: &Known<'_, Bus>,
        law: Option<&Law>,
        division: Option<Division>,
    ) -> Option<Furnace> {
        let id = form.required("id", form::name);
        let kind = form.required("kind", kind);
        let label = form.optional("name", form::line);
        let rated = form.required("rated_power_w", form::whole(1..=MAX_POWER_W));
        let decommissioned_on: Option<LegalDay> = form.optional("decommissioned_on", form::day);
        let lead_days = form.optional("lead_days", form::fitting::<u16>(0..=i64::from(MAX_LEAD_DAYS)));
        let plate = form.table("nameplate").and_then(|plate| Reader::plate(plate, buses));
        let declared = kind.as_deref().and_then(|kind| self.declared(&form, kind, law?));
        self.warn_of_placeholders(&form);
        form.close();
        let (id, kind, law) = (AssetId(id?), kind?, law?);
        let ruled = law.determinations.iter().filter(|determination| determination.asset == id);
        let surroundings = Surroundings {
            division: division?,
            determinations: ruled.map(|ruled| (ruled.what.clone(), ruled.holds)).collect(),
            is_read: plate.is_some(),
        };
        let standing = Standing::declared(decommissioned_on);
        Some(Furnace {
            equipment: Equipment { id, standing },
            label,
            rated: MilliWatts::from_watts(rated?),
            plate,
            papers: Papers {
                asset: id,
                plates: Plates::new(law.rules.clone(), surroundings, declared?),
                lead_days: lead_days.unwrap_or_else(|| law.lead.of(&kind)),
            },
            kind,
        })
    }

    fn plate(form: Form<'_>, buses: &Known<'_, Bus>) -> Option<PlateAt> {
        let bus = Reader::bus_of(&form, buses);
        let unit = form.required("unit", form::fitting(1..=247));
        let at = form.required("address", form::fitting(0..=65_530));
        form.close();
        Some(PlateAt { bus: bus?, unit: unit?, at: at? })
    }

    /// The nameplate as its owner declares it; its kind is that of the equipment.
    fn declared(&self, form: &Form<'_>, kind: &str, law: &Law) -> Option<Nameplate> {
        if !law.rules.knows_kind(kind) {
            let wrong = format!("the catalogue knows no kind `{kind}`");
            let right = "its class stays undetermined; take the catalogue's word if there is one";
            self.warnings.add(form.place("kind").clone(), Wrong::new(wrong, right));
        }
        let mut lines = vec![Attribute::new(KIND, PlateValue::Text(kind.to_string()))?];
        for (name, node) in form.entries("declared") {
            let wrong =
                |wrong: String, right: &str| self.flaws.add(node.place.clone(), Wrong::new(wrong, right));
            if name == KIND {
                wrong(format!("`{KIND}` is the equipment's `kind`"), "leave it out here");
                continue;
            }
            if !law.rules.knows(name) && name != MAKER && name != SERIAL {
                let right = "it decides nothing; correct the name if it should";
                let what = Wrong::new(format!("the catalogue knows no attribute `{name}`"), right);
                self.warnings.add(node.place.clone(), what);
            }
            match plate_value(node).and_then(|value| Attribute::new(name, value)) {
                Some(line) => lines.push(line),
                None => wrong(
                    format!("`{name}` could not stand on a nameplate"),
                    "a name of a-z, 0-9 and _; text, a number of at most 9 decimal places, true or false",
                ),
            }
        }
        let plate = Nameplate::new(lines);
        if plate.is_none() {
            form.flaw("declared", "the nameplate is too long", "leave out what decides nothing");
        }
        plate
    }
}

/// A kind of equipment: a word like the catalogue's, which are longer than identifiers.
fn kind(value: &Value) -> form::Reading<String> {
    let lawful = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    let read = |text: &str| {
        let fits = (1..=MAX_KIND_BYTES).contains(&text.len()) && text.bytes().all(lawful);
        fits.then(|| text.to_owned())
    };
    form::parsed(value, read, &format!("1 to {MAX_KIND_BYTES} of a-z, 0-9, _ and - are expected"))
}

/// A value of a nameplate; none where it could not stand there.
pub fn plate_value(node: &Node) -> Option<PlateValue> {
    match &node.value {
        Value::Text(text) | Value::Plain(text) => Some(PlateValue::Text(text.clone())),
        Value::Integer(n) => Some(PlateValue::Whole(*n)),
        Value::Flag(flag) => Some(PlateValue::Flag(*flag)),
        Value::Decimal(decimal) => {
            let (mantissa, exponent) = (decimal.mantissa, i32::from(decimal.exponent));
            if exponent >= 0 {
                let factor = 10_i64.checked_pow(exponent.unsigned_abs())?;
                return mantissa.checked_mul(factor).map(PlateValue::Whole);
            }
            let places = u8::try_from(exponent.unsigned_abs()).ok().filter(|places| *places <= MAX_PLACES)?;
            Some(PlateValue::Decimal { mantissa, places })
        }
        Value::Vast(_) | Value::Null | Value::List(_) | Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Rules;

    #[test]
    fn every_kind_that_the_catalogue_knows_can_be_watched() {
        let rules = Rules::shipped_and(Vec::new()).unwrap();
        let mut kinds = 0;
        for word in rules.kinds() {
            assert_eq!(kind(&Value::Text(word.to_owned())).as_deref(), Ok(word));
            assert!(Attribute::new(KIND, PlateValue::Text(word.to_owned())).is_some(), "{word}");
            kinds += 1;
        }
        assert!(kinds >= 50, "{kinds}");
        for wrong in ["", "Furnace", "a b", &"a".repeat(MAX_KIND_BYTES + 1)] {
            assert!(kind(&Value::Text(wrong.to_owned())).is_err(), "{wrong}");
        }
    }
}
