//! The broker as every verb names it on the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use coldhearth::{
    host::{
        Exit, Failure,
        courier::{Broker, DEFAULT_PORT, DEFAULT_TLS_PORT},
        credentials::{self, Identity, Part, TlsFiles},
    },
    regulator::{config::BrokerAt, watch::subscriber},
};

/// The broker unless told otherwise.
const LOCAL: &str = "127.0.0.1";

#[derive(Args)]
pub(crate) struct BrokerOrders {
    /// The broker, HOST or HOST:PORT; the port is 1883 unless given, and 8883 with --ca
    #[arg(long, default_value = LOCAL)]
    broker: String,
    /// Encrypt, and believe only a broker whose certificate an authority in this PEM file issued
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Our own certificate, PEM, where the broker asks for one
    #[arg(long, value_name = "FILE", requires = "ca", requires = "key")]
    certificate: Option<PathBuf>,
    /// The private key of --certificate, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// The name in the broker's certificate, where that is not HOST
    #[arg(long, value_name = "NAME", requires = "ca")]
    server_name: Option<String>,
    /// User name at the broker
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,
    /// File that holds the password of --user
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
}

impl BrokerOrders {
    /// Whether anything of it was given.
    pub(crate) fn is_given(&self) -> bool {
        let BrokerOrders { broker, ca, certificate, key, server_name, user, password_file } = self;
        let files = [ca, certificate, key, password_file].into_iter().any(Option::is_some);
        broker != LOCAL || files || server_name.is_some() || user.is_some()
    }
}

/// The broker as the configuration names it.
pub(crate) fn configured(at: &BrokerAt) -> Result<Broker, Failure> {
    let login = match &at.login {
        None => None,
        Some((user, file)) => Some((user.clone(), password(file)?)),
    };
    let subscriber = subscriber(at.host.clone(), at.port, &at.client_id);
    Ok(Broker { login, tls: at.tls.clone(), keepalive_s: at.keepalive_s, ..subscriber })
}

fn password(file: &Path) -> Result<String, Failure> {
    let password = std::fs::read_to_string(file)
        .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", file.display())))?;
    Ok(password.trim_end().to_owned())
}

/// The broker as the command line names it. Certificate files that cannot be used are told before anything is dialled.
pub(crate) fn broker(orders: &BrokerOrders, name: &str) -> Result<Broker, Failure> {
    let usual = if orders.ca.is_some() { DEFAULT_TLS_PORT } else { DEFAULT_PORT };
    let (host, port) = match orders.broker.rsplit_once(':') {
        Some((host, port)) => (host.to_owned(), port.parse().map_err(|_| wrong_port(&orders.broker))?),
        None => (orders.broker.clone(), usual),
    };
    let login = match (&orders.user, &orders.password_file) {
        (Some(user), Some(file)) => Some((user.clone(), password(file)?)),
        (_, _) => None,
    };
    let identity = orders.certificate.clone().zip(orders.key.clone());
    let identity = identity.map(|(certificate, key)| Identity { certificate, key });
    let server_name = orders.server_name.clone();
    let tls = orders.ca.clone().map(|ca| TlsFiles { ca, identity, server_name });
    if let Some(Err(unfit)) = tls.as_ref().map(credentials::load) {
        let lines: Vec<String> = unfit.iter().map(|u| format!("--{}: {u}", option(u.part))).collect();
        return Err(Failure::new(Exit::Config, lines.join("\n")));
    }
    Ok(Broker { login, tls, ..subscriber(host, port, name) })
}

/// How a part is called on the command line.
fn option(part: Part) -> &'static str {
    match part {
        Part::ServerName => "server-name",
        Part::Authority | Part::Certificate | Part::Key => part.word(),
    }
}

fn wrong_port(broker: &str) -> Failure {
    Failure::new(Exit::Usage, format!("--broker {broker}: HOST or HOST:PORT is expected"))
}
