//! PURE file. What enterprises are called. No record signs a name: it is data of the authority, and says where it is from.
//!
//! ```toml
//! [[enterprise]]
//! uscc = "91350100M000100Y43"
//! zh = "某某钢铁有限公司"
//! en = "Moumou Iron and Steel"        # the Chinese name without it
//! document = "2026年3月1日市场主体登记"    # where the name is from
//! ```

use std::collections::BTreeMap;

use crate::{
    catalogue::Bilingual,
    terms::{
        Flaw, Flaws,
        flaw::Wrong,
        form::{self, Form, Node},
        place::CreditCode,
    },
};

/// What one enterprise is called, and where that is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The name.
    pub name: Bilingual,
    /// Where it is from, as it is cited.
    pub document: String,
}

/// What enterprises are called, by credit code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<CreditCode, Called>);

impl Names {
    /// Reads the table.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Names, Vec<Flaw>> {
        let node = Node::parse(file, text)?;
        let flaws = Flaws::default();
        let mut names = BTreeMap::new();
        if let Some(form) = Form::of(&node, &flaws) {
            for table in form.tables("enterprise") {
                let place = table.place("uscc").clone();
                let Some((enterprise, called)) = called(table) else { continue };
                if names.insert(enterprise, called).is_some() {
                    let wrong = format!("{enterprise} stands in the table already");
                    flaws.add(place, Wrong::new(wrong, "leave one of the two"));
                }
            }
            form.close();
        }
        if flaws.is_empty() { Ok(Names(names)) } else { Err(flaws.into_sorted()) }
    }

    /// What an enterprise is called.
    pub fn of(&self, enterprise: CreditCode) -> Option<&Called> {
        self.0.get(&enterprise)
    }
}

fn called(form: Form<'_>) -> Option<(CreditCode, Called)> {
    let enterprise = form.required("uscc", |value| {
        form::parsed(value, CreditCode::parse, "18 symbols of a unified social credit code are expected")
    });
    let zh = form.required("zh", form::line);
    let en = form.optional("en", form::line);
    let document = form.required("document", form::line);
    form.close();
    let zh = zh?;
    let en = en.unwrap_or_else(|| zh.clone());
    Some((enterprise?, Called { name: Bilingual { zh, en }, document: document? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_it_is_from_and_stands_once() {
        let one = "[[enterprise]]\nuscc = \"91350100M000100Y43\"\nzh = \"某某钢铁\"\n";
        let names = Names::parse("n.toml", &format!("{one}document = \"A\"\n")).unwrap();
        let called = names.of(CreditCode::parse("91350100M000100Y43").unwrap()).unwrap();
        assert_eq!((called.name.en.as_str(), called.document.as_str()), ("某某钢铁", "A"));
        let twice = format!("{one}document = \"A\"\n{one}document = \"B\"\n");
        for (text, wrong) in [
            (one, "`document` is missing"),
            (twice.as_str(), "stands in the table already"),
            ("[[enterprise]]\nuscc = \"9135\"\nzh = \"x\"\ndocument = \"A\"\n", "`uscc`"),
        ] {
            let flaws = Names::parse("n.toml", text).unwrap_err();
            assert!(flaws.iter().any(|flaw| flaw.to_string().contains(wrong)), "{wrong}: {flaws:?}");
        }
    }
}
