//! `identify`: who stands at a unit, asked in four ways; which of them answered, which were silent, what fits.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{
    asker::Asker,
    explore::{Candidate, Explorer, Questions, What},
    library::Library,
    scan::{Way, cannot_open, nothing_at},
    screen::Screen,
    sheet, words,
};
use crate::{
    agent::bus::Got,
    host::{Clock, Exit, Failure},
    metering::{
        Answers, Block, Fault, Identity, Inquiry, Profile, Question, answers,
        identity::{Label, Route, Routes},
        inquiry, recognise,
    },
    terms::{Digest, words::Language},
};

/// What a way of asking came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It told something.
    Told,
    /// It answered and told nothing of use.
    Empty,
    /// There was no answer, or a refusal.
    Not(Fault),
    /// No known map says where to look.
    NotKnown,
}

/// Who stands at a unit.
#[derive(Clone, Debug)]
pub struct Who {
    /// What it tells of itself.
    pub identity: Identity,
    /// What each way came to, in the order of the ways.
    pub ways: Vec<(Route, Outcome)>,
    /// Objects of the device identification, as they came.
    pub objects: Vec<(u8, Label)>,
    /// What its registers amount to.
    pub what: What,
    /// Every register that was read.
    pub answers: Answers,
    /// What the agent's records will call it by, if it is read by the map that was named or fits best.
    pub fingerprint: Option<Digest>,
}

impl Who {
    /// The profiles that fit, the best first.
    pub fn candidates(&self) -> &[Candidate] {
        if let What::Meter(candidates) = &self.what { candidates } else { &[] }
    }

    /// The profile whose own test of the meter's type holds, if there is exactly one.
    pub fn named(&self) -> Option<&Candidate> {
        let mut typed = self
            .candidates()
            .iter()
            .filter(|c| recognise::fit(&c.profile, &self.answers) == recognise::Fit::Fits);
        typed.next().filter(|_| typed.next().is_none())
    }

    /// Whether anything answered.
    pub fn is_there(&self) -> bool {
        let answered = |outcome: &Outcome| match outcome {
            Outcome::Told | Outcome::Empty => true,
            Outcome::Not(Fault::Exception(code)) => !matches!(code, 10 | 11),
            Outcome::Not(_) | Outcome::NotKnown => false,
        };
        self.what.is_there() || self.ways.iter().any(|(_, outcome)| answered(outcome))
    }
}

/// Asks a unit in all four ways. The registers come first: most meters know nothing else. With a map that a person
/// named, its registers are asked who the meter is, else those of the map that fits best.
pub async fn who(asker: &mut Asker<'_>, unit: u8, questions: &Questions, map: Option<&Arc<Profile>>) -> Who {
    let mut explorer = Explorer::new(questions);
    while let Some(block) = explorer.next() {
        let answer = asker.registers(unit, block).await;
        explorer.on_answer(block, answer);
    }
    more(asker, unit, (explorer.what(), explorer.answers().clone()), map).await
}

/// Asks a unit whose registers were explored by the other ways too.
pub async fn more(
    asker: &mut Asker<'_>,
    unit: u8,
    (what, answers): (What, Answers),
    map: Option<&Arc<Profile>>,
) -> Who {
    let (identity, ways, objects) = (Identity::default(), Vec::new(), Vec::new());
    let mut who = Who { identity, ways, objects, what, answers, fingerprint: None };
    if matches!(who.what, What::Refused) {
        return who;
    }
    let fitting = || who.named().or(who.candidates().first()).map(|candidate| candidate.profile.clone());
    let map = map.cloned().or_else(fitting);
    let mut inquiry = Inquiry::new(map.clone());
    let known = inquiry.register_routes();
    let is_asked = |route: Route| matches!(route, Route::DeviceId | Route::ServerId) || known.has(route);
    inquiry.begin(inquiry::ORDER.into_iter().filter(|route| is_asked(*route)));
    let mut agents = Routes::default();
    inquiry.routes().for_each(|route| agents.add(route));
    let mut faults = BTreeMap::new();
    while let Some((route, question)) = inquiry.route().zip(inquiry.question()) {
        let got = who.ask(asker, unit, question).await;
        if let Err(fault) = got {
            faults.insert(route, fault);
        }
        inquiry.on_answer(got.as_ref().map(Got::reply).map_err(|fault| *fault));
        // The agent leaves functions 43 and 17 alone where the map tells the serial number.
        if agents.has(route) {
            let identity = inquiry.identity();
            who.fingerprint = identity.route.map(|_| identity.fingerprint());
        }
    }
    let outcome = |route: Route| match faults.get(&route) {
        _ if !is_asked(route) => Outcome::NotKnown,
        // Objects that came before a refusal are told all the same, and an answer without any tells nothing.
        _ if route == Route::DeviceId && !who.objects.is_empty() => Outcome::Told,
        _ if route != Route::DeviceId && !inquiry.identity().silent.has(route) => Outcome::Told,
        Some(fault) => Outcome::Not(*fault),
        None => Outcome::Empty,
    };
    who.ways = Route::ALL.into_iter().map(|route| (route, outcome(route))).collect();
    who.conclude(*inquiry.identity(), map.as_deref());
    who
}

impl Who {
    /// Puts a question, unless exploring has answered it already, and keeps what came.
    async fn ask(&mut self, asker: &mut Asker<'_>, unit: u8, question: Question) -> Result<Got, Fault> {
        let known = question.block().and_then(|block| known(block, &self.answers));
        let got = match known {
            Some(known) => return known.map(Got::Words),
            None => asker.ask(unit, question).await,
        };
        match (question, &got) {
            (Question::Registers(block), Ok(Got::Words(words))) => {
                self.answers.insert(block, Ok(words.clone()));
            }
            (Question::Registers(block), Err(fault)) => {
                self.answers.insert(block, Err(*fault));
            }
            (Question::DeviceId { .. }, Ok(Got::DeviceId(part))) => {
                for (id, value) in part.objects() {
                    let is_new = self.objects.iter().all(|(known, _)| *known != id);
                    self.objects.extend(Label::new(value).filter(|_| is_new).map(|label| (id, label)));
                }
            }
            (Question::Registers(_) | Question::DeviceId { .. } | Question::ServerId, Ok(_) | Err(_)) => {}
        }
        got
    }

    /// The identity by what its ways came to, with the ratios as the meter shows them: on its plate nothing is reduced.
    fn conclude(&mut self, identity: Identity, map: Option<&Profile>) {
        let told = map.map(|map| sheet::told(map, &self.answers)).unwrap_or_default();
        self.identity =
            Identity { ct: told.ct, pt: told.pt, route: None, silent: Routes::default(), ..identity };
        for (route, outcome) in &self.ways {
            if *outcome == Outcome::Told {
                self.identity.route = self.identity.route.or(Some(*route));
            } else {
                self.identity.silent.add(*route);
            }
        }
    }
}

/// What exploring has learned of some registers: their words, or that the meter refuses just these.
fn known(block: Block, answers: &Answers) -> Option<Result<Vec<u16>, Fault>> {
    let words = answers::words(block, answers).map(|words| Ok(words.to_vec()));
    let refused = || answers.get(&block)?.as_ref().err().filter(|fault| fault.is_refusal());
    words.or_else(|| refused().map(|fault| Err(*fault)))
}

/// Who a meter is, for machines.
#[derive(Clone, Debug, Default, Serialize)]
pub struct IdentityJson {
    /// The route that answered first.
    route: Option<&'static str>,
    maker: Option<String>,
    model: Option<String>,
    serial: Option<String>,
    firmware: Option<String>,
    ct: Option<String>,
    pt: Option<String>,
    wiring: Option<String>,
    fingerprint: Option<String>,
    silent: Vec<&'static str>,
    /// The map the values are read by.
    profile: Option<String>,
    /// How that map was proved.
    tested: Option<String>,
}

impl IdentityJson {
    /// From what a meter told.
    pub fn of(identity: &Identity) -> IdentityJson {
        let text = |label: Option<Label>| label.map(|label| label.to_string());
        IdentityJson {
            route: identity.route.map(Route::word),
            maker: text(identity.maker),
            model: text(identity.model),
            serial: text(identity.serial),
            firmware: text(identity.firmware),
            ct: identity.ct.map(|ratio| ratio.to_string()),
            pt: identity.pt.map(|ratio| ratio.to_string()),
            wiring: text(identity.wiring),
            fingerprint: identity.route.map(|_| identity.fingerprint().to_string()),
            silent: identity.silent.iter().map(Route::word).collect(),
            profile: None,
            tested: None,
        }
    }

    /// From what a meter told a person, with the fingerprint the agent comes to.
    pub fn of_who(who: &Who) -> IdentityJson {
        let fingerprint = who.fingerprint.map(|fingerprint| fingerprint.to_string());
        IdentityJson { fingerprint, ..IdentityJson::of(&who.identity) }
    }

    /// With the map the values are read by, and how that was proved.
    #[must_use]
    pub fn with_map(self, profile: &Profile, tested: &str) -> IdentityJson {
        IdentityJson { profile: Some(profile.id.to_string()), tested: Some(tested.to_owned()), ..self }
    }

    /// Its lines for a person.
    pub fn lines(&self, language: Language) -> Vec<String> {
        let fields = [
            ("maker", &self.maker),
            ("model", &self.model),
            ("serial", &self.serial),
            ("firmware", &self.firmware),
            ("ct", &self.ct),
            ("pt", &self.pt),
            ("wiring", &self.wiring),
            ("fingerprint", &self.fingerprint),
        ];
        let known =
            fields.into_iter().filter_map(|(name, value)| Some(format!("  {name:<12} {}", value.as_ref()?)));
        let lines: Vec<String> = known.collect();
        if lines.is_empty() { vec![format!("  {}", words::tells_nothing(language))] } else { lines }
    }
}

/// The whole answer for machines.
#[derive(Serialize)]
struct Report {
    endpoint: String,
    unit: u8,
    identity: IdentityJson,
    routes: Vec<RouteJson>,
    objects: Vec<(u8, String)>,
    profiles: Vec<Fit>,
}

#[derive(Serialize)]
struct RouteJson {
    route: &'static str,
    answered: bool,
    detail: String,
}

#[derive(Serialize)]
struct Fit {
    profile: String,
    score: u8,
    tested: String,
}

/// Asks one unit who it is and tells it.
///
/// # Errors
/// Nothing answered, or the endpoint cannot be opened.
pub async fn identify(
    clock: &dyn Clock,
    library: &Library,
    way: &Way<'_>,
    unit: u8,
    deadline_ms: u32,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let language = screen.language;
    let mut asker = Asker::new(clock, way.dial, deadline_ms, 0);
    let who = who(&mut asker, unit, &Questions::of(&library.profiles), None).await;
    if let Some((error, _)) = asker.hindrance().filter(|_| !who.is_there()) {
        return Err(cannot_open(&way.endpoint, error, language));
    }
    if !who.is_there() {
        return Err(nothing_at(&way.endpoint, unit, &who.what, language));
    }
    let routes = who.ways.iter().map(|(route, outcome)| RouteJson {
        route: route.word(),
        answered: *outcome == Outcome::Told,
        detail: words::route(language, *outcome),
    });
    let report = Report {
        endpoint: way.endpoint.clone(),
        unit,
        identity: IdentityJson::of_who(&who),
        routes: routes.collect(),
        objects: who.objects.iter().map(|(id, label)| (*id, label.to_string())).collect(),
        profiles: who
            .candidates()
            .iter()
            .map(|candidate| Fit {
                profile: candidate.profile.id.to_string(),
                score: candidate.score,
                tested: candidate.profile.tested.words().in_language(language).to_owned(),
            })
            .collect(),
    };
    tell(&report, screen);
    screen.object(&report)?;
    Ok(Exit::Done)
}

fn tell(report: &Report, screen: &mut Screen<'_>) {
    let language = screen.language;
    screen.line(&format!("{} unit {}", report.endpoint, report.unit));
    for route in &report.routes {
        screen.line(&format!("  {:<12} {}", route.route, route.detail));
    }
    for (id, text) in &report.objects {
        screen.line(&format!("  object 0x{id:02X}  {text}"));
    }
    report.identity.lines(language).iter().for_each(|line| screen.line(line));
    if report.profiles.is_empty() {
        screen.line(&words::no_profile_fits(language));
    }
    for fit in &report.profiles {
        screen.line(&words::fits(language, &fit.profile, fit.score, &fit.tested));
    }
    screen.line(&words::reads_only(language));
}
