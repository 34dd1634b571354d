//! The `[[bus]]` tables: where meters are, and how each bus wants to be treated.

use std::collections::BTreeMap;

use super::{Bus, read::Reader};
use crate::{
    agent::endpoint::Endpoint,
    metering::Profile,
    terms::{
        flaw::Wrong,
        form::{self, Form},
    },
};

/// Longest pause that may be configured, in milliseconds.
const MAX_PAUSE_MS: i64 = 10_000;
/// Longest idle time that may be configured, in milliseconds.
const MAX_IDLE_MS: i64 = 3_600_000;

impl Reader<'_> {
    pub(super) fn bus(&self, form: Form<'_>) -> Option<Bus> {
        let id = form.required("id", form::name);
        let endpoint = form.required("endpoint", |value| Endpoint::parse(&form::text(value)?));
        let tls = form.table("tls");
        let has_tls = tls.is_some();
        let tls = tls.and_then(|tls| self.tls(tls));
        let connect_pause_ms = form.optional("connect_pause_ms", form::fitting(0..=MAX_PAUSE_MS));
        let gap_ms = form.optional("gap_ms", form::fitting(0..=MAX_PAUSE_MS));
        let close_idle_ms = form.optional("close_idle_ms", form::fitting(0..=MAX_IDLE_MS));
        if let Some(endpoint) = &endpoint {
            self.judge_the_endpoint(&form, endpoint, has_tls);
        }
        form.close();
        Some(Bus {
            id: id?,
            endpoint: endpoint?,
            tls,
            connect_pause_ms: connect_pause_ms.unwrap_or(0),
            gap_ms: gap_ms.unwrap_or(0),
            close_idle_ms,
        })
    }

    /// What an endpoint needs beside itself, and what it has no use for.
    fn judge_the_endpoint(&self, form: &Form<'_>, endpoint: &Endpoint, has_tls: bool) {
        match endpoint {
            Endpoint::Tls(_) if !has_tls => form.flaw(
                "endpoint",
                "a connection inside TLS needs the certificate of the authority that vouches for the other side",
                "add `tls = { ca = \"ca.pem\", certificate = \"gateway.pem\", key = \"gateway.key\" }`",
            ),
            Endpoint::Tcp(_) | Endpoint::RtuTcp(_) | Endpoint::Rtu(_) if has_tls => {
                form.flaw("tls", "this endpoint is not inside TLS", "write the endpoint as \"tls://host:802\"");
            }
            Endpoint::Rtu(_) if !cfg!(feature = "serial") => form.flaw(
                "endpoint",
                "this program was built without serial lines",
                "build it with the feature `serial`",
            ),
            Endpoint::Rtu(line) if line.has_fleeting_name() => {
                let wrong = format!("{} may be another adapter after the next plugging-in", line.path.display());
                let right = "name the one below /dev/serial/by-id that points there";
                self.warnings.add(form.place("endpoint").clone(), Wrong::new(wrong, right));
            }
            Endpoint::Tcp(_) | Endpoint::RtuTcp(_) | Endpoint::Rtu(_) | Endpoint::Tls(_) => {}
        }
    }

    /// A meter set otherwise than its maker set it answers all the same; one on a line set otherwise never does.
    pub(super) fn warn_of_line(&self, form: &Form<'_>, bus: Option<&Bus>, profile: &Profile) {
        let Some(Endpoint::Rtu(line)) = bus.map(|bus| &bus.endpoint) else { return };
        let parity = profile.parity.filter(|parity| *parity != line.parity);
        let baud = profile.baud.filter(|baud| *baud != line.baud);
        if parity.is_none() && baud.is_none() {
            return;
        }
        let usual = format!(
            "{} baud 8{}",
            profile.baud.unwrap_or(line.baud),
            profile.parity.unwrap_or(line.parity).letter()
        );
        let set = format!("{} baud 8{}", line.baud, line.parity.letter());
        let wrong = format!("the maker of `{}` sets {usual}, and the bus is set to {set}", profile.id);
        self.warnings.add(
            form.place("bus").clone(),
            Wrong::new(wrong, "see that meter and bus are set alike; a meter set otherwise never answers"),
        );
    }

    /// Two owners of one line, or two clients of one gateway, would each hear the other's answers.
    pub(super) fn one_owner_each(&self, form: &Form<'_>, buses: &[Bus]) {
        let mut owners = BTreeMap::new();
        for bus in buses {
            let owner = *owners.entry(bus.endpoint.place()).or_insert(bus.id);
            if owner != bus.id {
                let wrong = format!("buses `{owner}` and `{}` are one: {}", bus.id, bus.endpoint);
                form.flaw("bus", wrong, "put the meters of both on one [[bus]]");
            }
        }
    }
}
