//! A finding for whoever was not there: both records with the keys that vouch for them, as a folder that
//! `coldhearth verify` checks with no network.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::{as_json, as_text};
use crate::{
    evidence::{LogHead, PublicKey, audit::RECORDS_FILE, lineage::Place, record::Unverified},
    host::{
        exit::{Exit, Failure},
        lines::Lines,
        private,
    },
    regulator::store::{KeptFinding, KeptRecord, Log, Store},
    terms::words::{self, Language},
};

/// The finding itself.
pub const FINDING_FILE: &str = "finding.json";
/// The same for people, in both languages.
pub const TEXT_FILE: &str = "finding.txt";
/// Records read at once.
const PAGE: u32 = 1_000;
/// Logs that may continue one another before a record of a finding.
const MAX_LOGS: usize = 1_000;

/// What a bundle holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundled {
    /// Records.
    pub records: u64,
    /// Files of keys that somebody admitted, by name.
    pub keys: Vec<String>,
}

/// Writes a finding into a new folder. With the records go those that certify their keys, from each log's beginning on;
/// where the `whole` logs are wanted, all that is kept up to them.
///
/// # Errors
/// The folder exists or cannot be written, or the store cannot be read.
pub fn bundle(
    store: &mut dyn Store,
    finding: &KeptFinding,
    places: &BTreeMap<Log, Place>,
    folder: &Path,
    whole: bool,
) -> Result<Bundled, Failure> {
    let failed =
        |path: &Path, e: &std::io::Error| Failure::new(Exit::Permission, format!("{}: {e}", path.display()));
    private::new_folder(folder).map_err(|e| failed(folder, &e))?;
    let mut lines = Lines::create(&folder.join(RECORDS_FILE))?;
    for part in parts(store, finding)? {
        part.write(store, finding, whole, &mut lines)?;
    }
    let (records, _) = lines.finish()?;
    let mut bundled = Bundled { records, keys: Vec::new() };
    for (name, key) in keys(store, finding)? {
        let path = folder.join(&name);
        fs::write(&path, key.to_pem().unwrap_or_default()).map_err(|e| failed(&path, &e))?;
        bundled.keys.push(name);
    }
    let json = serde_json::to_vec_pretty(&as_json(finding, places)).unwrap_or_default();
    let text = [Language::Chinese, Language::English].map(|language| {
        let beside = words::FINDING_IS_NO_CONVICTION.in_language(language);
        format!("{}\n  {beside}\n", as_text(finding, places, language))
    });
    for (name, bytes) in [(FINDING_FILE, json), (TEXT_FILE, text.join("\n").into_bytes())] {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|e| failed(&path, &e))?;
    }
    Ok(bundled)
}

/// The part of a log that goes into a bundle.
struct Part {
    log: Log,
    /// The last place of it that is wanted.
    upto: u64,
}

/// The logs of both records, each after those that it continues.
fn parts(store: &mut dyn Store, finding: &KeptFinding) -> Result<Vec<Part>, Failure> {
    let mut upto: BTreeMap<Log, u64> = BTreeMap::new();
    let mut order: Vec<Log> = Vec::new();
    for half in finding.records() {
        let mut next = Some(((half.gateway, half.log), half.seq));
        let mut before: Vec<Log> = Vec::new();
        while let Some((log, seq)) = next.take() {
            upto.entry(log).and_modify(|upto| *upto = seq.max(*upto)).or_insert(seq);
            // A log that claims to continue itself in a ring is followed once around.
            if before.contains(&log) || before.len() >= MAX_LOGS {
                break;
            }
            before.push(log);
            let first = store.records_from(log, 0, 1)?;
            let genesis = first.first().filter(|(seq, _)| *seq == 0);
            let continues =
                genesis.and_then(|(_, genesis)| Unverified::read(&genesis.bytes).ok()?.continues());
            next = continues.map(|LogHead { log: earlier, seq, .. }| ((half.gateway, earlier), seq));
        }
        order.extend(before.into_iter().rev());
    }
    let mut seen = BTreeSet::new();
    order.retain(|log| seen.insert(*log));
    Ok(order.into_iter().map(|log| Part { log, upto: upto.get(&log).copied().unwrap_or(0) }).collect())
}

impl Part {
    fn write(
        &self,
        store: &mut dyn Store,
        finding: &KeptFinding,
        whole: bool,
        lines: &mut Lines,
    ) -> Result<(), Failure> {
        let halves = finding.records().filter(|half| (half.gateway, half.log) == self.log);
        let mut own: BTreeMap<u64, &[u8]> = halves.map(|half| (half.seq, half.bytes.as_slice())).collect();
        let is_wanted =
            |record: &KeptRecord| whole || matches!(record.kind.as_str(), "genesis" | "key_rotate");
        let mut from = Some(0);
        while let Some(first) = from.take() {
            for (seq, record) in store.records_from(self.log, first, PAGE)? {
                if seq > self.upto {
                    break;
                }
                from = seq.checked_add(1);
                // The finding's own copy is as good, wherever the store's has gone.
                if own.remove(&seq).is_some() || is_wanted(&record) {
                    lines.write(&record.bytes);
                }
            }
        }
        for bytes in own.into_values() {
            lines.write(bytes);
        }
        Ok(())
    }
}

/// The keys that the authority admitted for the gateways of both records, by the names of their files.
fn keys(store: &mut dyn Store, finding: &KeptFinding) -> Result<BTreeMap<String, PublicKey>, Failure> {
    let gateways: BTreeSet<_> = finding.records().map(|half| half.gateway).collect();
    let admitted = store.admitted()?.into_iter().filter(|admitted| gateways.contains(&admitted.gateway));
    Ok(admitted.map(|a| (format!("{}-{}.pub", a.gateway, a.key.id()), a.key)).collect())
}
