//! What `verify` answers: for machines, and for people.

use coldhearth::{
    evidence::{
        Anchor, LogHead, LogId, Report,
        audit::{Fork, LogSeen, Missing, OrderSeen, StepAlone},
    },
    judge::Verdict,
    terms::{
        time::LegalTime,
        words::{self, Language},
    },
};
use serde::Serialize;

use crate::certified::Checked;

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
    logs: Vec<LogAnswer>,
    lost: Vec<LostAnswer>,
    time: TimeAnswer,
    /// Acts in the logs that no key given with `--trust` signed.
    unsigned_acts: u64,
    assets: Vec<AssetAnswer>,
    /// Cut-off orders, replayed.
    orders: Vec<OrderAnswer>,
    /// Records about orders that their logs never took.
    steps_alone: Vec<StepAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<CertificateAnswer>,
}

/// How a cut-off order stands at the end of the log.
#[derive(Serialize)]
struct OrderAnswer {
    order_id: String,
    asset: String,
    log_id: String,
    state: &'static str,
    /// The first record that cannot follow from those before it: nothing from there on is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    impossible_from: Option<u64>,
}

/// A record about an order that its log never took.
#[derive(Serialize)]
struct StepAnswer {
    log_id: String,
    impossible_from: u64,
}

/// Whether a certificate says what the log says.
#[derive(Serialize)]
struct CertificateAnswer {
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The log that its log goes on after and that is not here: how the order stood there is its word alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    unchecked_log: Option<String>,
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
    receipted: bool,
}

/// One log: how far it is known, how many keys it has had, which log it continues.
#[derive(Serialize)]
struct LogAnswer {
    gateway_id: String,
    log_id: String,
    last_seq: Option<u64>,
    head: Option<String>,
    key_epochs: usize,
    continues: Option<String>,
}

/// Places the gateway's disk lost, whose records are here.
#[derive(Serialize)]
struct LostAnswer {
    log_id: String,
    from_seq: u64,
    to_seq: u64,
}

/// When records were written, as receipts tell: `closed` have a receipt before and after.
#[derive(Serialize)]
struct TimeAnswer {
    receipts: u64,
    closed: u64,
    open: u64,
    widest_ms: i64,
    outside: u64,
    first_outside: Option<(String, u64)>,
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

/// `certified` tells of a certificate that was checked why it does not hold, or that it does.
pub(crate) fn as_json(report: &Report, certified: Option<&Checked>) -> String {
    let gap = |gap: &Missing| GapAnswer {
        gateway_id: gap.gateway.to_string(),
        log_id: gap.log.to_string(),
        from_seq: gap.from,
        to_seq: gap.to,
        declared: gap.declared,
        receipted: gap.receipted,
    };
    let asset = |(log, verdict): &(LogId, Verdict)| AssetAnswer {
        log_id: log.to_string(),
        asset: verdict.asset.to_string(),
        state: verdict.state.word(),
        violation: verdict.violation_since_unix_ms.is_some(),
    };
    let log = |log: &LogSeen| LogAnswer {
        gateway_id: log.gateway.to_string(),
        log_id: log.log.to_string(),
        last_seq: log.head.map(|(seq, _)| seq),
        head: log.head.map(|(_, head)| head.to_string()),
        key_epochs: log.epochs,
        continues: log.continues.map(|head| format!("{} at {}", head.log, head.seq)),
    };
    let brackets = &report.brackets;
    let answers = Answers {
        authentic: report.authentic,
        complete: report.complete,
        declared: report.declared,
        condition: report.condition(),
        first_bad: report.first_bad.map(|(line, why)| FirstBad { line, why: why.to_string() }),
        gaps: report.gaps.iter().map(gap).collect(),
        forks: report.forks.iter().map(fork_answer).collect(),
        anchor: report.anchor.word(),
        records: report.records,
        logs: report.logs.iter().map(log).collect(),
        lost: report
            .lost
            .iter()
            .map(|(log, from, to)| LostAnswer { log_id: log.to_string(), from_seq: *from, to_seq: *to })
            .collect(),
        time: TimeAnswer {
            receipts: brackets.receipts,
            closed: brackets.closed,
            open: brackets.open,
            widest_ms: brackets.widest_ms,
            outside: brackets.outside,
            first_outside: brackets.first_outside.map(|(log, seq)| (log.to_string(), seq)),
        },
        unsigned_acts: report.unsigned_acts,
        assets: report.verdicts.iter().map(asset).collect(),
        orders: report.orders.iter().map(order_answer).collect(),
        steps_alone: report.steps_alone.iter().map(step_answer).collect(),
        certificate: certified.map(certificate_answer),
    };
    // A struct of texts, numbers and flags always becomes JSON.
    serde_json::to_string(&answers).unwrap_or_default()
}

pub(crate) fn as_text(report: &Report) -> String {
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
        let declared = match (gap.declared, gap.receipted) {
            (true, _) => ", declared by the gateway",
            (false, true) => ", receipted: the authority has it",
            (false, false) => "",
        };
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
    for (log, from, to) in &report.lost {
        lines.push(format!("           the gateway has lost {from} to {to} of log {log}; they are here"));
    }
    lines.extend(report.logs.iter().filter_map(|log| continues_line(report, log)));
    if report.unsigned_acts > 0 {
        lines.push(format!(
            "           {} acts rest on the gateway's word: no key given with --trust signed them",
            report.unsigned_acts
        ));
    }
    lines.extend(times(report));
    lines.push(format!("condition: {}", report.condition()));
    lines.extend(verdicts(report));
    lines.extend(report.orders.iter().map(order_line));
    lines.extend(report.steps_alone.iter().map(step_line));
    lines.join("\n")
}

/// The log that a log goes on after, and whether anybody can look there.
fn continues_line(report: &Report, log: &LogSeen) -> Option<String> {
    let LogHead { log: before, seq, .. } = log.continues?;
    let is_here = report.logs.iter().any(|other| (other.gateway, other.log) == (log.gateway, before));
    let beside =
        if is_here { "" } else { ", which is not here: what it says of the time before is its word alone" };
    let LogSeen { log, gateway, .. } = log;
    Some(format!("           log {log} of {gateway} continues log {before} at {seq}{beside}"))
}

fn step_line(StepAlone { log, seq, why, .. }: &StepAlone) -> String {
    format!("cut-off:   NO: #{seq} of log {log} is about an order that the log never took ({why:?})")
}

fn step_answer(step: &StepAlone) -> StepAnswer {
    StepAnswer { log_id: step.log.to_string(), impossible_from: step.seq }
}

fn fork_answer(fork: &Fork) -> ForkAnswer {
    ForkAnswer {
        gateway_id: fork.gateway.to_string(),
        log_id: fork.log.to_string(),
        seq: fork.seq,
        hashes: [fork.held.to_string(), fork.shown.to_string()],
    }
}

fn verdicts(report: &Report) -> impl Iterator<Item = String> + '_ {
    report.verdicts.iter().map(|(log, verdict)| {
        let since = verdict
            .violation_since_unix_ms
            .map_or_else(String::new, |ms| format!(", violation since {}", LegalTime(ms)));
        let log = if report.logs.len() > 1 { format!(" (log {log})") } else { String::new() };
        format!("           {}: {}{since}{log}", verdict.asset, verdict.sentence(Language::English))
    })
}

fn order_answer(seen: &OrderSeen) -> OrderAnswer {
    OrderAnswer {
        order_id: seen.cut.order().id.to_string(),
        asset: seen.cut.order().asset.to_string(),
        log_id: seen.log.to_string(),
        state: seen.cut.stand().rung.word(),
        impossible_from: seen.impossible.map(|(seq, _)| seq),
    }
}

fn order_line(seen: &OrderSeen) -> String {
    let (order, rung) = (seen.cut.order(), seen.cut.stand().rung);
    let mut line = format!(
        "cut-off:   {} {}: {} ({})",
        order.id,
        order.asset,
        rung.told(Language::English),
        rung.word()
    );
    if let Some((seq, why)) = seen.impossible {
        line.push_str(&format!(
            "; NO: #{seq} of log {} cannot follow from what is before it ({why:?})",
            seen.log
        ));
    }
    line
}

fn certificate_answer(checked: &Checked) -> CertificateAnswer {
    match checked {
        Checked::Holds(unchecked) => CertificateAnswer {
            holds: true,
            why: None,
            unchecked_log: unchecked.map(|head| head.log.to_string()),
        },
        Checked::Fails(why) => {
            CertificateAnswer { holds: false, why: Some(why.clone()), unchecked_log: None }
        }
    }
}

/// Of a certificate that was checked: that it holds, or why not.
pub(crate) fn certificate_line(checked: &Checked) -> String {
    let language = Language::English;
    let unchecked = match checked {
        Checked::Holds(unchecked) => unchecked,
        Checked::Fails(why) => {
            return format!("cut-off:   {}: {why}", words::CERTIFICATE_FAILS.in_language(language));
        }
    };
    let (holds, beside) = (words::CERTIFICATE_HOLDS, words::NOT_A_TEST_FOR_DEAD);
    let line = format!("cut-off:   {}. {}", holds.in_language(language), beside.in_language(language));
    let unchecked = unchecked.map(|head| {
        format!(
            "\n           {} ({} at {})",
            words::EARLIER_LOG_NOT_HERE.in_language(language),
            head.log,
            head.seq
        )
    });
    line + &unchecked.unwrap_or_default()
}

/// When the records were written, as far as receipts tell.
fn times(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let brackets = &report.brackets;
    if brackets.receipts > 0 {
        lines.push(format!(
            "time:      {} records lie between two receipts, at most {} s apart; {} have one side only",
            brackets.closed,
            brackets.widest_ms / 1_000,
            brackets.open
        ));
    }
    if let Some((log, seq)) = brackets.first_outside {
        lines.push(format!(
            "           {} claim a time outside their receipts, the first at {seq} of log {log}",
            brackets.outside
        ));
    }
    lines
}
