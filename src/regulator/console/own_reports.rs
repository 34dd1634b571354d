//! The collector's own reports, as the console asks for them: of the scope of whoever asks, and the same to the byte as on the
//! command line.

use super::{
    Books,
    asks::{self, Brought, FileAsked, Made, ReportAsked, ReportForm, ReportKind},
    chart::DAY_MS,
    own::division,
};
use crate::{
    catalogue::{Rules, breakdown::Page},
    evidence::PublicKey,
    host::exit::{Exit, Failure},
    regulator::{
        reports::{
            self, Beside, Names, Sheet, Surveyed, Tariff, beside, completion, coverage, list, owed, periodic,
            print::Form, restarts, sealed, surcharge, survey,
        },
        store::{Answered, StoreFault},
    },
    terms::{Digest, Flaw, LegalDay, words},
};

/// The reports that are made of what the collector keeps, and of files that somebody brings.
pub struct OwnReports;

const LIST: &str = "list";
const PERIODIC: &str = "periodic";
const OWED: &str = "owed";
const COVERAGE: &str = "coverage";
const COMPLETION: &str = "completion";
const FINDINGS: &str = "findings";
const SURCHARGE: &str = "surcharge";

const NAMES: FileAsked =
    FileAsked { word: "names", label: words::K_NAMES_FILE, is_needed: false, is_many: false };
const BEFORE: FileAsked =
    FileAsked { word: "before", label: words::K_BEFORE_FILE, is_needed: false, is_many: false };
const PAGES: FileAsked =
    FileAsked { word: "pages", label: words::K_PAGES_FILE, is_needed: true, is_many: true };
const SCHEDULE: FileAsked =
    FileAsked { word: "schedule", label: words::K_SCHEDULE_FILE, is_needed: true, is_many: false };
const SIGNATURES: FileAsked =
    FileAsked { word: "signatures", label: words::K_SIGNATURES_FILE, is_needed: false, is_many: true };
const KEYS: FileAsked =
    FileAsked { word: "keys", label: words::K_KEYS_FILE, is_needed: false, is_many: true };
const PRICES: FileAsked =
    FileAsked { word: "prices", label: words::K_PRICES_FILE, is_needed: true, is_many: false };

const KINDS: &[ReportKind] = &[
    ReportKind { word: LIST, title: words::REPORT_LIST, files: &[NAMES, BEFORE] },
    ReportKind { word: PERIODIC, title: words::REPORT_PERIODIC, files: &[PAGES] },
    ReportKind { word: OWED, title: words::REPORT_OWED, files: &[SCHEDULE, SIGNATURES, KEYS] },
    ReportKind { word: COMPLETION, title: words::REPORT_COMPLETION, files: &[] },
    ReportKind { word: FINDINGS, title: words::REPORT_FINDINGS, files: &[] },
    ReportKind { word: COVERAGE, title: words::REPORT_COVERAGE, files: &[] },
    ReportKind { word: SURCHARGE, title: words::REPORT_SURCHARGE, files: &[PRICES] },
];

/// A report, or what is wrong with the files it was to rest on.
type Sheeted = Result<Sheet, Vec<String>>;

impl asks::Reports for OwnReports {
    fn kinds(&self) -> &'static [ReportKind] {
        KINDS
    }

    fn make(&self, books: &mut Books, asked: &ReportAsked) -> Answered<Made> {
        let Some(kind) = KINDS.iter().find(|kind| kind.word == asked.word) else { return Ok(Made::Nothing) };
        let is_there = |file: &FileAsked| asked.files.iter().any(|brought| brought.word == file.word);
        if kind.files.iter().any(|file| file.is_needed && !is_there(file)) {
            return Ok(Made::Nothing);
        }
        let sheet = match sheeted(books, asked)? {
            Ok(sheet) => {
                let is_data = |file: &&Brought| ![SIGNATURES.word, KEYS.word].contains(&file.word.as_str());
                let files = asked.files.iter().filter(is_data);
                sheet.resting_on(files.map(|file| (file.name.clone(), Digest::of(file.text.as_bytes()))))
            }
            Err(wrong) => return Ok(Made::Wrong(wrong)),
        };
        let form = match asked.form {
            ReportForm::Csv => Form::Csv,
            ReportForm::Json => Form::Json,
            ReportForm::Html => Form::Html,
        };
        Ok(Made::Paper(sheet.printed(form, asked.language).into_bytes()))
    }
}

fn sheeted(books: &mut Books, asked: &ReportAsked) -> Answered<Sheeted> {
    // The last day that is asked for is in it; the day after is not.
    let to = LegalDay::of_unix_ms(asked.to.starts_unix_ms().saturating_add(DAY_MS));
    let scope = reports::Scope {
        within: division(&asked.scope),
        from: asked.from,
        to,
        made_unix_ms: asked.now_unix_ms,
    };
    // Of these the newest verdicts say all.
    let is_of_newest = [LIST, PERIODIC, OWED, COMPLETION].contains(&asked.word.as_str());
    let trusted = books.trusted.clone();
    let store = &mut *books.store;
    let mut surveyed = || {
        let surveyed = if is_of_newest {
            reports::standing(&mut *store, &scope, &trusted)
        } else {
            survey(&mut *store, &scope, &trusted)
        };
        surveyed.map_err(StoreFault::Failed)
    };
    match asked.word.as_str() {
        LIST => {
            let surveyed = surveyed()?;
            listed(books, &surveyed, &asked.files, scope)
        }
        PERIODIC => match pages(&asked.files) {
            Ok(pages) => {
                let surveyed = surveyed()?;
                let plates = beside::plates_of_gone(&mut *books.store, &surveyed, &scope)?;
                Ok(Ok(periodic::sheet(&surveyed, pages, (&rules()?, &plates), scope).0))
            }
            Err(wrong) => Ok(Err(wrong)),
        },
        OWED => match handed_in(&asked.files, &books.trusted) {
            Ok((schedule, signed)) => Ok(Ok(owed::sheet(&surveyed()?, &schedule, &signed, scope).0)),
            Err(wrong) => Ok(Err(wrong)),
        },
        SURCHARGE => match prices(&asked.files, &rules()?) {
            Ok(tariff) => Ok(Ok(surcharge::sheet(&surveyed()?, &tariff, scope))),
            Err(wrong) => Ok(Err(wrong)),
        },
        COMPLETION => {
            let surveyed = surveyed()?;
            Ok(Ok(completion::sheet(&completion::completed(&surveyed, &scope), scope)))
        }
        FINDINGS => {
            let surveyed = surveyed()?;
            let (findings, places) = reports::found(&mut *books.store, &scope)?;
            Ok(Ok(restarts::sheet(&surveyed, &findings, &places, scope)))
        }
        _coverage => Ok(Ok(coverage::sheet(&surveyed()?, scope))),
    }
}

fn rules() -> Answered<Rules> {
    Rules::shipped().map_err(|flaws| {
        let what = flaws.first().map_or_else(String::new, ToString::to_string);
        StoreFault::Failed(Failure::new(Exit::Bug, what))
    })
}

/// Those that were brought as this.
fn brought(files: &[Brought], asked: FileAsked) -> impl Iterator<Item = &Brought> {
    files.iter().filter(move |file| file.word == asked.word)
}

fn told(flaws: &[Flaw]) -> Vec<String> {
    flaws.iter().map(ToString::to_string).collect()
}

fn listed(
    books: &mut Books,
    surveyed: &Surveyed,
    files: &[Brought],
    scope: reports::Scope,
) -> Answered<Sheeted> {
    let names = brought(files, NAMES).next().map(|file| Names::parse(&file.name, &file.text)).transpose();
    let names = match names {
        Ok(names) => names.unwrap_or_default(),
        Err(flaws) => return Ok(Err(told(&flaws))),
    };
    let mut before = None;
    if let Some(file) = brought(files, BEFORE).next() {
        before = serde_json::from_str(&file.text).ok().as_ref().and_then(list::before);
        if before.is_none() {
            return Ok(Err(vec![format!("{}: is no list that was made here as JSON", file.name)]));
        }
    }
    let (rules, plates) = (rules()?, beside::plates(&mut *books.store, surveyed, &scope)?);
    let beside = Beside { rules: &rules, names: &names, plates: &plates };
    Ok(Ok(list::sheet(surveyed, before.as_ref(), beside, scope)))
}

/// What divisions handed in.
fn pages(files: &[Brought]) -> Result<Vec<Page>, Vec<String>> {
    let (mut pages, mut wrong) = (Vec::new(), Vec::new());
    for file in brought(files, PAGES) {
        match Page::parse(&file.name, &file.text) {
            Ok(page) => pages.push(page),
            Err(flaws) => wrong.extend(told(&flaws)),
        }
    }
    if wrong.is_empty() { Ok(pages) } else { Err(wrong) }
}

/// Who owes what, and what was handed in by whom the authority believes, or whose key is brought along.
fn handed_in(
    files: &[Brought],
    trusted: &[PublicKey],
) -> Result<(owed::Schedule, Vec<sealed::Vouched>), Vec<String>> {
    let (mut schedule, mut wrong, mut keys) = (owed::Schedule::default(), Vec::new(), trusted.to_vec());
    for file in brought(files, SCHEDULE) {
        match owed::Schedule::parse(&file.name, &file.text) {
            Ok(read) => schedule = read,
            Err(flaws) => wrong.extend(told(&flaws)),
        }
    }
    for file in brought(files, KEYS) {
        let key = PublicKey::from_pem(&file.text).or_else(|| PublicKey::from_base64(file.text.trim()));
        match key {
            Some(key) => keys.push(key),
            None => wrong.push(format!("{}: is no public key", file.name)),
        }
    }
    let mut signed = Vec::new();
    for file in brought(files, SIGNATURES) {
        match sealed::open(file.text.trim_ascii_end().as_bytes(), &keys) {
            Ok(vouched) => signed.push(vouched),
            Err(why) => wrong.push(format!("{}: {why}", file.name)),
        }
    }
    if wrong.is_empty() { Ok((schedule, signed)) } else { Err(wrong) }
}

fn prices(files: &[Brought], rules: &Rules) -> Result<Tariff, Vec<String>> {
    let Some(file) = brought(files, PRICES).next() else { return Ok(Tariff::default()) };
    Tariff::parse(&file.name, &file.text, &|id| rules.entry(id).is_some()).map_err(|flaws| told(&flaws))
}
