//! The agent's configuration: what a person wrote, read into types that cannot be wrong.

mod balance;
mod bus;
mod equipment;
mod fitness;
mod inside;
mod law;
mod listed;
mod meter;
pub(super) mod placeholder;
mod profiles;
mod read;
mod supply;
mod transformer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use self::read::Reader;
pub use self::{equipment::plate_value, inside::StatusConfig};
use super::endpoint::Endpoint;
use crate::{
    evidence::{
        PublicKey,
        commissioning::{Commissioning, PointPapers},
    },
    host::{
        credentials::TlsFiles,
        layers::{self, Setting},
        logging,
    },
    judge::{Commissioned, Equipment, Group, Papers},
    metering::{MeterPoint, Profile, decode::Declared},
    terms::{
        Digest, Flaw, Flaws, GatewayId, MeterId, MilliWatts, Name,
        form::{Form, Node, Step, Value},
        place::{CreditCode, Division},
    },
};

/// Most meters of one gateway.
pub const MAX_METERS: usize = 20_000;
/// Most buses of one gateway.
pub const MAX_BUSES: usize = 20_000;
/// Most pieces of equipment of one gateway.
pub const MAX_EQUIPMENT: usize = 20_000;
/// Most keys of the authority that are believed at once.
pub const MAX_AUTHORITY_KEYS: usize = 16;
/// Default time between two polls, in milliseconds.
pub const DEFAULT_POLL_MS: u64 = 1_000;
/// Default keep-alive towards the broker, in seconds.
pub const DEFAULT_KEEPALIVE_S: u16 = 60;
/// Default rate at which a backlog drains, in records a second.
pub const DEFAULT_DRAIN_PER_S: u32 = 100;
/// Default age at which receipted records are pruned, in days: six months.
pub const DEFAULT_RETENTION_DAYS: u32 = 184;
/// Default size of the journal beyond which it is thinned, in megabytes.
pub const DEFAULT_JOURNAL_MB: u64 = 2_048;

/// Everything the agent needs to know.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// This gateway.
    pub gateway: Gateway,
    /// Where records go.
    pub broker: BrokerConfig,
    /// Whose receipts and acts are believed; the first may revoke the others. Empty: nobody's.
    pub authority: Vec<PublicKey>,
    /// How long and how large the journal is kept.
    pub journal: JournalConfig,
    /// Where it can be looked into.
    pub status: StatusConfig,
    /// Where meters are.
    pub buses: Vec<Bus>,
    /// The meters.
    pub meters: Vec<Meter>,
    /// What they watch.
    pub equipment: Vec<Furnace>,
    /// Balance groups of the meters.
    pub balances: Vec<Group>,
    /// A roster the authority signed and handed over as a file.
    pub roster: Option<Vec<u8>>,
    /// SHA-256 over all layers as read and the hashes of the rule files.
    pub digest: Digest,
    /// What is allowed but deserves a look.
    pub warnings: Vec<Flaw>,
    /// What is no mistake of the file and would end every start: a key that others may read, or that is none.
    pub unusable: Vec<Flaw>,
    /// Secrets that are not here, or not for this user; the service manager may hand them out when the service starts.
    pub absent: Vec<Flaw>,
}

impl AgentConfig {
    /// Whether it can be run here and now.
    ///
    /// # Errors
    /// What stands against it, with its place and cure.
    pub fn judge_start(&self) -> Result<(), Vec<Flaw>> {
        let against = [self.unusable.as_slice(), &self.absent].concat();
        if against.is_empty() { Ok(()) } else { Err(against) }
    }
}

/// Who and where.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its identifier.
    pub id: GatewayId,
    /// County.
    pub division: Division,
    /// Enterprise.
    pub enterprise: CreditCode,
    /// Folder for key and journal.
    pub state_dir: PathBuf,
    /// The meter that watches the feeder it is powered by, where it hangs on one that it watches.
    pub powered_by: Option<Name>,
}

/// The broker as configured.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Keep-alive in seconds.
    pub keepalive_s: u16,
    /// User and the file that holds the password.
    pub login: Option<(String, PathBuf)>,
    /// Files to encrypt with.
    pub tls: Option<TlsFiles>,
    /// Records a second that a backlog drains at.
    pub drain_per_s: u32,
    /// Whether every scan is told besides, unsigned.
    pub live: bool,
}

/// How long and how large the journal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// Receipted records older than this are pruned, in days.
    pub retention_days: u32,
    /// Beyond this size receipted records are pruned whatever their age, then intervals and checkpoints are thinned
    /// with a signed `gap`, in bytes.
    pub max_bytes: u64,
}

/// A Modbus endpoint: one connection, one request in flight.
#[derive(Clone, Debug)]
pub struct Bus {
    /// Its identifier in this file.
    pub id: Name,
    /// Where it is.
    pub endpoint: Endpoint,
    /// Files for an endpoint inside TLS.
    pub tls: Option<TlsFiles>,
    /// Pause after connecting, in milliseconds.
    pub connect_pause_ms: u64,
    /// Least time between an answer and the next question, in milliseconds.
    pub gap_ms: u64,
    /// Idle time after which the connection is given back, in milliseconds.
    pub close_idle_ms: Option<u64>,
}

/// A meter as configured.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Its identifier.
    pub id: MeterId,
    /// The bus it is on.
    pub bus: Name,
    /// Modbus unit.
    pub unit: u8,
    /// Its register map.
    pub profile: Arc<Profile>,
    /// Ratios on the transformers' plates.
    pub declared: Declared,
    /// Time between two polls, in milliseconds.
    pub poll_ms: u64,
    /// Overrides the profile's answer time, in milliseconds.
    pub timeout_ms: Option<u32>,
    /// What the judge needs to know.
    pub commissioned: Commissioned,
    /// What shows that it measures what it is said to measure.
    pub papers: PointPapers,
}

impl Meter {
    /// What a schedule needs to poll it.
    pub fn point(&self) -> MeterPoint {
        MeterPoint {
            meter: self.id,
            unit: self.unit,
            profile: self.profile.clone(),
            declared: self.declared,
            period_ms: self.poll_ms,
            timeout_ms: self.timeout_ms,
        }
    }

    /// All that is declared of it, as the log tells it.
    pub fn commissioning(&self) -> Commissioning {
        Commissioning::of(&self.commissioned, (self.profile.id, self.profile.digest), &self.papers)
    }
}

/// A piece of equipment as configured.
#[derive(Clone, Debug)]
pub struct Furnace {
    /// What the judge needs to know.
    pub equipment: Equipment,
    /// Kind in the catalogue's words.
    pub kind: String,
    /// Name on screens, any language.
    pub label: Option<String>,
    /// Rated power.
    pub rated: MilliWatts,
    /// Where its nameplate can be read.
    pub plate: Option<PlateAt>,
    /// What the law is asked with.
    pub papers: Papers,
}

/// Where a nameplate block stands.
#[derive(Clone, Copy, Debug)]
pub struct PlateAt {
    /// The bus.
    pub bus: Name,
    /// Modbus unit.
    pub unit: u8,
    /// First register.
    pub at: u16,
}

/// Reads a configuration file with all its layers and the profiles it needs. Touches no socket and writes nothing.
///
/// # Errors
/// Every mistake found, each with file, line, column and cure.
pub fn load(path: &Path) -> Result<AgentConfig, Vec<Flaw>> {
    load_with(path, &[])
}

/// As [`load`], with what flags set over all of it.
///
/// # Errors
/// As [`load`].
pub fn load_with(path: &Path, flags: &[Setting]) -> Result<AgentConfig, Vec<Flaw>> {
    let layers = layers::read(path, flags)?;
    let base = path.parent().unwrap_or(Path::new("."));
    let read = read_noting(&layers.tree, layers.digest, base, None, layers.collected());
    let read = read.map(|config| AgentConfig {
        warnings: [layers.warnings.as_slice(), &config.warnings].concat(),
        ..config
    });
    layers.or_flaws(read)
}

/// How the log of a configuration is to be written, as far as that can be read, whatever else is wrong with it.
pub fn log_form(path: &Path, flags: &[Setting]) -> Option<logging::Form> {
    let tree = layers::read(path, flags).ok()?.tree;
    let word = tree.at(&[Step::Key("status".into()), Step::Key("log".into())])?;
    let Value::Text(word) = &word.value else { return None };
    logging::FORMS.iter().find(|(known, _)| known == word).map(|(_, form)| *form)
}

/// Reads a configuration that was read as a document already, with register maps at hand instead of folders of them.
/// Relative paths count from the working directory; there are no layers over it.
///
/// # Errors
/// Every mistake found, each with its place in the document and cure.
pub fn of_tree(tree: &Node, digest: Digest, profiles: &[Arc<Profile>]) -> Result<AgentConfig, Vec<Flaw>> {
    read_tree(tree, digest, Path::new("."), Some(profiles))
}

pub(super) fn read_tree(
    tree: &Node,
    digest: Digest,
    base: &Path,
    profiles: Option<&[Arc<Profile>]>,
) -> Result<AgentConfig, Vec<Flaw>> {
    read_noting(tree, digest, base, profiles, Flaws::default())
}

pub(super) fn read_noting(
    tree: &Node,
    digest: Digest,
    base: &Path,
    profiles: Option<&[Arc<Profile>]>,
    flaws: Flaws,
) -> Result<AgentConfig, Vec<Flaw>> {
    let (warnings, unusable, absent) = (Flaws::default(), Flaws::default(), Flaws::default());
    let reader =
        Reader { base, profiles, flaws: &flaws, warnings: &warnings, unusable: &unusable, absent: &absent };
    let config = Form::of(tree, &flaws).and_then(|form| reader.read(form, digest));
    match (config, flaws.into_sorted()) {
        (Some(config), flaws) if flaws.is_empty() => Ok(AgentConfig {
            warnings: warnings.into_sorted(),
            unusable: unusable.into_sorted(),
            absent: absent.into_sorted(),
            ..config
        }),
        (_, flaws) => Err(flaws),
    }
}
