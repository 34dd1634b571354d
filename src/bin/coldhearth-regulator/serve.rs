//! `serve`: the authority's collector; and where the authority's programs find its store.

mod reload;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use coldhearth::{
    evidence::PublicKey,
    host::{
        Clock, Exit, Failure, SystemClock,
        alone::{self, LOCK_FILE},
        courier::Broker,
        keys,
        layers::Setting,
        logging,
        notify::Notify,
        private, public_key,
        service::{self, Signals},
        watchdog::Watchdog,
    },
    regulator::{
        alarms::{Office, Regime},
        collector::Collector,
        config::{self, CLIENT_ID, ConsoleAt, RegulatorConfig, StoreAt},
        console::{self, Books, Console, Joined, READERS},
        foreign, page, serve,
        share::Member,
        store::{Store, sqlite::STORE_FILE},
        vitals::Vitals,
        watched,
    },
    terms::{Flaw, Name, words::Language},
};

use tokio::{net::TcpListener, runtime::Runtime, sync::watch};

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
    /// One value over the files and the variables of --config, as broker.host=10.0.0.5; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Setting::parse, requires = "config")]
    set: Vec<Setting>,
}

impl Home {
    /// The configuration, where one is named. What is set over none is refused: nobody would obey it.
    pub(crate) fn config(&self) -> Result<Option<RegulatorConfig>, Failure> {
        let Some(file) = &self.config else {
            let flag = self.set.first().map(|_| "--set".to_owned());
            let mut variables = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
            let variable = || variables.find(|name| Setting::is_variable(name));
            return match flag.or_else(variable) {
                None => Ok(None),
                Some(set) => {
                    let what =
                        format!("{set} sets a value over the files of --config: name one with --config FILE");
                    Err(Failure::new(Exit::Usage, what))
                }
            };
        };
        load(file, &self.set).map(Some)
    }

    /// The authority's key, made at its first use.
    pub(crate) fn signer(&self) -> Result<Box<dyn coldhearth::evidence::Signer>, Failure> {
        signer(&self.state()?)
    }

    /// The authority's public key, where it has one, and further ones that its configuration or somebody names. Asking makes no
    /// key.
    pub(crate) fn trusted(&self, further: &[PathBuf]) -> Result<Vec<PublicKey>, Failure> {
        let own = self.state()?.join(format!("{}.pub", keys::AUTHORITY_FILE));
        let own = own.is_file().then_some(&own);
        let named = self.config()?.map_or_else(Vec::new, |config| config.trust);
        own.into_iter().chain(&named).chain(further).map(|file| public_key::load(file)).collect()
    }

    /// The folder of the authority's key.
    pub(crate) fn state(&self) -> Result<PathBuf, Failure> {
        Ok(self.of(self.config()?.as_ref()).0)
    }

    /// The store, which must be there: what is asked of it is about what it has.
    pub(crate) fn store_that_is_there(&self) -> Result<Box<dyn Store>, Failure> {
        let (_, at) = self.of(self.config()?.as_ref());
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
        let (_, at) = self.of(self.config()?.as_ref());
        at.open()
    }

    /// The folder of the authority's key, and where the store is.
    fn of(&self, config: Option<&RegulatorConfig>) -> (PathBuf, StoreAt) {
        match config {
            Some(config) => (config.state_dir.clone(), config.store.clone()),
            None => (self.state.clone(), StoreAt::Sqlite(self.state.clone())),
        }
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
    /// How lines of the log are written
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
    log: String,
}

/// Serves until it is asked to stop, with one configuration after the other.
pub(crate) fn serve(orders: &Serve) -> Result<Exit, Failure> {
    let form = logging::FORMS.iter().find(|(word, _)| *word == orders.log).map(|(_, form)| *form);
    logging::start("info", form.unwrap_or_default());
    let mut config = orders.home.config()?;
    judge_start(config.as_ref())?;
    let runtime = service::runtime()?;
    let mut signals = {
        let _within = runtime.enter();
        Signals::watch()?
    };
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let watchdog = Watchdog::of(Notify::from_environment(), language);
    let feeder = watchdog.clone();
    runtime.spawn(async move { feeder.feed(&SystemClock::default()).await });
    loop {
        let mut life = Life::begin(orders, config.as_ref())?;
        // A store may have a runtime of its own, which must not end inside of another.
        let listener = life.metrics.map(|at| runtime.block_on(page::listen(at))).transpose()?;
        let desk = life.desk.take().map(|desk| opened(&runtime, desk)).transpose()?;
        let asked = reload::asked(orders, config.as_ref(), &mut signals, &watchdog);
        match runtime.block_on(live(life, (listener, desk), asked, &watchdog))? {
            (exit, None) => return Ok(exit),
            (_, Some(new)) => config = Some(*new),
        }
    }
}

/// What one configuration makes of the collector.
struct Life {
    /// Two with one key and one name at the broker would put each other out for ever.
    alone: std::fs::File,
    broker: Broker,
    collector: Collector,
    member: Option<Member>,
    metrics: Option<SocketAddr>,
    desk: Option<(Vec<Books>, ConsoleAt)>,
}

impl Life {
    fn begin(orders: &Serve, config: Option<&RegulatorConfig>) -> Result<Life, Failure> {
        let mut broker = match config {
            Some(_) if orders.broker.is_given() => {
                return Err(Failure::new(
                    Exit::Usage,
                    "the broker stands in the file of --config; name it there alone, or with --set broker.host=HOST",
                ));
            }
            Some(config) => broker::configured(&config.broker)?,
            None => broker::broker(&orders.broker, &orders.client_id)?,
        };
        let group = config.and_then(|config| config.group);
        let run = u32::from_be_bytes(keys::entropy::<4>()?);
        if group.is_some_and(|group| broker.client_id == config::name_of_member(group.worker)) {
            broker.client_id = format!("{}-{run:08x}", broker.client_id);
        }
        let (state, store) = orders.home.of(config);
        let place =
            group.map_or_else(|| LOCK_FILE.to_owned(), |group| format!("{LOCK_FILE}-{}", group.worker));
        made(&state)?;
        let alone = alone::alone(&state, &place, "collector")?;
        let receivers = config.map_or_else(Vec::new, |config| config.receivers.clone());
        let own = group.and_then(|group| Name::new(&format!("collector-{}", group.worker)));
        let regime = config.map_or_else(Regime::default, |config| config.regime);
        let office = Office::of(receivers, own)?.under(regime);
        let trust = config.map_or(&[][..], |config| &config.trust);
        let trust: Vec<PublicKey> =
            trust.iter().map(|file| public_key::load(file)).collect::<Result<_, _>>()?;
        let (mut kept, signer) = (store.open()?, signer(&state)?);
        let keys: Vec<PublicKey> = trust.iter().copied().chain([signer.public_key()]).collect();
        foreign::look_again(&mut *kept, &keys)?;
        let collector = Collector::open(kept, signer)?.telling(office).believing(&trust);
        let member = group.map(|group| Member::new(group, run, collector.public_key().id()));
        let metrics = orders.metrics.or(config.and_then(|config| config.metrics));
        let console = config.and_then(|config| config.console.clone());
        let console = orders.console.map(ConsoleAt::plain).or(console);
        let desk = console.map(|at| Ok::<_, Failure>((books(&state, &store, &trust)?, at))).transpose()?;
        Ok(Life { alone, broker, collector, member, metrics, desk })
    }
}

/// A store and the authority's hand for each of the console's threads, opened before any runtime runs.
fn books(state: &Path, store: &StoreAt, trust: &[PublicKey]) -> Result<Vec<Books>, Failure> {
    let one = |_| {
        let signer = signer(state)?;
        let trusted = [&[signer.public_key()], trust].concat();
        Ok::<Books, Failure>(Books { store: store.open()?, trusted, signer })
    };
    (0..READERS).map(one).collect()
}

/// A console and the listener it is to be shown at.
type Shown = (console::Listening, Arc<Console>);

fn opened(runtime: &Runtime, (books, at): (Vec<Books>, ConsoleAt)) -> Result<Shown, Failure> {
    let listening = runtime.block_on(console::listen(&at))?;
    tracing::info!(listen = %at.listen, "the console is open");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    Ok((listening, Console::open(clock, books, Joined::own(), &at)?))
}

/// Serves until something is asked; tells how it ended, and the configuration to go on with.
async fn live(
    life: Life,
    (listener, desk): (Option<TcpListener>, Option<Shown>),
    asked: impl Future<Output = Option<Box<RegulatorConfig>>>,
    watchdog: &Watchdog,
) -> Result<(Exit, Option<Box<RegulatorConfig>>), Failure> {
    let Life { alone: _alone, broker, collector, member, .. } = life;
    let key = collector.public_key();
    tracing::info!(kid = %key.id(), fingerprint = key.fingerprint(), "receipts are signed by this key");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let (shown, seen) = watch::channel(Vitals::default());
    let turned_away = desk.as_ref().map(|(_, console)| console.turned_away()).unwrap_or_default();
    let page = listener.map(|listener| {
        tokio::spawn(page::show(listener, clock.clone(), seen.clone(), watchdog.clone(), turned_away))
    });
    let desk = desk.map(|(listening, console)| tokio::spawn(console::show(listening, console)));
    let serving = watchdog.pulse("collector", &clock);
    let (store, looking, looker) = (watchdog.pulse("store", &clock), clock.clone(), watchdog.clone());
    let watched = tokio::spawn(async move { watched::follow(&*looking, &*store, seen, &looker).await });
    let mut next = None;
    let asked = async { next = asked.await };
    let exit = serve::serve(&*serving, broker, collector, member, &shown, asked).await?;
    watched.abort();
    for shown in page.into_iter().chain(desk) {
        shown.abort();
        // Its address is free once it has ended.
        let _ended = shown.await;
    }
    Ok((exit, next))
}

/// Checks a configuration; touches no socket and writes nothing.
pub(crate) fn check(file: &Path, set: &[Setting]) -> Result<Exit, Failure> {
    let config = load(file, set)?;
    for warning in config.warnings.iter().chain(&config.absent) {
        crate::say(&format!("warning: {warning}"));
    }
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

fn load(file: &Path, set: &[Setting]) -> Result<RegulatorConfig, Failure> {
    config::load_with(file, set).map_err(|flaws| wrong(&flaws))
}

/// Whether a collector can be started with it here and now.
fn judge_start(config: Option<&RegulatorConfig>) -> Result<(), Failure> {
    let absent = config.map_or(&[][..], |config| &config.absent);
    if absent.is_empty() { Ok(()) } else { Err(wrong(absent)) }
}

fn wrong(flaws: &[Flaw]) -> Failure {
    let lines: Vec<String> = flaws.iter().map(Flaw::to_string).collect();
    Failure::new(Exit::Config, lines.join("\n"))
}

/// The state's folder, for nobody else on the machine where it is made here.
fn made(state: &Path) -> Result<(), Failure> {
    private::folder(state).map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", state.display())))
}

fn signer(state: &Path) -> Result<Box<dyn coldhearth::evidence::Signer>, Failure> {
    made(state)?;
    keys::load_or_make(state, keys::AUTHORITY_FILE, true)
}
