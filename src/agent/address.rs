//! Where a gateway publishes and hears, and how it greets its broker.

use super::config::AgentConfig;
use crate::{
    evidence::{Act, Body, Kind, Meaning, Occasion, Presence, Topic, presence::WILL_DELAY_S},
    host::{
        courier::{Broker, Will},
        exit::{Exit, Failure},
    },
    judge::{Event, Finding, Verdict},
    terms::{Name, Stamp},
};

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
        keeps_s: None,
    })
}

/// The topics on which a record is of use besides its place in the chain.
pub(super) fn places(body: &Body) -> Vec<(Option<Name>, Kind)> {
    let asset = body.asset();
    match body {
        Body::Checkpoint(_) => vec![(None, Kind::Head)],
        Body::Finding(Finding::Verdict(verdict)) => {
            let standing = alarms(verdict).into_iter().filter(|(_, stands)| *stands);
            standing.map(|(kind, _)| (asset, kind)).chain([(asset, Kind::State)]).collect()
        }
        // Whoever comes late still learns which key speaks for the gateway now.
        Body::Genesis(_) | Body::Rotation(_) => vec![(None, Kind::State)],
        Body::Answer(_) => vec![(None, Kind::Answer)],
        Body::Finding(Finding::Event(Event::ClassChanged(_))) => vec![(asset, Kind::Plate)],
        Body::Boot(_)
        | Body::Skip { .. }
        | Body::Gap(_)
        | Body::Rollback(_)
        | Body::Act(_)
        | Body::Notice(_)
        | Body::Commissioned(_)
        | Body::Finding(
            Finding::State(_) | Finding::Interval(_) | Finding::Transition(_) | Finding::Event(_),
        ) => Vec::new(),
    }
}

/// The alarms a verdict may raise, each with whether it stands.
fn alarms(verdict: &Verdict) -> [(Kind, bool); 2] {
    [(Kind::Violation, verdict.violation_since_unix_ms.is_some()), (Kind::Tamper, verdict.signs.has_strong())]
}

/// The topics on which a record says that an alarm stands no more: what is retained there is to be cleared.
pub(super) fn over(body: &Body) -> Vec<(Option<Name>, Kind)> {
    if let Body::Act(Act { meaning: Meaning::Reset(asset), .. }) = body {
        // From here on what the nameplates say now counts.
        return vec![(Some(asset.0), Kind::Plate)];
    }
    let Body::Finding(Finding::Verdict(verdict)) = body else { return Vec::new() };
    let over = alarms(verdict).into_iter().filter(|(_, stands)| !stands);
    over.map(|(kind, _)| (body.asset(), kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::{PlateSource, Ruling},
        evidence::{Ed25519, Sealer},
        judge::ClassChange,
        terms::AssetId,
    };

    #[test]
    fn an_edit_across_a_bound_stays_on_its_alarm_until_the_reset() {
        let asset = Name::new("eaf-2").unwrap();
        let change = Body::Finding(Finding::Event(Event::ClassChanged(ClassChange {
            asset: AssetId(asset),
            source: PlateSource::Read,
            before: Ruling::UNDETERMINED,
            after: Ruling::UNDETERMINED,
            edits: Vec::new(),
        })));
        assert_eq!(places(&change), [(Some(asset), Kind::Plate)]);
        assert_eq!(over(&change), []);
        let draft = serde_json::json!({
            "act": "reset", "act_id": "reset-1", "version": 1, "gateway_id": "gw-03", "asset": "eaf-2",
            "issued_unix_ms": 1, "expires_unix_ms": 2,
        });
        let draft = draft.as_object().unwrap();
        let reset = Act::seal(draft, &mut Sealer::default(), &Ed25519::from_seed(&[9; 32])).unwrap();
        assert_eq!(over(&Body::Act(reset)), [(Some(asset), Kind::Plate)]);
    }
}
