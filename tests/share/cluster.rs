//! Collectors of one group, each with a folder and a configuration of its own, over one database and with one key.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::Arc,
};

use coldhearth::{
    evidence::PublicKey,
    host::{Clock as _, SystemClock},
    regulator::store::Store,
    terms::place::Level,
};

use crate::support::{
    Process,
    authority::{Authority, aside, postgres_section},
    free_port,
    page::{asked, samples, until_ails},
    postgres::Postgres,
    soon,
};

/// The group's name.
pub(crate) const GROUP: &str = "collectors-of-east";

/// A group.
pub(crate) struct Cluster {
    server: Arc<Postgres>,
    database: String,
    pub(crate) members: Vec<Authority>,
    pages: Vec<u16>,
}

impl Cluster {
    pub(crate) async fn found(name: &str, port: u16, workers: usize, by: Level) -> Cluster {
        let server = tokio::task::spawn_blocking(Postgres::shared).await.unwrap();
        let database = server.database(&name.replace('-', "_"));
        let pages: Vec<u16> = (0..workers).map(|_| free_port()).collect();
        let section = |at: usize, page: u16| {
            let (store, by, worker) = (postgres_section(&server, &database), by.word(), at + 1);
            format!(
                "{store}[share]\ngroup = \"{GROUP}\"\nworker = {worker}\nworkers = {workers}\nby = \"{by}\"\n\
                 [metrics]\nlisten = \"127.0.0.1:{page}\"\n"
            )
        };
        let members = pages.iter().enumerate();
        let members = members
            .map(|(at, page)| Authority::new(&format!("{name}-{}", at + 1), port, &section(at, *page)));
        let cluster = Cluster { members: members.collect(), server: server.clone(), database, pages };
        // One key for all, made at its first use whatever becomes of that.
        cluster.regulator(0, &["act", "sign", "-"]);
        for file in ["authority.key", "authority.key.pub"] {
            let made = cluster.members[0].folder.0.join("state").join(file);
            for member in &cluster.members[1..] {
                std::fs::copy(&made, member.folder.0.join("state").join(file)).unwrap();
            }
        }
        cluster
    }

    pub(crate) fn serve(&self, at: usize) -> Process {
        self.members[at].serve()
    }

    /// Gives a member another number.
    pub(crate) fn renumber(&self, at: usize, worker: u8) {
        let config = &self.members[at].config;
        let text = std::fs::read_to_string(config).unwrap();
        let before = format!("worker = {}\n", at + 1);
        std::fs::write(config, text.replace(&before, &format!("worker = {worker}\n"))).unwrap();
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.members[0].key()
    }

    pub(crate) fn store<T: Send>(&self, ask: impl FnOnce(&mut dyn Store) -> T + Send) -> T {
        aside(self.server.at(&self.database), ask)
    }

    pub(crate) fn ask(&self, sql: &str) -> String {
        self.server.sql(&self.database, sql)
    }

    pub(crate) fn log(&self, at: usize) -> String {
        std::fs::read_to_string(self.members[at].log_file()).unwrap()
    }

    /// A verb with a member's configuration; its exit and what it said.
    pub(crate) fn regulator(&self, at: usize, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        command.args(arguments).arg("--config").arg(&self.members[at].config).stdin(Stdio::null());
        let out = command.output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        (out.status.code().unwrap(), said)
    }

    pub(crate) fn admit(&self, list: &str) {
        let path = self.members[0].folder.0.join("list");
        std::fs::write(&path, list).unwrap();
        let (exit, said) = self.regulator(0, &["gateway", "admit", path.to_str().unwrap()]);
        assert_eq!(exit, 0, "{said}");
    }

    pub(crate) async fn until_ails(&self, at: usize, codes: &[&str]) {
        until_ails(self.pages[at], codes).await;
    }

    pub(crate) async fn counts(&self, at: usize) -> BTreeMap<String, u64> {
        samples(&asked(self.pages[at], "/metrics").await.unwrap().1)
    }

    /// Until a member's metric has this value.
    pub(crate) async fn until(&self, at: usize, metric: &str, value: u64) {
        let clock = SystemClock::default();
        soon(&format!("{metric} {value} of member {}", at + 1), async {
            loop {
                let page = asked(self.pages[at], "/metrics").await.unwrap_or_default().1;
                if samples(&page).get(metric) == Some(&value) {
                    return;
                }
                clock.sleep_until(clock.now().uptime_ms + 50).await;
            }
        })
        .await;
    }

    /// Until everybody knows of everybody and takes so many parts.
    pub(crate) async fn until_divided(&self, parts: &[u64]) {
        for at in 0..parts.len() {
            self.until(at, "coldhearth_share_members_present", parts.len() as u64).await;
        }
        for (at, parts) in parts.iter().enumerate() {
            self.until(at, "coldhearth_share_parts", *parts).await;
        }
    }

    /// Until so many records are kept.
    pub(crate) async fn until_kept(&self, records: u64) {
        let clock = SystemClock::default();
        soon(&format!("{records} records"), async {
            while self.ask("select count(*) from coldhearth.record").parse::<u64>().unwrap() < records {
                clock.sleep_until(clock.now().uptime_ms + 50).await;
            }
        })
        .await;
    }
}
