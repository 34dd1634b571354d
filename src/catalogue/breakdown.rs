//! The breakdown of targets from the nation to the county (III of the notice), and whether its sums add up.
//!
//! Each division hands in one file. Its `[[target]]`s are what it was given, its `[[equipment]]` what it lists itself,
//! its `[[total]]`s what it reports upwards. Of several versions of a division's file the newest is in force. A file's
//! parent is the nearest division above it that handed in a file. Then
//! - what is listed in and below a division comes to its target at least,
//! - the targets handed down and what it lists itself come to its target; what is left is allocated to nobody,
//! - its totals are what is listed in and below it,
//! - no equipment is listed twice, and none under an entry that there is not, or later than that allows.
//!
//! ```toml
//! division = "130000"
//! version = 1
//! order = "冀工信〔2026〕8号"                  # the paper it rests on
//!
//! [[target]]                                 # what it was given
//! entry = "steel-electric-furnace-up-to-30t"
//! amount = 8                                 # pieces, unless `unit` says otherwise
//!
//! [[equipment]]                              # what it lists itself
//! uscc = "91350100M000100Y43"
//! asset = "eaf-1"
//! gateway = "gw-03"                          # only where its owner has two of one name
//! entry = "steel-electric-furnace-up-to-30t"
//! deadline = 2011-12-31
//! amount = 25                                # its capacity, with its unit; both may be left out
//! unit = "t"
//!
//! [[total]]                                  # what it reports upwards
//! entry = "steel-electric-furnace-up-to-30t"
//! amount = 8
//! ```

use std::collections::BTreeMap;

use super::{overlay, rules::Rules};
use crate::terms::{
    AssetId, Flaw, Flaws, GatewayId, LegalDay,
    flaw::{Place, Wrong},
    form::{self, Form},
    place::{CreditCode, Division},
};

/// The unit in which each piece of equipment counts as one.
pub const PIECES: &str = "pieces";
/// Largest amount, in whatever unit.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000_000;

/// So much under one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Amount {
    place: Place,
    what: What,
    amount: i64,
}

/// What is counted: an entry, in a unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct What {
    entry: String,
    unit: String,
}

/// One piece of equipment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    place: Place,
    enterprise: CreditCode,
    /// Behind which gateway, where that is named.
    gateway: Option<GatewayId>,
    asset: AssetId,
    deadline: LegalDay,
    /// What it counts for: one piece, and its capacity where that is given.
    counts: Vec<(What, i64)>,
}

impl Line {
    fn listed(&self) -> Listed {
        (self.enterprise, self.gateway, self.asset)
    }
}

/// What one division handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    place: Place,
    division: Division,
    version: u32,
    targets: Vec<Amount>,
    totals: Vec<Amount>,
    equipment: Vec<Line>,
}

/// One line of the sums: a division's target and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Whose.
    pub division: Division,
    /// The entry.
    pub entry: String,
    /// The unit.
    pub unit: String,
    /// What it was given.
    pub target: i64,
    /// What is listed in it and below it.
    pub listed: i64,
    /// What is allocated to nobody: neither handed down nor listed.
    pub unallocated: i64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Every mistake, in the order of its place.
    pub wrong: Vec<Flaw>,
    /// What deserves a look and is no mistake.
    pub doubts: Vec<Flaw>,
    /// Every target, from the nation down.
    pub sums: Vec<Sum>,
}

impl Page {
    /// Reads what a division handed in, TOML or, by its name, JSON.
    ///
    /// # Errors
    /// Every mistake of form, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Page, Vec<Flaw>> {
        let node = overlay::document(file, text)?;
        let flaws = Flaws::default();
        let page = Form::of(&node, &flaws).and_then(page);
        match page {
            Some(page) if flaws.is_empty() => Ok(page),
            Some(_) | None => Err(flaws.into_sorted()),
        }
    }
}

fn page(form: Form<'_>) -> Option<Page> {
    let division = form.required("division", |v| {
        form::parsed(v, Division::parse, "six digits of GB/T 2260 are expected, 000000 for the nation")
    });
    let version = form.required("version", form::fitting::<u32>(1..=i64::from(u32::MAX)));
    // The order it rests on is for people.
    let _order: Option<String> = form.required("order", form::text);
    let targets = form.tables("target").into_iter().filter_map(amount).collect();
    let totals = form.tables("total").into_iter().filter_map(amount).collect();
    let equipment = form.tables("equipment").into_iter().filter_map(line).collect();
    let place = form.place("division").clone();
    form.close();
    Some(Page { place, division: division?, version: version?, targets, totals, equipment })
}

fn amount(form: Form<'_>) -> Option<Amount> {
    let entry = form.required("entry", form::text);
    let unit = form.optional("unit", form::text).unwrap_or_else(|| PIECES.to_owned());
    let amount = form.required("amount", form::whole(0..=MAX_AMOUNT));
    let place = form.place("entry").clone();
    form.close();
    Some(Amount { place, what: What { entry: entry?, unit }, amount: amount? })
}

fn line(form: Form<'_>) -> Option<Line> {
    let enterprise = form.required("uscc", |v| {
        form::parsed(v, CreditCode::parse, "18 symbols of a unified social credit code are expected")
    });
    let gateway = form.optional("gateway", form::name).map(GatewayId);
    let asset = form.required("asset", form::name);
    let entry = form.required("entry", form::text);
    let deadline = form.required("deadline", form::day);
    let amount = form.optional("amount", form::whole(1..=MAX_AMOUNT));
    let unit = form.optional("unit", form::text);
    if amount.is_some() != unit.is_some() || unit.as_deref() == Some(PIECES) {
        form.flaw(
            "unit",
            "`amount` and `unit` belong together",
            "give both or neither; a piece counts by itself",
        );
    }
    let place = form.place("asset").clone();
    form.close();
    let entry = entry?;
    let of = |unit: &str| What { entry: entry.clone(), unit: unit.to_owned() };
    let capacity = unit.zip(amount).map(|(unit, amount)| (of(&unit), amount));
    let counts = std::iter::once((of(PIECES), 1)).chain(capacity).collect();
    let (enterprise, asset) = (enterprise?, AssetId(asset?));
    Some(Line { place, enterprise, gateway, asset, deadline: deadline?, counts })
}

/// Checks what all divisions handed in, against each other and against the entries there are.
pub fn check(pages: Vec<Page>, rules: &Rules) -> Report {
    let mut report = Report::default();
    let pages = in_force(pages, &mut report);
    let parents = parents(&pages, &mut report);
    nothing_twice(&pages, &mut report);
    pages.iter().for_each(|page| entries_are_there(page, rules, &mut report));
    sums(&pages, &parents, &mut report);
    report.wrong.sort();
    report.doubts.sort();
    report
}

/// What is counted, and where: a division, an entry and a unit.
pub type Counted = (Division, String, String);

/// A piece of equipment as a division lists it: whose, behind which gateway where that is named, which.
pub type Listed = (CreditCode, Option<GatewayId>, AssetId);

/// What of all that is listed `is_closed`, and how much it counts for: in each division and all below it, as
/// [`Sum::listed`] is.
pub fn closed(
    pages: Vec<Page>,
    is_closed: &dyn Fn(&Listed) -> bool,
) -> BTreeMap<Counted, Vec<(Listed, i64)>> {
    // What is wrong with the files `check` tells.
    let mut untold = Report::default();
    let pages = in_force(pages, &mut untold);
    let parents = parents(&pages, &mut untold);
    let mut closed: BTreeMap<Counted, Vec<(Listed, i64)>> = BTreeMap::new();
    for (index, page) in pages.iter().enumerate() {
        for line in page.equipment.iter().filter(|line| is_closed(&line.listed())) {
            let mut at = Some(index);
            while let Some((here, above)) = at.and_then(|at| Some((pages.get(at)?, parents.get(at)?))) {
                for (What { entry, unit }, amount) in &line.counts {
                    let counted = (here.division, entry.clone(), unit.clone());
                    closed.entry(counted).or_default().push((line.listed(), *amount));
                }
                at = *above;
            }
        }
    }
    closed
}

/// The newest version of each division's file, from the nation down.
fn in_force(mut pages: Vec<Page>, report: &mut Report) -> Vec<Page> {
    pages.sort_by(|a, b| (a.division, b.version, &a.place).cmp(&(b.division, a.version, &b.place)));
    let mut kept: Vec<Page> = Vec::new();
    for page in pages {
        let Some(newest) = kept.last().filter(|newest| newest.division == page.division) else {
            kept.push(page);
            continue;
        };
        let what = if newest.version == page.version { "as another file" } else { "an older version" };
        let wrong = format!("division {}, version {}: {what}", page.division, page.version);
        let right = format!("{} with version {} is in force", newest.place, newest.version);
        report.wrong.push(Flaw { place: page.place.clone(), what: Wrong::new(wrong, right) });
    }
    kept
}

/// Whether a division lies in another, and is not that one.
fn lies_in(division: Division, above: Division) -> bool {
    let (division, above) = (division.to_string(), above.to_string());
    let mut levels = above.as_str();
    while let Some(rest) = levels.strip_suffix("00").filter(|_| levels.len() % 2 == 0) {
        levels = rest;
    }
    division != above && division.starts_with(levels)
}

/// The nearest division above each that handed in a file. All but the topmost have one.
fn parents(pages: &[Page], report: &mut Report) -> Vec<Option<usize>> {
    let parent = |page: &Page| {
        let above = pages.iter().enumerate().filter(|(_, above)| lies_in(page.division, above.division));
        // Codes of higher levels have fewer digits that count: of all above, the last in order is the nearest.
        above.map(|(index, _)| index).next_back()
    };
    let parents: Vec<Option<usize>> = pages.iter().map(parent).collect();
    for (page, parent) in pages.iter().zip(&parents).skip(1) {
        if parent.is_none() {
            let wrong = format!("division {} lies in none of the others", page.division);
            let what = Wrong::new(wrong, "hand in the file of the division above it too");
            report.wrong.push(Flaw { place: page.place.clone(), what });
        }
    }
    parents
}

fn nothing_twice(pages: &[Page], report: &mut Report) {
    let mut seen: BTreeMap<(CreditCode, AssetId), Vec<&Line>> = BTreeMap::new();
    for line in pages.iter().flat_map(|page| &page.equipment) {
        let known = seen.entry((line.enterprise, line.asset)).or_default();
        // Behind two gateways there are two of one name; a line that names none may be either.
        let is_other =
            |one: &&&Line| one.gateway.is_some() && line.gateway.is_some() && one.gateway != line.gateway;
        match known.iter().find(|one| !is_other(one)).map(|one| &one.place) {
            None => known.push(line),
            Some(first) => {
                let wrong = format!("{} of {} is listed twice", line.asset, line.enterprise);
                let what = Wrong::new(wrong, format!("it stands at {first} already"));
                report.wrong.push(Flaw { place: line.place.clone(), what });
            }
        }
    }
}

fn entries_are_there(page: &Page, rules: &Rules, report: &mut Report) {
    let missing = |place: &Place, entry: &str| Flaw {
        place: place.clone(),
        what: Wrong::new(format!("there is no entry `{entry}`"), "take the id of an entry of the catalogue"),
    };
    for amount in page.targets.iter().chain(&page.totals) {
        if rules.entry(&amount.what.entry).is_none() {
            report.wrong.push(missing(&amount.place, &amount.what.entry));
        }
    }
    for line in &page.equipment {
        if !line.enterprise.check_symbol_fits() {
            let what = Wrong::new(
                format!("the check symbol of {} does not fit", line.enterprise),
                "compare it with the licence; codes issued like this do exist",
            );
            report.doubts.push(Flaw { place: line.place.clone(), what });
        }
        let Some((What { entry, .. }, _)) = line.counts.first() else { continue };
        match rules.entry(entry) {
            None => report.wrong.push(missing(&line.place, entry)),
            Some(known) if line.deadline > known.deadline => {
                let wrong = format!("{} until {}: later than its entry allows", line.asset, line.deadline);
                let what = Wrong::new(wrong, format!("{} is the last lawful day", known.deadline));
                report.wrong.push(Flaw { place: line.place.clone(), what });
            }
            Some(_) => {}
        }
    }
}

/// Amounts by page and what is counted.
type Sums<'p> = BTreeMap<(usize, &'p What), i64>;

fn add<'p>(sums: &mut Sums<'p>, page: usize, what: &'p What, amount: i64) {
    let sum = sums.entry((page, what)).or_insert(0);
    *sum = sum.saturating_add(amount);
}

fn sum_of(sums: &Sums<'_>, page: usize, what: &What) -> i64 {
    sums.get(&(page, what)).copied().unwrap_or(0)
}

/// What is listed in and below each page, and what of its targets is allocated: listed by itself, or handed down.
fn gathered<'p>(pages: &'p [Page], parents: &[Option<usize>]) -> (Sums<'p>, Sums<'p>) {
    let (mut listed, mut allocated) = (Sums::new(), Sums::new());
    let above = |page: usize| parents.get(page).copied().flatten();
    for (index, page) in pages.iter().enumerate() {
        for (what, amount) in page.equipment.iter().flat_map(|line| &line.counts) {
            add(&mut allocated, index, what, *amount);
            let mut at = Some(index);
            while let Some(here) = at {
                add(&mut listed, here, what, *amount);
                at = above(here);
            }
        }
        if let Some(parent) = above(index) {
            page.targets.iter().for_each(|t| add(&mut allocated, parent, &t.what, t.amount));
        }
    }
    (listed, allocated)
}

fn sums(pages: &[Page], parents: &[Option<usize>], report: &mut Report) {
    let (listed, allocated) = gathered(pages, parents);
    for (index, page) in pages.iter().enumerate() {
        let division = page.division;
        let mut wrong = |amount: &Amount, wrong: String, right: String| {
            report.wrong.push(Flaw { place: amount.place.clone(), what: Wrong::new(wrong, right) });
        };
        for target in &page.targets {
            let What { entry, unit } = &target.what;
            let listed = sum_of(&listed, index, &target.what);
            let unallocated = target.amount.saturating_sub(sum_of(&allocated, index, &target.what)).max(0);
            if listed < target.amount {
                let short = target.amount - listed;
                let right = format!("{} is the target: {short} more must be listed", target.amount);
                wrong(target, format!("{entry}: {listed} {unit} are listed in and below {division}"), right);
            }
            if unallocated > 0 {
                let what =
                    format!("{entry}: {unallocated} {unit} of {} are allocated to nobody", target.amount);
                wrong(target, what, format!("{division} must hand them down or list them"));
            }
            let (entry, unit) = (entry.clone(), unit.clone());
            report.sums.push(Sum { division, entry, unit, target: target.amount, listed, unallocated });
        }
        for total in &page.totals {
            let listed = sum_of(&listed, index, &total.what);
            if listed != total.amount {
                let what = format!("{}: {} {} are reported", total.what.entry, total.amount, total.what.unit);
                wrong(total, what, format!("what is listed in and below {division} comes to {listed}"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
