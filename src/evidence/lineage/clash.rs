//! Which mentions do not go together.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Mention, MentionId, Says};
use crate::{
    catalogue::{Class, Phase, PlateSource},
    terms::{
        Digest, GatewayId, Name,
        digest::hex_into,
        place::{CreditCode, Division},
        words::{self, Words},
    },
};

/// Where a log's plant is: its county and its enterprise.
pub type Place = (Division, CreditCode);

/// A mention and where it was said, once the log's genesis has told that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// What was said.
    pub mention: Mention,
    /// Where.
    pub place: Option<Place>,
}

/// How two records do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClashKind {
    /// One machine at two places.
    Transfer,
    /// One machine at two places by the word of one gateway: it moved with its gateway, or only the name of its place or
    /// enterprise did.
    PlaceChanged,
    /// One meter at two places.
    MeterTwice,
    /// One machine under two names at one gateway.
    ListedTwice,
    /// Two nameplates of one machine on two sides of a bound.
    RatingEdited,
    /// Eliminated, and drew power later.
    EliminatedDraws,
}

impl ClashKind {
    /// Every kind.
    pub const ALL: [ClashKind; 6] = [
        ClashKind::Transfer,
        ClashKind::PlaceChanged,
        ClashKind::MeterTwice,
        ClashKind::ListedTwice,
        ClashKind::RatingEdited,
        ClashKind::EliminatedDraws,
    ];

    /// The word of outputs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            ClashKind::Transfer => "transfer",
            ClashKind::PlaceChanged => "place_changed",
            ClashKind::MeterTwice => "meter_twice",
            ClashKind::ListedTwice => "listed_twice",
            ClashKind::RatingEdited => "rating_edited",
            ClashKind::EliminatedDraws => "eliminated_draws",
        }
    }

    /// What a person reads, and the clause or the question behind it.
    pub const fn words(self) -> (Words, Words) {
        match self {
            ClashKind::Transfer => (words::TRANSFER, words::TRANSFER_CLAUSE),
            ClashKind::PlaceChanged => (words::PLACE_CHANGED, words::PLACE_CHANGED_CLAUSE),
            ClashKind::MeterTwice => (words::METER_TWICE, words::METER_TWICE_CLAUSE),
            ClashKind::ListedTwice => (words::LISTED_TWICE, words::LISTED_TWICE_CLAUSE),
            ClashKind::RatingEdited => (words::RATING_EDITED, words::RATING_EDITED_CLAUSE),
            ClashKind::EliminatedDraws => (words::ELIMINATED_DRAWS, words::ELIMINATED_DRAWS_CLAUSE),
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<ClashKind> {
        ClashKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The same for the same pair, whichever records show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClashId(pub [u8; 8]);

impl ClashId {
    /// Reads 16 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<ClashId> {
        let mut bytes = [0; 8];
        hex_into(text, &mut bytes).then_some(ClashId(bytes))
    }

    fn of(kind: ClashKind, about: &str, ends: [String; 2]) -> ClashId {
        let [mut one, mut other] = ends;
        if other < one {
            std::mem::swap(&mut one, &mut other);
        }
        let Digest(hash) = Digest::of([kind.word(), about, &one, &other].join("\n").as_bytes());
        let mut id = [0; 8];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        ClashId(id)
    }
}

impl fmt::Display for ClashId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Two mentions that do not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The same for the same pair.
    pub id: ClashId,
    /// How.
    pub kind: ClashKind,
    /// The machine or meter as it was compared, or the equipment's name.
    pub about: String,
    /// The one said first.
    pub first: Mention,
    /// The one said later.
    pub second: Mention,
    /// The paper that excuses it: by it the meter had left the first place before it came up at the second.
    pub excuse: Option<Mention>,
}

impl Clash {
    /// Whether it tells of its pair better than another of the same: what is not excused before what is.
    fn is_before(&self, other: &Clash) -> bool {
        match (&self.excuse, &other.excuse) {
            (None, Some(_)) => true,
            (Some(one), Some(other)) => one < other,
            (None | Some(_), None) => false,
        }
    }
}

/// The pairs that are new, each once: one half is new, or it is new that both are about one machine; and all pairs of the
/// meters that are told of, each excused if every two mentions that show it are. `known` holds what names the same
/// machines and meters as the new ones, and what is about the equipment of either; the new ones stand for those of them
/// that are kept under the same identifier.
pub fn clashes(new: &[Located], known: &[Located]) -> Vec<Clash> {
    let ids: BTreeSet<MentionId> = new.iter().map(|at| at.mention.id()).collect();
    let known: Vec<&Located> = known.iter().filter(|at| !ids.contains(&at.mention.id())).collect();
    let beside = Beside::of(new.iter().chain(known.iter().copied()));
    let told = Told::of(new);
    let (told_anew, others): (Vec<&Located>, Vec<&Located>) =
        known.into_iter().partition(|at| told.concerns(&at.mention));
    let all: Vec<&Located> = new.iter().chain(told_anew).collect();
    let mut found: BTreeMap<ClashId, Clash> = BTreeMap::new();
    for (at, one) in all.iter().enumerate() {
        let later = all.iter().skip(at + 1);
        for other in later.chain(&others).filter(|other| other.mention != one.mention) {
            let (first, second) =
                if one.mention.is_before(&other.mention) { (one, other) } else { (other, one) };
            if let Some(clash) = clash(first, second, &beside)
                && found.get(&clash.id).is_none_or(|kept| clash.is_before(kept))
            {
                found.insert(clash.id, clash);
            }
        }
    }
    found.into_values().collect()
}

/// The equipment that new mentions say is a machine, and the meters they tell of.
struct Told<'a> {
    named: BTreeSet<(GatewayId, Name)>,
    meters: BTreeSet<&'a str>,
}

impl<'a> Told<'a> {
    fn of(new: &'a [Located]) -> Told<'a> {
        let mut told = Told { named: BTreeSet::new(), meters: BTreeSet::new() };
        for Mention { gateway, subject, says, .. } in new.iter().map(|at| &at.mention) {
            match says {
                Says::Machine { .. } => told.named.extend([(*gateway, *subject)]),
                Says::Meter { key, .. } | Says::MeterLeft { key, .. } => told.meters.extend([key.as_str()]),
                Says::Plate { .. } | Says::Eliminated(_) | Says::Drew { .. } => {}
            }
        }
        told
    }

    /// Whether what is known is to be looked at as if it were new.
    fn concerns(&self, mention: &Mention) -> bool {
        let is_meter = matches!(&mention.says, Says::Meter { key, .. } if self.meters.contains(key.as_str()));
        is_meter || self.named.contains(&(mention.gateway, mention.subject))
    }
}

/// What the pairs are looked at against.
struct Beside<'a> {
    /// The machines that each piece of equipment is said to be.
    machines: BTreeMap<(GatewayId, Name), BTreeSet<&'a str>>,
    /// Meters that were replaced with papers.
    left: Vec<&'a Located>,
}

impl<'a> Beside<'a> {
    fn of(all: impl Iterator<Item = &'a Located>) -> Beside<'a> {
        let mut beside = Beside { machines: BTreeMap::new(), left: Vec::new() };
        for located in all {
            let Mention { gateway, subject, says, .. } = &located.mention;
            match says {
                Says::Machine { key, .. } => {
                    beside.machines.entry((*gateway, *subject)).or_default().insert(key);
                }
                Says::MeterLeft { .. } => beside.left.push(located),
                Says::Plate { .. } | Says::Meter { .. } | Says::Eliminated(_) | Says::Drew { .. } => {}
            }
        }
        beside
    }

    /// Whether both are about one machine: the equipment is the same, or said to be the same machine.
    fn are_one(&self, one: &Mention, other: &Mention) -> bool {
        let (here, there) = ((one.gateway, one.subject), (other.gateway, other.subject));
        let keys = || self.machines.get(&here).zip(self.machines.get(&there));
        here == there || keys().is_some_and(|(keys, others)| !keys.is_disjoint(others))
    }

    /// The paper with which this meter was replaced where it was first, before it came up again. A paper speaks of what was
    /// there before it, not of a meter that came back without one.
    fn had_left(&self, first: &Located, second: &Located) -> Option<&Mention> {
        let Says::Meter { key, maker } = &first.mention.says else { return None };
        let excuses = self.left.iter().filter(|left| {
            let is_it = matches!(&left.mention.says, Says::MeterLeft { key: gone, maker: of }
                if gone == key && is_maker(of, maker));
            is_it
                && left.place == first.place
                && first.mention.is_before(&left.mention)
                && left.mention.is_before(&second.mention)
        });
        excuses.map(|left| &left.mention).min()
    }
}

fn clash(first: &Located, second: &Located, beside: &Beside<'_>) -> Option<Clash> {
    let (one, other) = (&first.mention, &second.mention);
    let made = |kind, about: &str, ends| Clash {
        id: ClashId::of(kind, about, ends),
        kind,
        about: about.to_owned(),
        first: one.clone(),
        second: other.clone(),
        excuse: None,
    };
    let whose = |mention: &Mention| format!("{} {}", mention.gateway, mention.subject);
    match (&one.says, &other.says) {
        (Says::Machine { key, class }, Says::Machine { key: same, class: later }) if key == same => {
            let is_free = |class: &Class| matches!(class, Class::Exempt | Class::OutOfScope);
            match apart(first, second) {
                Some(places) => {
                    let same_gateway = one.gateway == other.gateway;
                    let kind = if same_gateway { ClashKind::PlaceChanged } else { ClashKind::Transfer };
                    (!is_free(class) || !is_free(later)).then(|| made(kind, key, places))
                }
                None => (one.gateway == other.gateway && one.subject != other.subject)
                    .then(|| made(ClashKind::ListedTwice, key, [whose(one), whose(other)])),
            }
        }
        (Says::Meter { key, maker }, Says::Meter { key: same, maker: also }) => {
            // A gateway reads its meters wherever it says that it is.
            let is_one = key == same && one.gateway != other.gateway && is_maker(maker, also);
            apart(first, second).filter(|_| is_one).map(|places| {
                let excuse = beside.had_left(first, second).cloned();
                Clash { excuse, ..made(ClashKind::MeterTwice, key, places) }
            })
        }
        (
            Says::Plate { source, class, fingerprint },
            Says::Plate { source: again, class: later, fingerprint: then },
        ) => (beside.are_one(one, other) && loosens((*source, *class), (*again, *later), one, other)).then(
            || {
                let ends = [format!("{} {fingerprint}", whose(one)), format!("{} {then}", whose(other))];
                made(ClashKind::RatingEdited, one.subject.as_str(), ends)
            },
        ),
        (Says::Eliminated(_), Says::Drew { phase, .. }) => {
            let same_log = (one.gateway, one.log) == (other.gateway, other.log);
            // The witness that knew the earlier day knows by whose word there is a later one.
            let is_lawful = same_log && *phase == Some(Phase::PreDeadline);
            (beside.are_one(one, other) && !is_lawful).then(|| {
                let ends = [whose(one), format!("{} {}", whose(other), other.log)];
                made(ClashKind::EliminatedDraws, one.subject.as_str(), ends)
            })
        }
        (
            Says::Machine { .. }
            | Says::Plate { .. }
            | Says::Meter { .. }
            | Says::MeterLeft { .. }
            | Says::Eliminated(_)
            | Says::Drew { .. },
            _,
        ) => None,
    }
}

/// The two places, if they are two.
fn apart(first: &Located, second: &Located) -> Option<[String; 2]> {
    let (here, there) = first.place.zip(second.place)?;
    let named = |(division, enterprise): Place| format!("{division} {enterprise}");
    (here != there).then(|| [named(here), named(there)])
}

/// Whether two meters may be of one maker, as far as both tell.
fn is_maker(one: &str, other: &str) -> bool {
    one.is_empty() || other.is_empty() || one == other
}

/// Whether a bound lies between two nameplates of one machine, so that the second lets it go; or the read one and the
/// declared one, whichever was said first.
fn loosens(
    first: (PlateSource, Class),
    second: (PlateSource, Class),
    one: &Mention,
    other: &Mention,
) -> bool {
    let ((source, class), (again, later)) = (first, second);
    let lets_go = |class| matches!(class, Class::Exempt | Class::OutOfScope);
    let is_here = (one.gateway, one.subject) == (other.gateway, other.subject);
    let erased = later == Class::Undetermined && is_here && source == again;
    let edited = class == Class::InScope && (lets_go(later) || erased);
    let differs = is_here && source != again && lets_go(class) && later == Class::InScope;
    edited || differs
}
