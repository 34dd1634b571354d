//! `classify`: what the law says of nameplates, for machines and for people. No network, no feature.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use coldhearth::{
    catalogue::{
        Case, Catalogue, Class, Classification, Entry, Overlay, Phase, Rules, Source, Witness,
        case::DETERMINATIONS, facts::EQUIPMENT_KIND,
    },
    host::{Exit, Failure, out},
    terms::{
        Flaw,
        words::{self, Language, Words},
    },
};
use serde::Serialize;

/// Longest input, in bytes.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// Most entries a sentence names beside the one that decides.
const MAX_OTHERS: usize = 5;

#[derive(Args)]
pub(crate) struct Classify {
    /// One case or a list of cases, JSON: {"at": "2011-03-01", "nameplate": {..}, "overlays": [..]}; `-` for standard input
    file: PathBuf,
    /// A further instrument, TOML; one with the shipped catalogue's id takes its place. May be given several times
    #[arg(long = "catalogue", value_name = "FILE")]
    catalogues: Vec<PathBuf>,
    /// What a region adds, TOML or JSON. May be given several times
    #[arg(long = "overlay", value_name = "FILE")]
    overlays: Vec<PathBuf>,
    /// Print a JSON list of results
    #[arg(long)]
    json: bool,
    /// With --json: name instrument, entry, clause and file hash under `rule`
    #[arg(long, requires = "json")]
    cite: bool,
    /// Language of the sentences; by default the locale's
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Lang {
    Zh,
    En,
}

/// Exit 0 whatever the law says; 65 when the cases or a rule file cannot be understood.
pub(crate) fn classify(orders: &Classify) -> Result<Exit, Failure> {
    let rules = rules(orders)?;
    let (name, text) = read(&orders.file)?;
    let cases = Case::read_all(&name, &text, &rules).map_err(|flaws| misread(&flaws))?;
    let mut out = io::BufWriter::new(out::out());
    let answers = cases.iter().map(|case| {
        if case.overlays.is_empty() {
            rules.classify(case.on, &case.plate)
        } else {
            rules.with(case.overlays.clone()).classify(case.on, &case.plate)
        }
    });
    let written = if orders.json {
        let answers: Vec<Answer> = answers.map(|answer| Answer::of(answer, orders.cite)).collect();
        serde_json::to_writer(&mut out, &answers).map_err(io::Error::from).and_then(|()| writeln!(out))
    } else {
        let language = language(orders.lang);
        answers.enumerate().try_for_each(|(at, answer)| {
            let number = if cases.len() > 1 { format!("{}. ", at + 1) } else { String::new() };
            writeln!(out, "{number}{}", sentence(&answer, &rules, language))
        })
    };
    // Whoever reads only the beginning has what he wants.
    let _gone = written.and_then(|()| out.flush());
    Ok(Exit::Done)
}

fn rules(orders: &Classify) -> Result<Rules, Failure> {
    let parsed = orders.catalogues.iter().map(|path| {
        let (name, text) = read(path)?;
        Catalogue::parse(&name, &text).map_err(|flaws| misread(&flaws))
    });
    let rules = Rules::shipped_and(parsed.collect::<Result<_, _>>()?).map_err(|flaws| misread(&flaws))?;
    let overlays = orders.overlays.iter().map(|path| {
        let (name, text) = read(path)?;
        rules.read_overlay(&name, &text).map_err(|flaws| misread(&flaws))
    });
    let overlays: Vec<Overlay> = overlays.collect::<Result<_, _>>()?;
    Ok(rules.with(overlays))
}

fn read(path: &Path) -> Result<(String, String), Failure> {
    let name = if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() };
    let failed = |why: &dyn std::fmt::Display| Failure::new(Exit::Data, format!("{name}: {why}"));
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().lock().take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes))
    };
    read.map_err(|e| failed(&e))?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        return Err(failed(&format!("longer than {MAX_INPUT_BYTES} bytes; classify it in parts")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(e) => Err(failed(&format!("byte {} is no UTF-8", e.utf8_error().valid_up_to()))),
    }
}

fn misread(flaws: &[Flaw]) -> Failure {
    let lines: Vec<String> = flaws.iter().map(ToString::to_string).collect();
    Failure::new(Exit::Data, lines.join("\n"))
}

/// What was asked for, else the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that says something.
fn language(asked: Option<Lang>) -> Language {
    let spoken = || {
        let variables = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
        variables.filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty())
    };
    match asked {
        Some(Lang::Zh) => Language::Chinese,
        Some(Lang::En) => Language::English,
        None => Language::of_locale(&spoken().unwrap_or_default()),
    }
}

/// One result as a machine reads it. Exactly these members; `rule` only when it is asked for.
#[derive(Serialize)]
struct Answer {
    verdict: &'static str,
    matched: Vec<String>,
    deadline: Option<String>,
    phase: Option<&'static str>,
    exempted: Vec<String>,
    undetermined: Vec<String>,
    missing: Vec<String>,
    advisories: Vec<String>,
    lint: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Cited>,
}

/// What a verdict rests on.
#[derive(Serialize)]
struct Cited {
    entry: Option<String>,
    quote_zh: Option<String>,
    quote_en: Option<String>,
    witness: Option<&'static str>,
    /// The file the entry stands in; without an entry `null`.
    source: Option<CitedSource>,
    /// Every file that was asked.
    asked: Vec<CitedSource>,
}

#[derive(Serialize)]
struct CitedSource {
    instrument: String,
    id: String,
    file: String,
    sha256: String,
}

impl Answer {
    fn of(answer: Classification, cite: bool) -> Answer {
        let ids = |ids: &[coldhearth::catalogue::EntryId]| ids.iter().map(ToString::to_string).collect();
        Answer {
            verdict: answer.class.word(),
            matched: ids(&answer.matched),
            deadline: answer.deadline.map(|day| day.to_string()),
            phase: answer.phase.map(Phase::word),
            exempted: ids(&answer.exempted),
            undetermined: ids(&answer.undetermined),
            rule: cite.then(|| Cited::of(&answer)),
            missing: answer.missing,
            advisories: answer.advisories,
            lint: answer.lint,
        }
    }
}

impl Cited {
    fn of(answer: &Classification) -> Cited {
        let entry = answer.governing.as_deref();
        Cited {
            entry: entry.map(|entry| entry.id.to_string()),
            quote_zh: entry.map(|entry| entry.quote.zh.clone()),
            quote_en: entry.map(|entry| entry.quote.en.clone()),
            witness: entry.map(|entry| entry.witness.reach.word()),
            source: entry.map(|entry| CitedSource::of(&entry.source)),
            asked: answer.sources.iter().map(|source| CitedSource::of(source)).collect(),
        }
    }
}

impl CitedSource {
    fn of(source: &Source) -> CitedSource {
        CitedSource {
            instrument: source.number.clone(),
            id: source.id.clone(),
            file: source.file.clone(),
            sha256: source.sha256.to_string(),
        }
    }
}

/// What a person should know and do.
fn sentence(answer: &Classification, rules: &Rules, language: Language) -> String {
    let say = |words: Words| words.in_language(language);
    let verdict = match (answer.class, answer.phase) {
        (Class::InScope, Some(Phase::Overdue)) => words::OVERDUE,
        (Class::InScope, Some(Phase::PreDeadline) | None) => words::STILL_LAWFUL,
        (Class::Undetermined, _) => words::UNDETERMINED,
        (Class::Exempt, _) => words::EXEMPT,
        (Class::OutOfScope, _) => words::OUT_OF_SCOPE,
    };
    let mut lines = vec![say(verdict).to_owned()];
    if let Some(day) = answer.deadline {
        lines.push(format!("{}: {day}", say(words::DEADLINE)));
    }
    if !answer.missing.is_empty() {
        // Without the kind nearly every entry is open; once it is known, few questions are left.
        let kind: Vec<_> = answer.missing.iter().filter(|attribute| *attribute == EQUIPMENT_KIND).collect();
        let asked = if kind.is_empty() { answer.missing.iter().collect() } else { kind };
        let named: Vec<String> =
            asked.into_iter().map(|attribute| labelled(attribute, rules, language)).collect();
        lines.push(format!("{}: {}", say(words::MISSING), named.join(", ")));
    }
    if let Some(exemption) = &answer.exemption {
        lines.push(format!("{}: “{}”", say(words::EXEMPTION), exemption.in_language(language)));
    }
    lines.extend(answer.governing.iter().flat_map(|entry| cited(entry, language)));
    lines.extend(others(answer, rules, language));
    for (head, items) in [(words::LOOK_AT, &answer.advisories), (words::LOOSENS, &answer.lint)] {
        lines.extend(items.iter().map(|item| format!("{}: {}", say(head), advice(item, language))));
    }
    lines.extend(answer.sources.iter().map(|source| {
        format!("{}: {} {} sha256 {}", say(words::RULE_FILE), source.number, source.file, source.sha256)
    }));
    lines.join("\n   ")
}

/// The entries beside the one that decides.
fn others(answer: &Classification, rules: &Rules, language: Language) -> Vec<String> {
    let governing = answer.governing.as_ref().map(|entry| &entry.id);
    let all = answer.matched.iter().chain(&answer.undetermined).chain(&answer.exempted);
    let others: Vec<_> = all.filter(|id| Some(*id) != governing).collect();
    let title = |id: &str| rules.entry(id).map_or("", |entry| entry.title.in_language(language));
    let mut lines: Vec<String> =
        others.iter().take(MAX_OTHERS).map(|id| format!("+ {} ({id})", title(id.as_str()))).collect();
    if let Some(more) = others.len().checked_sub(MAX_OTHERS).filter(|more| *more > 0) {
        lines.push(format!("+ {more} …"));
    }
    lines
}

/// The clause an answer rests on, its entry and instrument, and where a meter can witness it.
fn cited(entry: &Entry, language: Language) -> Vec<String> {
    let head = words::CLAUSE.in_language(language);
    // A region's new entry may have neither title nor clause.
    let quote = Some(&entry.quote).filter(|quote| !quote.zh.is_empty());
    let quote = quote.map_or_else(String::new, |quote| match language {
        Language::Chinese => format!("“{}” ", quote.zh),
        Language::English => format!("“{}” (“{}”) ", quote.zh, quote.en),
    });
    let title = entry.title.in_language(language);
    let reach = match entry.witness.reach {
        Witness::Full => words::WITNESS_FULL,
        Witness::Drives => words::WITNESS_DRIVES,
        Witness::None => words::WITNESS_NONE,
    };
    let points = entry.witness.points.join(", ");
    let colon = if points.is_empty() { "" } else { ": " };
    vec![
        format!("{head}: {quote}{title} [{} {}]", entry.source.number, entry.id),
        format!("{}{colon}{points}", reach.in_language(language)),
    ]
}

fn labelled(attribute: &str, rules: &Rules, language: Language) -> String {
    match attribute.split_once(':') {
        Some((DETERMINATIONS, what)) => {
            format!("{} {what}", words::RULING_OF_AUTHORITY.in_language(language))
        }
        Some(_) | None => rules.label(attribute).map_or_else(
            || attribute.to_owned(),
            |label| format!("{} ({attribute})", label.in_language(language)),
        ),
    }
}

/// An advisory or a finding with what it means.
fn advice(item: &str, language: Language) -> String {
    let word = item.split(':').next().unwrap_or(item);
    let meaning = words::ADVICE.iter().find(|(known, _)| *known == word).map(|(_, words)| *words);
    meaning.map_or_else(|| item.to_owned(), |words| format!("{} ({item})", words.in_language(language)))
}
