//! What a gateway hands to whoever is asked for help.

use std::path::Path;

use serde_json::{Value, json};

use super::{SOCKET_FILE, ask};
use crate::{
    agent::{
        config,
        journal::{DiskJournal, JOURNAL_FILE},
    },
    evidence::{Class, Journal as _, journal::Cursor, record::Unverified},
    host::{
        Clock,
        bundle::{Bundle, json_text},
        exit::Failure,
        scrub::{Known, Shape},
    },
};

/// Heads of records that are told, the newest.
pub const MOST_HEADS: u64 = 200;

/// Keys of the configuration whose values may be handed on. Left out: users, password files, private keys, names and
/// papers, and whatever is added one day and not put here.
const KNOWN: &Known = &[
    ("gateway", Shape::Word),
    ("broker", Shape::Word),
    ("tls", Shape::Word),
    ("authority", Shape::Word),
    ("journal", Shape::Word),
    ("status", Shape::Word),
    ("catalogue", Shape::Word),
    ("bus", Shape::Word),
    ("equipment", Shape::Word),
    ("nameplate", Shape::Word),
    ("meter", Shape::Word),
    ("allowance", Shape::Word),
    ("balance", Shape::Word),
    ("coupler", Shape::Word),
    ("id", Shape::Word),
    ("division", Shape::Word),
    ("uscc", Shape::Word),
    ("state_dir", Shape::Path),
    ("powered_by", Shape::Word),
    ("profiles", Shape::Path),
    ("host", Shape::Address),
    ("port", Shape::Word),
    ("keepalive_s", Shape::Word),
    ("ca", Shape::Path),
    ("certificate", Shape::Path),
    ("server_name", Shape::Address),
    ("drain_per_s", Shape::Word),
    ("keys", Shape::Path),
    ("retention_days", Shape::Word),
    ("max_mb", Shape::Word),
    ("socket", Shape::Path),
    ("listen", Shape::Address),
    ("log", Shape::Word),
    ("files", Shape::Path),
    ("endpoint", Shape::Endpoint),
    ("connect_pause_ms", Shape::Word),
    ("gap_ms", Shape::Word),
    ("close_idle_ms", Shape::Word),
    ("kind", Shape::Word),
    ("rated_power_w", Shape::Word),
    ("decommissioned_on", Shape::Word),
    ("unit", Shape::Word),
    ("address", Shape::Word),
    ("lead_days", Shape::Word),
    ("profile", Shape::Word),
    ("serves", Shape::Word),
    ("role", Shape::Word),
    ("wiring", Shape::Word),
    ("voltage_point", Shape::Word),
    ("network", Shape::Word),
    ("nominal_v", Shape::Word),
    ("ct", Shape::Word),
    ("pt", Shape::Word),
    ("rated_a", Shape::Word),
    ("meter_class", Shape::Word),
    ("ct_class", Shape::Word),
    ("pt_class", Shape::Word),
    ("no_load_w", Shape::Word),
    ("compensation_kvar", Shape::Word),
    ("section", Shape::Word),
    ("poll_ms", Shape::Word),
    ("timeout_ms", Shape::Word),
    ("max_regs", Shape::Word),
    ("power_w", Shape::Word),
    ("energy_kwh_per_month", Shape::Word),
    ("kvar", Shape::Word),
    ("back_power_w", Shape::Word),
    ("back_energy_kwh_per_month", Shape::Word),
    ("incomers", Shape::Word),
    ("feeders", Shape::Word),
    ("loss_fixed_w", Shape::Word),
    ("loss_load_w", Shape::Word),
    ("load_w", Shape::Word),
    ("with", Shape::Word),
    ("position", Shape::Word),
];

/// Writes a bundle of a gateway, whether its agent runs or not and whether its configuration holds or not.
///
/// # Errors
/// The file is there already, or cannot be written.
pub async fn bundle(clock: &dyn Clock, config: &Path, out: &Path) -> Result<(), Failure> {
    let mut bundle = Bundle::create(out, &clock.now())?;
    bundle.add_configuration(config, KNOWN)?;
    let (state, socket) = match config::load(config) {
        Ok(config) => (config.gateway.state_dir, config.status.socket),
        Err(flaws) => {
            let places: Vec<String> = flaws.iter().map(|flaw| flaw.place.to_string()).collect();
            bundle.add("mistakes.txt", &format!("{}\n", places.join("\n")))?;
            let usual = Path::new("/var/lib/coldhearth");
            (usual.to_path_buf(), usual.join(SOCKET_FILE))
        }
    };
    match ask(&socket).await {
        Ok(mut status) => {
            // Free texts of the configuration.
            status.equipment.iter_mut().for_each(|piece| piece.label = None);
            bundle.add("status.json", &json_text(&json!(status)))?;
        }
        Err(failure) => bundle.add("status.txt", &format!("{failure}\n"))?,
    }
    bundle.add("records.json", &json_text(&heads(&state.join(JOURNAL_FILE))))?;
    bundle.add_store(&state)?;
    bundle.finish()
}

/// Heads of the newest records and how far the log has got: no record itself, and no key, which the journal holds too.
fn heads(path: &Path) -> Value {
    if !path.exists() {
        return json!({ "error": "there is no journal" });
    }
    let mut journal = match DiskJournal::open_to_read(path) {
        Ok(journal) => journal,
        Err(failure) => return json!({ "error": failure.to_string() }),
    };
    let newest = journal.last().ok().flatten();
    let newest = newest.and_then(|bytes| Unverified::read(&bytes).ok()).map(|last| last.header().seq);
    let from = newest.map_or(0, |seq| (seq + 1).saturating_sub(MOST_HEADS));
    let mut heads = Vec::new();
    let read = journal.read(from, Class::Routine, &mut |seq, _class, bytes| {
        heads.push(head(seq, bytes));
        true
    });
    let cursor = |journal: &mut DiskJournal, cursor| journal.cursor(cursor).ok();
    json!({
        "newest": newest,
        "accepted": cursor(&mut journal, Cursor::Accepted),
        "receipted": cursor(&mut journal, Cursor::Receipted),
        "is_sound": journal.is_sound(),
        "bytes": journal.size_bytes().ok(),
        "error": read.err().map(|fault| format!("{fault:?}")),
        "heads": heads,
    })
}

fn head(seq: u64, bytes: &[u8]) -> Value {
    match Unverified::read(bytes) {
        Ok(record) => {
            let header = *record.header();
            let hash = record.hash().to_string();
            let kind = record.own().ok().map(|record| record.body.word());
            json!({
                "seq": seq,
                "type": kind,
                "log": header.log.to_string(),
                "wall_unix_ms": header.at.wall_unix_ms,
                "clock": header.at.clock.word(),
                "boot": header.at.boot,
                "key_epoch": header.key_epoch,
                "sha256": hash,
                "bytes": bytes.len(),
            })
        }
        Err(refusal) => json!({ "seq": seq, "error": refusal.to_string() }),
    }
}
