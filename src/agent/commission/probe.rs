//! `probe`: every quantity of one meter, with marks of plausibility.

pub mod guesses;
pub mod report;

use std::sync::Arc;

use self::report::{Problem, Report};
use super::{
    asker::Asker,
    explore::{Candidate, Questions, What},
    identify::{self, IdentityJson, Who},
    library::Library,
    read,
    scan::{Way, cannot_open, nothing_at},
    screen::Screen,
    sheet, words,
};
use crate::{
    host::{Clock, Exit, Failure},
    metering::{
        Answers, Block, Fault, Function, Profile,
        decode::Declared,
        recognise::{self, Fit, Start},
        scan::MAX_BLOCK_WORDS,
    },
    terms::{MilliVolts, words::Language},
};

/// What a gateway, or a server of many units, answers in place of a unit that is not there.
const FOR_NOBODY: [u8; 3] = [4, 10, 11];

/// What to probe.
#[derive(Clone, Debug)]
pub struct Orders {
    /// The unit.
    pub unit: u8,
    /// The map to read it by; without one the meter's type is asked for, else the best fit is shown.
    pub profile: Option<Arc<Profile>>,
    /// Ratios as on the transformers' plates.
    pub given: Declared,
    /// Nominal voltage, line to line.
    pub nominal: Option<MilliVolts>,
    /// Registers to show in every reading there is, in place of a map.
    pub at: Option<Block>,
    /// How long an answer may take, in milliseconds.
    pub deadline_ms: u32,
}

/// Reads an address as people write it: `0x4A38` and small numbers as on the wire; `40001` to `49999` and `400001` on
/// as the holding register counted from 1, `30001` and `300001` on as the input register. The function told by the
/// notation counts before the one given.
pub fn address(text: &str, function: Function) -> Option<(Function, u16)> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return Some((function, u16::from_str_radix(hex, 16).ok()?));
    }
    let number: u32 = text.parse().ok()?;
    let (function, at) = match number {
        30_001..=39_999 => (Function::Input, number - 30_001),
        40_001..=49_999 => (Function::Holding, number - 40_001),
        300_001..=365_536 => (Function::Input, number - 300_001),
        400_001..=465_536 => (Function::Holding, number - 400_001),
        _ => (function, number),
    };
    Some((function, u16::try_from(at).ok()?))
}

/// A run of registers from such an address; `None` past register 65535 or for more than one request can ask.
pub fn run(text: &str, function: Function, count: u16) -> Option<Block> {
    let (function, at) = address(text, function)?;
    let block = Block { function, at, count };
    ((1..=MAX_BLOCK_WORDS).contains(&count) && block.end() <= 0x1_0000).then_some(block)
}

/// Probes one meter and tells it.
///
/// # Errors
/// Nothing answered, or the endpoint cannot be opened.
pub async fn probe(
    clock: &dyn Clock,
    library: &Library,
    way: &Way<'_>,
    orders: &Orders,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let mut asker = Asker::new(clock, way.dial, orders.deadline_ms, 0);
    let probed = match (orders.at, &orders.profile) {
        (Some(block), _) => registers(&mut asker, orders.unit, block, screen).await?,
        (None, Some(profile)) => by_map(&mut asker, orders, profile, screen).await?,
        (None, None) => without_map(&mut asker, library, orders, screen).await?,
    };
    match (probed, asker.hindrance()) {
        (Probed::Told, _) => Ok(Exit::Done),
        (Probed::Nothing(_), Some((error, _))) => Err(cannot_open(&way.endpoint, error, screen.language)),
        (Probed::Nothing(what), None) => Err(nothing_at(&way.endpoint, orders.unit, &what, screen.language)),
    }
}

/// How a probe ended.
enum Probed {
    /// Something answered and was told.
    Told,
    /// Nothing answered.
    Nothing(What),
}

/// Registers in every reading there is.
async fn registers(
    asker: &mut Asker<'_>,
    unit: u8,
    block: Block,
    screen: &mut Screen<'_>,
) -> Result<Probed, Failure> {
    let words = match asker.registers(unit, block).await {
        Ok(words) => words,
        Err(Fault::Exception(code)) => {
            let register = report::register(block);
            screen.line(&words::not_read(screen.language, &register, Fault::Exception(code)));
            Vec::new()
        }
        Err(fault) => return Ok(Probed::Nothing(silence(fault))),
    };
    guesses::all(block, &words).iter().for_each(|line| screen.line(line));
    screen.object(&guesses::Json::of(block, &words))?;
    Ok(Probed::Told)
}

fn silence(fault: Fault) -> What {
    match fault {
        Fault::Garbage | Fault::Mismatch | Fault::WrongLength => What::Garbage(fault),
        Fault::Closed => What::HungUp,
        Fault::Refused => What::Refused,
        Fault::Exception(code) if FOR_NOBODY.contains(&code) => What::NobodyBehindGateway(code),
        Fault::Timeout
        | Fault::Exception(_)
        | Fault::RatioUnknown
        | Fault::RatioDiffers
        | Fault::NotAPlate
        | Fault::WrongModel => What::Silent,
    }
}

/// Whether the unit itself answered anything, and if not, what came instead.
fn heard(answers: &Answers) -> Result<(), What> {
    let mut last = Fault::Timeout;
    for answer in answers.values() {
        match answer {
            Ok(_) => return Ok(()),
            Err(Fault::Exception(code)) if !FOR_NOBODY.contains(code) => return Ok(()),
            Err(fault) => last = *fault,
        }
    }
    Err(silence(last))
}

/// Reads a meter by the map a person named.
async fn by_map(
    asker: &mut Asker<'_>,
    orders: &Orders,
    profile: &Arc<Profile>,
    screen: &mut Screen<'_>,
) -> Result<Probed, Failure> {
    // As the map says the meter wants to be asked; a person may stretch the answer time only.
    asker.gap_ms = profile.gap_ms;
    asker.deadline_ms = asker.deadline_ms.max(profile.timeout_ms);
    let answers = read::everything(asker, orders.unit, profile).await;
    if let Err(what) = heard(&answers) {
        return Ok(Probed::Nothing(what));
    }
    let who =
        identify::who(asker, orders.unit, &Questions::of(std::slice::from_ref(profile)), Some(profile)).await;
    let mut before = Vec::new();
    let absent = recognise::start(profile, &answers) == Start::Absent;
    if absent || recognise::fit(profile, &who.answers) == Fit::Differs {
        let what = words::type_differs(screen.language, profile.id.as_str());
        let rows = if absent { profile.rows.as_slice() } else { &[] };
        let quantities = rows.iter().map(|row| row.quantity.word()).collect();
        before.push(Problem { code: "type_differs", quantities, what });
    }
    if answers.values().all(|answer| answer.as_ref().is_ok_and(|words| words.iter().all(|word| *word == 0))) {
        let what = words::what(screen.language, &What::OnlyZeros);
        before.push(Problem { code: "only_zeros", quantities: Vec::new(), what });
    }
    tell(asker, orders, profile, (&answers, &who, before), screen).await
}

/// Finds out how to read a meter, then reads it.
async fn without_map(
    asker: &mut Asker<'_>,
    library: &Library,
    orders: &Orders,
    screen: &mut Screen<'_>,
) -> Result<Probed, Failure> {
    let language = screen.language;
    let who = identify::who(asker, orders.unit, &Questions::of(&library.profiles), None).await;
    if !who.is_there() {
        return Ok(Probed::Nothing(who.what));
    }
    let Some(best) = who.named().or(who.candidates().first()) else {
        return unknown(&who, screen);
    };
    let mut before = Vec::new();
    if who.named().is_some() {
        screen.line(&words::profile_recognised(language, best.profile.id.as_str()));
    } else {
        side_by_side(&who, screen);
        let rivals: Vec<&str> = who.candidates().iter().skip(1).map(|c| c.profile.id.as_str()).collect();
        let what = words::profile_guessed(language, best.profile.id.as_str(), best.score, &rivals.join(", "));
        before.push(Problem { code: "profile_guessed", quantities: Vec::new(), what });
    }
    asker.gap_ms = best.profile.gap_ms;
    let answers = read::everything(asker, orders.unit, &best.profile).await;
    tell(asker, orders, &best.profile, (&answers, &who, before), screen).await
}

/// A device that no map fits: what its registers might mean.
fn unknown(who: &Who, screen: &mut Screen<'_>) -> Result<Probed, Failure> {
    let language = screen.language;
    let (code, what) = if matches!(who.what, What::OnlyZeros) {
        ("only_zeros", words::what(language, &who.what))
    } else {
        ("no_profile", words::no_profile_fits(language))
    };
    let problem = Problem { code, quantities: Vec::new(), what };
    let identity = IdentityJson::of_who(who);
    identity.lines(language).iter().for_each(|line| screen.line(line));
    for (block, answer) in &who.answers {
        let words = answer.as_deref().unwrap_or(&[]);
        guesses::likely(*block, words).iter().for_each(|line| screen.line(line));
    }
    screen.line(&format!("! {}", problem.what));
    screen.object(&report::Json::empty(identity, vec![problem]))?;
    Ok(Probed::Told)
}

/// What each map that fits makes of the same registers.
fn side_by_side(who: &Who, screen: &mut Screen<'_>) {
    let row = |candidate: &Candidate| {
        let seen = sheet::values(&candidate.profile, &who.answers);
        let values = seen.iter().map(|seen| {
            format!("{} {} {}", seen.quantity.word(), super::exact::Exact(seen.value), seen.quantity.unit())
        });
        let values: Vec<String> = values.collect();
        format!("  {:>3} %  {:<24} {}", candidate.score, candidate.profile.id, values.join("  "))
    };
    who.candidates().iter().map(row).for_each(|line| screen.line(&line));
}

/// Tells what was read by a map, in the form the reader wants.
async fn tell(
    asker: &mut Asker<'_>,
    orders: &Orders,
    profile: &Profile,
    (answers, who, before): (&Answers, &Who, Vec<Problem>),
    screen: &mut Screen<'_>,
) -> Result<Probed, Failure> {
    let language = screen.language;
    let hints = read::hints(asker, orders.unit, profile, answers).await;
    let (given, nominal) = (orders.given, orders.nominal);
    let report = Report { profile, answers, given, nominal, hints: &hints, language };
    let tested = tested(profile, language);
    let identity = IdentityJson::of_who(who).with_map(profile, &tested);
    if screen.json {
        screen.object(&report.as_json(identity, before))?;
        return Ok(Probed::Told);
    }
    screen.line(&words::profile_was_tested(language, profile.id.as_str(), &profile.vendor, &tested));
    identity.lines(language).iter().for_each(|line| screen.line(line));
    screen.line("");
    report.rows().iter().for_each(|row| screen.line(row));
    screen.line("");
    for problem in before.iter().chain(&report.problems()) {
        screen.line(&format!("! {}: {}", problem.quantities.join(", "), problem.what).replace("! : ", "! "));
    }
    report.warnings().iter().for_each(|sentence| screen.line(sentence));
    screen.line(&words::reads_only(language));
    Ok(Probed::Told)
}

fn tested(profile: &Profile, language: Language) -> String {
    format!("{}: {}", profile.tested.words().in_language(language), profile.tested_how)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_either_notation() {
        let read = |text| address(text, Function::Input);
        assert_eq!(read("40001"), Some((Function::Holding, 0)));
        assert_eq!(read("30071"), Some((Function::Input, 70)));
        assert_eq!(read("400001"), Some((Function::Holding, 0)));
        assert_eq!(read("0x9C41"), Some((Function::Input, 40_001)), "on the wire, whatever it looks like");
        assert_eq!(read("19000"), Some((Function::Input, 19_000)));
        for wrong in ["", "0x10000", "70000", "-1", "4x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(run("65535", Function::Holding, 2), None);
        assert_eq!(run("0", Function::Holding, 126), None);
    }
}
