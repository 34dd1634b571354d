//! `verify --certificate`: whether a cut-off order's certificate says what the log says, by replay.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Seek as _, SeekFrom},
    path::Path,
};

use coldhearth::{
    evidence::{
        Certificate, LogHead, LogId, PublicKey, Report, Uncertified, Witnessed,
        audit::place_of,
        certificate::beside::Places,
        record::{Record, Unverified},
    },
    host::{Exit, Failure},
};

use crate::offline::{failed, next_line};

/// Longest certificate or page that is read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// What came of a certificate that was checked.
pub(crate) enum Checked {
    /// It says what the log says; where that log goes on after one that is not at hand, how the order stood there is its
    /// word alone.
    Holds(Option<LogHead>),
    /// Why it does not hold.
    Fails(String),
}

/// Checks a certificate, and its page where there is one, against records and what an audit found of them. `authority`
/// are the keys that may give orders and certificates.
pub(crate) fn check(
    (records, report): (&Path, &Report),
    (certificate, page): (&Path, Option<&Path>),
    authority: &[PublicKey],
) -> Result<Checked, Failure> {
    if records.as_os_str() == "-" {
        return Err(Failure::new(Exit::Usage, "a certificate is checked against a file, not standard input"));
    }
    let fails = |why: String| Ok(Checked::Fails(why));
    let bytes = read(certificate)?;
    let certificate = match Certificate::open(bytes.trim_ascii_end(), authority) {
        Ok(certificate) => certificate,
        Err(refusal) => {
            return fails(format!("no certificate of a key that is trusted as the authority's: {refusal}"));
        }
    };
    if report.own_keys.contains(&certificate.key) {
        return fails("it is signed by a key that signs a gateway's log, which is no authority's".to_owned());
    }
    let mut logs = logs(records, &certificate).map_err(|e| failed(records, &e))?;
    logs.then.keys_of_logs(&report.own_keys);
    logs.others.iter_mut().for_each(|other| other.keys_of_logs(&report.own_keys));
    let told = match logs.then.facts(authority) {
        Ok(told) => told,
        Err(why) => return fails(why.told()),
    };
    if let Some(name) = certificate.differs_from(&told) {
        return fails(format!("`{name}` is not what the log says"));
    }
    if certificate.is_too_early() {
        return fails("`issued_unix_ms` is before what it tells of had been".to_owned());
    }
    if let Err(why) = logs.bear_out(report, authority) {
        return fails(why.told());
    }
    let unchecked = match logs.stand_beside() {
        Ok(unchecked) => unchecked,
        Err(why) => return fails(why),
    };
    match page {
        Some(page) if read(page)? != certificate.page().as_bytes() => {
            fails(format!("{} is not the page of this certificate", page.display()))
        }
        Some(_) | None => Ok(Checked::Holds(unchecked)),
    }
}

/// What the logs of a certificate's gateway say.
struct Logs {
    /// The certificate's log, up to its place.
    then: Witnessed,
    /// All of it.
    since: Witnessed,
    /// The other logs.
    others: Vec<Witnessed>,
    /// The records that logs say they go on after.
    places: Places,
}

impl Logs {
    /// Whether the hold was told when the records say, and the logs it was told in before are sound.
    fn bear_out(&self, report: &Report, authority: &[PublicKey]) -> Result<(), Uncertified> {
        let before = self.then.taken_over(&self.others);
        for older in &before {
            older.is_sound(authority)?;
        }
        for log in before.into_iter().chain([&self.then]) {
            let Some((of, places)) = log.held_at() else { continue };
            if let Some(seq) = report.mistimed.first_in(of, places) {
                return Err(Uncertified::Mistimed(of.1, seq));
            }
        }
        Ok(())
    }

    /// Whether what they say by now, and what the others say, leaves the certificate standing. Tells the log that its own
    /// goes on after and that is not at hand.
    fn stand_beside(&self) -> Result<Option<LogHead>, String> {
        let after = self.since.followed_by(&self.others);
        if let Some(why) = std::iter::once(&self.since).chain(after).find_map(Witnessed::speaks_against) {
            return Err(why);
        }
        let unchecked = self.since.beside(&self.others, &self.places).map_err(Uncertified::told)?;
        self.then.is_cold_in(&self.others, &self.since).map_err(Uncertified::told)?;
        Ok(unchecked)
    }
}

/// Reads the logs of a certificate's gateway. Lines may stand in any order; of all of them only places are kept.
fn logs(records: &Path, certificate: &Certificate) -> io::Result<Logs> {
    let mut file = BufReader::new(File::open(records)?);
    let (mut line, mut at) = (Vec::new(), 0);
    let mut all = BTreeMap::<LogId, BTreeMap<u64, u64>>::new();
    while let Some(length) = next_line(&mut file, &mut line)? {
        if let Some((_, log, seq)) = place_of(&line).filter(|(gateway, ..)| *gateway == certificate.gateway) {
            all.entry(log).or_default().entry(seq).or_insert(at);
        }
        at += length;
    }
    let (mut then, mut since, mut others) = (None, Witnessed::of(certificate.order), Vec::new());
    for (log, places) in &all {
        let mut witnessed = Witnessed::of(certificate.order);
        for (seq, at) in places {
            if *log == certificate.log && *seq > certificate.seq && then.is_none() {
                then = Some(witnessed.clone());
            }
            if let Some(record) = record_at(&mut file, *at)? {
                witnessed.on(&record);
            }
        }
        if *log == certificate.log {
            since = witnessed;
        } else {
            others.push(witnessed);
        }
    }
    let mut places = Places::new();
    for head in others.iter().chain([&since]).filter_map(Witnessed::continues) {
        let at = all.get(&head.log).and_then(|places| places.get(&head.seq));
        if let Some(record) = at.map(|at| record_at(&mut file, *at)).transpose()?.flatten() {
            places.insert((head.log, head.seq), record.hash);
        }
    }
    Ok(Logs { then: then.unwrap_or_else(|| since.clone()), since, others, places })
}

fn record_at(file: &mut BufReader<File>, at: u64) -> io::Result<Option<Record>> {
    let mut line = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    next_line(file, &mut line)?;
    Ok(Unverified::read(&line).and_then(Unverified::own).ok())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| failed(path, &e))?;
    io::Read::read_to_end(&mut io::Read::take(file, MAX_BYTES), &mut bytes).map_err(|e| failed(path, &e))?;
    Ok(bytes)
}
