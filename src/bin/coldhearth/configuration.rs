//! Where a verb finds its configuration: the file, and what flags set over it.

use std::path::{Path, PathBuf};

use clap::Args;
use coldhearth::{
    agent::{AgentConfig, config},
    host::{Exit, Failure, layers::Setting, logging::Form},
};

use crate::online::listed;

/// The file of an installed gateway.
pub(crate) const USUAL: &str = "/etc/coldhearth/agent.toml";

#[derive(Args, Clone)]
pub(crate) struct Configuration {
    /// The configuration file; `FILE.d/*.toml`, then COLDHEARTH__SECTION__KEY variables, then --set lie over it
    #[arg(long, value_name = "FILE", default_value = USUAL)]
    pub(crate) config: PathBuf,
    /// One value over all of it, as broker.host=10.0.0.5 or meter.ID.timeout_ms=800; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Setting::parse)]
    set: Vec<Setting>,
}

impl Configuration {
    /// How its log is to be written, as far as that can be read.
    pub(crate) fn log_form(&self) -> Form {
        config::log_form(&self.config, &self.set).unwrap_or_default()
    }

    /// Whether it is the one of an installed gateway, as it is.
    pub(crate) fn is_usual(&self) -> bool {
        self.config == Path::new(USUAL) && self.set.is_empty()
    }

    /// Reads all its layers.
    pub(crate) fn load(&self) -> Result<AgentConfig, Failure> {
        config::load_with(&self.config, &self.set).map_err(|flaws| Failure::new(Exit::Config, listed(&flaws)))
    }
}
