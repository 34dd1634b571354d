//! `findings`: records of different plants, or of different times, that do not go together.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use coldhearth::{
    evidence::lineage::{ClashId, ClashKind, Place},
    host::{Exit, Failure},
    regulator::{
        findings::{self, Bundled},
        store::{FINDINGS_AT_ONCE, KeptFinding, Log, Store},
    },
    terms::{
        GatewayId, LegalDay,
        words::{self, Language},
    },
};

use crate::{say, serve::Home, store::day};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Findings {
    #[command(subcommand)]
    verb: Option<FindingsVerb>,
    /// Only those found on this day or later, YYYY-MM-DD
    #[arg(long, value_name = "DAY", value_parser = day)]
    since: Option<LegalDay>,
    /// Only those of this kind
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<ClashKind>,
    /// Print one JSON object a line, both records in it as they came
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: Home,
}

#[derive(Subcommand)]
enum FindingsVerb {
    /// Write a finding into a new folder: both records and the keys that vouch for them, for `coldhearth verify FOLDER`
    Export {
        /// The finding, as it is listed
        #[arg(value_parser = id)]
        id: ClashId,
        /// The folder to make
        folder: PathBuf,
        /// All records up to both, so that `verify` finds nothing missing
        #[arg(long)]
        whole: bool,
        #[command(flatten)]
        home: Home,
    },
}

/// Exit 1 where something is listed that no paper excuses, 0 otherwise.
pub(crate) fn findings(orders: &Findings) -> Result<Exit, Failure> {
    let Findings { verb, since, kind, json, home } = orders;
    if let Some(FindingsVerb::Export { id, folder, whole, home }) = verb {
        return export(*id, folder, *whole, home);
    }
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let mut store = home.store_that_is_there()?;
    let (mut open, mut excused) = (0_u64, 0_u64);
    // The moment before is the last that is left out.
    let mut after = Some((since.map_or(i64::MIN, |day| day.starts_unix_ms() - 1), Some(ClashId([0xFF; 8]))));
    while let Some(last) = after.take() {
        let page = store.findings_after(last, FINDINGS_AT_ONCE)?;
        after = page.last().map(|finding| (finding.found_unix_ms, Some(finding.id)));
        let places = places(&mut *store, &page)?;
        for finding in page.iter().filter(|finding| kind.is_none_or(|kind| finding.kind == kind)) {
            *(if finding.excuse.is_none() { &mut open } else { &mut excused }) += 1;
            say(&if *json {
                findings::as_json(finding, &places).to_string()
            } else {
                findings::as_text(finding, &places, language)
            });
        }
    }
    if open == 0 {
        return Ok(Exit::Done);
    }
    let what = words::FINDING_IS_NO_CONVICTION.in_language(language);
    Err(Failure::new(Exit::Negative, format!("{open} findings, and {excused} that a paper excuses; {what}")))
}

fn export(id: ClashId, folder: &Path, whole: bool, home: &Home) -> Result<Exit, Failure> {
    let mut store = home.store_that_is_there()?;
    let Some(finding) = store.finding(id)? else {
        return Err(Failure::new(Exit::Negative, format!("{id}: there is no such finding")));
    };
    let places = places(&mut *store, std::slice::from_ref(&finding))?;
    let Bundled { records, keys } = findings::bundle(&mut *store, &finding, &places, folder, whole)?;
    let trust: String = keys.iter().map(|key| format!(" --trust {}", folder.join(key).display())).collect();
    let folder = folder.display();
    say(&format!(
        "{records} records in {folder}; whoever has the keys from elsewhere takes those: coldhearth verify {folder}{trust}"
    ));
    Ok(Exit::Done)
}

/// Where the logs of findings are.
fn places(store: &mut dyn Store, all: &[KeptFinding]) -> Result<BTreeMap<Log, Place>, Failure> {
    let gateways: BTreeSet<GatewayId> =
        all.iter().flat_map(KeptFinding::records).map(|record| record.gateway).collect();
    let heads = store.heads(Some(&gateways))?.into_iter();
    Ok(heads.map(|kept| ((kept.gateway, kept.log), (kept.division, kept.enterprise))).collect())
}

fn kind(text: &str) -> Result<ClashKind, String> {
    ClashKind::from_word(text).ok_or_else(|| {
        let words: Vec<&str> = ClashKind::ALL.into_iter().map(ClashKind::word).collect();
        format!("one of {} is expected", words.join(", "))
    })
}

fn id(text: &str) -> Result<ClashId, String> {
    ClashId::from_hex(text)
        .ok_or_else(|| "16 hexadecimal digits are expected, as `findings` shows them".to_owned())
}
