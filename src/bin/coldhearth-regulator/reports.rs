//! `report list|periodic|completion|findings|coverage|surcharge|owed|check`: what the notice asks for, of the records that are kept.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use coldhearth::{
    catalogue::{Rules, breakdown::Page},
    evidence::Sealer,
    host::{Clock as _, Exit, Failure, SystemClock, public_key},
    regulator::{
        reports::{
            self, Beside, Names, Scope, Sheet, Surveyed, Tariff, beside, completion, coverage, list, owed,
            periodic, print, restarts, sealed, standing, surcharge, survey, survey_anew,
        },
        store::Store,
    },
    terms::{Digest, Flaw, LegalDay, place::Division, words::Language},
};
use serde_json::Value;

use crate::{alarms::division, say, serve::Home, store::day};

/// As what a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// One line a row, the columns named in the first
    Csv,
    /// One object
    Json,
    /// A page for A4
    Html,
}

/// Of where and when a report is, and as what it is printed.
#[derive(Args)]
pub(crate) struct Wanted {
    /// The first day, YYYY-MM-DD
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: LegalDay,
    /// The first day that is not in it
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: LegalDay,
    /// The division, and all below it: six digits of GB/T 2260
    #[arg(long, value_name = "CODE", value_parser = division, default_value = "000000")]
    division: Division,
    /// As what it is printed
    #[arg(long, value_enum, default_value_t = Form::Json)]
    format: Form,
    /// Write the authority's signature over the JSON into this file; `report check` looks at both
    #[arg(long, value_name = "FILE")]
    sign: Option<PathBuf>,
    /// Write the signature over a file that is there already
    #[arg(long, requires = "sign")]
    replace: bool,
    /// What `--sign` wrote of the report of the same time and division that this one corrects: it says so, and both are kept
    #[arg(long, requires = "sign", value_name = "SIGNATURE")]
    replaces: Option<PathBuf>,
    #[command(flatten)]
    home: Home,
}

/// Whom reports believe that demolition was accepted.
#[derive(Args)]
pub(crate) struct Trust {
    /// A further key of the authority that signed acts
    #[arg(long = "trust", value_name = "KEY")]
    trust: Vec<PathBuf>,
}

/// Of what the figures of a time are made.
#[derive(Args)]
pub(crate) struct Basis {
    /// Read every verdict of the time instead of the sums of days that `serve` keeps: slower, and the same figures
    #[arg(long)]
    every_verdict: bool,
}

#[derive(Subcommand)]
pub(crate) enum ReportVerb {
    /// VI(1): enterprises, equipment, last lawful days, progress
    List {
        #[command(flatten)]
        wanted: Wanted,
        /// The list before, as JSON: what differs is named
        #[arg(long, value_name = "FILE")]
        before: Option<PathBuf>,
        /// What enterprises are called, TOML; src/regulator/reports/names.rs tells what stands in it
        #[arg(long, value_name = "FILE")]
        names: Option<PathBuf>,
        #[command(flatten)]
        trust: Trust,
    },
    /// VI(2): targets against attested closures, what remains, what is allocated to nobody; exit 1 where the files do not add up
    Periodic {
        #[command(flatten)]
        wanted: Wanted,
        /// What divisions handed in, as for `roster check`
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        trust: Trust,
    },
    /// V(1): units that are gone for good, and a signed certificate of each
    Completion {
        #[command(flatten)]
        wanted: Wanted,
        /// Write a certificate of each unit into this folder, GATEWAY.ASSET.RECORD.json, RECORD the first half of the record's hash
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        trust: Trust,
    },
    /// III(2), VI(3): what was restarted, and what came up elsewhere
    Findings {
        #[command(flatten)]
        wanted: Wanted,
        #[command(flatten)]
        basis: Basis,
        #[command(flatten)]
        trust: Trust,
    },
    /// How much of the time is witnessed
    Coverage {
        #[command(flatten)]
        wanted: Wanted,
        #[command(flatten)]
        basis: Basis,
        #[command(flatten)]
        trust: Trust,
    },
    /// IV(2): energy drawn after the last lawful day, against price documents
    Surcharge {
        #[command(flatten)]
        wanted: Wanted,
        /// The price documents, TOML; src/regulator/reports/tariff.rs tells what stands in it
        #[arg(long, value_name = "FILE")]
        prices: PathBuf,
        #[command(flatten)]
        basis: Basis,
        #[command(flatten)]
        trust: Trust,
    },
    /// VI(2): reports of a time that are late, missing or there twice, and equipment of which nothing new enough was
    /// attested; exit 1 where there is any
    Owed {
        #[command(flatten)]
        wanted: Wanted,
        /// Who owes what, TOML; src/regulator/reports/owed.rs tells what stands in it
        #[arg(long, value_name = "FILE")]
        schedule: PathBuf,
        /// A further key of an authority that signed reports or acts
        #[arg(long = "trust", value_name = "KEY")]
        trust: Vec<PathBuf>,
        /// What `--sign` wrote of the reports that were handed in
        #[arg(value_name = "SIGNATURE")]
        signatures: Vec<PathBuf>,
    },
    /// Whether the authority vouches for a report: exit 0 yes, 1 no
    Check {
        /// The report, as JSON
        report: PathBuf,
        /// What `--sign` wrote
        signature: PathBuf,
        /// The authority's key
        #[arg(long, value_name = "KEY")]
        authority: PathBuf,
    },
}

pub(crate) fn report(verb: &ReportVerb) -> Result<Exit, Failure> {
    match verb {
        ReportVerb::List { wanted, before, names, trust } => {
            of_list(wanted, (before.as_deref(), names.as_deref()), &trust.trust)
        }
        ReportVerb::Periodic { wanted, files, trust } => of_targets(wanted, files, &trust.trust),
        ReportVerb::Completion { wanted, out, trust } => completions(wanted, out.as_deref(), &trust.trust),
        ReportVerb::Findings { wanted, basis, trust } => {
            let (mut store, surveyed, scope) = wanted.survey(basis, &trust.trust)?;
            let (findings, places) = reports::found(&mut *store, &scope)?;
            wanted.print(restarts::sheet(&surveyed, &findings, &places, scope))
        }
        ReportVerb::Coverage { wanted, basis, trust } => {
            let (_, surveyed, scope) = wanted.survey(basis, &trust.trust)?;
            wanted.print(coverage::sheet(&surveyed, scope))
        }
        ReportVerb::Surcharge { wanted, prices, basis, trust } => {
            let (name, text) = text_of(prices)?;
            let rules = Rules::shipped().map_err(|flaws| wrong(&flaws))?;
            let is_entry = |id: &str| rules.entry(id).is_some();
            let tariff = Tariff::parse(&name, &text, &is_entry).map_err(|flaws| wrong(&flaws))?;
            let (_, surveyed, scope) = wanted.survey(basis, &trust.trust)?;
            wanted.print(surcharge::sheet(&surveyed, &tariff, scope).resting_on([rests_on(prices)?]))
        }
        ReportVerb::Owed { wanted, schedule, trust, signatures } => {
            owed_reports(wanted, schedule, trust, signatures)
        }
        ReportVerb::Check { report, signature, authority } => check(report, signature, authority),
    }
}

impl Wanted {
    /// What the records of the time come to, with the store to ask further.
    fn survey(&self, basis: &Basis, trust: &[PathBuf]) -> Result<(Box<dyn Store>, Surveyed, Scope), Failure> {
        let survey = if basis.every_verdict { survey_anew } else { survey };
        let trusted = self.home.trusted(trust)?;
        self.asked(&|store, scope| survey(store, scope, &trusted))
    }

    /// The same, of how everything stands when the time ends.
    fn standing(&self, trust: &[PathBuf]) -> Result<(Box<dyn Store>, Surveyed, Scope), Failure> {
        let trusted = self.home.trusted(trust)?;
        self.asked(&|store, scope| standing(store, scope, &trusted))
    }

    fn asked(
        &self,
        ask: &dyn Fn(&mut dyn Store, &Scope) -> Result<Surveyed, Failure>,
    ) -> Result<(Box<dyn Store>, Surveyed, Scope), Failure> {
        if self.to <= self.from {
            return Err(Failure::new(
                Exit::Usage,
                "--to is the first day that is not in the report: later than --from",
            ));
        }
        if let Some(file) = self.sign.as_ref().filter(|file| !self.replace && file.exists()) {
            let what = format!("{}: is there already; name another file, or say --replace", file.display());
            return Err(Failure::new(Exit::Permission, what));
        }
        let made_unix_ms = SystemClock::default().now().wall_unix_ms;
        let scope = Scope { within: self.division, from: self.from, to: self.to, made_unix_ms };
        let mut store = self.home.store_that_is_there()?;
        let surveyed = ask(&mut *store, &scope)?;
        Ok((store, surveyed, scope))
    }

    fn print(&self, sheet: Sheet) -> Result<Exit, Failure> {
        let sheet = Sheet { replaces: self.corrected(&sheet)?, ..sheet };
        let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
        if let Some(file) = &self.sign {
            let mut sealer = Sealer::default();
            sealed::seal(&sheet, &mut sealer, &*self.home.signer()?)
                .map_err(|why| Failure::new(Exit::Bug, format!("the report cannot be signed: {why:?}")))?;
            write(file, sealer.bytes())?;
        }
        let form = match self.format {
            Form::Csv => print::Form::Csv,
            Form::Json => print::Form::Json,
            Form::Html => print::Form::Html,
        };
        // Its last line is ended where it is said.
        let text = sheet.printed(form, language);
        say(text.strip_suffix('\n').unwrap_or(&text));
        Ok(Exit::Done)
    }

    /// The report that this one stands in the place of: of the same time and division, signed by the same hand.
    fn corrected(&self, sheet: &Sheet) -> Result<Option<Digest>, Failure> {
        let Some(file) = &self.replaces else { return Ok(None) };
        let (name, text) = text_of(file)?;
        let before =
            sealed::open(text.trim_ascii_end().as_bytes(), &self.home.trusted(&[])?).map_err(|why| {
                Failure::new(
                    Exit::Data,
                    format!("{name}: {why}; nobody corrects what another authority has signed"),
                )
            })?;
        if !before.is_of(sheet.report, &sheet.scope) {
            let sealed::Vouched { report, division, from, to, .. } = before;
            let what = format!(
                "{name}: is of report {report} of {division} from {from} to {to}; a report replaces one of its own kind, time and \
                 division"
            );
            return Err(Failure::new(Exit::Usage, what));
        }
        Ok(Some(before.sha256))
    }
}

fn of_list(
    wanted: &Wanted,
    (before, names): (Option<&Path>, Option<&Path>),
    trust: &[PathBuf],
) -> Result<Exit, Failure> {
    let files = before.into_iter().chain(names).map(rests_on).collect::<Result<Vec<_>, _>>()?;
    let before = before.map(list_before).transpose()?;
    let names = match names {
        None => Names::default(),
        Some(file) => {
            let (name, text) = text_of(file)?;
            Names::parse(&name, &text).map_err(|flaws| wrong(&flaws))?
        }
    };
    let rules = Rules::shipped().map_err(|flaws| wrong(&flaws))?;
    let (mut store, surveyed, scope) = wanted.standing(trust)?;
    let plates = beside::plates(&mut *store, &surveyed, &scope)?;
    let beside = Beside { rules: &rules, names: &names, plates: &plates };
    wanted.print(list::sheet(&surveyed, before.as_ref(), beside, scope).resting_on(files))
}

fn of_targets(wanted: &Wanted, files: &[PathBuf], trust: &[PathBuf]) -> Result<Exit, Failure> {
    let rules = Rules::shipped().map_err(|flaws| wrong(&flaws))?;
    let (mut pages, mut malformed) = (Vec::new(), Vec::new());
    for file in files {
        // What is wrong with it stands in the report, which is the same wherever the file lies.
        match Page::parse(&called(file), &text_of(file)?.1) {
            Ok(page) => pages.push(page),
            Err(flaws) => malformed.extend(flaws),
        }
    }
    if !malformed.is_empty() {
        return Err(wrong(&malformed));
    }
    let (mut store, surveyed, scope) = wanted.standing(trust)?;
    let plates = beside::plates_of_gone(&mut *store, &surveyed, &scope)?;
    let (sheet, _) = periodic::sheet(&surveyed, pages, (&rules, &plates), scope);
    let files = files.iter().map(|file| rests_on(file)).collect::<Result<Vec<_>, _>>()?;
    let wrong = sheet.wrong.join("\n");
    wanted.print(sheet.resting_on(files))?;
    if wrong.is_empty() { Ok(Exit::Done) } else { Err(Failure::new(Exit::Negative, wrong)) }
}

fn owed_reports(
    wanted: &Wanted,
    schedule: &Path,
    trust: &[PathBuf],
    signatures: &[PathBuf],
) -> Result<Exit, Failure> {
    let file = rests_on(schedule)?;
    let (name, text) = text_of(schedule)?;
    let schedule = owed::Schedule::parse(&name, &text).map_err(|flaws| wrong(&flaws))?;
    let trusted = wanted.home.trusted(trust)?;
    let mut handed_in = Vec::new();
    for file in signatures {
        let (name, text) = text_of(file)?;
        let vouched = sealed::open(text.trim_ascii_end().as_bytes(), &trusted)
            .map_err(|why| Failure::new(Exit::Data, format!("{name}: {why}; --trust names a further key")))?;
        handed_in.push(vouched);
    }
    let (_, surveyed, scope) = wanted.standing(trust)?;
    let (sheet, wanting) = owed::sheet(&surveyed, &schedule, &handed_in, scope);
    wanted.print(sheet.resting_on([file]))?;
    Ok(if wanting == 0 { Exit::Done } else { Exit::Negative })
}

fn completions(wanted: &Wanted, out: Option<&Path>, trust: &[PathBuf]) -> Result<Exit, Failure> {
    let (_, surveyed, scope) = wanted.standing(trust)?;
    let completed = completion::completed(&surveyed, &scope);
    if let Some(folder) = out {
        let (mut sealer, signer) = (Sealer::default(), wanted.home.signer()?);
        fs::create_dir_all(folder)
            .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", folder.display())))?;
        for unit in &completed {
            let sealed = unit.seal(scope.made_unix_ms, &mut sealer, &*signer);
            let sealed = sealed.map_err(|why| {
                Failure::new(Exit::Bug, format!("a certificate cannot be written: {why:?}"))
            })?;
            if sealed.is_some() {
                write_new(&folder.join(certificate(unit)), sealer.bytes())?;
            }
        }
    }
    wanted.print(completion::sheet(&completed, scope))
}

/// What the file of a unit's certificate is called: no two units share it, nor two demolitions of one.
fn certificate(unit: &completion::Completed<'_>) -> String {
    let record = unit.closed.source.hash.to_string();
    let half = record.get(..record.len() / 2).unwrap_or(&record);
    format!("{}.{}.{half}.json", unit.equipment.gateway, unit.equipment.asset)
}

fn list_before(file: &Path) -> Result<list::Before, Failure> {
    let (name, text) = text_of(file)?;
    let json: Option<Value> = serde_json::from_str(&text).ok();
    json.as_ref().and_then(list::before).ok_or_else(|| {
        Failure::new(Exit::Data, format!("{name}: is no list that `report list` made as JSON"))
    })
}

fn check(report: &Path, signature: &Path, authority: &Path) -> Result<Exit, Failure> {
    let read = |file: &Path| {
        fs::read(file).map_err(|e| Failure::new(Exit::Data, format!("{}: {e}", file.display())))
    };
    let (json, bytes) = (read(report)?, read(signature)?);
    let trimmed = json.trim_ascii_end();
    let vouched = sealed::check(bytes.trim_ascii_end(), trimmed, public_key::load(authority)?);
    match vouched {
        Ok(Some(vouched)) => {
            say("the authority vouches for every figure of it");
            vouched
                .replaces
                .iter()
                .for_each(|before| say(&format!("it replaces the report of SHA-256 {before}")));
            Ok(Exit::Done)
        }
        Ok(None) => Err(Failure::new(Exit::Negative, "the report is another than the one that was signed")),
        Err(why) => Err(Failure::new(Exit::Negative, format!("{}: {why}", signature.display()))),
    }
}

/// What a file is called, wherever it lies.
fn called(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

/// The same, and its hash.
fn rests_on(file: &Path) -> Result<(String, Digest), Failure> {
    Ok((called(file), Digest::of(text_of(file)?.1.as_bytes())))
}

fn text_of(file: &Path) -> Result<(String, String), Failure> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|e| Failure::new(Exit::Data, format!("{name}: {e}")))?;
    Ok((name, text))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(file, [bytes, b"\n"].concat())
        .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", file.display())))
}

/// The same, and never over a file that is there.
fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e: std::io::Error| {
        Failure::new(
            Exit::Permission,
            format!("{}: {e}; a certificate is written over no file", file.display()),
        )
    };
    let mut made = fs::File::create_new(file).map_err(failed)?;
    made.write_all(&[bytes, b"\n"].concat()).and_then(|()| made.sync_all()).map_err(failed)
}

fn wrong(flaws: &[Flaw]) -> Failure {
    let lines: Vec<String> = flaws.iter().map(ToString::to_string).collect();
    Failure::new(Exit::Data, lines.join("\n"))
}
