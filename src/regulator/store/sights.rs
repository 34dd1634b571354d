//! What a store lists of pieces of equipment. Every list is asked for by a [`Scope`], and no row outside it is ever read:
//! a county's officer has no question that another county's equipment would answer.

use std::{collections::BTreeSet, fmt};

use super::{Answered, KeptRecord, Log};
use crate::{
    evidence::LogId,
    judge::Rung,
    regulator::sight::{self, Span},
    terms::{
        AssetId, GatewayId, LegalDay, OrderId, WattHours,
        place::{CreditCode, Division},
    },
};

/// Kinds of records that tell the story of a piece of equipment; its intervals are drawn instead.
pub const STORY_KINDS: [&str; 5] = ["state", "event", "verdict", "transition", "act"];

/// A subtree of the divisions: the nation, a province, a prefecture or a county.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope(String);

impl Scope {
    /// Everything.
    pub const NATION: Scope = Scope(String::new());

    /// The digits it begins with: none, two, four or six. Of a whole code the zeros at its end name a level above.
    pub fn parse(digits: &str) -> Option<Scope> {
        let is_code = matches!(digits.len(), 0 | 2 | 4 | 6) && digits.bytes().all(|b| b.is_ascii_digit());
        let mut digits = digits;
        while digits.len() >= 2 && digits.ends_with("00") {
            digits = digits.get(..digits.len() - 2)?;
        }
        is_code.then(|| Scope(digits.to_owned()))
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a division lies in it.
    pub fn has(&self, division: Division) -> bool {
        division.to_string().starts_with(&self.0)
    }

    /// Whether all of another subtree lies in it.
    pub fn holds(&self, other: &Scope) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The part of it that lies in another one: of two subtrees one holds the other, or they share nothing.
    #[must_use]
    pub fn within(&self, other: &Scope) -> Option<Scope> {
        if other.holds(self) {
            return Some(self.clone());
        }
        self.holds(other).then(|| other.clone())
    }

    /// The first code that is in it and the first after it, as texts are compared; equipment whose division is not known
    /// yet is the nation's alone.
    pub fn bounds(&self) -> (String, String) {
        (self.0.clone(), format!("{}~", self.0))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record by its log and place.
pub type Place = (LogId, u64);

/// A piece of equipment by the newest record of each kind that tells of it. Whoever has one has asked for it by a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetRow {
    /// Behind which gateway.
    pub gateway: GatewayId,
    /// Which.
    pub asset: AssetId,
    /// Where it stands; none as long as its log's genesis has not come.
    pub division: Option<Division>,
    /// Who answers for it.
    pub enterprise: Option<CreditCode>,
    /// The newest verdict; none as long as there is none.
    pub verdict: Option<Place>,
    /// When it was written, Unix milliseconds.
    pub verdict_unix_ms: i64,
    /// The word of the state that the verdict tells; empty where there is none.
    pub state: String,
    /// Since when that is its state, Unix milliseconds.
    pub since_unix_ms: i64,
    /// Since when a violation is latched, Unix milliseconds: by that verdict, or in a log of its gateway that was left.
    pub violation_since_unix_ms: Option<i64>,
    /// That log, where the newest verdict knows nothing of the violation.
    pub left: Option<LogId>,
    /// The word of its class; empty where none is told.
    pub class: String,
    /// Its last lawful day.
    pub last_day: Option<LegalDay>,
    /// The entry it is classed by, `instrument entry`; empty where none is told.
    pub entry: String,
    /// Energy drawn while it was overdue.
    pub overdue: WattHours,
    /// The newest step of a cut-off order.
    pub order: Option<(OrderId, Rung)>,
    /// The newest nameplate.
    pub plate: Option<Place>,
    /// When the newest record about it says it was written, Unix milliseconds.
    pub seen_unix_ms: i64,
    /// When its gateway was heard last, Unix milliseconds; none where no log of it is known without a hole from its start.
    pub heard_unix_ms: Option<i64>,
    /// Of when the newest is that attests it, Unix milliseconds, or 0; see [`crate::regulator::sight::Sight::attested_unix_ms`].
    pub attested_unix_ms: i64,
}

impl AssetRow {
    /// Of when the newest is that attests it, Unix milliseconds; none where nothing ever did.
    pub fn attested(&self) -> Option<i64> {
        (self.attested_unix_ms > 0).then_some(self.attested_unix_ms)
    }

    /// Whether its gateway has ceased to tell of it, and speaks, or has spoken, of other things, or tells of it what
    /// is old: [`sight::is_untold`].
    pub fn is_untold(&self) -> bool {
        self.heard_unix_ms.is_some_and(|heard| sight::is_untold(self.attested_unix_ms, heard))
    }
}

/// A part of a list that people ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Everything.
    All,
    /// Its last lawful day has ended.
    Due,
    /// Its cut is verified or maintained, and its gateway speaks of it.
    Verified,
    /// It draws, and its gateway speaks of it.
    Drawing,
    /// Nothing proves anything of it: unknown, silent, no longer attested, or never told.
    Unproven,
    /// A violation is latched.
    Latched,
}

impl Lane {
    /// Every one, the whole first.
    pub const ALL: [Lane; 6] =
        [Lane::All, Lane::Due, Lane::Verified, Lane::Drawing, Lane::Unproven, Lane::Latched];

    /// Its word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Lane::All => "all",
            Lane::Due => "due",
            Lane::Verified => "verified",
            Lane::Drawing => "drawing",
            Lane::Unproven => "unproven",
            Lane::Latched => "latched",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Lane> {
        Lane::ALL.into_iter().find(|lane| lane.word() == word)
    }
}

/// The place in a list after which the next page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct After {
    /// Division as it is listed; empty where none is known.
    pub division: String,
    /// Gateway.
    pub gateway: String,
    /// Equipment.
    pub asset: String,
}

impl After {
    /// The place of a row.
    pub fn row(row: &AssetRow) -> After {
        After {
            division: row.division.map_or_else(String::new, |division| division.to_string()),
            gateway: row.gateway.as_str().to_owned(),
            asset: row.asset.as_str().to_owned(),
        }
    }
}

/// The time a list is asked at: what is due and who is silent depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedAt {
    /// The lawful day.
    pub today: LegalDay,
    /// Whoever was not heard since is silent, Unix milliseconds.
    pub silent_before_unix_ms: i64,
}

/// Which equipment is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetAsked {
    /// Where.
    pub scope: Scope,
    /// Which part.
    pub lane: Lane,
    /// Of which enterprise.
    pub enterprise: Option<CreditCode>,
    /// Behind which gateway.
    pub gateway: Option<GatewayId>,
    /// The word of its class.
    pub class: Option<String>,
    /// By one of which entries, `instrument entry`; none where any will do.
    pub entries: Option<Vec<String>>,
    /// Whose last lawful day is this or an earlier one.
    pub due_by: Option<LegalDay>,
    /// From where on.
    pub after: After,
    /// How many at most.
    pub most: u32,
    /// When it is asked.
    pub at: AskedAt,
}

impl FleetAsked {
    /// Where the page begins: never before its scope does.
    pub fn begins(&self) -> After {
        let (division, _) = self.scope.bounds();
        if self.after.division < division {
            After { division, ..After::default() }
        } else {
            self.after.clone()
        }
    }
}

/// How many there are of what; none is an average.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Pieces of equipment.
    pub assets: u64,
    /// Whose last lawful day has ended.
    pub due: u64,
    /// Whose cut is verified, their gateways speaking of them.
    pub verified: u64,
    /// That draw, their gateways speaking of them.
    pub drawing: u64,
    /// Of which nothing is proven.
    pub unproven: u64,
    /// Whose violation is latched.
    pub latched: u64,
}

impl Numbers {
    /// Both together.
    #[must_use]
    pub const fn and(self, more: Numbers) -> Numbers {
        Numbers {
            assets: self.assets + more.assets,
            due: self.due + more.due,
            verified: self.verified + more.verified,
            drawing: self.drawing + more.drawing,
            unproven: self.unproven + more.unproven,
            latched: self.latched + more.latched,
        }
    }
}

/// The intervals of all meters of a piece of equipment that begin in one step of time, added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanSum {
    /// Where the step begins, Unix milliseconds.
    pub from_unix_ms: i64,
    /// Energy of those whose registers tell; none where none does.
    pub energy: Option<WattHours>,
    /// Intervals whose registers do not tell.
    pub untold: u64,
    /// Time seen, of all meters together, in milliseconds.
    pub seen_ms: i64,
    /// Time not seen that the meters' intervals tell of, of all meters together, in milliseconds.
    pub unseen_ms: i64,
    /// Meters that have an interval there.
    pub meters: u64,
}

/// Which equipment of a scope is counted or listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Which<'e> {
    /// Classed by one of these entries, `instrument entry`; none where any will do.
    pub entries: Option<&'e [String]>,
    /// Whose last lawful day is this or an earlier one; none where any will do.
    pub due_by: Option<LegalDay>,
}

impl Which<'_> {
    /// The day as databases compare it; empty where any will do.
    pub(super) fn day(&self) -> String {
        self.due_by.map_or_else(String::new, |day| day.to_string())
    }
}

/// The part of a store that lists equipment.
///
/// Every function fails with [`super::StoreFault`].
#[expect(clippy::missing_errors_doc, reason = "said once for all of them, above")]
pub trait Sights {
    /// A page of equipment by division, gateway and name: of what lies in the scope, and of what is convicted and was
    /// judged there by another log of its gateway. A conviction is counted and listed at both places.
    fn fleet(&mut self, asked: &FleetAsked) -> Answered<Vec<AssetRow>>;
    /// One piece of equipment, if it lies in the scope, or is convicted and was judged there by another log of its gateway: then
    /// [`crate::regulator::moved::seen`] tells what of it may be seen there, here and in every list.
    fn asset(&mut self, scope: &Scope, gateway: GatewayId, asset: AssetId) -> Answered<Option<AssetRow>>;
    /// Equipment behind one gateway, wherever it stands, after one of that name, at most so many.
    fn equipment(&mut self, gateway: GatewayId, after: &str, most: u32) -> Answered<Vec<AssetRow>>;
    /// Latched violations, the oldest first: of what lies in the scope, or was judged there by another log of its gateway.
    fn latched(&mut self, scope: &Scope, which: Which<'_>, most: u32) -> Answered<Vec<AssetRow>>;
    /// What was judged in the scope by an earlier log of its gateway, lies elsewhere now and is latched, by gateway and name.
    fn gone(&mut self, scope: &Scope, most: u32) -> Answered<Vec<AssetRow>>;
    /// How many there are of what; see [`Sights::fleet`].
    fn numbers(&mut self, scope: &Scope, which: Which<'_>, at: AskedAt) -> Answered<Numbers>;
    /// How many pieces of equipment have their last lawful day in which month, `YYYY-MM`, from a day on.
    fn calendar(
        &mut self,
        scope: &Scope,
        which: Which<'_>,
        from: LegalDay,
        most: u32,
    ) -> Answered<Vec<(String, u64)>>;
    /// Keeps the numbers of each division for a day, unless they are kept. Tells whether there were any to keep.
    fn keep_tally(&mut self, at: AskedAt) -> Answered<bool>;
    /// The numbers of a day; none where that day's were not kept.
    fn tally(&mut self, scope: &Scope, day: LegalDay) -> Answered<Option<Numbers>>;
    /// What the meters of a piece of equipment told of a time, from and to Unix milliseconds, in steps of so many milliseconds, by
    /// logs in the scope; steps of which nothing was told are not there.
    fn spans(
        &mut self,
        row: &AssetRow,
        scope: &Scope,
        within: (i64, i64),
        step_ms: i64,
    ) -> Answered<Vec<SpanSum>>;
    /// Where the first interval began that any of its meters told by a log in the scope, Unix milliseconds; none where none did.
    fn witnessed_from(&mut self, row: &AssetRow, scope: &Scope) -> Answered<Option<i64>>;
    /// Which of these intervals of a log are kept just as they are told here, by their places.
    fn spans_kept(&mut self, log: Log, told: &[(u64, AssetId, Span)]) -> Answered<BTreeSet<u64>>;
    /// How many intervals are kept of a gateway.
    fn span_count(&mut self, gateway: GatewayId) -> Answered<u64>;
    /// Records of logs in the scope about a piece of equipment before a time, the newest first; see [`STORY_KINDS`].
    fn story(
        &mut self,
        row: &AssetRow,
        scope: &Scope,
        before_unix_ms: i64,
        most: u32,
    ) -> Answered<Vec<(LogId, u64, KeptRecord)>>;
    /// Of its story the events from a time on, the newest first.
    fn events(
        &mut self,
        row: &AssetRow,
        scope: &Scope,
        from_unix_ms: i64,
        most: u32,
    ) -> Answered<Vec<(LogId, u64, KeptRecord)>>;
}

/// A page of two parts of a list, each in its order.
pub(super) fn merged(mut rows: Vec<AssetRow>, more: Vec<AssetRow>, most: u32) -> Vec<AssetRow> {
    if !more.is_empty() {
        rows.extend(more);
        rows.sort_by_cached_key(|row| {
            let After { division, gateway, asset } = After::row(row);
            (division, gateway, asset)
        });
        rows.truncate(most as usize);
    }
    rows
}

/// A row's text columns, as both databases have them.
pub(super) struct AssetText<'t> {
    pub(super) gateway: &'t str,
    pub(super) asset: &'t str,
    pub(super) division: &'t str,
    pub(super) uscc: &'t str,
    pub(super) verdict: (&'t str, i64),
    pub(super) state: &'t str,
    pub(super) class: &'t str,
    pub(super) last_day: &'t str,
    pub(super) entry: &'t str,
    pub(super) order: (&'t str, &'t str),
    pub(super) plate: (&'t str, i64),
    pub(super) left: &'t str,
}

/// And its numbers: verdict, since, violation since, overdue, seen, heard, attested.
pub(super) type AssetNumbers = (i64, i64, Option<i64>, i64, i64, Option<i64>, i64);

impl AssetText<'_> {
    /// The row they mean; `None` for one that this program did not write.
    pub(super) fn row(&self, numbers: AssetNumbers) -> Option<AssetRow> {
        let (verdict_unix_ms, since_unix_ms, violation_since_unix_ms, overdue, seen, heard, attested) =
            numbers;
        Some(AssetRow {
            gateway: GatewayId::new(self.gateway)?,
            asset: AssetId::new(self.asset)?,
            division: told(self.division, Division::parse)?,
            enterprise: told(self.uscc, CreditCode::parse)?,
            verdict: place(self.verdict)?,
            verdict_unix_ms,
            state: self.state.to_owned(),
            since_unix_ms,
            violation_since_unix_ms,
            left: told(self.left, LogId::from_hex)?,
            class: self.class.to_owned(),
            last_day: told(self.last_day, LegalDay::parse)?,
            entry: self.entry.to_owned(),
            overdue: WattHours(overdue),
            order: match self.order {
                ("", _) => None,
                (order, rung) => Some((OrderId::new(order)?, Rung::from_word(rung)?)),
            },
            plate: place(self.plate)?,
            seen_unix_ms: seen,
            heard_unix_ms: heard,
            attested_unix_ms: attested,
        })
    }
}

/// Nothing where nothing is told; `None` where what is told means nothing.
fn told<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { read(text).map(Some) }
}

fn place((log, seq): (&str, i64)) -> Option<Option<Place>> {
    Some(told(log, LogId::from_hex)?.map(|log| (log, seq.cast_unsigned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regulator::sight::MOST_QUIET_MS;

    #[test]
    fn how_long_a_gateway_may_be_quiet_of_equipment_is_the_same_in_both_databases() {
        assert_eq!(MOST_QUIET_MS, 3_600_000, "written out where a text of SQL is no format");
        for text in [include_str!("sqlite/sights.rs"), include_str!("postgres/listed.rs")] {
            assert!(text.contains("3600000"));
        }
    }

    #[test]
    fn a_scope_has_its_subtree_and_nothing_beside_it() {
        let division = |code| Division::parse(code).unwrap();
        let county = Scope::parse("130421").unwrap();
        assert!(county.has(division("130421")) && !county.has(division("130422")));
        let city = Scope::parse("1304").unwrap();
        assert!(city.has(division("130421")) && !city.has(division("130521")));
        assert_eq!(Scope::parse("130400"), Some(city.clone()));
        assert_eq!(Scope::parse("130000").unwrap().as_str(), "13");
        assert_eq!(Scope::parse("000000"), Some(Scope::NATION));
        for wrong in ["1", "13042", "13042x", "1304210", "省"] {
            assert_eq!(Scope::parse(wrong), None, "{wrong}");
        }
        assert_eq!(city.within(&county), Some(county.clone()), "the smaller of two that share something");
        assert_eq!(county.within(&Scope::parse("14").unwrap()), None);
        let (from, to) = county.bounds();
        let is_in = |code: &str| from.as_str() <= code && code < to.as_str();
        assert!(is_in("130421") && !is_in("130422") && !is_in("") && !is_in("130420"));
        let (from, to) = Scope::NATION.bounds();
        assert!(from.as_str() <= "" && "999999" < to.as_str());
    }
}
