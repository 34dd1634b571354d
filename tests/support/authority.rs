//! The authority: `coldhearth-regulator serve` with its folder, its configuration and its log, and who publishes to it.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use coldhearth::{
    evidence::{Kind, PublicKey, Receipt, Signed},
    host::{
        Clock as _, SystemClock,
        courier::{self, Broker, Courier, Event, Send},
        public_key,
    },
    regulator::store::{PostgresStore, Store, postgres::PostgresAt},
};

use super::{
    Folder, Process, Subscriber,
    postgres::{Postgres, USER},
    soon,
    voice::TOPIC,
};

/// The authority's folder, with its configuration.
pub struct Authority {
    pub folder: Folder,
    pub config: PathBuf,
}

impl Authority {
    pub fn new(name: &str, port: u16, more: &str) -> Authority {
        let folder = Folder::new(name);
        let config = folder.0.join("regulator.toml");
        let text = format!(
            "[authority]\nstate_dir = \"state\"\n\n[broker]\nhost = \"127.0.0.1\"\nport = {port}\nclient_id = \"{name}\"\n\n{more}"
        );
        std::fs::write(&config, text).unwrap();
        std::fs::create_dir_all(folder.0.join("state")).unwrap();
        Authority { folder, config }
    }

    pub fn serve(&self) -> Process {
        self.serve_by(Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator")))
    }

    /// Serves in files that may grow to so many KiB and no further.
    pub fn serve_within(&self, kib: u32) -> Process {
        let mut command = Command::new("bash");
        // Whoever goes beyond the limit is told so, instead of being ended.
        let limited = format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$0\" \"$@\"");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_coldhearth-regulator")]);
        self.serve_by(command)
    }

    fn serve_by(&self, mut command: Command) -> Process {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        command.args(["serve", "--config"]).arg(&self.config);
        Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    pub fn log_file(&self) -> PathBuf {
        self.folder.0.join("serve.log")
    }

    /// Waits until the collector has logged this.
    pub async fn said(&self, what: &str) {
        soon(what, async {
            let clock = SystemClock::default();
            while !std::fs::read_to_string(self.log_file()).unwrap_or_default().contains(what) {
                clock.sleep_until(clock.now().uptime_ms + 20).await;
            }
        })
        .await;
    }

    pub fn key(&self) -> PublicKey {
        public_key::load(&self.folder.0.join("state/authority.key.pub")).unwrap()
    }
}

/// Somebody who publishes each record once.
pub struct Publisher(Courier);

impl Publisher {
    pub async fn start(port: u16) -> Publisher {
        let (mut courier, ends) = courier::pair();
        let broker = Broker { filters: Vec::new(), ..Subscriber::broker(port) };
        tokio::spawn(async move { courier::run(&SystemClock::default(), broker, ends).await });
        soon("the broker", async {
            while !matches!(courier.events.recv().await, Some(Event::Connected { .. })) {}
        })
        .await;
        Publisher(courier)
    }

    /// Publishes, and waits until the broker has all of it.
    pub async fn publish(&mut self, lines: &[Vec<u8>]) {
        for line in lines {
            self.publish_at(TOPIC, line.clone()).await;
        }
    }

    /// Publishes one message on a topic, and waits until the broker has it.
    pub async fn publish_at(&mut self, topic: &str, payload: Vec<u8>) {
        let topic = topic.to_owned();
        self.0.send.send(Send::Publish { tag: 0, topic, payload, retain: false }).await.unwrap();
        let accepted = soon("a PUBACK", self.0.events.recv()).await;
        assert!(matches!(accepted, Some(Event::Accepted { .. })), "{accepted:?}");
    }
}

/// Waits until a receipt covers a place and misses nothing.
pub async fn receipted(subscriber: &mut Subscriber, authority: &PublicKey, seq: u64) {
    loop {
        if let (Kind::Receipt, bytes) = subscriber.next().await {
            let receipt = Receipt::open(&Signed::read(&bytes).unwrap(), authority).unwrap();
            if receipt.upto.seq >= seq && receipt.missing.is_empty() {
                return;
            }
        }
    }
}

/// Asks a store on a thread of its own: it waits with a runtime of its own.
pub fn aside<T: std::marker::Send>(
    at: PostgresAt,
    ask: impl FnOnce(&mut dyn Store) -> T + std::marker::Send,
) -> T {
    std::thread::scope(|scope| scope.spawn(|| ask(&mut PostgresStore::open(at).unwrap())).join().unwrap())
}

/// The section that names this database.
pub fn postgres_section(server: &Postgres, database: &str) -> String {
    format!(
        "[store]\nkind = \"postgres\"\nsocket = \"{}\"\nport = {}\ndatabase = \"{database}\"\nuser = \"{USER}\"\npassword_file = \"{}\"\n",
        server.folder().display(),
        server.port,
        server.password_file().display()
    )
}
