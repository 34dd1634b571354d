//! Asking a meter who it is, by every route there is, one question at a time and without a socket.

use std::sync::Arc;

use super::{
    Answer, Block, DeviceIdPart, Fault, Plan, Profile, Question, Reply, Scan,
    decode::{self, Declared},
    identity::{Identity, Label, Route, Routes},
    plan::{Breadth, Planner},
    profile::{About, Fact, Origin, Spot},
    recognise::{self, Fit},
    sunspec::Walk,
};
use crate::terms::Ratio;

/// Most answers one device identification may take: a unit that always says "more follows" is left alone then.
pub const MAX_DEVICE_ID_PARTS: u8 = 8;

/// The order in which a meter is asked. The map's own words come first: they are needed for the values, they show whether
/// anybody is there, and of two routes that tell the same thing they are the ones its map was proved by.
pub const ORDER: [Route; 4] = [Route::Sunspec, Route::Vendor, Route::DeviceId, Route::ServerId];

/// The inquiry of one meter. It can be begun again and again; what the meter refused is remembered.
#[derive(Clone, Debug)]
pub struct Inquiry {
    profile: Option<Arc<Profile>>,
    cells: Planner,
    plan: Plan,
    todo: heapless::Vec<Route, 4>,
    step: Step,
    scan: Scan,
    identity: Identity,
    told: Declared,
    walk: Walk,
    /// Nothing it said contradicts its profile.
    fits: bool,
    parts: u8,
    bisections: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    DeviceId { object: u8 },
    ServerId,
    Cells { block: usize },
    Chain,
    Common,
    Over,
}

impl Inquiry {
    /// For a meter whose profile is known, or for one of which nothing is known yet.
    pub fn new(profile: Option<Arc<Profile>>) -> Inquiry {
        let cells = profile.as_ref().and_then(|profile| Planner::identity(profile)).unwrap_or_default();
        let plan = cells.whole().unwrap_or_default();
        let walk = Walk::along(profile.as_ref().and_then(|profile| profile.chain.as_ref()));
        Inquiry {
            profile,
            cells,
            plan,
            todo: heapless::Vec::new(),
            step: Step::Over,
            scan: Scan::default(),
            identity: Identity::default(),
            told: Declared::default(),
            walk,
            fits: true,
            parts: 0,
            bisections: 0,
        }
    }

    /// Begins anew with these routes, in this order. What they tell of the same thing first counts.
    pub fn begin(&mut self, routes: impl IntoIterator<Item = Route>) {
        self.todo = routes.into_iter().take(4).collect();
        self.todo.reverse();
        self.scan.clear();
        self.identity = Identity::default();
        self.told = Declared::default();
        self.fits = true;
        self.walk = Walk::along(self.profile.as_ref().and_then(|profile| profile.chain.as_ref()));
        self.next_route();
    }

    /// The routes a meter of this map is asked by as long as none is known to be silent, in their order: its own words
    /// first, for they are needed for the values and show whether anybody is there; functions 43 and 17 only where the
    /// map does not tell the serial number.
    pub fn routes(&self) -> impl Iterator<Item = Route> + use<> {
        let mut routes = self.register_routes();
        if self.profile.as_ref().is_none_or(|profile| profile.about(Fact::Serial).is_none()) {
            routes.add(Route::DeviceId);
            routes.add(Route::ServerId);
        }
        ORDER.into_iter().filter(move |route| routes.has(*route))
    }

    /// Routes through registers this meter's profile offers.
    pub fn register_routes(&self) -> Routes {
        let mut routes = Routes::default();
        if self.has_chain() {
            routes.add(Route::Sunspec);
        }
        if !self.cells.is_empty() {
            routes.add(Route::Vendor);
        }
        routes
    }

    /// What to ask next; `None` when it is over.
    pub fn question(&self) -> Option<Question> {
        Some(match self.step {
            Step::DeviceId { object } => Question::DeviceId { object },
            Step::ServerId => Question::ServerId,
            Step::Cells { block } => Question::Registers(*self.plan.blocks.get(block)?),
            Step::Chain => Question::Registers(self.walk.question()?),
            Step::Common => Question::Registers(self.walk.common()?),
            Step::Over => return None,
        })
    }

    /// The route the question belongs to.
    pub fn route(&self) -> Option<Route> {
        match self.step {
            Step::DeviceId { .. } => Some(Route::DeviceId),
            Step::ServerId => Some(Route::ServerId),
            Step::Cells { .. } => Some(Route::Vendor),
            Step::Chain | Step::Common => Some(Route::Sunspec),
            Step::Over => None,
        }
    }

    /// Takes what came of the question. A fault ends its route, a refused range of registers is split first.
    pub fn on_answer(&mut self, answer: Answer<'_>) {
        match (self.step, answer) {
            (Step::DeviceId { object }, Ok(Reply::DeviceId(part))) => self.on_device_id(object, part),
            (Step::ServerId, Ok(Reply::ServerId(bytes))) => self.on_server_id(bytes),
            (Step::Cells { block }, Ok(Reply::Words(words))) => self.on_cells(block, words),
            (Step::Cells { block }, Err(fault)) if fault.is_refusal() => self.on_refusal(block),
            (Step::Chain, Ok(Reply::Words(words))) => self.on_chain(Some(words)),
            (Step::Chain, Err(fault)) if fault.is_refusal() => self.on_chain(None),
            (Step::Common, Ok(Reply::Words(words))) => self.on_common(words),
            (
                Step::DeviceId { .. } | Step::ServerId | Step::Cells { .. } | Step::Chain | Step::Common,
                Ok(_) | Err(_),
            ) => self.end_route(),
            (Step::Over, Ok(_) | Err(_)) => {}
        }
    }

    /// Who the meter is, as far as it has told.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The ratios it told of itself.
    pub const fn told(&self) -> Declared {
        self.told
    }

    /// Where the addresses of its profile's rows count from.
    ///
    /// # Errors
    /// [`Fault::WrongModel`]: it has no such model in its chain, or something it said is not what the profile wants.
    pub fn origin(&self) -> Result<Origin, Fault> {
        let origin = if self.has_chain() { self.walk.found().map(Origin) } else { Some(Origin::FIXED) };
        origin.filter(|_| self.fits).ok_or(Fault::WrongModel)
    }

    fn has_chain(&self) -> bool {
        self.profile.as_ref().is_some_and(|profile| profile.chain.is_some())
    }

    /// Times a refused range was split, since the last call.
    pub fn take_bisections(&mut self) -> u64 {
        std::mem::take(&mut self.bisections)
    }

    /// Forgets what the meter refused.
    pub fn forget(&mut self) {
        self.cells.forget();
        self.plan = self.cells.whole().unwrap_or_default();
    }

    fn next_route(&mut self) {
        self.parts = 0;
        self.step = match self.todo.pop() {
            Some(Route::DeviceId) => Step::DeviceId { object: 0 },
            Some(Route::ServerId) => Step::ServerId,
            Some(Route::Vendor) => Step::Cells { block: 0 },
            Some(Route::Sunspec) => Step::Chain,
            None => Step::Over,
        };
        if self.step != Step::Over && self.question().is_none() {
            self.end_route();
        }
    }

    /// The present route has told all it will; one that told nothing is silent.
    fn end_route(&mut self) {
        if let Some(route) = self.route() {
            self.identity.silent.add(route);
        }
        self.next_route();
    }

    fn answered(&mut self, route: Route) {
        self.identity.route = Some(self.identity.route.map_or(route, |known| known.min(route)));
        self.next_route();
    }

    fn on_device_id(&mut self, object: u8, part: &DeviceIdPart) {
        self.parts += 1;
        for (id, value) in part.objects() {
            let told = Label::new(value);
            let field = match id {
                0 => &mut self.identity.maker,
                // A product code is the model; its name only where there is no code.
                1 | 4 | 5 => &mut self.identity.model,
                2 => &mut self.identity.firmware,
                _ => continue,
            };
            *field = field.or(told);
        }
        // Further categories are asked for only of units that say they have them; going back would go in circles.
        let category = match object {
            0..=2 if part.conformity & 0x7F >= 2 => Some(3),
            3..=0x7F if part.conformity & 0x7F >= 3 => Some(0x80),
            _ => None,
        };
        let next = part.next.filter(|next| *next > object).or(category);
        match next.filter(|_| self.parts < MAX_DEVICE_ID_PARTS) {
            Some(object) => self.step = Step::DeviceId { object },
            None => self.answered(Route::DeviceId),
        }
    }

    /// What stands where differs from maker to maker; behind id and run indicator there is often a text.
    fn on_server_id(&mut self, bytes: &[u8]) {
        let told =
            bytes.get(2..).and_then(Label::new).or_else(|| bytes.first().and_then(|id| Label::new(&[*id])));
        self.identity.model = self.identity.model.or(told);
        if told.is_some() { self.answered(Route::ServerId) } else { self.end_route() }
    }

    fn on_cells(&mut self, block: usize, words: &[u16]) {
        let came = self.plan.blocks.get(block).is_some_and(|asked| self.scan.push(*asked, words));
        if !came {
            return self.end_route();
        }
        if block + 1 < self.plan.blocks.len() {
            self.step = Step::Cells { block: block + 1 };
            return;
        }
        if let Some(profile) = &self.profile {
            let Declared { ct, pt } = decode::told(profile, &self.scan);
            self.told = Declared { ct: ct.map(Ratio::reduced), pt: pt.map(Ratio::reduced) };
            self.identity.ct = self.identity.ct.or(self.told.ct);
            self.identity.pt = self.identity.pt.or(self.told.pt);
            tell(profile, &self.scan, &mut self.identity);
            self.fits = fits(profile, &self.scan);
        }
        self.answered(Route::Vendor);
    }

    fn on_refusal(&mut self, block: usize) {
        let learned = self.plan.blocks.get(block).is_some_and(|asked| self.cells.on_refusal(*asked));
        self.bisections += u64::from(learned);
        match self.cells.plan(Breadth::Whole).filter(|plan| learned && !plan.blocks.is_empty()) {
            Some(plan) => {
                self.plan = plan;
                self.scan.clear();
                self.step = Step::Cells { block: 0 };
            }
            None => self.end_route(),
        }
    }

    fn on_chain(&mut self, words: Option<&[u16]>) {
        self.walk.on_words(words);
        if self.walk.question().is_some() {
            return;
        }
        match self.walk.common() {
            Some(_) => self.step = Step::Common,
            None => self.end_route(),
        }
    }

    /// The common model: maker, model, options, version, serial number, each at its fixed place behind the header.
    fn on_common(&mut self, words: &[u16]) {
        let identity = &mut self.identity;
        for (field, at, count) in [
            (&mut identity.maker, 2, 16),
            (&mut identity.model, 18, 16),
            (&mut identity.firmware, 42, 8),
            (&mut identity.serial, 50, 16),
        ] {
            *field = field.or_else(|| words.get(at..at + count).and_then(Label::of_text));
        }
        self.answered(Route::Sunspec);
    }
}

/// What the meter says at the places its map names.
fn tell(profile: &Profile, scan: &Scan, identity: &mut Identity) {
    let said = |fact: Fact| {
        let spot = &profile.about(fact).filter(|about| about.spot.model.is_none())?.spot;
        Label::of_shape(spot.shape, scan.words(spot.function, spot.at, spot.shape.words())?)
    };
    let first = |facts: &[Fact]| facts.iter().find_map(|fact| said(*fact));
    identity.maker = identity.maker.or_else(|| said(Fact::Maker));
    identity.model = identity.model.or_else(|| said(Fact::Model));
    identity.serial = identity.serial.or_else(|| said(Fact::Serial));
    let program = || first(&[Fact::Firmware, Fact::Version, Fact::ProgramCode]);
    identity.firmware = identity.firmware.or_else(program);
    let settings = WIRING.into_iter().filter_map(|fact| Some((fact.word(), said(fact)?)));
    identity.wiring = identity.wiring.or_else(|| Label::of_settings(settings));
}

/// Settings that are part of how a meter is wired.
const WIRING: [Fact; 3] = [Fact::PhaseConfig, Fact::Application, Fact::Network];
/// Facts that are read: those an identity has a place for.
const FACTS: [Fact; 9] = [
    Fact::Maker,
    Fact::Model,
    Fact::Serial,
    Fact::Firmware,
    Fact::Version,
    Fact::ProgramCode,
    Fact::PhaseConfig,
    Fact::Application,
    Fact::Network,
];

/// Whether an identity has a place for what stands there.
pub(super) fn is_read(about: &About) -> bool {
    about.spot.model.is_none() && FACTS.contains(&about.fact)
}

/// Whether nothing the meter said contradicts its map. What it did not say contradicts nothing.
fn fits(profile: &Profile, scan: &Scan) -> bool {
    let words = |spot: &Spot| scan.words(spot.function, spot.at, spot.shape.words());
    let told = |block: Block| scan.words(block.function, block.at, block.count);
    recognise::tests(profile, told) != Fit::Differs
        && profile.about.iter().filter(|about| is_read(about)).all(|about| {
            let said = about.expect.as_ref().zip(words(&about.spot));
            said.is_none_or(|(expected, words)| about.spot.shape.read(words).as_ref() == Some(expected))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::profile::tests::SMALL;

    fn part(conformity: u8, next: Option<u8>, objects: &[(u8, &str)]) -> DeviceIdPart {
        let mut part = DeviceIdPart::new(conformity, next);
        assert!(objects.iter().all(|(id, text)| part.push(*id, text.as_bytes())));
        part
    }

    fn text(label: Option<Label>) -> String {
        label.map(|label| label.as_str().to_owned()).unwrap_or_default()
    }

    #[test]
    fn device_identification_goes_on_where_more_follows_and_into_the_categories_a_unit_has() {
        let mut inquiry = Inquiry::new(None);
        inquiry.begin([Route::DeviceId]);
        let mut asked = Vec::new();
        while let Some(Question::DeviceId { object }) = inquiry.question() {
            asked.push(object);
            let part = match object {
                0 => part(0x82, Some(2), &[(0, "Maker"), (1, "M-1")]),
                2 => part(0x82, None, &[(2, "1.04")]),
                _ => part(0x82, None, &[(5, "a name")]),
            };
            inquiry.on_answer(Ok(Reply::DeviceId(&part)));
        }
        assert_eq!(asked, [0, 2, 3]);
        let identity = inquiry.identity();
        assert_eq!(identity.route, Some(Route::DeviceId));
        let told = [identity.maker, identity.model, identity.firmware].map(text);
        assert_eq!(told, ["Maker", "M-1", "1.04"]);
    }

    #[test]
    fn a_unit_that_always_says_more_follows_is_left_after_a_few_answers() {
        for next in [|object: u8| object.saturating_add(1), |_| 0, |object| object] {
            let mut inquiry = Inquiry::new(None);
            inquiry.begin([Route::DeviceId]);
            let mut asked = 0;
            while let Some(Question::DeviceId { object }) = inquiry.question() {
                asked += 1;
                assert!(asked <= u32::from(MAX_DEVICE_ID_PARTS));
                inquiry.on_answer(Ok(Reply::DeviceId(&part(3, Some(next(object)), &[(0, "x")]))));
            }
            assert_eq!(inquiry.question(), None);
        }
    }

    #[test]
    fn the_routes_are_asked_in_their_order_and_the_silent_ones_are_named() {
        let profile = Arc::new(Profile::parse("small.toml", SMALL).unwrap());
        let mut inquiry = Inquiry::new(Some(profile));
        inquiry.begin(Route::ALL);
        inquiry.on_answer(Err(Fault::Exception(1)));
        assert_eq!(inquiry.question(), Some(Question::ServerId));
        inquiry.on_answer(Ok(Reply::ServerId(b"\x07\xFFPM 2200")));
        assert_eq!(inquiry.question().and_then(Question::block).map(|block| block.at), Some(100));
        inquiry.on_answer(Ok(Reply::Words(&[600])));
        while inquiry.question().is_some() {
            inquiry.on_answer(Err(Fault::Exception(2)));
        }
        let identity = inquiry.identity();
        assert_eq!((identity.route, text(identity.model)), (Some(Route::ServerId), "PM 2200".into()));
        assert_eq!(identity.ct, Ratio::new(600, 1));
        assert_eq!(identity.silent.iter().collect::<Vec<_>>(), [Route::DeviceId, Route::Sunspec]);
    }

    #[test]
    fn the_common_model_of_a_sunspec_chain_tells_who_it_is() {
        let mut words = vec![0x5375, 0x6E53, 1, 66];
        let field = |text: &str, count: usize| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(2 * count, 0);
            bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect::<Vec<_>>()
        };
        for (told, count) in [("Maker", 16), ("Meter", 16), ("", 8), ("2.5", 8), ("SN-9", 16), ("", 2)] {
            words.extend(field(told, count));
        }
        let mut inquiry = Inquiry::new(None);
        inquiry.begin([Route::Sunspec]);
        while let Some(block) = inquiry.question().and_then(Question::block) {
            let from = block.at.checked_sub(40_000).map(usize::from);
            match from.and_then(|from| words.get(from..from + usize::from(block.count))) {
                Some(words) => inquiry.on_answer(Ok(Reply::Words(words))),
                None => inquiry.on_answer(Err(Fault::Exception(2))),
            }
        }
        let identity = inquiry.identity();
        let told = [identity.maker, identity.model, identity.firmware, identity.serial].map(text);
        assert_eq!(told, ["Maker", "Meter", "2.5", "SN-9"]);
        assert_eq!(identity.route, Some(Route::Sunspec));
    }
}
