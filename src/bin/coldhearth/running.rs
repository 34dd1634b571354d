//! `run`: the agent, the signals that end it, and the one that has it read its configuration again.

use std::sync::Arc;

use coldhearth::{
    agent::{self, AgentConfig, reload},
    host::{
        Clock, Exit, Failure, SystemClock,
        clock::monotonic_us,
        logging, memory,
        notify::Notify,
        service::{self, Asked, Signals},
        watchdog::Watchdog,
        worry::Worry,
    },
    terms::{
        ClockQuality,
        words::{self, Language},
    },
};
use tokio::{
    sync::{mpsc, watch},
    task,
};

use crate::{configuration::Configuration, online::listed};

/// Runs the agent until it is asked to stop.
pub(crate) fn run(layers: &Configuration, new_journal: bool) -> Result<Exit, Failure> {
    memory::keep_little();
    let config = fit(layers).inspect_err(|_| logging::start("info", layers.log_form()))?;
    logging::start("info", config.status.log);
    warn(&config);
    service::runtime()?.block_on(follow(layers, config, new_journal))
}

/// Reads all layers, and looks at what the agent needs besides.
fn fit(layers: &Configuration) -> Result<AgentConfig, Failure> {
    let config = layers.load()?;
    config.judge_start().map_err(|flaws| Failure::new(Exit::Config, listed(&flaws)))?;
    Ok(config)
}

async fn follow(layers: &Configuration, config: AgentConfig, new_journal: bool) -> Result<Exit, Failure> {
    // Signals are watched before the agent opens its journal, which may take long.
    let mut signals = Signals::watch()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    tell_clock(&*clock, language);
    let watchdog = Watchdog::of(Notify::from_environment(), language);
    let (fed, feeder) = (clock.clone(), watchdog.clone());
    task::spawn(async move { feeder.feed(&*fed).await });
    let (stopper, stop) = watch::channel(false);
    let (reloads, asked) = mpsc::channel(1);
    let mut running = Arc::new(config);
    let mut agent = task::spawn(agent::run_reloading(
        clock.clone(),
        running.clone(),
        new_journal,
        stop,
        asked,
        watchdog.clone(),
    ));
    let manager = watchdog.notify();
    loop {
        let asked = tokio::select! {
            biased;
            ended = &mut agent => return done(ended),
            asked = signals.next() => asked,
        };
        match asked {
            Asked::Stop(signal) => {
                tracing::info!("asked to stop by {signal}: last words are written and sent");
                manager.stopping();
                stopper.send_replace(true);
                return done(agent.await).inspect(|_| tracing::info!("stopped, everything said is written"));
            }
            Asked::Nothing(signal) => tracing::info!("{signal} asks nothing of this program; it goes on"),
            Asked::Reload => {
                let read = reload(layers, &running, &*clock);
                match manager.while_reloading(monotonic_us(), read).await {
                    Ok(None) => {
                        watchdog.on_worry(Worry::FileRefused, false);
                        tracing::info!("asked to reload: the configuration says the same, nothing changes");
                    }
                    Ok(Some(new)) => {
                        watchdog.on_worry(Worry::FileRefused, false);
                        running = Arc::new((*new).clone());
                        // An agent that has ended meanwhile is heard of above.
                        let _ended = reloads.send(*new).await;
                    }
                    Err(why) => {
                        watchdog.on_worry(Worry::FileRefused, true);
                        tracing::error!(
                            "asked to reload, refused; the old configuration stays in force: {why}"
                        );
                    }
                }
            }
        }
    }
}

/// A clock that was never set is named before anything is signed by it.
fn tell_clock(clock: &dyn Clock, language: Language) {
    let said = match clock.now().clock {
        ClockQuality::Ntp => return,
        ClockQuality::Rtc => {
            tracing::info!("{}", words::CLOCK_RTC.in_language(language));
            return;
        }
        ClockQuality::Unset => [words::CLOCK_UNSET, words::CLOCK_SET_IT],
    };
    said.iter().for_each(|words| tracing::warn!("{}", words.in_language(language)));
}

/// Reads all layers anew; none when nothing changes.
async fn reload(
    layers: &Configuration,
    running: &AgentConfig,
    clock: &dyn Clock,
) -> Result<Option<Box<AgentConfig>>, Failure> {
    let layers = layers.clone();
    // Ten thousand meters take a while to read, and the watch goes on meanwhile.
    let read = task::spawn_blocking(move || fit(&layers)).await;
    let new = read.map_err(|e| Failure::new(Exit::Bug, format!("reading ended badly: {e}")))??;
    let changed = reload::changes(running, &new, &clock.now())?;
    if changed.is_empty() {
        return Ok(None);
    }
    warn(&new);
    tracing::info!(changed = changed.join(", "), "asked to reload: valid, the watch goes on with it");
    Ok(Some(Box::new(new)))
}

fn warn(config: &AgentConfig) {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
}

fn done(ended: Result<Result<(), Failure>, task::JoinError>) -> Result<Exit, Failure> {
    match ended {
        Ok(ended) => ended.map(|()| Exit::Done),
        Err(e) => Err(Failure::new(Exit::Bug, format!("the agent ended badly: {e}"))),
    }
}
