//! What the demo has shown, computed from what the subscriber received and verified.

use coldhearth::{
    evidence::{Anchor, Audit, PublicKey},
    judge::State,
    terms::AssetId,
};

/// What the subscriber must have learnt of a piece of equipment by the end.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// Which.
    pub asset: AssetId,
    /// In words of the plant.
    pub story: &'static str,
    /// Whether the verdict must say violation.
    pub violation: bool,
    /// The states its last verdict may have; anything when empty.
    pub states: Vec<State>,
}

/// The summary and whether everything held.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    /// Lines for people.
    pub lines: Vec<String>,
    /// Every expected verdict arrived, and every signature and chain held.
    pub holds: bool,
}

/// Audits what was received against the gateway's public key and compares it with what was expected.
pub(super) fn of(
    lines: &[Vec<u8>],
    trusted: &PublicKey,
    expected: &[Expected],
    written: u64,
    in_time: bool,
) -> Summary {
    let mut audit = Audit::new(&[*trusted]);
    lines.iter().for_each(|line| audit.on_line(line));
    let report = audit.report();
    let chain = report.authentic && report.complete && report.anchor == Anchor::Trusted && in_time;
    let mut said = vec![format!(
        "the subscriber received {} of {written} records; signatures {}, chain {}",
        report.records,
        if report.authentic { "all valid" } else { "NOT ALL VALID" },
        if report.complete { "unbroken" } else { "BROKEN" },
    )];
    if let Some((line, why)) = report.first_bad {
        said.push(format!("message {line}: {why}"));
    }
    let mut holds = chain;
    for Expected { asset, story, violation, states } in expected {
        let verdict =
            report.verdicts.iter().map(|(_, verdict)| verdict).find(|verdict| verdict.asset == *asset);
        let (fits, learnt) = match verdict {
            None => (false, "no verdict".to_owned()),
            Some(verdict) => {
                let found = verdict.violation_since_unix_ms.is_some();
                let state = states.is_empty() || states.contains(&verdict.state);
                let word = if found { "VIOLATION, " } else { "no violation, " };
                (found == *violation && state, format!("{word}{}", verdict.state.word()))
            }
        };
        holds &= fits;
        let mark = if fits { "as expected" } else { "NOT AS EXPECTED" };
        said.push(format!("{asset:<8} {story}: {learnt} ({mark})"));
    }
    said.push(if holds { "everything held" } else { "SOMETHING DID NOT HOLD" }.to_owned());
    Summary { lines: said, holds }
}
