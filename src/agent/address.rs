//! Where a gateway publishes and hears, and how it greets its broker.

use super::config::AgentConfig;
use crate::{
    evidence::{Body, Kind, Occasion, Presence, Record, Topic},
    host::{
        courier::{Broker, Will},
        exit::{Exit, Failure},
    },
    judge::{Finding, Verdict},
    terms::{Name, Stamp},
};

/// How long the broker waits before it publishes our will, in seconds.
pub const WILL_DELAY_S: u32 = 60;

/// Where this gateway publishes.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    topic: Topic,
}

impl Address {
    /// The address of a configured gateway.
    pub fn of(config: &AgentConfig) -> Address {
        let gateway = &config.gateway;
        let topic = Topic {
            division: gateway.division,
            enterprise: gateway.enterprise,
            gateway: gateway.id,
            asset: None,
            kind: Kind::Attest,
        };
        Address { topic }
    }

    /// What comes to this gateway: receipts and acts.
    pub fn filters(&self) -> Vec<String> {
        vec![self.topic(None, Kind::Receipt), format!("{}/+", self.topic(None, Kind::Act))]
    }

    /// One topic of the gateway.
    pub fn topic(&self, asset: Option<Name>, kind: Kind) -> String {
        Topic { asset, kind, ..self.topic }.to_string()
    }
}

/// The broker to call, our name there and the will it holds for us.
///
/// # Errors
/// The password file cannot be read.
pub fn broker(config: &AgentConfig, started: &Stamp) -> Result<Broker, Failure> {
    let login = match &config.broker.login {
        None => None,
        Some((user, file)) => {
            let password = std::fs::read_to_string(file)
                .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", file.display())))?;
            Some((user.clone(), password.trim_end().to_owned()))
        }
    };
    let will = Will {
        topic: Address::of(config).topic(None, Kind::Link),
        payload: Presence::of(started, Occasion::Lost).to_bytes(),
        delay_s: WILL_DELAY_S,
    };
    Ok(Broker {
        host: config.broker.host.clone(),
        port: config.broker.port,
        // A gateway's id is unique in its enterprise only.
        client_id: format!("coldhearth-{}-{}", config.gateway.enterprise, config.gateway.id),
        login,
        tls: config.broker.tls.clone(),
        keepalive_s: config.broker.keepalive_s,
        will: Some(will),
        // Without an authority nobody is believed, and nothing need come.
        filters: if config.authority.is_empty() { Vec::new() } else { Address::of(config).filters() },
    })
}

/// The topics on which a record is of use besides its place in the chain.
pub(super) fn places(record: &Record) -> Vec<(Option<Name>, Kind)> {
    let asset = record.body.asset();
    match &record.body {
        Body::Checkpoint(_) => vec![(None, Kind::Head)],
        Body::Finding(Finding::Verdict(verdict)) => {
            let standing = alarms(verdict).into_iter().filter(|(_, stands)| *stands);
            standing.map(|(kind, _)| (asset, kind)).chain([(asset, Kind::State)]).collect()
        }
        // Whoever comes late still learns which key speaks for the gateway now.
        Body::Genesis(_) | Body::Rotation(_) => vec![(None, Kind::State)],
        Body::Answer(_) => vec![(None, Kind::Answer)],
        Body::Boot(_)
        | Body::Skip { .. }
        | Body::Gap(_)
        | Body::Rollback(_)
        | Body::Act(_)
        | Body::Notice(_)
        | Body::Commissioned(_)
        | Body::Transition(_)
        | Body::Finding(Finding::State(_) | Finding::Interval(_) | Finding::Event(_)) => Vec::new(),
    }
}

/// The alarms a verdict may raise, each with whether it stands.
fn alarms(verdict: &Verdict) -> [(Kind, bool); 2] {
    [(Kind::Violation, verdict.violation_since_unix_ms.is_some()), (Kind::Tamper, verdict.signs.has_strong())]
}

/// The topics on which a record says that an alarm stands no more: what is retained there is to be cleared.
pub(super) fn over(record: &Record) -> Vec<(Option<Name>, Kind)> {
    let Body::Finding(Finding::Verdict(verdict)) = &record.body else { return Vec::new() };
    let over = alarms(verdict).into_iter().filter(|(_, stands)| !stands);
    over.map(|(kind, _)| (record.body.asset(), kind)).collect()
}
