//! Lists of tables that have an `id`, and how one names another: a mistake is told once, where it was made.

use std::collections::{BTreeMap, BTreeSet};

use super::read::Reader;
use crate::terms::{
    Name,
    flaw::{Place, Wrong},
    form::{self, Form},
};

/// One kind of table that has an `id`.
pub(super) struct List {
    /// The word in `[[ ]]`.
    pub(super) word: &'static str,
    /// What each of them must have. One that has none of it was meant to change another one.
    pub(super) makes_one: &'static [&'static str],
}

/// `[[bus]]`
pub(super) const BUS: List = List { word: "bus", makes_one: &["endpoint"] };
/// `[[equipment]]`
pub(super) const EQUIPMENT: List = List { word: "equipment", makes_one: &["kind", "rated_power_w"] };
/// `[[meter]]`
pub(super) const METER: List = List { word: "meter", makes_one: &["bus", "profile", "serves"] };
/// `[[balance]]`
pub(super) const BALANCE: List = List { word: "balance", makes_one: &["incomers", "feeders"] };

/// The tables of a list that could be read, and the ids of those that were refused.
pub(super) struct Listed<T> {
    pub(super) fine: Vec<T>,
    refused: BTreeSet<Name>,
    /// One was refused whose id is not known, or all of them.
    has_nameless: bool,
}

/// A list by its ids.
pub(super) struct Known<'a, T> {
    word: &'static str,
    fine: BTreeMap<Name, &'a T>,
    refused: &'a BTreeSet<Name>,
    has_nameless: bool,
}

impl<T> Listed<T> {
    /// Whether one of this id may have been refused.
    pub(super) fn may_be_refused(&self, id: Name) -> bool {
        self.has_nameless || self.refused.contains(&id)
    }

    pub(super) fn known(&self, list: &List, id: impl Fn(&T) -> Name) -> Known<'_, T> {
        let fine = self.fine.iter().map(|item| (id(item), item)).collect();
        Known { word: list.word, fine, refused: &self.refused, has_nameless: self.has_nameless }
    }
}

impl<'a, T> Known<'a, T> {
    pub(super) fn get(&self, id: Name) -> Option<&'a T> {
        self.fine.get(&id).copied()
    }

    /// Whether one of this id may have been refused.
    pub(super) fn may_be_refused(&self, id: Name) -> bool {
        self.has_nameless || self.refused.contains(&id)
    }

    /// What a member names. That it is nowhere is told, unless it was refused: then it is told there what is wrong.
    pub(super) fn find(&self, form: &Form<'_>, key: &str, id: Name) -> Option<&'a T> {
        let found = self.get(id);
        if found.is_none() && !self.may_be_refused(id) {
            let wrong = format!("no [[{}]] has the id `{id}`", self.word);
            form.lacks(key, wrong, "add it, or correct the name");
        }
        found
    }
}

impl Reader<'_> {
    /// Reads tables that carry an `id`, and reports an identifier given twice.
    pub(super) fn unique<T>(
        &self,
        form: &Form<'_>,
        list: &List,
        read: impl Fn(Form<'_>) -> Option<T>,
    ) -> Listed<T> {
        let forms = form.tables(list.word);
        let ids: Vec<Option<Name>> = forms.iter().map(id).collect();
        // `[bus]` for `[[bus]]` holds one that cannot be read.
        let has_nameless = form.has(list.word) && forms.is_empty() || ids.contains(&None);
        let mut listed = Listed { fine: Vec::new(), refused: BTreeSet::new(), has_nameless };
        let mut first: BTreeMap<Name, Place> = BTreeMap::new();
        for (one, id) in forms.into_iter().zip(&ids) {
            let place = one.place("id").clone();
            let changes = !list.makes_one.iter().any(|key| one.has(key));
            let mut others = ids.iter().flatten().filter(|other| Some(**other) != *id).peekable();
            if let Some(first) = id.as_ref().and_then(|id| first.get(id)) {
                let wrong = format!("`{}` stands here twice: it stands at {first} already", shown(*id));
                self.flaws.add(place, Wrong::new(wrong, "give each its own id"));
                // Read for its own mistakes; what was meant to change the first lacks the rest by intent.
                if !changes {
                    let _second = read(one);
                }
                continue;
            }
            if let Some(id) = *id {
                first.insert(id, place.clone());
            }
            if changes && id.is_some() && others.peek().is_some() {
                listed.refused.extend(*id);
                self.flaws.lacks(place, changes_nothing(list, &shown(*id), others));
                continue;
            }
            match read(one) {
                Some(item) => listed.fine.push(item),
                None => listed.refused.extend(*id),
            }
        }
        listed
    }
}

/// The tables of a list by their ids.
pub(super) fn tables<'a>(form: &Form<'a>, list: &List) -> BTreeMap<Name, Form<'a>> {
    form.tables(list.word).into_iter().filter_map(|table| Some((id(&table)?, table))).collect()
}

fn id(form: &Form<'_>) -> Option<Name> {
    form.peek("id", form::name)
}

fn shown(id: Option<Name>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

fn changes_nothing<'n>(list: &List, id: &str, others: impl Iterator<Item = &'n Name>) -> Wrong {
    /// Most ids that are told.
    const MOST: usize = 12;
    let mut others: Vec<String> = others.take(MOST + 1).map(ToString::to_string).collect();
    if others.len() > MOST {
        others.truncate(MOST);
        others.push("…".to_owned());
    }
    let wrong = format!("no other [[{}]] has the id `{id}`, to be changed by this", list.word);
    let right = format!(
        "there are: {}; correct the id, or make it one of its own with `{}`",
        others.join(", "),
        list.makes_one.join("`, `")
    );
    Wrong::new(wrong, right)
}
