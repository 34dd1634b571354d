//! `serve`: the authority's collector; and where the authority's programs find its store.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use coldhearth::{
    evidence::PublicKey,
    host::{Exit, Failure, SystemClock, courier::Broker, keys, public_key, service},
    regulator::{
        alarms::Office,
        collector::Collector,
        config::{self, CLIENT_ID, ConsoleAt, RegulatorConfig, StoreAt},
        console::{self, Books, Console, Joined, READERS},
        page, serve,
        share::Member,
        store::{Store, sqlite::STORE_FILE},
        vitals::Vitals,
    },
    terms::{Flaw, Name},
};

use tokio::sync::watch;

use crate::broker::{self, BrokerOrders};

/// Where the authority keeps its store and its key unless told otherwise.
pub(crate) const STATE: &str = "/var/lib/coldhearth-regulator";

/// Where the authority's key and its store are.
#[derive(Args)]
pub(crate) struct Home {
    /// Folder of the authority's key, and of its store
    #[arg(long, value_name = "DIR", default_value = STATE)]
    state: PathBuf,
    /// The authority's configuration, which names that folder, and where the store is if it is elsewhere
    #[arg(long, value_name = "FILE", conflicts_with = "state")]
    config: Option<PathBuf>,
}

impl Home {
    /// The configuration, where one is named.
    pub(crate) fn config(&self) -> Result<Option<RegulatorConfig>, Failure> {
        self.config.as_deref().map(load).transpose()
    }

    /// The authority's key, made at its first use.
    pub(crate) fn signer(&self) -> Result<Box<dyn coldhearth::evidence::Signer>, Failure> {
        signer(&self.state()?)
    }

    /// The authority's public key, where it has one, and further ones in files. Asking makes no key.
    pub(crate) fn trusted(&self, further: &[PathBuf]) -> Result<Vec<PublicKey>, Failure> {
        let own = self.state()?.join(format!("{}.pub", keys::AUTHORITY_FILE));
        let own = own.is_file().then_some(&own);
        own.into_iter().chain(further).map(|file| public_key::load(file)).collect()
    }

    /// The folder of the authority's key.
    pub(crate) fn state(&self) -> Result<PathBuf, Failure> {
        Ok(self.config()?.map_or_else(|| self.state.clone(), |config| config.state_dir))
    }

    /// The store, which must be there: what is asked of it is about what it has.
    pub(crate) fn store_that_is_there(&self) -> Result<Box<dyn Store>, Failure> {
        let at = self.config()?.map_or_else(|| StoreAt::Sqlite(self.state.clone()), |config| config.store);
        if let StoreAt::Sqlite(folder) = &at {
            let file = folder.join(STORE_FILE);
            if !file.is_file() {
                let what = format!(
                    "{}: there is no store; name its folder by --state, or the file that says where it is by --config",
                    file.display()
                );
                return Err(Failure::new(Exit::Config, what));
            }
        }
        at.open()
    }

    /// The store, made at its first use.
    pub(crate) fn store(&self) -> Result<Box<dyn Store>, Failure> {
        let at = self.config()?.map_or_else(|| StoreAt::Sqlite(self.state.clone()), |config| config.store);
        at.open()
    }
}

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    broker: BrokerOrders,
    #[command(flatten)]
    home: Home,
    /// Name to use at the broker
    #[arg(long, default_value = CLIENT_ID, conflicts_with = "config")]
    client_id: String,
    /// Show /metrics for Prometheus, /health with reasons and /alive at this loopback address; `[metrics] listen` in --config
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
    /// Show the console at this loopback address; `[console]` in --config, which may encrypt and so be elsewhere
    #[arg(long, value_name = "ADDRESS:PORT")]
    console: Option<SocketAddr>,
}

pub(crate) fn serve(orders: &Serve) -> Result<Exit, Failure> {
    service::start_logging();
    let config = orders.home.config()?;
    let mut broker = match &config {
        Some(_) if orders.broker.is_given() => {
            return Err(Failure::new(
                Exit::Usage,
                "the broker stands in the file of --config; name it there alone",
            ));
        }
        Some(config) => broker::configured(&config.broker)?,
        None => broker::broker(&orders.broker, &orders.client_id)?,
    };
    let group = config.as_ref().and_then(|config| config.group);
    let run = u32::from_be_bytes(keys::entropy::<4>()?);
    if group.is_some_and(|group| broker.client_id == config::name_of_member(group.worker)) {
        broker.client_id = format!("{}-{run:08x}", broker.client_id);
    }
    let metrics = orders.metrics.or(config.as_ref().and_then(|config| config.metrics));
    let console = config.as_ref().and_then(|config| config.console.clone());
    let console = orders.console.map(ConsoleAt::plain).or(console);
    let receivers = config.map_or_else(Vec::new, |config| config.receivers);
    let office =
        Office::of(receivers, group.and_then(|group| Name::new(&format!("collector-{}", group.worker))))?;
    let collector = Collector::open(orders.home.store()?, orders.home.signer()?)?.telling(office);
    let member = group.map(|group| Member::new(group, run, collector.public_key().id()));
    let desk = console.map(|at| Ok::<_, Failure>((books(&orders.home)?, at))).transpose()?;
    serve_from(broker, collector, member, metrics, desk)
}

/// A store and the authority's hand for each of the console's threads, opened before any runtime is there.
fn books(home: &Home) -> Result<Vec<Books>, Failure> {
    let one = |_| {
        let signer = home.signer()?;
        Ok::<Books, Failure>(Books { store: home.store()?, trusted: vec![signer.public_key()], signer })
    };
    (0..READERS).map(one).collect()
}

fn serve_from(
    broker: Broker,
    collector: Collector,
    member: Option<Member>,
    metrics: Option<SocketAddr>,
    desk: Option<(Vec<Books>, ConsoleAt)>,
) -> Result<Exit, Failure> {
    let key = collector.public_key();
    tracing::info!(kid = %key.id(), fingerprint = key.fingerprint(), "receipts are signed by this key");
    let runtime = service::runtime()?;
    // A store may have a runtime of its own, which must not end inside of another.
    let listener = metrics.map(|at| runtime.block_on(page::listen(at))).transpose()?;
    let clock = Arc::new(SystemClock::default());
    let desk = desk.map(|(books, at)| {
        let listening = runtime.block_on(console::listen(&at))?;
        tracing::info!(listen = %at.listen, "the console is open");
        Ok::<_, Failure>((listening, Console::open(clock.clone(), books, Joined::own(), &at)?))
    });
    let desk = desk.transpose()?;
    runtime.block_on(async {
        let (shown, seen) = watch::channel(Vitals::default());
        if let Some(listener) = listener {
            tokio::spawn(page::show(listener, clock.clone(), seen));
        }
        if let Some((listening, console)) = desk {
            tokio::spawn(console::show(listening, console));
        }
        let asked = async {
            // Without signals it serves until it is ended otherwise.
            if service::until_asked_to_stop().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        serve::serve(&*clock, broker, collector, member, &shown, asked).await
    })
}

/// Checks a configuration; touches no socket and writes nothing.
pub(crate) fn check(file: &Path) -> Result<Exit, Failure> {
    let config = load(file)?;
    let store = match &config.store {
        StoreAt::Sqlite(folder) => format!("a file in {}", folder.display()),
        StoreAt::Postgres(at) => at.to_string(),
    };
    let place = config.group.map_or_else(String::new, |group| {
        format!(", collector {} of {} of group {}", group.worker, group.workers, group.name)
    });
    crate::say(&format!(
        "{}: ok, broker {}:{}, store: {store}; neither was dialled{place}",
        file.display(),
        config.broker.host,
        config.broker.port
    ));
    Ok(Exit::Done)
}

fn load(file: &Path) -> Result<RegulatorConfig, Failure> {
    config::load(file).map_err(|flaws| {
        let lines: Vec<String> = flaws.iter().map(Flaw::to_string).collect();
        Failure::new(Exit::Config, lines.join("\n"))
    })
}

fn signer(state: &Path) -> Result<Box<dyn coldhearth::evidence::Signer>, Failure> {
    std::fs::create_dir_all(state)
        .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", state.display())))?;
    keys::load_or_make(state, keys::AUTHORITY_FILE, true)
}
