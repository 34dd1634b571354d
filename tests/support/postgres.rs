//! Debian's PostgreSQL in a folder of its own, as a user of no rank, ended by its id.

use std::{
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use coldhearth::regulator::store::postgres::{Endpoint, PostgresAt};

use super::{Folder, Process, free_port};

/// Where Debian keeps the server's programs, a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The user inside the database, and its password.
pub const USER: &str = "coldhearth";
pub const PASSWORD: &str = "not-in-any-log-4711";
/// How often a starting server is asked whether it is ready; each time takes some milliseconds.
const MOST_ASKED: u32 = 20_000;

static RUNNING: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A server.
pub struct Postgres {
    folder: Folder,
    pub port: u16,
    process: Mutex<Option<Process>>,
}

impl Postgres {
    /// The server that the tests of this program share, as long as one of them needs it.
    pub fn shared() -> Arc<Postgres> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Postgres::start(""));
            *running = Arc::downgrade(&server);
            server
        })
    }

    /// A server with more in its configuration; files named there are looked for in [`Postgres::folder`].
    pub fn start(more: &str) -> Postgres {
        Postgres::start_with(more, |_| {})
    }

    /// A server in whose folder more files are put first.
    pub fn start_with(more: &str, prepare: impl FnOnce(&Path)) -> Postgres {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = Folder::new(&format!("pg{number}"));
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&folder.0, open).unwrap();
        let password = folder.0.join("password");
        std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
        let server = Postgres { folder, port: free_port(), process: Mutex::new(None) };
        let data = server.folder.0.join("data");
        let arguments =
            ["-U", USER, "--auth=scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--pwfile"];
        let mut initdb = server.unprivileged("initdb");
        initdb.args(arguments).arg(&password).arg("-D").arg(&data);
        let made = initdb.stdout(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
        prepare(&data);
        let folder = server.folder.0.display();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{folder}'\nshared_buffers = '32MB'\n{more}\n",
            server.port
        );
        let path = data.join("postgresql.conf");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + &settings).unwrap();
        server.go();
        server
    }

    pub fn folder(&self) -> &Path {
        &self.folder.0
    }

    pub fn password_file(&self) -> PathBuf {
        self.folder.0.join("password")
    }

    /// A program of the server; root is not let in there, and needs not be.
    fn unprivileged(&self, program: &str) -> Command {
        let program = self::program(program);
        let mut command = Command::new("setpriv");
        // Whatever becomes of the test, the server ends with it.
        command.args(["--pdeathsig", "QUIT"]);
        if is_root() {
            command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]);
        }
        command.arg(program).current_dir(&self.folder.0).env("LANG", "C");
        command
    }

    /// Starts it, for the first time or again, and waits until it answers.
    pub fn go(&self) {
        let mut command = self.unprivileged("postgres");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.0.join("postgres.log"))
            .unwrap();
        command
            .arg("-D")
            .arg(self.folder.0.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        // A thread that stays: the server ends with the thread it was started from.
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            tell.send(command.spawn()).unwrap();
            loop {
                std::thread::park();
            }
        });
        *self.process() = Some(Process(told.recv().unwrap().unwrap()));
        let asked = || {
            let mut command = Command::new(program("pg_isready"));
            command.arg("-q").arg("-h").arg(&self.folder.0).args(["-p", &self.port.to_string()]);
            command.status().unwrap().success()
        };
        let ready = (0..MOST_ASKED).any(|_| asked());
        assert!(ready, "{}", std::fs::read_to_string(self.folder.0.join("postgres.log")).unwrap());
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it in the middle of whatever it does.
    pub fn crash(&self) {
        if let Some(mut process) = self.process().take() {
            let id = process.0.id().to_string();
            assert!(Command::new("kill").args(["-QUIT", &id]).status().unwrap().success());
            process.0.wait().unwrap();
        }
    }

    /// A new, empty database.
    pub fn database(&self, name: &str) -> String {
        let name = format!("{name}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create database \"{name}\""));
        name
    }

    /// How to enter a database over the socket.
    pub fn at(&self, database: &str) -> PostgresAt {
        PostgresAt {
            endpoint: Endpoint::Socket(self.folder.0.clone()),
            port: self.port,
            database: database.to_owned(),
            user: USER.to_owned(),
            password_file: Some(self.password_file()),
            tls: None,
        }
    }

    /// What another client sees.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let out = self.client(database, sql).output().unwrap();
        assert!(out.status.success(), "{sql}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// Another client that is to say this.
    pub fn client(&self, database: &str, sql: &str) -> Command {
        let mut command = Command::new(program("psql"));
        command.args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            USER,
            "-d",
            database,
            "-c",
            sql,
        ]);
        command
            .arg("-h")
            .arg(&self.folder.0)
            .args(["-p", &self.port.to_string()])
            .env("PGPASSWORD", PASSWORD);
        command
    }
}

/// A program of the newest version that is installed.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists());
    programs.max().expect("PostgreSQL is not installed; tests/run installs it")
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.crash();
    }
}

fn is_root() -> bool {
    let out = Command::new("id").arg("-u").output().unwrap();
    out.stdout.trim_ascii() == b"0"
}

/// Gives a file to the user the server runs as, who alone may read it.
pub fn hand_over(file: &Path) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    give(file);
}

/// Makes a file or folder that of the user the server runs as.
pub fn give(file: &Path) {
    if is_root() {
        let id = |flag: &str| {
            let out = Command::new("id").args([flag, "nobody"]).output().unwrap();
            String::from_utf8(out.stdout).unwrap().trim().parse().unwrap()
        };
        chown(file, Some(id("-u")), Some(id("-g"))).unwrap();
    }
}
