//! `identify`: who stands at a unit, asked in four ways; which of them answered, which were silent, what fits.

use std::sync::Arc;

use serde::Serialize;

use super::{
    asker::Asker,
    explore::{Candidate, Explorer, Questions, What},
    library::Library,
    scan::{Way, cannot_open, nothing_at},
    screen::Screen,
    sheet::{self, Answers, Start},
    words,
};
use crate::{
    agent::bus::Got,
    host::{Clock, Exit, Failure},
    metering::{
        Block, Fault, Identity, Profile, Question, Reply,
        identity::{Label, Route},
        profile::{Chain, Fact, Origin},
    },
    terms::words::Language,
};

/// Most answers one device identification may be spread over.
const MAX_PARTS: usize = 16;
/// First objects of the regular and of the extended category (Modbus application protocol 1.1b3, 6.21).
const REGULAR: u8 = 3;
const EXTENDED: u8 = 0x80;

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
}

impl Who {
    /// The profiles that fit, the best first.
    pub fn candidates(&self) -> &[Candidate] {
        if let What::Meter(candidates) = &self.what { candidates } else { &[] }
    }

    /// The profile whose own test of the meter's type holds, if there is exactly one.
    pub fn named(&self) -> Option<&Candidate> {
        let mut typed =
            self.candidates().iter().filter(|c| sheet::type_is(&c.profile, &self.answers) == Some(true));
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
    let mut who = Who { identity, ways, objects, what, answers };
    if matches!(who.what, What::Refused) {
        return who;
    }
    let device_id = device_id(asker, unit, &mut who).await;
    let server_id = server_id(asker, unit, &mut who).await;
    let fitting = who.named().or(who.candidates().first()).map(|candidate| candidate.profile.clone());
    let (vendor, sunspec) = match map.cloned().or(fitting) {
        Some(map) => about(asker, unit, &map, &mut who).await,
        None => (Outcome::NotKnown, Outcome::NotKnown),
    };
    let outcomes = [device_id, server_id, vendor, sunspec];
    for (route, outcome) in Route::ALL.into_iter().zip(outcomes) {
        who.ways.push((route, outcome));
        if outcome == Outcome::Told {
            who.identity.route = who.identity.route.or(Some(route));
        } else {
            who.identity.silent.add(route);
        }
    }
    who
}

/// Function 43 type 14, with everything that follows, category by category.
async fn device_id(asker: &mut Asker<'_>, unit: u8, who: &mut Who) -> Outcome {
    let mut wanted = vec![EXTENDED, REGULAR, 0];
    let (mut parts, mut first) = (0, None);
    while let Some(object) = wanted.pop() {
        parts += 1;
        let got = asker.ask(unit, Question::DeviceId { object }).await;
        let part = match got.as_ref().map(Got::reply) {
            Ok(Reply::DeviceId(part)) => part,
            Ok(Reply::Words(_) | Reply::ServerId(_)) => return Outcome::Not(Fault::Mismatch),
            Err(fault) if parts == 1 => return Outcome::Not(*fault),
            Err(_) => break,
        };
        // What it does not support is not asked for.
        let level = *first.get_or_insert(part.conformity & 0x7F);
        wanted.retain(|object| match *object {
            EXTENDED => level >= 3,
            REGULAR => level >= 2,
            _ => true,
        });
        for (id, value) in part.objects() {
            if let Some(label) =
                Label::new(value).filter(|_| who.objects.iter().all(|(known, _)| *known != id))
            {
                who.objects.push((id, label));
            }
        }
        wanted.extend(part.next.filter(|next| *next > object));
        if parts >= MAX_PARTS {
            break;
        }
    }
    let object = |wanted: u8| who.objects.iter().find(|(id, _)| *id == wanted).map(|(_, label)| *label);
    let identity = &mut who.identity;
    identity.maker = object(0);
    // The model's name where there is one, else the product's, else its code.
    identity.model = object(5).or(object(4)).or(object(1));
    identity.firmware = object(2);
    if who.objects.is_empty() { Outcome::Empty } else { Outcome::Told }
}

async fn server_id(asker: &mut Asker<'_>, unit: u8, who: &mut Who) -> Outcome {
    let got = asker.ask(unit, Question::ServerId).await;
    match got.as_ref().map(Got::reply) {
        Ok(Reply::ServerId(bytes)) => match Label::new(bytes) {
            Some(label) => {
                who.identity.model = who.identity.model.or(Some(label));
                Outcome::Told
            }
            None => Outcome::Empty,
        },
        Ok(Reply::Words(_) | Reply::DeviceId(_)) => Outcome::Not(Fault::Mismatch),
        Err(fault) => Outcome::Not(*fault),
    }
}

/// The registers in which a map says that the meter tells of itself: fixed ones, or those of a SunSpec chain.
async fn about(asker: &mut Asker<'_>, unit: u8, profile: &Profile, who: &mut Who) -> (Outcome, Outcome) {
    let told = sheet::told(profile, &who.answers);
    (who.identity.ct, who.identity.pt) = (told.ct, told.pt);
    if profile.about.is_empty() {
        return (Outcome::NotKnown, Outcome::NotKnown);
    }
    let mut outcome = Outcome::Empty;
    for about in &profile.about {
        let Some(block) =
            about_block(profile, about.spot.model, about.spot.block(Origin::FIXED), &who.answers)
        else {
            continue;
        };
        let words = match asker.registers(unit, block).await {
            Ok(words) => words,
            Err(fault) => {
                outcome = if outcome == Outcome::Told { outcome } else { Outcome::Not(fault) };
                continue;
            }
        };
        let label = about.spot.shape.read(&words).and_then(|said| Label::new(said.to_string().as_bytes()));
        who.answers.insert(block, Ok(words));
        let Some(label) = label else { continue };
        outcome = Outcome::Told;
        let identity = &mut who.identity;
        match about.fact {
            Fact::Maker => identity.maker = identity.maker.or(Some(label)),
            Fact::Model => identity.model = Some(label),
            Fact::Firmware => identity.firmware = identity.firmware.or(Some(label)),
            Fact::Serial => identity.serial = identity.serial.or(Some(label)),
            Fact::PhaseConfig | Fact::Application | Fact::Network => {
                identity.wiring = identity.wiring.or(Some(label));
            }
            Fact::Name | Fact::Options | Fact::Version | Fact::ProgramCode => {}
        }
    }
    if profile.chain.is_some() { (Outcome::NotKnown, outcome) } else { (outcome, Outcome::NotKnown) }
}

/// Where a meter tells of itself: at a fixed address, or counted from a model's header in its SunSpec chain.
fn about_block(
    profile: &Profile,
    model: Option<u16>,
    fixed: Option<Block>,
    answers: &Answers,
) -> Option<Block> {
    let (Some(model), Some(chain)) = (model, &profile.chain) else { return fixed };
    let to_model = Profile { chain: Some(Chain { model, ..chain.clone() }), ..profile.clone() };
    match sheet::start(&to_model, answers) {
        Start::At(origin) => origin.block(fixed?),
        Start::Unread(_) | Start::Absent => None,
    }
}

/// Who a meter is, for machines.
#[derive(Debug, Default, Serialize)]
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
        identity: IdentityJson::of(&who.identity),
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
