//! Debian's nats-server, which knows MQTT 3.1.1 alone and delivers nothing on a shared filter that it grants.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use coldhearth::host::{Clock as _, SystemClock};

use super::{Process, free_port, soon};

/// A server.
pub struct Nats {
    pub port: u16,
    _process: Process,
}

impl Nats {
    /// `None`, said loudly, where it is not installed; tests/run installs it, and where that is the rule it must be there.
    pub async fn start(folder: &Path) -> Option<Nats> {
        let programs = ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"];
        let Some(program) = programs.into_iter().find(|path| Path::new(path).exists()) else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "nats-server is not installed");
            eprintln!(
                "NOT TESTED against nats-server: it is not installed (Debian: apt-get install nats-server)"
            );
            return None;
        };
        let (port, own) = (free_port(), free_port());
        let config = folder.join("nats.conf");
        let text = format!(
            "server_name: test\nlisten: \"127.0.0.1:{own}\"\njetstream {{ store_dir: \"{}\" }}\n\
             mqtt {{ host: \"127.0.0.1\", port: {port}, consumer_memory_storage: true }}\n",
            folder.join("jetstream").display()
        );
        std::fs::write(&config, text).unwrap();
        let log = std::fs::File::create(folder.join("nats.log")).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(log);
        let process = Process(command.spawn().unwrap());
        soon("nats-server's listener", async {
            let clock = SystemClock::default();
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                clock.sleep_until(clock.now().uptime_ms + 20).await;
            }
        })
        .await;
        Some(Nats { port, _process: process })
    }
}
