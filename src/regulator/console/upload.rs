//! Verifies what somebody brings: the same audit as `coldhearth verify`, with the authority's keys, and with those it admitted of
//! the gateways named there that lie within the scope. Nothing of it is kept.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension,
    extract::{Multipart, State},
    response::Response,
};
use maud::{Markup, html};
use tokio::time::timeout;

use super::{
    Books, Console, UPLOADS_COMING,
    asks::Brought,
    badge::Badge,
    door::Viewer,
    frame::{self, Here},
};
use crate::{
    evidence::{Anchor, Audit, PublicKey, Report, audit::place_of, canonical::Malformed, record::Refusal},
    host::exit::{Exit, Failure},
    regulator::store::{Answered, StoreFault, sights::Scope},
    terms::{
        Digest, GatewayId, Name,
        words::{self, Language, Words},
    },
};

/// Longest upload, in bytes; longer logs are verified by `coldhearth verify`.
pub const MAX_UPLOAD_BYTES: usize = 8 * 1_024 * 1_024;
/// How long an upload may take, in seconds.
pub(super) const UPLOAD_S: u64 = 120;
/// Gateways whose keys are looked up.
const MOST_GATEWAYS: usize = 64;
/// Files that a report may rest on.
const MOST_FILES: usize = 256;
/// Gaps that are listed.
const MOST_LISTED: usize = 50;

/// `POST /verify`
pub(super) async fn verify(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
    mut parts: Multipart,
) -> Response {
    let Some(_coming) = console.coming.one_more(viewer.name) else { return frame::busy(&viewer) };
    let [records, receipts] = match files(&mut parts, &viewer, ["records", "receipts"]).await {
        Ok(files) => files,
        Err(why) => return frame::refused(&viewer, why),
    };
    match audited(&console, viewer.scope.clone(), records, receipts).await {
        Ok(report) => {
            let title = words::K_VERIFY.in_language(viewer.language);
            frame::page(&viewer, Here::Audit, title, &page(&report, viewer.language))
        }
        Err(fault) => frame::away(viewer.language, &fault),
    }
}

/// Whose uploads are coming in: one of each person, however slowly it comes, and no more than are held in memory at once.
#[derive(Clone, Default)]
pub(super) struct Coming(Arc<Mutex<BTreeSet<Name>>>);

impl Coming {
    /// Room for one of this person.
    pub(super) fn one_more(&self, of: Name) -> Option<Room> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_room = all.len() < UPLOADS_COMING && all.insert(of);
        is_room.then(|| Room { of, coming: self.clone() })
    }
}

/// Room for an upload.
pub(super) struct Room {
    of: Name,
    coming: Coming,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.coming.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.of);
    }
}

/// The files of these names, the first of which must be there. Nothing is read of a form that is not of this session.
pub(super) async fn files<const N: usize>(
    parts: &mut Multipart,
    viewer: &Viewer,
    names: [&str; N],
) -> Result<[Vec<u8>; N], Words> {
    let reading = read(parts, viewer, names);
    timeout(Duration::from_secs(UPLOAD_S), reading).await.unwrap_or(Err(words::K_UPLOAD_BROKEN))
}

async fn read<const N: usize>(
    parts: &mut Multipart,
    viewer: &Viewer,
    names: [&str; N],
) -> Result<[Vec<u8>; N], Words> {
    let (mut is_own, mut files) = (false, [const { Vec::new() }; N]);
    while let Some(part) = parts.next_field().await.map_err(|_| words::K_UPLOAD_BROKEN)? {
        let name = part.name().unwrap_or("").to_owned();
        if name == "form" {
            is_own = viewer.is_own(&part.text().await.map_err(|_| words::K_UPLOAD_BROKEN)?);
            continue;
        }
        if !is_own {
            return Err(words::K_FORM_FOREIGN);
        }
        let bytes = part.bytes().await.map_err(|_| words::K_UPLOAD_BROKEN)?.to_vec();
        if let Some((_, file)) = names.iter().zip(&mut files).find(|(of, _)| **of == name) {
            *file = bytes;
        }
    }
    if !is_own {
        return Err(words::K_FORM_FOREIGN);
    }
    if files.first().is_none_or(Vec::is_empty) {
        return Err(words::K_NO_FILE);
    }
    Ok(files)
}

/// What stands in the lines of a form, and the files that were brought with it. Nothing is read of a form that is not of this
/// session.
pub(super) async fn brought(
    parts: &mut Multipart,
    viewer: &Viewer,
) -> Result<(Vec<(String, String)>, Vec<Brought>), Words> {
    let reading = read_brought(parts, viewer);
    timeout(Duration::from_secs(UPLOAD_S), reading).await.unwrap_or(Err(words::K_UPLOAD_BROKEN))
}

async fn read_brought(
    parts: &mut Multipart,
    viewer: &Viewer,
) -> Result<(Vec<(String, String)>, Vec<Brought>), Words> {
    let (mut is_own, mut lines, mut files) = (false, Vec::new(), Vec::new());
    while let Some(part) = parts.next_field().await.map_err(|_| words::K_UPLOAD_BROKEN)? {
        let word = part.name().unwrap_or("").to_owned();
        let name = part.file_name().map(str::to_owned);
        if word != "form" && !is_own {
            return Err(words::K_FORM_FOREIGN);
        }
        let text = part.text().await.map_err(|_| words::K_UPLOAD_BROKEN)?;
        match name {
            _ if word == "form" => is_own = viewer.is_own(&text),
            None => lines.push((word, text)),
            // A box for a file that was left empty.
            Some(_) if text.is_empty() => {}
            Some(_) if files.len() >= MOST_FILES => return Err(words::K_TOO_MANY_FILES),
            Some(name) => files.push(Brought { word, name, text }),
        }
    }
    if is_own { Ok((lines, files)) } else { Err(words::K_FORM_FOREIGN) }
}

/// What stands in the lines of a form, and the names and hashes of the files that were brought with it: no more is kept of them.
/// Nothing is read of a form that is not of this session.
pub(super) async fn hashed(
    parts: &mut Multipart,
    viewer: &Viewer,
    most: usize,
) -> Result<(Vec<(String, String)>, Vec<(String, Digest)>), Words> {
    let reading = read_hashed(parts, viewer, most);
    timeout(Duration::from_secs(UPLOAD_S), reading).await.unwrap_or(Err(words::K_UPLOAD_BROKEN))
}

async fn read_hashed(
    parts: &mut Multipart,
    viewer: &Viewer,
    most: usize,
) -> Result<(Vec<(String, String)>, Vec<(String, Digest)>), Words> {
    let (mut is_own, mut lines, mut files) = (false, Vec::new(), Vec::new());
    while let Some(part) = parts.next_field().await.map_err(|_| words::K_UPLOAD_BROKEN)? {
        let word = part.name().unwrap_or("").to_owned();
        let name = part.file_name().map(str::to_owned);
        if word != "form" && !is_own {
            return Err(words::K_FORM_FOREIGN);
        }
        let bytes = part.bytes().await.map_err(|_| words::K_UPLOAD_BROKEN)?;
        match name {
            None => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                is_own |= word == "form" && viewer.is_own(&text);
                lines.push((word, text));
            }
            // A box for a file that was left empty.
            Some(_) if bytes.is_empty() => {}
            Some(_) if files.len() >= most => return Err(words::K_TOO_MANY_FILES),
            Some(name) => files.push((name, Digest::of(&bytes))),
        }
    }
    if is_own { Ok((lines, files)) } else { Err(words::K_FORM_FOREIGN) }
}

/// Why a record is not believed.
fn unbelieved(why: Refusal, language: Language) -> String {
    let (words, what) = match why {
        Refusal::Malformed(Malformed::TooLong) => (words::K_BAD_TOO_LONG, String::new()),
        Refusal::Malformed(Malformed::NotJson { .. } | Malformed::NotAnObject) => {
            (words::K_BAD_NOT_JSON, String::new())
        }
        Refusal::Malformed(Malformed::NotCanonical) => (words::K_BAD_ALTERED, String::new()),
        Refusal::Member(name) => (words::K_BAD_MEMBER, name.to_owned()),
        Refusal::UnknownKey(key) => (words::K_BAD_NOBODY, key.to_string()),
        Refusal::UnknownSuite(suite) => (words::K_BAD_SUITE, suite.to_string()),
        Refusal::WrongSuite { said, key } => (words::K_BAD_WRONG_SUITE, format!("{said} / {key}")),
        Refusal::BadSignature => (words::K_BAD_SIGNATURE, String::new()),
        Refusal::NotOurs => (words::K_BAD_NOT_OURS, String::new()),
        Refusal::StrangeKey(key) => (words::K_BAD_STRANGE_KEY, key.to_string()),
        Refusal::WrongEpoch(epoch) => (words::K_BAD_EPOCH, epoch.to_string()),
    };
    format!("{} {what}", words.in_language(language)).trim_end().to_owned()
}

/// The keys are asked of the store; what takes long keeps none of its threads.
async fn audited(console: &Console, scope: Scope, records: Vec<u8>, receipts: Vec<u8>) -> Answered<Report> {
    let named = gateways(&records);
    let trusted = console.readers.ask(move |books| {
        let mut trusted = books.trusted.clone();
        trusted.extend(admitted(books, &scope, &named)?);
        Ok(trusted)
    });
    let trusted = trusted.await?;
    // It is never closed.
    let _one = console.uploads.acquire().await;
    let judging = tokio::task::spawn_blocking(move || in_order(&trusted, &records, &receipts));
    judging
        .await
        .map_err(|e| StoreFault::Failed(Failure::new(Exit::Bug, format!("the audit has ended: {e}"))))
}

/// The audit of records as they stand, and sorted where they stand in no order.
fn in_order(trusted: &[PublicKey], records: &[u8], receipts: &[u8]) -> Report {
    let numbered = || lines(records).enumerate().map(|(at, line)| (at as u64 + 1, line));
    let report = judged(trusted, numbered(), receipts);
    if !report.disordered {
        return report;
    }
    // An empty line tells nothing, wherever it stands.
    let mut sorted: Vec<_> = numbered().filter(|(_, line)| !line.is_empty()).collect();
    sorted.sort_by_key(|(number, line)| (place_of(line), *number));
    judged(trusted, sorted.into_iter(), receipts)
}

fn judged<'r>(
    trusted: &[PublicKey],
    records: impl Iterator<Item = (u64, &'r [u8])>,
    receipts: &[u8],
) -> Report {
    let mut audit = Audit::new(trusted);
    lines(receipts).for_each(|line| audit.on_receipt_line(line));
    records.for_each(|(number, line)| audit.on_numbered_line(line, number));
    audit.report()
}

/// The gateways that the records name, as many as are looked up.
fn gateways(records: &[u8]) -> BTreeSet<GatewayId> {
    let mut named = BTreeSet::new();
    for (gateway, ..) in lines(records).filter_map(place_of) {
        if named.len() < MOST_GATEWAYS {
            named.insert(gateway);
        }
    }
    named
}

/// The keys that were admitted of those gateways, within the scope.
fn admitted(books: &mut Books, scope: &Scope, gateways: &BTreeSet<GatewayId>) -> Answered<Vec<PublicKey>> {
    let mut keys = Vec::new();
    for gateway in gateways {
        let logs = books.store.heads(Some(&[*gateway].into()))?;
        if logs.iter().any(|kept| scope.has(kept.division)) {
            let of = books.store.admitted_of(*gateway)?;
            keys.extend(of.iter().filter(|one| one.revoked_unix_ms.is_none()).map(|one| one.key));
        }
    }
    Ok(keys)
}

/// Lines without their ends; only the line end of another system is taken off.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn page(report: &Report, language: Language) -> Markup {
    let say = |words: Words| words.in_language(language);
    let yes_no = |is: bool| say(if is { words::K_YES } else { words::K_NO });
    // Of keys that nobody here knows the first record tells nothing: neither that it is good nor that it is not.
    let is_strange = report.records == 0 && matches!(report.first_bad, Some((_, Refusal::UnknownKey(_))));
    let anchor = match report.anchor {
        Anchor::Trusted | Anchor::Own | Anchor::Nobody if is_strange => words::K_ANCHOR_STRANGE,
        Anchor::Trusted => words::K_ANCHOR_TRUSTED,
        Anchor::Own => words::SELF_ANCHORED,
        Anchor::Nobody => words::K_ANCHOR_NONE,
    };
    html! {
        @if report.no_evidence { p.note.alarm { (say(words::K_NO_EVIDENCE_IN_IT)) } }
        dl.facts {
            dt { (say(words::K_AUTHENTIC)) } dd { @if is_strange { (say(words::K_CANNOT_TELL)) } @else { (yes_no(report.authentic)) } }
            dt { (say(words::K_COMPLETE)) } dd { @if is_strange { (say(words::K_NOT_TOLD)) } @else { (yes_no(report.complete)) } }
            dt { (say(words::K_CONDITION)) } dd { (condition(report, language)) }
            dt { (say(words::K_RECORDS)) } dd { (report.records) }
            dt { (say(words::K_KEYS)) } dd { (say(anchor)) }
            @if let Some((line, why)) = &report.first_bad {
                dt { (say(words::K_FIRST_BAD)) } dd { (line) ": " (unbelieved(*why, language)) }
            }
            dt { (say(words::K_FORKS)) } dd { (report.forks.len()) }
        }
        h2 { (say(words::K_GAPS)) ": " (report.gaps.len()) }
        ul {
            @for gap in report.gaps.iter().take(MOST_LISTED) {
                li.hash {
                    (gap.gateway.to_string()) " " (gap.log.to_string()) " #" (gap.from) "–" (gap.to)
                    @if gap.declared { " (" (say(words::K_GAP_DECLARED)) ")" }
                }
            }
        }
        p { a href="/audit" { (say(words::K_AUDIT)) } }
    }
}

/// The third answer: the worst that the verdicts say. No word about authenticity.
fn condition(report: &Report, language: Language) -> Markup {
    match report.condition() {
        "violation" => frame::badge(Badge::Latched, language),
        "unstated" => html! { (words::K_UNTOLD.in_language(language)) },
        state => frame::badge(Badge::of_state(state), language),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_upload_and_all_have_so_many_as_are_held_at_once() {
        let (coming, name) = (Coming::default(), |text: &str| Name::new(text).unwrap());
        let slow = coming.one_more(name("audi"));
        assert!(slow.is_some() && coming.one_more(name("audi")).is_none(), "a second of the same person");
        let others: Vec<_> = (1..UPLOADS_COMING).map(|n| coming.one_more(name(&format!("li-{n}")))).collect();
        assert!(others.iter().all(Option::is_some) && coming.one_more(name("wang")).is_none());
        drop(slow);
        assert!(coming.one_more(name("audi")).is_some());
    }

    #[test]
    fn lines_are_taken_as_they_are() {
        let all: Vec<&[u8]> = lines(b"a\r\n\nb\rc").collect();
        assert_eq!(all, [&b"a"[..], &b""[..], &b"b\rc"[..]]);
    }

    #[test]
    fn what_is_no_evidence_is_not_called_authentic_evidence() {
        let report = judged(&[], lines(b"hello").enumerate().map(|(at, line)| (at as u64, line)), b"");
        assert!(report.no_evidence && !report.authentic && report.records == 0);
    }
}
