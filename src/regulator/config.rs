//! The authority's configuration: what a person wrote, read into types that cannot be wrong.

mod receivers;
mod regime;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

pub use self::receivers::MAX_RECEIVERS;
use super::{
    alarms::{Receiver, Regime},
    share::Group,
    store::{
        PostgresStore, SqliteStore, Store,
        postgres::{self, Endpoint, PostgresAt},
    },
};
use crate::{
    evidence::share::MAX_WORKERS,
    host::{
        courier::{DEFAULT_PORT, DEFAULT_TLS_PORT},
        credentials::{self, Identity, Part, TlsFiles},
        exit::Failure,
        forms,
        layers::{self, Setting},
        secret_file::SecretFile,
    },
    terms::{
        Flaw, Flaws,
        form::{self, Form},
        place::Level,
    },
};

/// Fewest characters of a group's name. It is no password, but a broker whose access list knows no shared subscriptions
/// gives its part to anybody who subscribes under it.
pub const LEAST_GROUP_CHARS: usize = 12;
/// Name at the broker unless told otherwise; two collectors need two.
pub const CLIENT_ID: &str = "coldhearth-collector";
/// Days for which records are kept whatever anybody orders, unless told otherwise: five years.
pub const DEFAULT_KEEP_DAYS: u32 = 1_826;
/// The fewest days that may be configured: six months.
pub const LEAST_KEEP_DAYS: u32 = 184;
/// Default keep-alive towards the broker, in seconds.
const DEFAULT_KEEPALIVE_S: u16 = 30;
/// Where PostgreSQL's socket is on Debian.
const DEFAULT_SOCKET: &str = "/run/postgresql";

/// Name of a member of a group at the broker unless told otherwise. To it the member adds which start it is: nothing is
/// kept for it while it is away, and two that were given one number must both be heard to be told so.
pub fn name_of_member(worker: u8) -> String {
    format!("{CLIENT_ID}-{worker}")
}

/// Everything the authority's programs need to know.
#[derive(Clone, Debug)]
pub struct RegulatorConfig {
    /// Folder of the key that signs receipts, and of the embedded store.
    pub state_dir: PathBuf,
    /// Files of further public keys of the authority, whose acts are believed where logs carry them.
    pub trust: Vec<PathBuf>,
    /// Where records come from.
    pub broker: BrokerAt,
    /// Where they are kept.
    pub store: StoreAt,
    /// Days for which no record may be pruned.
    pub keep_days: u32,
    /// Our place among several collectors, where there are several.
    pub group: Option<Group>,
    /// The loopback address at which metrics and health are shown.
    pub metrics: Option<SocketAddr>,
    /// Where people look at what is kept, if anywhere.
    pub console: Option<ConsoleAt>,
    /// Who is told of alarms.
    pub receivers: Vec<Receiver>,
    /// What this authority decides of levels and outages.
    pub regime: Regime,
    /// What is allowed and hardly meant.
    pub warnings: Vec<Flaw>,
    /// Secrets that are not here, or not for this user; the service manager may hand them out when the service starts.
    pub absent: Vec<Flaw>,
}

/// Where the console is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleAt {
    /// The address it listens at: a loopback address, unless it shows a certificate of its own.
    pub listen: SocketAddr,
    /// Its own certificate and key.
    pub identity: Option<Identity>,
    /// A proxy before it encrypts, so that cookies travel encrypted only.
    pub is_behind_tls: bool,
    /// Names that it answers by besides its address and `localhost`.
    pub names: Vec<String>,
}

impl ConsoleAt {
    /// At a loopback address, without anything before it.
    pub fn plain(listen: SocketAddr) -> ConsoleAt {
        ConsoleAt { listen, identity: None, is_behind_tls: false, names: Vec::new() }
    }
}

/// The broker as configured.
#[derive(Clone, Debug)]
pub struct BrokerAt {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Our name there; the same at every start, so that the broker keeps for us what comes meanwhile.
    pub client_id: String,
    /// Keep-alive in seconds.
    pub keepalive_s: u16,
    /// User and the file that holds the password.
    pub login: Option<(String, PathBuf)>,
    /// Files to encrypt with.
    pub tls: Option<TlsFiles>,
}

/// Where records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAt {
    /// In a file of this folder.
    Sqlite(PathBuf),
    /// In a PostgreSQL.
    Postgres(PostgresAt),
}

impl StoreAt {
    /// Opens it, or makes it.
    ///
    /// # Errors
    /// It cannot be opened, or a later version of this program wrote it.
    pub fn open(&self) -> Result<Box<dyn Store>, Failure> {
        Ok(match self {
            StoreAt::Sqlite(folder) => Box::new(SqliteStore::open(folder)?),
            StoreAt::Postgres(at) => Box::new(PostgresStore::open(at.clone())?),
        })
    }
}

/// Reads a configuration file with all its layers. Touches no socket and writes nothing.
///
/// # Errors
/// Every mistake found, each with file, line, column and cure.
pub fn load(path: &Path) -> Result<RegulatorConfig, Vec<Flaw>> {
    load_with(path, &[])
}

/// As [`load`], with what flags set over all of it.
///
/// # Errors
/// As [`load`].
pub fn load_with(path: &Path, flags: &[Setting]) -> Result<RegulatorConfig, Vec<Flaw>> {
    let layers = layers::read(path, flags)?;
    let (flaws, absent) = (layers.collected(), Flaws::default());
    let base = path.parent().unwrap_or(Path::new("."));
    let config = Form::of(&layers.tree, &flaws).and_then(|form| read(form, base, &absent));
    let read = match (config, flaws.into_sorted()) {
        (Some(config), flaws) if flaws.is_empty() => {
            Ok(RegulatorConfig { warnings: layers.warnings.clone(), absent: absent.into_sorted(), ..config })
        }
        (_, flaws) => Err(flaws),
    };
    layers.or_flaws(read)
}

fn read(form: Form<'_>, base: &Path, absent: &Flaws) -> Option<RegulatorConfig> {
    let mut trust = Vec::new();
    let state_dir = form.required_table("authority").and_then(|authority| {
        let state_dir = authority.required("state_dir", form::text);
        let named = authority.optional("trust", form::list(form::text)).unwrap_or_default();
        trust.extend(named.iter().map(|file| base.join(file)));
        authority.close();
        Some(base.join(state_dir?))
    });
    let group = form.table("share").map(share);
    let member = group.flatten().map(|group| group.worker);
    let broker = form.required_table("broker").and_then(|form| broker(form, base, member, absent));
    let store = form.table("store").map(|form| store(form, base, state_dir.as_deref(), absent));
    let keep_days = form.table("retention").and_then(|retention| {
        let days = retention.optional("keep_days", form::fitting(i64::from(LEAST_KEEP_DAYS)..=36_500));
        retention.close();
        days
    });
    let metrics = form.table("metrics").and_then(metrics);
    let console = form.table("console").and_then(|form| console(form, base, absent));
    let receivers = receivers::receivers(&form, base);
    let regime = form.table("alarms").map(regime::regime).unwrap_or_default();
    let is_apart = matches!(store, None | Some(Some(StoreAt::Sqlite(_))));
    if form.has("share") && is_apart {
        form.flaw(
            "share",
            "several collectors share one database, and a file of SQLite is none: each would keep a part of every chain",
            "name a PostgreSQL under [store], or leave [share] out and let one collector do it all",
        );
    }
    form.close();
    let state_dir = state_dir?;
    let store = store.unwrap_or_else(|| Some(StoreAt::Sqlite(state_dir.clone())))?;
    Some(RegulatorConfig {
        state_dir,
        trust,
        broker: broker?,
        store,
        keep_days: keep_days.unwrap_or(DEFAULT_KEEP_DAYS),
        group: group.flatten(),
        metrics,
        console,
        receivers,
        regime,
        warnings: Vec::new(),
        absent: Vec::new(),
    })
}

const LEVELS: &[(&str, Level)] = &[
    (Level::Province.word(), Level::Province),
    (Level::City.word(), Level::City),
    (Level::County.word(), Level::County),
];

fn share(form: Form<'_>) -> Option<Group> {
    let most = i64::from(MAX_WORKERS);
    let name = form.required("group", form::name);
    let worker = form.required("worker", form::fitting(1..=most));
    let workers = form.required("workers", form::fitting(1..=most));
    let by = form.optional("by", form::one_of(LEVELS)).unwrap_or(Level::County);
    let group = Group { name: name?, worker: worker?, workers: workers?, by };
    if group.name.as_str().chars().count() < LEAST_GROUP_CHARS {
        form.flaw(
            "group",
            format!("`group` is \"{}\": whoever guesses it takes a part of all records for himself", group.name),
            format!(
                "write {LEAST_GROUP_CHARS} characters or more that nobody can guess, the same for all: g-, and what \
                 `openssl rand -hex 12` prints"
            ),
        );
    }
    if group.worker > group.workers {
        form.flaw(
            "worker",
            format!("`worker` is {} of {}", group.worker, group.workers),
            "number the collectors from 1 to `workers`, each another number",
        );
    }
    form.close();
    Some(group)
}

fn metrics(form: Form<'_>) -> Option<SocketAddr> {
    let listen: Option<SocketAddr> = form.required("listen", form::text).and_then(|text| {
        let listen = text.parse().ok();
        if listen.is_none() {
            form.flaw("listen", format!("`listen` is \"{text}\""), "write ADDRESS:PORT, as 127.0.0.1:9464");
        }
        listen
    });
    if listen.is_some_and(|listen| !listen.ip().is_loopback()) {
        form.flaw(
            "listen",
            "metrics are for this machine only",
            "name 127.0.0.1 or [::1], and put a proxy before it",
        );
    }
    form.close();
    listen
}

/// Whether a `Host` header may name it, its port aside: labels of letters, digits, - and _ (RFC 3986 calls it a reg-name; what
/// is written in Chinese comes as xn--). An address needs no name.
fn may_be_host(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.split('.').all(is_label)
}

fn console(form: Form<'_>, base: &Path, absent: &Flaws) -> Option<ConsoleAt> {
    let listen: Option<SocketAddr> = form.required("listen", form::text).and_then(|text| {
        let listen = text.parse().ok();
        if listen.is_none() {
            form.flaw("listen", format!("`listen` is \"{text}\""), "write ADDRESS:PORT, as 127.0.0.1:8010");
        }
        listen
    });
    let certificate = form.optional("certificate", form::text);
    let key = form.optional("key", form::text);
    let is_behind_tls = form.optional("behind_tls", form::flag).unwrap_or(false);
    let names = form.optional("names", form::list(form::text)).unwrap_or_default();
    for name in names.iter().filter(|name| !may_be_host(name)) {
        form.flaw(
            "names",
            format!("no browser calls it \"{name}\""),
            "write a name as it stands between :// and the next : or /, as desk.example; no port, no *",
        );
    }
    if certificate.is_some() != key.is_some() {
        form.flaw("certificate", "`certificate` and `key` belong together", "give both or neither");
    }
    let mut may_come = false;
    let identity = certificate.zip(key).map(|(certificate, key)| {
        let key = SecretFile::named(&key, base);
        may_come = forms::key_may_come(&form, &key, absent);
        Identity { certificate: base.join(certificate), key: key.path }
    });
    if let Some(Err(unfit)) = identity.as_ref().map(credentials::serving) {
        for unfit in unfit.into_iter().filter(|unfit| !(may_come && unfit.part == Part::Key)) {
            form.flaw(unfit.part.word(), unfit.what.wrong, unfit.what.right);
        }
    }
    if identity.is_none() && listen.is_some_and(|listen| !listen.ip().is_loopback()) {
        form.flaw(
            "listen",
            "passwords would travel unencrypted",
            "add `certificate` and `key`, or name 127.0.0.1 and put a proxy before it that encrypts",
        );
    }
    form.close();
    Some(ConsoleAt { listen: listen?, identity, is_behind_tls, names })
}

/// A member of a group has a name of its own at the broker, unless told otherwise.
fn broker(form: Form<'_>, base: &Path, member: Option<u8>, absent: &Flaws) -> Option<BrokerAt> {
    let host = form.required("host", forms::host);
    let tls = form.table("tls");
    let usual = if tls.is_some() { DEFAULT_TLS_PORT } else { DEFAULT_PORT };
    let tls = tls.and_then(|tls| forms::tls(tls, base, absent));
    let port = form.optional("port", form::fitting(1..=65_535)).unwrap_or(usual);
    let keepalive_s = form.optional("keepalive_s", form::fitting(5..=3_600)).unwrap_or(DEFAULT_KEEPALIVE_S);
    let usual = member.map_or_else(|| CLIENT_ID.to_owned(), name_of_member);
    let client_id = form.optional("client_id", form::text).unwrap_or(usual);
    let user = form.optional("user", form::text);
    let password = forms::password_file(&form, base, absent);
    if user.is_some() != password.is_some() {
        form.flaw("user", "`user` and `password_file` belong together", "give both or neither");
    }
    form.close();
    Some(BrokerAt { host: host?, port, client_id, keepalive_s, login: user.zip(password), tls })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

fn store(form: Form<'_>, base: &Path, state_dir: Option<&Path>, absent: &Flaws) -> Option<StoreAt> {
    let words = form::one_of(&[("sqlite", Kind::Sqlite), ("postgres", Kind::Postgres)]);
    match form.required("kind", words)? {
        Kind::Sqlite => {
            form.close();
            Some(StoreAt::Sqlite(state_dir?.to_path_buf()))
        }
        Kind::Postgres => postgres(form, base, absent).map(StoreAt::Postgres),
    }
}

fn postgres(form: Form<'_>, base: &Path, absent: &Flaws) -> Option<PostgresAt> {
    let socket = form.optional("socket", form::text);
    let host = form.optional("host", form::text);
    let port = form.optional("port", form::fitting(1..=65_535)).unwrap_or(postgres::DEFAULT_PORT);
    let database = form.required("database", form::text);
    let user = form.required("user", form::text);
    let password_file = forms::password_file(&form, base, absent);
    let tls = form.table("tls").and_then(|tls| forms::tls(tls, base, absent));
    if socket.is_some() && host.is_some() {
        form.flaw("socket", "both `socket` and `host`", "name the one of them that leads there");
    }
    if host
        .as_deref()
        .is_some_and(|host| host.contains(['/', '@', ':', '=']) && host.parse::<std::net::IpAddr>().is_err())
    {
        form.flaw(
            "host",
            "`host` is no host name or address",
            "write the name alone; port, database, user and password_file have keys of their own",
        );
    }
    let endpoint = match (host, socket) {
        (Some(host), _) => Endpoint::Host(host),
        (None, socket) => Endpoint::Socket(base.join(socket.as_deref().unwrap_or(DEFAULT_SOCKET))),
    };
    let at = PostgresAt { endpoint, port, database: database?, user: user?, password_file, tls };
    if !at.is_safe() && !form.has("tls") {
        form.flaw(
            "host",
            "a database elsewhere would be spoken to unencrypted",
            "add tls = { ca = \"…\" }, or reach it by a socket or a loopback address",
        );
    }
    form.close();
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(name: &str, text: &str) -> Result<RegulatorConfig, String> {
        let folder = std::env::temp_dir().join(format!("coldhearth-authority-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("r.toml");
        std::fs::write(&file, text).unwrap();
        let loaded = load(&file);
        let folder_text = format!("{}/", folder.display());
        std::fs::remove_dir_all(&folder).unwrap();
        loaded.map_err(|flaws| {
            let lines: Vec<String> = flaws.iter().map(|f| f.to_string().replace(&folder_text, "")).collect();
            lines.join("\n")
        })
    }

    const LEAST: &str = "[authority]\nstate_dir = \"state\"\n[broker]\nhost = \"127.0.0.1\"\n";

    #[test]
    fn nothing_need_be_set_up_and_the_shipped_example_is_good() {
        let config = loaded("least", LEAST).unwrap();
        assert!(matches!(&config.store, StoreAt::Sqlite(folder) if folder.ends_with("state")));
        assert_eq!((config.broker.port, config.keep_days), (1_883, DEFAULT_KEEP_DAYS));
        assert_eq!(config.broker.client_id, CLIENT_ID);
        load(Path::new("config/regulator.toml")).unwrap();
    }

    #[test]
    fn a_database_elsewhere_needs_tls_and_a_password_stands_in_no_configuration() {
        let with =
            |store: &str| loaded("elsewhere", &format!("{LEAST}[store]\nkind = \"postgres\"\n{store}"));
        let wrong = with("host = \"db.example\"\ndatabase = \"c\"\nuser = \"c\"\n").unwrap_err();
        assert!(
            wrong.starts_with("r.toml:7:1: a database elsewhere would be spoken to unencrypted"),
            "{wrong}"
        );
        let wrong = with("database = \"c\"\nuser = \"c\"\npassword = \"hunter2\"\n").unwrap_err();
        assert!(
            wrong.starts_with("r.toml:9:1: `password` is a secret") && !wrong.contains("hunter2"),
            "{wrong}"
        );
        let wrong =
            with("host = \"postgres://c:hunter2@db/c\"\ndatabase = \"c\"\nuser = \"c\"\n").unwrap_err();
        assert!(wrong.contains("r.toml:7:1: `host` holds a login") && !wrong.contains("hunter2"), "{wrong}");
        let wrong = with("host = \"db/c\"\ndatabase = \"c\"\nuser = \"c\"\n").unwrap_err();
        assert!(wrong.contains("r.toml:7:1: `host` is no host name"), "{wrong}");
        let wrong =
            with("host = \"127.0.0.1\"\nsocket = \"/run\"\ndatabase = \"c\"\nuser = \"c\"\n").unwrap_err();
        assert!(wrong.contains("both `socket` and `host`"), "{wrong}");
        let config = with("database = \"c\"\nuser = \"c\"\npassword_file = \"p\"\n").unwrap();
        let StoreAt::Postgres(at) = config.store.clone() else { panic!("{:?}", config.store) };
        assert_eq!(at.to_string(), "database c at /run/postgresql:5432");
        assert!(at.password_file.is_some_and(|file| file.ends_with("p")) && at.tls.is_none());
        let told: Vec<String> = config.absent.iter().map(ToString::to_string).collect();
        assert!(
            told.len() == 1 && told[0].contains("/p: is not there, put it there, or hand it out"),
            "{told:?}"
        );
        for here in ["localhost", "127.0.0.1", "::1"] {
            with(&format!("host = \"{here}\"\ndatabase = \"c\"\nuser = \"c\"\n")).unwrap();
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place_and_their_cure() {
        let wrong = loaded(
            "wrong",
            &format!("{LEAST}prot = 1\n[store]\nkind = \"mysql\"\n[retention]\nkeep_days = 30\n"),
        );
        let wrong = wrong.unwrap_err();
        let lines: Vec<&str> = wrong.lines().collect();
        assert_eq!(lines.len(), 3, "{wrong}");
        assert!(lines[0].starts_with("r.toml:5:1: unknown key `prot`, did you mean `port`?"), "{wrong}");
        assert!(lines[1].starts_with("r.toml:7:1: `kind`"), "{wrong}");
        assert!(lines[2].starts_with("r.toml:9:1: `keep_days` is 30, 184 to 36500 is allowed"), "{wrong}");
        let file = "[store]\nkind = \"sqlite\"\nhost = \"x\"\n";
        assert!(loaded("file", &format!("{LEAST}{file}")).unwrap_err().contains("unknown key `host`"));
        for outside in ["0.0.0.0:9464", "nowhere"] {
            let wrong =
                loaded("metrics", &format!("{LEAST}[metrics]\nlisten = \"{outside}\"\n")).unwrap_err();
            assert!(wrong.starts_with("r.toml:6:1: ") && wrong.contains("127.0.0.1"), "{wrong}");
        }
        let shown = loaded("metrics", &format!("{LEAST}[metrics]\nlisten = \"127.0.0.1:9464\"\n")).unwrap();
        assert_eq!(shown.metrics, "127.0.0.1:9464".parse().ok());
    }

    #[test]
    fn the_console_is_for_this_machine_unless_it_encrypts() {
        let with = |console: &str| loaded("console", &format!("{LEAST}[console]\n{console}"));
        let wrong = with("listen = \"0.0.0.0:8010\"\n").unwrap_err();
        assert!(wrong.starts_with("r.toml:6:1: passwords would travel unencrypted"), "{wrong}");
        let wrong = with("listen = \"127.0.0.1:8010\"\nkey = \"k.pem\"\n").unwrap_err();
        assert!(wrong.contains("belong together"), "{wrong}");
        let wrong =
            with("listen = \"0.0.0.0:8010\"\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n").unwrap_err();
        assert!(wrong.contains("c.pem"), "{wrong}");
        let config =
            with("listen = \"127.0.0.1:8010\"\nbehind_tls = true\nnames = [\"desk.example\"]\n").unwrap();
        let console = config.console.unwrap();
        assert!(console.is_behind_tls && console.identity.is_none());
        assert_eq!(console.names, ["desk.example"]);
        for never in [
            "*",
            "desk.example:443",
            "*.example",
            "https://desk.example",
            "desk.example/",
            "desk..example",
            "监察.example",
        ] {
            let wrong =
                with(&format!("listen = \"127.0.0.1:8010\"\nnames = [\"desk\", \"{never}\"]\n")).unwrap_err();
            assert!(
                wrong.starts_with("r.toml:7:") && wrong.contains("no browser calls it"),
                "{never}: {wrong}"
            );
        }
    }

    #[test]
    fn several_collectors_are_numbered_and_share_a_database() {
        let with = |share: &str, store: &str| loaded("share", &format!("{LEAST}[share]\n{share}{store}"));
        let postgres = "[store]\nkind = \"postgres\"\ndatabase = \"c\"\nuser = \"c\"\n";
        let second = "group = \"east-4f0c91d7\"\nworker = 2\nworkers = 3\n";
        let config = with(second, postgres).unwrap();
        let group = config.group.unwrap();
        assert_eq!((group.worker, group.workers, group.by), (2, 3, Level::County));
        assert_eq!(config.broker.client_id, "coldhearth-collector-2", "each has a name of its own");
        let by_city = with(&format!("{second}by = \"city\"\n"), postgres).unwrap().group;
        assert_eq!(by_city.map(|group| group.by), Some(Level::City));
        for apart in ["", "[store]\nkind = \"sqlite\"\n"] {
            let wrong = with(second, apart).unwrap_err();
            assert!(wrong.starts_with("r.toml:5:2: several collectors share one database"), "{wrong}");
            assert!(wrong.contains("name a PostgreSQL under [store]"), "{wrong}");
        }
        for (wrong, why) in [
            ("group = \"east-4f0c91d7\"\nworker = 4\nworkers = 3\n", "`worker` is 4 of 3"),
            ("group = \"east-4f0c91d7\"\nworker = 0\nworkers = 3\n", "`worker` is 0"),
            ("group = \"collectors\"\nworker = 1\nworkers = 3\n", "`group` is \"collectors\""),
            ("group = \"East/+\"\nworker = 1\nworkers = 3\n", "`group`"),
            ("group = \"east-4f0c91d7\"\nworker = 1\nworkers = 33\n", "`workers` is 33"),
            (
                "group = \"east-4f0c91d7\"\nworker = 1\nworkers = 3\nby = \"plant\"\n",
                "province, city, county",
            ),
        ] {
            let told = with(wrong, postgres).unwrap_err();
            assert!(told.contains(why) && told.lines().count() == 1, "{told}");
        }
    }
}
