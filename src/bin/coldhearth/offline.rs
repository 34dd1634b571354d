//! The verbs an auditor needs: no network, no feature.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use coldhearth::{
    evidence::{
        Anchor, Audit, PublicKey, Report,
        audit::{RECEIPTS_FILE, RECORDS_FILE, place_of},
    },
    host::{Exit, Failure, out, public_key},
    terms::words::{self, Language},
};

use crate::{
    certified::{self, Checked},
    report,
};

/// Longest line read, in bytes: a record, and room to say that it is longer.
const MAX_LINE_BYTES: u64 = 128 * 1024;

#[derive(Args)]
pub(crate) struct Verify {
    /// Records, one a line; a bundle's folder; or `-` for standard input
    file: PathBuf,
    /// A public key that is believed, a gateway's first or an authority's; may be given several times
    #[arg(long = "trust", value_name = "KEY")]
    trust: Vec<PathBuf>,
    /// A public key of the authority: with it, no other key that is trusted may give orders and certificates; may be given
    /// several times
    #[arg(long = "authority", value_name = "KEY")]
    authority: Vec<PathBuf>,
    /// Receipts of the authority, one a line: they tell when records were written
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The certificate of a cut-off order, to be checked against the records by replay; name the authority's key with
    /// --authority, or with --trust
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Its page, which must be the one that the certificate makes, to the byte
    #[arg(long, value_name = "FILE", requires = "certificate")]
    page: Option<PathBuf>,
}

/// Exit 0 authentic and complete, and the certificate holds where one is given; 1 not, 65 no evidence at all; what the records say never decides.
pub(crate) fn verify(orders: &Verify) -> Result<Exit, Failure> {
    let load =
        |paths: &[PathBuf]| paths.iter().map(|path| public_key::load(path)).collect::<Result<Vec<_>, _>>();
    let (named, authority) = (load(&orders.trust)?, load(&orders.authority)?);
    let trusted = [&named[..], &authority].concat();
    let may_order = if authority.is_empty() { &trusted } else { &authority };
    let (records, receipts) = if orders.file.is_dir() {
        let receipts = Some(orders.file.join(RECEIPTS_FILE)).filter(|path| path.exists());
        (orders.file.join(RECORDS_FILE), orders.receipts.clone().or(receipts))
    } else {
        (orders.file.clone(), orders.receipts.clone())
    };
    let report = audited(&records, receipts.as_deref(), &trusted)?;
    let certified = match &orders.certificate {
        Some(file) => Some(certified::check((&records, &report), (file, orders.page.as_deref()), may_order)?),
        None => None,
    };
    let text = match (orders.json, &certified) {
        (true, checked) => report::as_json(&report, checked.as_ref()),
        (false, None) => report::as_text(&report),
        (false, Some(checked)) => [report::as_text(&report), report::certificate_line(checked)].join("\n"),
    };
    out::say(&text);
    if report.no_evidence {
        let message = format!("{}: no coldhearth/1 record in it", orders.file.display());
        return Err(Failure::new(Exit::Data, message));
    }
    if report.anchor == Anchor::Own {
        let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
        let _gone = writeln!(io::stderr(), "warning: {}", words::SELF_ANCHORED.in_language(language));
    }
    let holds = certified.is_none_or(|checked| matches!(checked, Checked::Holds(_)));
    Ok(if report.authentic && report.complete && holds { Exit::Done } else { Exit::Negative })
}

/// Judges the lines as they stand; where they stand too far out of order, once more in the order of their places.
fn audited(records: &Path, receipts: Option<&Path>, trusted: &[PublicKey]) -> Result<Report, Failure> {
    if records.as_os_str() == "-" {
        // It cannot be read again, so nothing may depend on the order of the receipts.
        let (audit, none) = (audit_of(receipts, trusted)?, Receipts::of(None)?);
        return as_they_stand(io::stdin().lock(), none, audit).map_err(|e| failed(records, &e));
    }
    let open = || File::open(records).map(BufReader::new).map_err(|e| failed(records, &e));
    let report = as_they_stand(open()?, Receipts::of(receipts)?, Audit::new(trusted));
    let report = report.map_err(|e| failed(records, &e))?;
    if !report.disordered {
        return Ok(report);
    }
    in_order(open()?, audit_of(receipts, trusted)?).map_err(|e| failed(records, &e))
}

/// A file of receipts, read as far as it is wanted.
struct Receipts {
    file: Option<BufReader<File>>,
    line: Vec<u8>,
}

impl Receipts {
    fn of(path: Option<&Path>) -> Result<Receipts, Failure> {
        let open = |path: &Path| File::open(path).map(BufReader::new).map_err(|e| failed(path, &e));
        Ok(Receipts { file: path.map(open).transpose()?, line: Vec::new() })
    }

    /// Gives the audit what it wants, or all there is.
    fn give(&mut self, audit: &mut Audit, all: bool) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        while all || audit.wants_receipts() {
            if next_line(file, &mut self.line)?.is_none() {
                self.file = None;
                break;
            }
            audit.on_receipt_line(&self.line);
        }
        Ok(())
    }
}

/// An audit that knows every receipt.
fn audit_of(receipts: Option<&Path>, trusted: &[PublicKey]) -> Result<Audit, Failure> {
    let mut audit = Audit::new(trusted);
    let given = Receipts::of(receipts)?.give(&mut audit, true);
    given.map_err(|e| failed(receipts.unwrap_or(Path::new("receipts")), &e))?;
    Ok(audit)
}

fn as_they_stand(mut from: impl BufRead, mut receipts: Receipts, mut audit: Audit) -> io::Result<Report> {
    let mut line = Vec::new();
    receipts.give(&mut audit, false)?;
    while next_line(&mut from, &mut line)?.is_some() {
        audit.on_line(&line);
        receipts.give(&mut audit, false)?;
    }
    receipts.give(&mut audit, true)?;
    Ok(audit.report())
}

/// Reads the lines in the order of gateway, log and place; lines that have none come first.
fn in_order(mut from: BufReader<File>, mut audit: Audit) -> io::Result<Report> {
    let (mut line, mut at, mut places) = (Vec::new(), 0, Vec::new());
    for number in 1_u64.. {
        let Some(length) = next_line(&mut from, &mut line)? else { break };
        places.push((place_of(&line), at, number));
        at += length;
    }
    places.sort();
    for (_, at, number) in places {
        from.seek(SeekFrom::Start(at))?;
        next_line(&mut from, &mut line)?;
        audit.on_numbered_line(&line, number);
    }
    Ok(audit.report())
}

/// Reads one line without its end; tells how many bytes it took, and nothing at the end of the file.
pub(crate) fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<u64>> {
    line.clear();
    let mut took = io::Read::take(&mut *from, MAX_LINE_BYTES).read_until(b'\n', line)? as u64;
    if took == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        // Only the line end of another system; a carriage return inside a record is an alteration.
        line.pop_if(|last| *last == b'\r');
    } else if line.len() as u64 == MAX_LINE_BYTES {
        took += from.skip_until(b'\n')? as u64;
    }
    Ok(Some(took))
}

pub(crate) fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Data, format!("{}: {error}", path.display()))
}
