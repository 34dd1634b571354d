//! A bundle for an auditor: records, receipts, keys, hashes, and a page to read, all of which verify with no network.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    config::AgentConfig,
    journal::DiskJournal,
    start::{SOFTWARE, journal_failed},
};
use crate::{
    evidence::{
        Class, Journal as _,
        audit::{RECEIPTS_FILE, RECORDS_FILE},
    },
    host::{
        exit::{Exit, Failure},
        keys::KEY_FILE,
        lines::Lines,
    },
    terms::Digest,
};

/// What the bundle holds, with hashes.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The page to read.
pub const INDEX_FILE: &str = "index.html";

/// What a bundle holds.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// The format of the records.
    pub format: &'static str,
    /// Which gateway.
    pub gateway_id: String,
    /// Name and version of the software that exported.
    pub software: &'static str,
    /// SHA-256 of the program that exported, where it can be read.
    pub software_sha256: Option<String>,
    /// SHA-256 of the configuration, all layers.
    pub config_sha256: String,
    /// SHA-256 of each meter profile in use, by name.
    pub profiles: Vec<(String, String)>,
    /// Records in it.
    pub records: u64,
    /// Receipts in it.
    pub receipts: u64,
    /// SHA-256 of each file beside this one, by name.
    pub files: Vec<(String, String)>,
}

/// Writes a bundle of everything the gateway's journals hold into a new folder, beside an agent that may be running.
///
/// # Errors
/// The folder exists, a journal cannot be read, or a file cannot be written.
pub fn export(config: &AgentConfig, out: &Path) -> Result<Manifest, Failure> {
    let failed =
        |path: &Path, e: &io::Error| Failure::new(Exit::Permission, format!("{}: {e}", path.display()));
    fs::create_dir(out).map_err(|e| failed(out, &e))?;
    let mut records = Lines::create(&out.join(RECORDS_FILE))?;
    let mut receipts = Lines::create(&out.join(RECEIPTS_FILE))?;
    for path in journals(&config.gateway.state_dir)? {
        let mut journal = DiskJournal::open_to_read(&path)?;
        let each = &mut |_: u64, _: Class, bytes: &[u8]| records.write(bytes);
        journal.read(0, Class::Routine, each).map_err(journal_failed)?;
        journal.receipts(&mut |bytes| receipts.write(bytes)).map_err(journal_failed)?;
    }
    let (records, records_digest) = records.finish()?;
    let (receipts, receipts_digest) = receipts.finish()?;
    let mut files = vec![
        (RECORDS_FILE.to_owned(), records_digest.to_string()),
        (RECEIPTS_FILE.to_owned(), receipts_digest.to_string()),
    ];
    for (name, pem) in keys(config)? {
        fs::write(out.join(&name), &pem).map_err(|e| failed(out, &e))?;
        files.push((name, Digest::of(pem.as_bytes()).to_string()));
    }
    let mut profiles: Vec<_> =
        config.meters.iter().map(|m| (m.profile.id.to_string(), m.profile.digest.to_string())).collect();
    profiles.sort();
    profiles.dedup();
    let program = std::env::current_exe().and_then(fs::read).ok();
    let mut manifest = Manifest {
        format: crate::evidence::record::FORMAT,
        gateway_id: config.gateway.id.to_string(),
        software: SOFTWARE,
        software_sha256: program.map(|bytes| Digest::of(&bytes).to_string()),
        config_sha256: config.digest.to_string(),
        profiles,
        records,
        receipts,
        files,
    };
    let page = page(&manifest);
    fs::write(out.join(INDEX_FILE), &page).map_err(|e| failed(out, &e))?;
    manifest.files.push((INDEX_FILE.to_owned(), Digest::of(page.as_bytes()).to_string()));
    // A flat struct of texts and numbers always becomes JSON.
    let json = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    fs::write(out.join(MANIFEST_FILE), json).map_err(|e| failed(out, &e))?;
    Ok(manifest)
}

/// Every journal of the state directory, logs that ended first.
fn journals(state: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(state)
        .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", state.display())))?;
    let is_journal = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        name.starts_with("journal") && name.ends_with(".db")
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_journal).collect();
    // `journal-….db` before `journal.db`.
    paths.sort();
    Ok(paths)
}

/// The enrolled key and the authority's, as files.
fn keys(config: &AgentConfig) -> Result<Vec<(String, String)>, Failure> {
    let path = config.gateway.state_dir.join(format!("{KEY_FILE}.pub"));
    let own = fs::read_to_string(&path)
        .map_err(|e| Failure::new(Exit::Config, format!("{}: {e}", path.display())))?;
    let authority = config
        .authority
        .iter()
        .filter_map(|key| Some((format!("authority-{}.pub", key.id()), key.to_pem()?)));
    Ok(std::iter::once(("gateway.pub".to_owned(), own)).chain(authority).collect())
}

/// A page a person can read first; everything on it can be checked from the files beside it.
fn page(manifest: &Manifest) -> String {
    let row = |(name, digest): &(String, String)| {
        format!("<tr><td>{name}</td><td><code>{digest}</code></td></tr>\n")
    };
    let files: String = manifest.files.iter().map(row).collect();
    let profiles: String = manifest.profiles.iter().map(row).collect();
    let Manifest { gateway_id, software, config_sha256, records, receipts, format, .. } = manifest;
    let program = manifest.software_sha256.as_deref().unwrap_or("unknown");
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{gateway_id}: evidence</title>\n\
         <style>body{{font-family:sans-serif;max-width:60em;margin:2em auto}}td{{padding:.2em .8em}}</style>\n\
         <h1>Evidence of gateway {gateway_id} · 网关 {gateway_id} 证据</h1>\n\
         <p>{records} records and {receipts} receipts of format {format}, exported by {software}.</p>\n\
         <p>Verify: <code>coldhearth verify . --trust KEY</code>, where KEY is the public key that the authority admitted \
         or its own; not the one in this folder, which only repeats what the records say of themselves.</p>\n\
         <p>验证：<code>coldhearth verify . --trust KEY</code>。KEY 须为主管部门登记的网关公钥或主管部门自己的公钥，\
         不得使用本目录中的副本。</p>\n\
         <h2>Files · 文件 (SHA-256)</h2>\n<table>\n{files}</table>\n\
         <h2>Self-reported · 自述</h2>\n<table>\n<tr><td>configuration</td><td><code>{config_sha256}</code></td></tr>\n\
         <tr><td>program</td><td><code>{program}</code></td></tr>\n{profiles}</table>\n</html>\n"
    )
}
