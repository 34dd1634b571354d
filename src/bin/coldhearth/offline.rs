//! The verbs an auditor needs: no network, no feature.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write as _},
    path::PathBuf,
};

use clap::Args;
use coldhearth::{
    evidence::{
        Anchor, Audit, LogId, Report,
        audit::{Fork, Missing},
    },
    host::{Exit, Failure, public_key},
    judge::Verdict,
    terms::{
        time::LegalTime,
        words::{self, Language},
    },
};
use serde::Serialize;

/// Longest line read, in bytes: a record, and room to say that it is longer.
const MAX_LINE_BYTES: u64 = 128 * 1024;

#[derive(Args)]
pub(crate) struct Verify {
    /// Records, one a line; `-` for standard input
    file: PathBuf,
    /// A public key that is believed (a gateway's `.pub`); may be given several times
    #[arg(long = "trust", value_name = "KEY")]
    trust: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Exit 0 authentic and complete, 1 not, 65 no evidence at all; what the records say never decides.
pub(crate) fn verify(orders: &Verify) -> Result<Exit, Failure> {
    let trusted = orders.trust.iter().map(|path| public_key::load(path)).collect::<Result<Vec<_>, _>>()?;
    let mut audit = Audit::new(&trusted);
    let read = if orders.file.as_os_str() == "-" {
        read_lines(io::stdin().lock(), &mut audit)
    } else {
        File::open(&orders.file).and_then(|file| read_lines(BufReader::new(file), &mut audit))
    };
    read.map_err(|e| Failure::new(Exit::Data, format!("{}: {e}", orders.file.display())))?;
    let report = audit.report();
    let text = if orders.json { as_json(&report) } else { as_text(&report) };
    let _gone = writeln!(io::stdout(), "{text}");
    if report.no_evidence {
        let message = format!("{}: no coldhearth/1 record in it", orders.file.display());
        return Err(Failure::new(Exit::Data, message));
    }
    if report.anchor == Anchor::Own {
        let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
        let _gone = writeln!(io::stderr(), "warning: {}", words::SELF_ANCHORED.in_language(language));
    }
    Ok(if report.authentic && report.complete { Exit::Done } else { Exit::Negative })
}

fn read_lines(mut from: impl BufRead, audit: &mut Audit) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if io::Read::take(&mut from, MAX_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            // Only the line end of another system; a carriage return inside a record is an alteration.
            line.pop_if(|last| *last == b'\r');
        } else if line.len() as u64 == MAX_LINE_BYTES {
            from.skip_until(b'\n')?;
        }
        audit.on_line(&line);
    }
}

/// The report as a machine reads it.
#[derive(Serialize)]
struct Answers {
    authentic: bool,
    complete: bool,
    declared: bool,
    condition: &'static str,
    first_bad: Option<FirstBad>,
    gaps: Vec<GapAnswer>,
    forks: Vec<ForkAnswer>,
    anchor: &'static str,
    records: u64,
    assets: Vec<AssetAnswer>,
}

#[derive(Serialize)]
struct FirstBad {
    line: u64,
    why: String,
}

#[derive(Serialize)]
struct GapAnswer {
    gateway_id: String,
    log_id: String,
    from_seq: u64,
    to_seq: u64,
    declared: bool,
}

#[derive(Serialize)]
struct ForkAnswer {
    gateway_id: String,
    log_id: String,
    seq: u64,
    hashes: [String; 2],
}

#[derive(Serialize)]
struct AssetAnswer {
    log_id: String,
    asset: String,
    state: &'static str,
    violation: bool,
}

fn as_json(report: &Report) -> String {
    let gap = |gap: &Missing| GapAnswer {
        gateway_id: gap.gateway.to_string(),
        log_id: gap.log.to_string(),
        from_seq: gap.from,
        to_seq: gap.to,
        declared: gap.declared,
    };
    let fork = |fork: &Fork| ForkAnswer {
        gateway_id: fork.gateway.to_string(),
        log_id: fork.log.to_string(),
        seq: fork.seq,
        hashes: [fork.held.to_string(), fork.shown.to_string()],
    };
    let asset = |(log, verdict): &(LogId, Verdict)| AssetAnswer {
        log_id: log.to_string(),
        asset: verdict.asset.to_string(),
        state: verdict.state.word(),
        violation: verdict.violation_since_unix_ms.is_some(),
    };
    let answers = Answers {
        authentic: report.authentic,
        complete: report.complete,
        declared: report.declared,
        condition: report.condition(),
        first_bad: report.first_bad.map(|(line, why)| FirstBad { line, why: why.to_string() }),
        gaps: report.gaps.iter().map(gap).collect(),
        forks: report.forks.iter().map(fork).collect(),
        anchor: report.anchor.word(),
        records: report.records,
        assets: report.verdicts.iter().map(asset).collect(),
    };
    // A struct of texts, numbers and flags always becomes JSON.
    serde_json::to_string(&answers).unwrap_or_default()
}

fn as_text(report: &Report) -> String {
    let answer = |yes: bool| if yes { "yes" } else { "NO" };
    let anchor = match report.anchor {
        Anchor::Trusted => "key trusted by you",
        Anchor::Own => "key taken from the records themselves",
        Anchor::Nobody => "no key known: pass --trust KEY, or include the genesis record",
    };
    let mut lines = vec![format!(
        "authentic: {}  {} records believed, {anchor}",
        answer(report.authentic),
        report.records
    )];
    if let Some((line, why)) = report.first_bad {
        lines.push(format!("           line {line}: {why}"));
    }
    lines.push(format!("complete:  {}", answer(report.complete)));
    for gap in &report.gaps {
        let declared = if gap.declared { ", declared by the gateway" } else { "" };
        lines.push(format!(
            "           missing {} to {} of {} log {}{declared}",
            gap.from, gap.to, gap.gateway, gap.log
        ));
    }
    for fork in &report.forks {
        lines.push(format!(
            "           FORK at {} of {} log {}: {} and {}",
            fork.seq, fork.gateway, fork.log, fork.held, fork.shown
        ));
    }
    lines.push(format!("condition: {}", report.condition()));
    for (log, verdict) in &report.verdicts {
        let since = verdict
            .violation_since_unix_ms
            .map_or_else(String::new, |ms| format!(", violation since {}", LegalTime(ms)));
        let log = if report.logs.len() > 1 { format!(" (log {log})") } else { String::new() };
        lines.push(format!("           {}: {}{since}{log}", verdict.asset, verdict.state.word()));
    }
    lines.join("\n")
}
