//! A bundle for whoever is asked for help: a tar of plain texts. Each is made for it; no file of the machine is copied in.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    exit::{Exit, Failure},
    layers::{self, Layers},
    scrub::{self, Known},
};
use crate::terms::Stamp;

/// What stands in front of every file's name in the tar.
const FOLDER: &str = "coldhearth-support";
/// Files of a state directory that are listed; of those beyond only the number is told.
pub const MOST_FILES: usize = 256;

const README: &str = "What this is: versions, the configuration without secrets, how the program is, heads of its records and \
                      figures of its store, made by `support-bundle`.\n\
                      What is not in it: keys, passwords, credentials, comments and free texts of the configuration, the \
                      environment, records themselves. Look through it before you hand it on: it names your meters, equipment \
                      and addresses.\n";

/// A bundle being written.
pub struct Bundle {
    path: PathBuf,
    tar: tar::Builder<File>,
    made_unix_s: u64,
}

impl Bundle {
    /// Makes its file, for its owner alone. Not over a file that is there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path, now: &Stamp) -> Result<Bundle, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|e| failed(path, &e))?;
        let made_unix_s = u64::try_from(now.wall_unix_ms / 1_000).unwrap_or(0);
        let mut bundle = Bundle { path: path.to_path_buf(), tar: tar::Builder::new(file), made_unix_s };
        bundle.add("README.txt", README)?;
        bundle.add("versions.json", &json_text(&versions()))?;
        Ok(bundle)
    }

    /// Adds a text under a name.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(self.made_unix_s);
        let added = self.tar.append_data(&mut header, format!("{FOLDER}/{name}"), text.as_bytes());
        added.map_err(|e| failed(&self.path, &e))
    }

    /// Adds a configuration with all its layers, without secrets; where it cannot be read, only at which places.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add_configuration(&mut self, config: &Path, known: &Known) -> Result<(), Failure> {
        let text = match layers::read(config, &[]) {
            Ok(layers) if layers.is_whole => {
                format!("# SHA-256 {}\n{}", layers.digest, scrub::scrubbed(&layers.tree, known))
            }
            Ok(Layers { flaws, .. }) | Err(flaws) => {
                // What is wrong may quote what stands there.
                let places: Vec<String> = flaws.iter().map(|flaw| flaw.place.to_string()).collect();
                format!("# cannot be read; `check` says why, at:\n{}\n", places.join("\n"))
            }
        };
        self.add("configuration.txt", &text)
    }

    /// Adds what lies in a state directory: names, sizes and modes, and how much room there is.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add_store(&mut self, folder: &Path) -> Result<(), Failure> {
        let text = json_text(&figures(folder));
        self.add("store.json", &text)
    }

    /// Makes it whole and durable.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> Result<(), Failure> {
        let Bundle { path, tar, .. } = self;
        tar.into_inner().and_then(|file| file.sync_all()).map_err(|e| failed(&path, &e))
    }
}

/// A value as text for a person.
pub fn json_text(value: &Value) -> String {
    // A value always becomes text.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{text}\n")
}

/// What runs, and on what.
fn versions() -> Value {
    let line = |path: &str, key: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key).map(ToOwned::to_owned));
        line.map(|line| line.trim().trim_matches('"').to_owned())
    };
    json!({
        "coldhearth": env!("CARGO_PKG_VERSION"),
        "architecture": std::env::consts::ARCH,
        "features": {
            "agent": cfg!(feature = "agent"),
            "regulator": cfg!(feature = "regulator"),
            "serial": cfg!(feature = "serial"),
            "sm2": cfg!(feature = "sm2"),
        },
        "kernel": line("/proc/sys/kernel/osrelease", ""),
        "system": line("/etc/os-release", "PRETTY_NAME="),
        "memory": line("/proc/meminfo", "MemTotal:"),
    })
}

fn figures(folder: &Path) -> Value {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => return json!({ "folder": folder.display().to_string(), "error": e.to_string() }),
    };
    let mut files: Vec<(String, Value)> = entries
        .flatten()
        .filter_map(|entry| {
            let about = entry.metadata().ok()?;
            let name = entry.file_name().into_string().ok()?;
            let mode = format!("{:04o}", about.mode() & 0o7777);
            Some((name.clone(), json!({ "name": name, "bytes": about.len(), "mode": mode })))
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let more = files.len().saturating_sub(MOST_FILES);
    files.truncate(MOST_FILES);
    let room = rustix::fs::statvfs(folder).ok();
    json!({
        "folder": folder.display().to_string(),
        "files": files.into_iter().map(|(_, file)| file).collect::<Vec<_>>(),
        "more_files": more,
        "free_bytes": room.as_ref().map(|room| room.f_bavail.saturating_mul(room.f_frsize)),
        "size_bytes": room.as_ref().map(|room| room.f_blocks.saturating_mul(room.f_frsize)),
    })
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Permission, format!("{}: {error}", path.display()))
}
