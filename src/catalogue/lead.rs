//! How long equipment of a kind takes to be shut down in good order: data, a file of its own.

use std::collections::BTreeMap;

use crate::terms::{
    Flaw, Flaws,
    form::{self, Form, Node},
};

/// The figures as they are shipped, and the name they are shown under.
pub const SHIPPED: (&str, &str) = ("config/lead-days.toml", include_str!("../../config/lead-days.toml"));
/// Most days a shutdown may take.
pub const MAX_LEAD_DAYS: u16 = 730;

/// Days by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadDays {
    by_kind: BTreeMap<String, u16>,
    default: u16,
}

impl LeadDays {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn parse(file: &str, text: &str) -> Result<LeadDays, Vec<Flaw>> {
        let node = Node::parse(file, text)?;
        let flaws = Flaws::default();
        let read = Form::of(&node, &flaws).and_then(|form| read(&form));
        match read {
            Some(lead) if flaws.is_empty() => Ok(lead),
            Some(_) | None => Err(flaws.into_sorted()),
        }
    }

    /// Days that equipment of this kind needs.
    pub fn of(&self, kind: &str) -> u16 {
        self.by_kind.get(kind).copied().unwrap_or(self.default)
    }

    /// Every kind it names.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.by_kind.keys().map(String::as_str)
    }
}

fn read(form: &Form<'_>) -> Option<LeadDays> {
    let days = || form::fitting::<u16>(0..=i64::from(MAX_LEAD_DAYS));
    let default = form.required("default_days", days());
    let mut by_kind = BTreeMap::new();
    for lead in form.tables("lead") {
        let (kinds, days) = (lead.required("kinds", form::list(form::text)), lead.required("days", days()));
        // A figure without its reason is not believed.
        let _why: Option<String> = lead.required("why", form::text);
        for kind in kinds.unwrap_or_default() {
            if by_kind.insert(kind.clone(), days?).is_some() {
                lead.flaw("kinds", format!("`{kind}` stands here twice"), "give it once");
            }
        }
        lead.close();
    }
    Some(LeadDays { by_kind, default: default? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Rules;

    #[test]
    fn every_shipped_figure_is_of_a_kind_that_the_catalogue_knows() {
        let (lead, rules) = (LeadDays::parse(SHIPPED.0, SHIPPED.1).unwrap(), Rules::shipped().unwrap());
        for kind in lead.kinds() {
            assert!(rules.knows_kind(kind), "{kind}");
        }
        assert!(lead.of("flat_glass_line") > lead.of("electric_furnace"));
        assert_eq!(lead.of("something_else"), 14);
    }

    #[test]
    fn a_kind_given_twice_and_a_figure_without_reason_are_mistakes_with_their_place() {
        let text = "default_days = 1\n[[lead]]\nkinds = [\"a\", \"a\"]\ndays = 2\n";
        let flaws: Vec<String> =
            LeadDays::parse("l", text).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(flaws.len(), 2, "{flaws:?}");
        assert!(flaws.iter().all(|flaw| flaw.starts_with("l:2:") || flaw.starts_with("l:3:")), "{flaws:?}");
    }
}
