//! `store backup|restore|verify|reindex|prune`: the authority's store as a whole.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use coldhearth::{
    host::{Clock as _, Exit, Failure, SystemClock, keys, out, private, public_key},
    regulator::{
        archive::{self, Copied},
        config::{DEFAULT_KEEP_DAYS, LEAST_KEEP_DAYS},
        inspect::{self, Index, Inspection, MOST_ASSETS},
        prune, reindex,
    },
    terms::LegalDay,
};
use serde_json::json;

use crate::{say, serve::Home};

#[derive(Subcommand)]
pub(crate) enum StoreVerb {
    /// Copy everything but the people at the desk into one file, whatever database it is in; the collector may go on meanwhile
    Backup {
        /// The file to make; `-` for standard output
        file: PathBuf,
        /// Put the copy in the place of a file that is there
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        home: Home,
    },
    /// Put a copy into an empty store, of the same or the other database
    Restore {
        /// The copy
        file: PathBuf,
        #[command(flatten)]
        home: Home,
    },
    /// Verify every signature, chain, receipt and head of heads from the stored bytes, and against the records what screens show of
    /// equipment, sums of days, what is matched across plants and the desk's alarms: exit 0 good, 1 not
    Verify {
        /// Heads of heads that somebody has kept, one a line: each must be in the store
        #[arg(long, value_name = "FILE")]
        published: Option<PathBuf>,
        /// The authority's key, where it is not in the state folder
        #[arg(long, value_name = "KEY")]
        authority: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        home: Home,
    },
    /// Make what screens show of equipment anew out of the records: where `store verify` says that it is not what they tell
    Reindex {
        #[command(flatten)]
        home: Home,
    },
    /// Let go of records that arrived before a day; receipts, heads, keys, proofs of forks and findings stay
    Prune {
        /// The first day that stays, YYYY-MM-DD; refused within `[retention] keep_days`
        #[arg(long, value_name = "DAY", value_parser = day)]
        before: LegalDay,
        #[command(flatten)]
        home: Home,
    },
}

pub(crate) fn store(verb: &StoreVerb) -> Result<Exit, Failure> {
    match verb {
        StoreVerb::Backup { file, replace, home } => backup(file, *replace, home),
        StoreVerb::Restore { file, home } => {
            let failed = |e: std::io::Error| Failure::new(Exit::Data, format!("{}: {e}", file.display()));
            let mut copy = BufReader::new(File::open(file).map_err(failed)?);
            let copied = archive::restore(&mut *home.store()?, &mut copy).map_err(|failure| Failure {
                message: format!("{}: {}", file.display(), failure.message),
                ..failure
            })?;
            say(&format!("restored {}; {}", told(copied), next_after_restore(home)?));
            Ok(Exit::Done)
        }
        StoreVerb::Verify { published, authority, json, home } => {
            verify(published.as_deref(), authority.as_deref(), *json, home)
        }
        StoreVerb::Reindex { home } => {
            let now = SystemClock::default().now().wall_unix_ms;
            let mut store = home.store_that_is_there()?;
            let logs =
                reindex::reindex(&mut *store, &home.trusted(&[])?, now).map_err(|failure| Failure {
                    message: format!("{}; run it again: it goes on where it ended", failure.message),
                    ..failure
                })?;
            say(&format!(
                "what screens show was made anew out of {logs} logs; now run: coldhearth-regulator store verify"
            ));
            Ok(Exit::Done)
        }
        StoreVerb::Prune { before, home } => {
            let keep_days = home.config()?.map_or(DEFAULT_KEEP_DAYS, |config| config.keep_days);
            let now = SystemClock::default().now().wall_unix_ms;
            let keys = home.trusted(&[])?;
            let logs = prune::prune(&mut *home.store_that_is_there()?, &keys, *before, keep_days, now)?;
            say(&format!("{logs} logs pruned of what arrived before {before}"));
            Ok(Exit::Done)
        }
    }
}

/// Written under another name first: what bears the name is whole. It holds what the store holds, and is closed to others as it is.
fn backup(file: &Path, replace: bool, home: &Home) -> Result<Exit, Failure> {
    let now = SystemClock::default().now().wall_unix_ms;
    if !replace && file.exists() {
        let what = format!("{}: is there already; name another file, or say --replace", file.display());
        return Err(Failure::new(Exit::Config, what));
    }
    let mut store = home.store_that_is_there()?;
    if file.as_os_str() == "-" {
        let mut out = BufWriter::new(out::out());
        let copied = archive::backup(&mut *store, &mut out, now)?;
        let _gone = writeln!(std::io::stderr(), "copied {}", told(copied));
        return Ok(Exit::Done);
    }
    let failed = |e: std::io::Error| Failure::new(Exit::Permission, format!("{}: {e}", file.display()));
    let mut draft = file.as_os_str().to_owned();
    draft.push(".new");
    let made = private::anew(Path::new(&draft)).map_err(failed)?;
    let mut out = BufWriter::new(made);
    let copied = archive::backup(&mut *store, &mut out, now)?;
    let made = out.into_inner().map_err(|e| failed(e.into_error()))?;
    made.sync_all().and_then(|()| fs::rename(&draft, file)).map_err(failed)?;
    say(&format!("copied {} into {}", told(copied), file.display()));
    Ok(Exit::Done)
}

/// What to do with a store that was put back: its key is no part of the copy.
fn next_after_restore(home: &Home) -> Result<String, Failure> {
    let own = home.state()?.join(format!("{}.pub", keys::AUTHORITY_FILE));
    if own.is_file() {
        return Ok("now run: coldhearth-regulator store verify".to_owned());
    }
    Ok(format!(
        "the authority's key is not in the copy: bring {0} and {0}.pub from the machine that it was made on into {1} before \
         anything is served from here, then run: coldhearth-regulator store verify; to verify alone, the public key is enough: \
         store verify --authority {0}.pub",
        keys::AUTHORITY_FILE,
        home.state()?.display()
    ))
}

fn told(copied: Copied) -> String {
    let Copied { gateways, logs, records, forks, receipts, findings, heads, .. } = copied;
    let Copied { alarm_steps, seen, inspections, .. } = copied;
    format!(
        "{gateways} gateways, {logs} logs, {records} records, {forks} forks, {receipts} receipts, {findings} findings, \
         {heads} heads of heads, {alarm_steps} steps of alarms, {seen} looks at the console, {inspections} inspections"
    )
}

fn verify(
    published: Option<&Path>,
    authority: Option<&Path>,
    as_json: bool,
    home: &Home,
) -> Result<Exit, Failure> {
    let own = home.state()?.join(format!("{}.pub", keys::AUTHORITY_FILE));
    if authority.is_none() && !own.is_file() {
        let what = format!(
            "{}: the authority's key is not here; bring it from the machine that serves, and name it by --authority",
            own.display()
        );
        return Err(Failure::new(Exit::Config, what));
    }
    let authority = public_key::load(authority.unwrap_or(&own))?;
    let keep_days = home.config()?.map_or(LEAST_KEEP_DAYS, |config| config.keep_days);
    let now = SystemClock::default().now().wall_unix_ms;
    let published = match published {
        None => Vec::new(),
        Some(file) => {
            let bytes =
                fs::read(file).map_err(|e| Failure::new(Exit::Data, format!("{}: {e}", file.display())))?;
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.map(<[u8]>::to_vec).collect()
        }
    };
    let found =
        inspect::inspect(&mut *home.store_that_is_there()?, &authority, &published, (keep_days, now))?;
    let Inspection { gateways, logs, records, pruned, waiting, forks, receipts, .. } = &found;
    let Inspection { findings, heads, alarm_steps, sums, prunings, wrong, wrongs, index, .. } = &found;
    let Inspection { foreign_acts, foreign, .. } = &found;
    if as_json {
        let report = json!({
            "gateways": gateways, "logs": logs, "records": records, "pruned_logs": pruned, "waiting_logs": waiting,
            "forks": forks, "receipts": receipts, "findings": findings, "heads": heads, "alarm_steps": alarm_steps,
            "sums": sums, "prunings": prunings, "foreign_acts": foreign_acts, "foreign": foreign, "wrong": wrong, "wrongs": wrongs,
            "index": {
                "assets": index.assets, "intervals": index.spans, "wrongs": index.wrongs,
                "gateways_not_compared": index.uncompared, "is_compared": index.reading.is_none(),
            },
        });
        say(&report.to_string());
    } else {
        prunings.iter().for_each(|line| say(&format!("PRUNED {line}")));
        foreign.iter().for_each(|line| say(&format!("FOREIGN {line}")));
        wrong.iter().for_each(|line| say(&format!("WRONG  {line}")));
        say(&format!(
            "{gateways} gateways, {logs} logs ({pruned} pruned, {waiting} with records that wait for others)"
        ));
        say(&format!(
            "verified: {records} records, {forks} proofs of forks, {receipts} receipts, {findings} findings, \
             {heads} heads of heads, {alarm_steps} steps of alarms, {sums} sums of days"
        ));
        say(&told_of_index(index));
    }
    if *wrongs == 0 {
        return Ok(Exit::Done);
    }
    let what = format!(
        "{wrongs} things do not hold; the first are told above. What names a command is mended by it. Of everything else the evidence \
         was changed: keep this store as it is, and put a copy that verifies into an empty one: coldhearth-regulator store restore"
    );
    Err(Failure::new(Exit::Negative, what))
}

/// What of the screens' index was held against the records, and what was not.
fn told_of_index(index: &Index) -> String {
    let Index { assets, spans, uncompared, reading, wrongs, .. } = index;
    if let Some((left, all)) = reading {
        return format!(
            "NOT COMPARED: what screens show of equipment; {left} of {all} logs are still to be read into it. Verify again once \
             serve, or store reindex, has read them"
        );
    }
    let mut text = format!(
        "compared with the records: {assets} pieces of equipment and {spans} intervals that screens show; not compared: the \
         counts of past days, which no record tells"
    );
    if *uncompared > 0 {
        text += &format!(
            "; NOT COMPARED as a whole: {uncompared} gateways that tell of more than {MOST_ASSETS} pieces of equipment each"
        );
    }
    if *wrongs > 0 {
        text += &format!(
            "\n{wrongs} of what is wrong is the screens' index alone, which is no evidence: run coldhearth-regulator store reindex, \
             then store verify again"
        );
    }
    text
}

pub(crate) fn day(text: &str) -> Result<LegalDay, String> {
    LegalDay::parse(text).ok_or_else(|| "a day like 2026-12-31 is expected".to_owned())
}
