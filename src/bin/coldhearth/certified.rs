//! `verify --certificate`: whether a cut-off order's certificate says what the log says, by replay.

use std::{
    fs::File,
    io::{self, BufReader, Seek as _, SeekFrom},
    path::Path,
};

use coldhearth::{
    evidence::{Certificate, PublicKey, Witnessed, audit::place_of, record::Unverified},
    host::{Exit, Failure},
};

use crate::offline::{failed, next_line};

/// Longest certificate or page that is read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// Checks a certificate, and its page where there is one, against records that were found authentic. `None` when it holds,
/// or else why not.
pub(crate) fn check(
    records: &Path,
    (certificate, page): (&Path, Option<&Path>),
    trusted: &[PublicKey],
) -> Result<Option<String>, Failure> {
    if records.as_os_str() == "-" {
        return Err(Failure::new(Exit::Usage, "a certificate is checked against a file, not standard input"));
    }
    let bytes = read(certificate)?;
    let certificate = match Certificate::open(bytes.trim_ascii_end(), trusted) {
        Ok(certificate) => certificate,
        Err(refusal) => return Ok(Some(format!("no certificate of a key given with --trust: {refusal}"))),
    };
    let (witnessed, since) = witnessed(records, &certificate).map_err(|e| failed(records, &e))?;
    if witnessed.is_own(certificate.key) {
        return Ok(Some(
            "it is signed by a key that signs the log itself, which is no authority's".to_owned(),
        ));
    }
    let told = match witnessed.facts(trusted) {
        Ok(told) => told,
        Err(why) => return Ok(Some(why.told())),
    };
    if let Some(name) = certificate.differs_from(&told) {
        return Ok(Some(format!("`{name}` is not what the log says")));
    }
    if certificate.is_too_early() {
        return Ok(Some("`issued_unix_ms` is before what it tells of had been".to_owned()));
    }
    if let Some(since) = since {
        return Ok(Some(since));
    }
    match page {
        Some(page) if read(page)? != certificate.page().as_bytes() => {
            Ok(Some(format!("{} is not the page of this certificate", page.display())))
        }
        Some(_) | None => Ok(None),
    }
}

/// What the log says up to the certificate's place, and what it says after it that speaks against it. Lines may stand in
/// any order; of all of them only places are kept.
fn witnessed(records: &Path, certificate: &Certificate) -> io::Result<(Witnessed, Option<String>)> {
    let mut file = BufReader::new(File::open(records)?);
    let (mut line, mut at, mut places) = (Vec::new(), 0, Vec::new());
    while let Some(length) = next_line(&mut file, &mut line)? {
        let place = place_of(&line)
            .filter(|(gateway, log, _)| (*gateway, *log) == (certificate.gateway, certificate.log));
        places.extend(place.map(|(.., seq)| (seq, at)));
        at += length;
    }
    places.sort_unstable();
    places.dedup_by_key(|(seq, _)| *seq);
    let mut witnessed = Witnessed::of(certificate.order);
    let mut then = None;
    for (seq, at) in places {
        if seq > certificate.seq && then.is_none() {
            then = Some(witnessed.clone());
        }
        file.seek(SeekFrom::Start(at))?;
        next_line(&mut file, &mut line)?;
        if let Ok(record) = Unverified::read(&line).and_then(Unverified::own) {
            witnessed.on(&record);
        }
    }
    let since = then.is_some().then(|| witnessed.speaks_against()).flatten();
    Ok((then.unwrap_or(witnessed), since))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| failed(path, &e))?;
    io::Read::read_to_end(&mut io::Read::take(file, MAX_BYTES), &mut bytes).map_err(|e| failed(path, &e))?;
    Ok(bytes)
}
