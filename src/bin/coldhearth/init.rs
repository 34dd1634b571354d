//! `init`: a first configuration from a few choices, and on request the first key with it.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use clap::Args;
use coldhearth::{
    agent::{
        self, AgentConfig,
        commission::library::USUAL_FOLDERS,
        setup::{self, Choices},
    },
    evidence::{PublicKey, Suite},
    host::{Exit, Failure, keys, out::say, public_key},
    terms::words::{self, Language},
};

use crate::{configuration::USUAL, online::listed};

/// Name of the authority's key beside the configuration.
const AUTHORITY: &str = "authority.key.pub";
/// Name of the folder of profiles beside a configuration.
const PROFILES: &str = "meters";

#[derive(Args)]
#[command(after_help = "Example:\n  \
    coldhearth init --gateway gw-03 --division 130421 --uscc 91350100M000100Y43 \\\n    \
    --equipment eaf-2=electric_furnace:12.5MW:2011-12-31 \\\n    \
    --meter janitza-19000@tcp://10.1.4.7:502/3,ct=400/5,nominal_v=35kV,voltage_point=line \\\n    \
    --authority authority.key.pub --enrol")]
pub(crate) struct Init {
    /// This gateway's identifier: 1 to 24 of a-z 0-9 _ -
    #[arg(long, value_name = "ID")]
    gateway: String,
    /// The county, six digits of GB/T 2260
    #[arg(long, value_name = "DIGITS")]
    division: String,
    /// The enterprise's unified social credit code
    #[arg(long, value_name = "CODE")]
    uscc: String,
    /// Equipment to be watched, and its last lawful day where one is declared; may be given several times
    #[arg(long, required = true, value_name = "ID=KIND:POWER[:DAY]")]
    equipment: Vec<String>,
    /// A meter and how it is reached, then what is known of it (serves, ct or rated_a, pt, nominal_v, voltage_point, …); may
    /// be given several times
    #[arg(long, required = true, value_name = "PROFILE@ENDPOINT/UNIT[,KEY=VALUE]..")]
    meter: Vec<String>,
    /// The broker, HOST or HOST:PORT
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    broker: String,
    /// The public key of the authority; it is copied beside the configuration
    #[arg(long, value_name = "KEY")]
    authority: Option<PathBuf>,
    /// The fingerprint that the authority read out: another one is refused; spaces do not matter
    #[arg(long, value_name = "TEXT", requires = "authority")]
    fingerprint: Option<String>,
    /// Folder for key and journal; a relative path counts from the configuration
    #[arg(long, value_name = "DIR", default_value = "/var/lib/coldhearth")]
    state_dir: String,
    /// Folder of the meter profiles. Default: `meters` beside the configuration, else /etc/coldhearth/meters, config/meters
    #[arg(long, value_name = "DIR")]
    profiles: Option<PathBuf>,
    /// Make this gateway's first key as well, as `enrol` does
    #[arg(long)]
    enrol: bool,
    /// The file to write; one that is there is never written over
    #[arg(long, value_name = "FILE", default_value = USUAL)]
    out: PathBuf,
}

/// Writes the file, and says what to do next.
pub(crate) fn init(orders: &Init) -> Result<Exit, Failure> {
    if orders.out.exists() {
        let message = format!(
            "{}: is there already, and is never written over; name another file with --out, or move it away",
            orders.out.display()
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let base = orders.out.parent().unwrap_or(Path::new("."));
    if !base.as_os_str().is_empty() && !base.exists() {
        fs::create_dir_all(base).and_then(|()| may_read(base, 0o755)).map_err(|e| unwritable(base, &e))?;
    }
    let authority = orders.authority.as_deref().map(|file| authority(orders, file)).transpose()?;
    let copied = authority.as_ref().map(|(_, pem)| copy(&base.join(AUTHORITY), pem)).transpose()?;
    let written = write(orders, base, language);
    if written.is_err() && copied == Some(true) {
        // Nothing is left of what was refused.
        let _gone = fs::remove_file(base.join(AUTHORITY));
    }
    let config = written?;
    let was_there = config.gateway.state_dir.join(keys::KEY_FILE).exists();
    let own = orders.enrol.then(|| agent::enrol(&config, Suite::Ed25519, false)).transpose()?;
    if let Some(key) = own {
        if was_there {
            say(words::SETUP_KEY_KEPT.in_language(language));
        }
        say(&format!(
            "public key:  {}",
            config.gateway.state_dir.join(format!("{}.pub", keys::KEY_FILE)).display()
        ));
        say(&format!("fingerprint: {}", key.fingerprint()));
        say(words::SETUP_HAND_OVER.in_language(language));
    }
    if let Some((key, _)) = authority {
        say(&format!("authority:   {}", key.fingerprint()));
        if orders.fingerprint.is_none() {
            say(words::SETUP_COMPARE.in_language(language));
        }
    }
    Ok(Exit::Done)
}

/// Drafts the file and writes it.
fn write(orders: &Init, base: &Path, language: Language) -> Result<AgentConfig, Failure> {
    let choices = Choices {
        gateway: orders.gateway.clone(),
        division: orders.division.clone(),
        uscc: orders.uscc.clone(),
        state_dir: orders.state_dir.clone(),
        profiles: profiles(orders.profiles.as_deref(), base),
        broker: orders.broker.clone(),
        authority: orders.authority.as_ref().map(|_| AUTHORITY.to_owned()),
        equipment: orders.equipment.clone(),
        meters: orders.meter.clone(),
    };
    let refused = |flaws: Vec<coldhearth::terms::Flaw>| Failure::new(Exit::Config, listed(&flaws));
    let draft = setup::draft(&choices, &orders.out, language).map_err(refused)?;
    let out = &orders.out;
    let made = fs::OpenOptions::new().write(true).create_new(true).open(out);
    let written =
        made.and_then(|mut file| file.write_all(draft.text.as_bytes()).and_then(|()| file.sync_all()));
    written.and_then(|()| may_read(out, 0o644)).map_err(|e| unwritable(out, &e))?;
    let (meters, equipment) = (draft.config.meters.len(), draft.config.equipment.len());
    say(&match language {
        Language::Chinese => format!("已写入 {}：电表 {meters} 块，设备 {equipment} 台", out.display()),
        Language::English => {
            format!("wrote {}: {meters} meters, {equipment} pieces of equipment", out.display())
        }
    });
    draft.odd.iter().for_each(|warning| say(&format!("warning: {warning}")));
    if !draft.to_fill_in.is_empty() {
        say(words::SETUP_TO_FILL_IN.in_language(language));
        draft.to_fill_in.iter().for_each(|line| say(&format!("  {}:{line}", out.display())));
    }
    Ok(draft.config)
}

/// The authority's key and its text, if its fingerprint is the one that was read out.
fn authority(orders: &Init, file: &Path) -> Result<(PublicKey, String), Failure> {
    let told = |Failure { exit, message }| {
        let cure = "name the .pub file that the authority handed over";
        Failure::new(exit, format!("--authority {message}; {cure}"))
    };
    let key = public_key::load(file).map_err(told)?;
    let bare = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    if let Some(told) = &orders.fingerprint
        && bare(told) != bare(&key.fingerprint())
    {
        let message = format!(
            "{}: this key's fingerprint is {}: not the one that was read out; do not trust it",
            file.display(),
            key.fingerprint()
        );
        return Err(Failure::new(Exit::Negative, message));
    }
    let text = fs::read_to_string(file).map_err(|e| failed(file, &e))?;
    Ok((key, text))
}

/// Whoever installs may keep all he makes to himself; the service's own user has to read what is no secret.
fn may_read(path: &Path, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Copies a key beside the configuration; tells whether it was not there before. Another key there is left alone.
fn copy(to: &Path, text: &str) -> Result<bool, Failure> {
    match fs::OpenOptions::new().write(true).create_new(true).open(to) {
        Ok(mut file) => {
            let written = file.write_all(text.as_bytes()).and_then(|()| may_read(to, 0o644));
            written.map(|()| true).map_err(|e| failed(to, &e))
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            let there = fs::read_to_string(to).map_err(|e| failed(to, &e))?;
            if there == text {
                return Ok(false);
            }
            let message = format!(
                "{}: another key is there already; move it away if it is not the authority's",
                to.display()
            );
            Err(Failure::new(Exit::Usage, message))
        }
        Err(e) => Err(failed(to, &e)),
    }
}

/// The folder as the file is to name it: beside it by its name, elsewhere in full.
fn profiles(told: Option<&Path>, base: &Path) -> String {
    if told.is_none() && base.join(PROFILES).is_dir() {
        return PROFILES.to_owned();
    }
    let usual = || USUAL_FOLDERS.iter().map(Path::new).find(|folder| folder.is_dir());
    let folder = told.or_else(usual).unwrap_or(Path::new(PROFILES));
    folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()).display().to_string()
}

/// A file that cannot be made, and what to do.
fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let is = |kind| error.kind() == kind;
    let cure = if is(std::io::ErrorKind::PermissionDenied) {
        "run it as root, or as the owner of that folder"
    } else {
        "name another file with --out"
    };
    let exit = if is(std::io::ErrorKind::AlreadyExists) { Exit::Usage } else { Exit::Permission };
    Failure::new(exit, format!("--out {}: {error}; {cure}", path.display()))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Permission, format!("{}: {error}", path.display()))
}
