//! From what a person wrote to types that cannot be wrong, every mistake collected on the way.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::{
    AgentConfig, BrokerConfig, Bus, DEFAULT_DRAIN_PER_S, DEFAULT_JOURNAL_MB, DEFAULT_KEEPALIVE_S,
    DEFAULT_RETENTION_DAYS, Furnace, Gateway, JournalConfig, MAX_AUTHORITY_KEYS, MAX_BUSES, MAX_EQUIPMENT,
    MAX_METERS, Meter,
    law::Law,
    listed::{self, Known},
    profiles::Profiles,
};
use crate::{
    agent::inside::socket,
    evidence::PublicKey,
    host::{
        courier::{DEFAULT_PORT, DEFAULT_TLS_PORT},
        credentials::TlsFiles,
        forms, keys, public_key,
    },
    metering::Profile,
    terms::{
        AssetId, Digest, Flaws, GatewayId, Name,
        flaw::{Place, Wrong},
        form::{self, Form},
        place::{CreditCode, Division},
    },
};

/// Largest power accepted, in watts.
pub(super) const MAX_POWER_W: i64 = 10_000_000_000;

/// Reads the merged tree; what it names by a relative path lies beside `base`, the configuration's folder.
pub(super) struct Reader<'a> {
    pub(super) base: &'a Path,
    /// Profiles at hand; without them folders are looked for.
    pub(super) profiles: Option<&'a [Arc<Profile>]>,
    pub(super) flaws: &'a Flaws,
    pub(super) warnings: &'a Flaws,
    /// What is there and would end every start.
    pub(super) unusable: &'a Flaws,
    /// What is not there, and may come when the service starts.
    pub(super) absent: &'a Flaws,
}

impl Reader<'_> {
    pub(super) fn read(&self, form: Form<'_>, digest: Digest) -> Option<AgentConfig> {
        let gateway = form.required_table("gateway");
        let profiles = match (self.profiles, gateway.as_ref()) {
            (Some(given), gateway) => {
                gateway.inspect(|gateway| gateway.pass("profiles"));
                Profiles::given(given)
            }
            (None, Some(gateway)) => Profiles::read(gateway, self.base),
            (None, None) => Profiles::default(),
        };
        let gateway = gateway.and_then(|gateway| self.gateway(gateway));
        let division = gateway.as_ref().map(|gateway| gateway.division);
        let law = self.law(form.table("catalogue"));
        let broker = form.required_table("broker").and_then(|broker| self.broker(broker));
        let authority = form.table("authority").map_or_else(Vec::new, |authority| self.authority(authority));
        let journal = self.journal(form.table("journal"));
        let status = self.status(form.table("status"), gateway.as_ref());
        judge_the_socket(&form, &status.socket);
        let buses = self.unique(&form, &listed::BUS, |bus| self.bus(bus));
        self.one_owner_each(&form, &buses.fine);
        let known_buses = buses.known(&listed::BUS, |bus| bus.id);
        let equipment =
            self.unique(&form, &listed::EQUIPMENT, |e| self.furnace(e, &known_buses, law.as_ref(), division));
        let known_equipment = equipment.known(&listed::EQUIPMENT, |furnace| furnace.equipment.id.0);
        let on = gateway.as_ref().and_then(|gateway| gateway.powered_by);
        let meters = self.unique(&form, &listed::METER, |meter| {
            self.meter(meter, &known_buses, &known_equipment, &profiles, on)
        });
        let balances = self.balances(&form, &meters);
        let known_meters = meters.known(&listed::METER, |meter| meter.id.0);
        self.judge_supplies(&form, gateway.as_ref(), &meters.fine, &known_meters);
        let (buses, equipment, meters) = (buses.fine, equipment.fine, meters.fine);
        judge_how_many(&form, [buses.len(), equipment.len(), meters.len()]);
        profiles.warn_of_unneeded(self.warnings);
        self.judge_the_whole(&form, &meters, &equipment);
        form.close();
        let law = law?;
        self.judge_the_rulings(&law, &equipment);
        // Whoever changes a rule changes what the log begins with.
        let read = law.files.iter().fold(digest.to_string(), |all, file| format!("{all}\n{file}"));
        Some(AgentConfig {
            gateway: gateway?,
            broker: broker?,
            authority,
            journal,
            status,
            buses,
            meters,
            equipment,
            balances,
            roster: law.roster,
            digest: Digest::of(read.as_bytes()),
            warnings: Vec::new(),
            unusable: Vec::new(),
            absent: Vec::new(),
        })
    }

    /// Mistakes that show only when everything is read.
    fn judge_the_whole(&self, form: &Form<'_>, meters: &[Meter], equipment: &[Furnace]) {
        let mut seen = BTreeSet::new();
        let tables = listed::tables(form, &listed::METER);
        for meter in meters.iter().filter(|meter| !seen.insert((meter.bus, meter.unit))) {
            let wrong = format!(
                "meter `{}` is unit {} of bus `{}`, as another one is",
                meter.id, meter.unit, meter.bus
            );
            let place = tables.get(&meter.id.0).map_or(form.place("meter"), |table| table.place("unit"));
            self.flaws
                .add(place.clone(), Wrong::new(wrong, "one meter watches one feeder: correct the unit"));
        }
        let served: BTreeSet<AssetId> =
            meters.iter().flat_map(|meter| meter.commissioned.serves.iter().copied()).collect();
        for furnace in equipment {
            if !served.contains(&furnace.equipment.id) {
                let wrong = format!("no meter serves equipment `{}`", furnace.equipment.id);
                self.warnings.add(
                    form.place("equipment").clone(),
                    Wrong::new(wrong, "nothing will ever be said of it"),
                );
            }
        }
    }

    fn judge_the_rulings(&self, law: &Law, equipment: &[Furnace]) {
        let warn = |wrong: String, right: &str| {
            let place = Place { file: "[catalogue]".into(), line: 0, column: 0 };
            self.warnings.add(place, Wrong::new(wrong, right));
        };
        for loosened in law.rules.lint() {
            warn(
                format!("an overlay tries to loosen: {loosened}"),
                "it has no effect; tell whoever wrote it",
            );
        }
        let known: BTreeSet<AssetId> = equipment.iter().map(|furnace| furnace.equipment.id).collect();
        for ruled in &law.determinations {
            if !known.contains(&ruled.asset) {
                warn(
                    format!("`{}` was ruled on and is not configured", ruled.asset),
                    "nothing follows from it",
                );
            }
        }
    }

    fn gateway(&self, form: Form<'_>) -> Option<Gateway> {
        let id = form.required("id", form::name);
        let division = form.required("division", |v| {
            let county = |text: &str| Division::parse(text).filter(|division| division.may_hold_a_plant());
            form::parsed(v, county, "six digits of GB/T 2260 are expected, of the county")
        });
        let enterprise = form.required("uscc", |v| {
            form::parsed(v, CreditCode::parse, "18 symbols of a unified social credit code are expected")
        });
        let state_dir = form.required("state_dir", form::text);
        if let Some(state_dir) = &state_dir {
            self.look_at_the_key(form.place("state_dir"), &self.base.join(state_dir));
        }
        if let Some(code) = enterprise.filter(|code| !code.check_symbol_fits()) {
            let wrong = Wrong::new(
                format!("the check symbol of {code} does not fit"),
                "compare it with the licence; codes issued like this do exist",
            );
            self.warnings.add(form.place("uscc").clone(), wrong);
        }
        let powered_by = form.optional("powered_by", form::name);
        form.close();
        let state_dir = self.base.join(state_dir?);
        let (division, enterprise) = (division?, enterprise?);
        Some(Gateway { id: GatewayId(id?), division, enterprise, state_dir, powered_by })
    }

    /// A key that a start would refuse, or could not read.
    fn look_at_the_key(&self, place: &Place, state_dir: &Path) {
        if let Some((wrong, may_differ)) = keys::look(state_dir, keys::KEY_FILE) {
            let to = if may_differ { self.absent } else { self.unusable };
            to.add(place.clone(), wrong);
        }
    }

    fn broker(&self, form: Form<'_>) -> Option<BrokerConfig> {
        let host = form.required("host", forms::host);
        let tls = form.table("tls");
        let usual = if tls.is_some() { DEFAULT_TLS_PORT } else { DEFAULT_PORT };
        let tls = tls.and_then(|tls| self.tls(tls));
        let port = form.optional("port", form::fitting(1..=65_535)).unwrap_or(usual);
        let keepalive_s =
            form.optional("keepalive_s", form::fitting(5..=3_600)).unwrap_or(DEFAULT_KEEPALIVE_S);
        let drain_per_s =
            form.optional("drain_per_s", form::fitting(1..=10_000)).unwrap_or(DEFAULT_DRAIN_PER_S);
        let live = form.optional("live", form::flag).unwrap_or(false);
        let user = form.optional("user", form::text);
        let password = forms::password_file(&form, self.base, self.absent);
        if user.is_some() != password.is_some() {
            form.flaw("user", "`user` and `password_file` belong together", "give both or neither");
        }
        form.close();
        let login = user.zip(password);
        Some(BrokerConfig { host: host?, port, keepalive_s, login, drain_per_s, live, tls })
    }

    fn authority(&self, form: Form<'_>) -> Vec<PublicKey> {
        let files = form.required("keys", form::list(form::text)).unwrap_or_default();
        let read = |file: &String| match public_key::load(&self.base.join(file)) {
            Ok(key) => Some(key),
            Err(failure) => {
                form.flaw("keys", failure.message, "name the public key files the authority handed over");
                None
            }
        };
        if files.len() > MAX_AUTHORITY_KEYS {
            let right = format!("at most {MAX_AUTHORITY_KEYS} are believed at once");
            form.flaw("keys", format!("{} keys", files.len()), right);
        }
        let keys = files.iter().take(MAX_AUTHORITY_KEYS).filter_map(read).collect();
        form.close();
        keys
    }

    fn journal(&self, form: Option<Form<'_>>) -> JournalConfig {
        let days = form.as_ref().and_then(|f| f.optional("retention_days", form::fitting(1..=36_500)));
        let megabytes = form.as_ref().and_then(|f| f.optional("max_mb", form::fitting(1..=1_000_000)));
        if let Some(form) = form {
            form.close();
        }
        JournalConfig {
            retention_days: days.unwrap_or(DEFAULT_RETENTION_DAYS),
            max_bytes: megabytes.unwrap_or(DEFAULT_JOURNAL_MB) * 1_000_000,
        }
    }

    pub(super) fn tls(&self, form: Form<'_>) -> Option<TlsFiles> {
        forms::tls(form, self.base, self.absent)
    }

    /// The bus that a meter or a nameplate is on.
    pub(super) fn bus_of(form: &Form<'_>, buses: &Known<'_, Bus>) -> Option<Name> {
        let bus = form.required("bus", form::name)?;
        let _told = buses.find(form, "bus", bus);
        Some(bus)
    }
}

/// The operating system has room for short paths of sockets only.
fn judge_the_socket(form: &Form<'_>, socket: &Path) {
    let longest = socket::LONGEST_BYTES;
    let length = socket.as_os_str().len();
    if length > longest {
        let table = form.table("status");
        let place = match &table {
            Some(status) if status.has("socket") => status.place("socket"),
            Some(_) | None => form.place("gateway"),
        };
        let wrong = format!(
            "the path of the socket has {length} bytes, at most {longest} are possible: {}",
            socket.display()
        );
        form.flaws().add(place.clone(), Wrong::new(wrong, "name a shorter one as `socket` under [status]"));
    }
}

/// A gateway that watches nothing, or more of anything than it can.
fn judge_how_many(form: &Form<'_>, [buses, equipment, meters]: [usize; 3]) {
    if !form.has("meter") {
        form.lacks("meter", "no meter is configured", "add a [[meter]]");
    }
    for (key, many, most) in
        [("bus", buses, MAX_BUSES), ("equipment", equipment, MAX_EQUIPMENT), ("meter", meters, MAX_METERS)]
    {
        if many > most {
            form.flaw(key, format!("{many} times [[{key}]]"), format!("at most {most} are allowed"));
        }
    }
}
