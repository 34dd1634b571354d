//! A desk to look at: a store with two counties in it, three people, and the console over them.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use coldhearth::{
    evidence::{Ed25519, KeyId, LogId, PublicKey, Sealer, Signer as _, record::Unverified},
    host::{Clock, SystemClock, clock::Wait},
    judge::Rung,
    regulator::{
        alarms::{Hush, Kind, Life, Office, Priority, State, signals::signals},
        collector::Collector,
        config::ConsoleAt,
        console::{
            self, Books, Console, Joined,
            asks::{AlarmRow, AlarmTold, Alarms, AlarmsAsked, AlarmsPage, Decision, Deed, Load},
            password,
        },
        sight::{self, Said, Sight, VerdictSaid},
        store::{
            AlarmCount, Answered, Batch, Kept, KeptRecord, PostgresStore, SqliteStore, Store,
            people::{Person, Role},
            postgres::PostgresAt,
            sights::Scope,
        },
    },
    terms::{
        AssetId, Digest, GatewayId, LegalDay, Name, OrderId, Stamp, WattHours,
        place::{CreditCode, Division},
        words::{self, Words},
    },
};

use crate::support::{Folder, authority::aside, free_port};

/// When everything is asked, unless a test lets time pass.
pub(crate) const NOW: i64 = 1_795_000_300_000;
pub(crate) const PASSWORD: &str = "twelve or more";
pub(crate) const ENTERPRISE: &str = "91350100M000100Y43";

/// The machine's clock at a time of our choosing.
#[derive(Default)]
pub(crate) struct DeskClock {
    life: SystemClock,
    pub(crate) wall_unix_ms: AtomicI64,
}

impl Clock for DeskClock {
    fn now(&self) -> Stamp {
        Stamp { wall_unix_ms: self.wall_unix_ms.load(Ordering::Relaxed), ..self.life.now() }
    }

    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        self.life.sleep_until(uptime_ms)
    }

    fn set_boot(&self, boot: u32) {
        self.life.set_boot(boot);
    }
}

/// Alarms that are kept in memory.
#[derive(Default)]
pub(crate) struct SomeAlarms {
    pub(crate) all: Mutex<Vec<(Division, AlarmRow)>>,
    pub(crate) decided: Mutex<Vec<Decision>>,
}

impl Alarms for SomeAlarms {
    fn page(&self, _books: &mut Books, asked: &AlarmsAsked) -> Answered<AlarmsPage> {
        let all = self.all.lock().unwrap();
        let is_asked = |(division, row): &&(Division, AlarmRow)| {
            asked.scope.has(*division) && asked.asset.is_none_or(|asset| row.asset == Some(asset))
        };
        let rows = all.iter().filter(is_asked).map(|(_, row)| row.clone()).collect();
        Ok(AlarmsPage { rows, ..AlarmsPage::default() })
    }

    fn one(&self, _books: &mut Books, scope: &Scope, id: &str, _before: u64) -> Answered<Option<AlarmTold>> {
        let all = self.all.lock().unwrap();
        let found = all.iter().find(|(division, row)| row.id == id && scope.has(*division));
        Ok(found.map(|(_, row)| AlarmTold {
            row: row.clone(),
            is_over: false,
            is_left: false,
            record: None,
            finding: None,
            steps: Vec::new(),
            older: None,
        }))
    }

    fn counts(&self, _books: &mut Books, scope: &Scope) -> Answered<Vec<AlarmCount>> {
        let all = self.all.lock().unwrap();
        let count = all.iter().filter(|(division, _)| scope.has(*division)).count() as u64;
        let state = State { life: Life::UnackActive, hush: Hush::Open };
        Ok(vec![AlarmCount { kind: Kind::Violation, priority: Priority::High, state, count }])
    }

    fn load(&self, _books: &mut Books, scope: &Scope, _now: i64) -> Answered<Load> {
        let all = self.all.lock().unwrap();
        let open = all.iter().filter(|(division, _)| scope.has(*division)).count() as u64;
        Ok(Load { open, raised_day: open, most_in_ten_minutes: 11, ..Load::default() })
    }

    fn decide(
        &self,
        _books: &mut Books,
        scope: &Scope,
        decision: &Decision,
        _now: i64,
    ) -> Answered<Result<(), Words>> {
        let all = self.all.lock().unwrap();
        if !all.iter().any(|(division, row)| row.id == decision.id && scope.has(*division)) {
            return Ok(Err(words::K_NOT_HERE));
        }
        self.decided.lock().unwrap().push(decision.clone());
        Ok(Ok(()))
    }
}

/// An open console.
pub(crate) struct Desk {
    pub(crate) port: u16,
    pub(crate) folder: Folder,
    pub(crate) clock: Arc<DeskClock>,
    pub(crate) alarms: Arc<SomeAlarms>,
}

impl Desk {
    /// With two counties and three people.
    pub(crate) fn open(name: &str) -> Desk {
        Desk::open_with(name, |store| {
            people(store);
            ours(store);
            theirs(store);
        })
    }

    pub(crate) fn open_with(name: &str, fill: impl FnOnce(&mut dyn Store)) -> Desk {
        let folder = Folder::new(&format!("console-{name}"));
        fill(&mut SqliteStore::open(&folder.0).unwrap());
        Desk::over(folder, |alarms| Joined { alarms: Some(alarms.clone()), reports: None })
    }

    /// With the collector's own alarms and reports, once its desk has had a round.
    pub(crate) fn own(name: &str) -> Desk {
        let folder = Folder::new(&format!("console-{name}"));
        let mut store = SqliteStore::open(&folder.0).unwrap();
        people(&mut store);
        ours(&mut store);
        theirs(&mut store);
        let mut office = Office::of(Vec::new(), None).unwrap();
        office.round(&mut store, (&mut Sealer::default(), &signer()), true, NOW).unwrap();
        Desk::over(folder, |_| Joined::own())
    }

    /// With the collector's own alarms and reports, over what is filled in.
    pub(crate) fn own_with(name: &str, fill: impl FnOnce(&mut dyn Store)) -> Desk {
        let folder = Folder::new(&format!("console-{name}"));
        fill(&mut SqliteStore::open(&folder.0).unwrap());
        Desk::over(folder, |_| Joined::own())
    }

    /// The same, over what a collector took after these were admitted.
    pub(crate) fn own_collecting(
        name: &str,
        admit: impl FnOnce(&mut dyn Store),
        take: impl FnOnce(&mut dyn Store, Collector),
    ) -> Desk {
        let folder = Folder::new(&format!("console-{name}"));
        let open = || SqliteStore::open(&folder.0).unwrap();
        admit(&mut open());
        take(&mut open(), Collector::open(Box::new(open()), Box::new(signer())).unwrap());
        Desk::over(folder, |_| Joined::own())
    }

    /// The same over a database of a server.
    pub(crate) fn own_over(at: &PostgresAt, fill: impl FnOnce(&mut dyn Store) + Send) -> Desk {
        aside(at.clone(), fill);
        let listen = ConsoleAt::plain(([127, 0, 0, 1], free_port()).into());
        // It waits with a runtime of its own, and is opened where there is none.
        let open = || -> Box<dyn Store> {
            let at = at.clone();
            std::thread::spawn(move || Box::new(PostgresStore::open(at).unwrap())).join().unwrap()
        };
        Desk::open_at(Folder::new("console-over"), listen, open, |_| Joined::own())
    }

    /// At an address of its own.
    pub(crate) fn at(name: &str, at: &ConsoleAt, fill: impl FnOnce(&mut dyn Store)) -> Desk {
        let folder = Folder::new(&format!("console-{name}"));
        fill(&mut SqliteStore::open(&folder.0).unwrap());
        Desk::over_at(folder, at.clone(), |alarms| Joined { alarms: Some(alarms.clone()), reports: None })
    }

    fn over(folder: Folder, joined: impl FnOnce(&Arc<SomeAlarms>) -> Joined) -> Desk {
        Desk::over_at(folder, ConsoleAt::plain(([127, 0, 0, 1], free_port()).into()), joined)
    }

    fn over_at(folder: Folder, at: ConsoleAt, joined: impl FnOnce(&Arc<SomeAlarms>) -> Joined) -> Desk {
        let path = folder.0.clone();
        Desk::open_at(folder, at, || Box::new(SqliteStore::open(&path).unwrap()), joined)
    }

    fn open_at(
        folder: Folder,
        at: ConsoleAt,
        open: impl Fn() -> Box<dyn Store>,
        joined: impl FnOnce(&Arc<SomeAlarms>) -> Joined,
    ) -> Desk {
        let books = (0..console::READERS)
            .map(|_| Books {
                store: open(),
                signer: Box::new(signer()),
                trusted: vec![signer().public_key()],
            })
            .collect();
        let clock = Arc::new(DeskClock::default());
        clock.wall_unix_ms.store(NOW, Ordering::Relaxed);
        let alarms = Arc::new(SomeAlarms::default());
        let joined = joined(&alarms);
        let port = at.listen.port();
        let open = Console::open(clock.clone(), books, joined, &at).unwrap();
        tokio::spawn(async move { console::show(console::listen(&at).await.unwrap(), open).await });
        Desk { port, folder, clock, alarms }
    }

    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.folder.0).unwrap()
    }
}

/// The authority's hand.
pub(crate) fn signer() -> Ed25519 {
    Ed25519::from_seed(&[9; 32])
}

/// li of county 130421, wang of the nation, zhao who only reads and sees the other county alone.
pub(crate) fn people(store: &mut dyn Store) {
    let password = password::hashed(PASSWORD).unwrap();
    for (name, role, scope) in
        [("li", Role::Officer, "130421"), ("wang", Role::Overseer, ""), ("zhao", Role::Reader, "130422")]
    {
        let person = Person {
            name: Name::new(name).unwrap(),
            role,
            scope: Scope::parse(scope).unwrap(),
            password: password.clone(),
            changed_unix_ms: 1,
        };
        assert!(store.add_person(&person).unwrap());
    }
}

/// The records of the goldens' gateway, gw-03 in county 130421.
pub(crate) fn goldens() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/coldhearth-1");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_by_key(|path| {
        path.file_name().unwrap().to_str().unwrap().split('-').next().unwrap().parse::<u32>().unwrap()
    });
    files.iter().map(|path| std::fs::read(path).unwrap().trim_ascii_end().to_vec()).collect()
}

/// The last place that is kept of the goldens' log: what comes after it tells of the same furnace at rest.
const LAST: u64 = 14;
/// The goldens' gateway's first key.
const KEY: &str = "6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";

/// What the store has of a log once these have come.
pub(crate) fn keep(store: &mut dyn Store, lines: &[Vec<u8>], division: &str, received_unix_ms: i64) {
    let mut batch = Batch::default();
    for line in lines {
        let Ok(record) = Unverified::read(line).and_then(Unverified::own) else { continue };
        let (gateway, log, seq) = (record.header.gateway, record.header.log, record.header.seq);
        let is_ours = log == LogId::from_hex("3f1c9a70e2b84d15").unwrap() && seq <= LAST;
        if !is_ours || batch.records.contains_key(&(gateway, log, seq)) {
            continue;
        }
        batch.sights.extend(sight::of(&record, received_unix_ms));
        batch.conditions.extend(signals(&record, received_unix_ms));
        batch.records.insert((gateway, log, seq), KeptRecord::of(&record, line, received_unix_ms));
    }
    let ((gateway, log, seq), last) = batch.records.last_key_value().unwrap();
    batch.heads = vec![head(*gateway, *log, division, (*seq, last.hash), received_unix_ms)];
    let logs = BTreeSet::from([(*gateway, *log)]);
    batch.turns = store.begin(&logs).unwrap();
    store.commit(&batch).unwrap();
}

pub(crate) fn head(
    gateway: GatewayId,
    log: LogId,
    division: &str,
    (seq, head): (u64, Digest),
    received_unix_ms: i64,
) -> Kept {
    Kept {
        gateway,
        log,
        division: Division::parse(division).unwrap(),
        enterprise: CreditCode::parse(ENTERPRISE).unwrap(),
        seq,
        head,
        received_unix_ms,
        next_epoch: 0,
        root: KeyId::from_hex("fe812c12f3ab4ce6").unwrap(),
    }
}

/// gw-03 / eaf-2, which draws and is latched.
pub(crate) fn ours(store: &mut dyn Store) {
    let key = PublicKey::from_base64(KEY).unwrap();
    store.admit(GatewayId::new("gw-03").unwrap(), &key, NOW).unwrap();
    keep(store, &goldens(), "130421", NOW - 1_000);
}

/// gw-99 / secret-kiln in the next county, without records: its sights alone.
pub(crate) fn theirs(store: &mut dyn Store) {
    let gateway = GatewayId::new("gw-99").unwrap();
    let log = LogId(99);
    let mut batch = Batch { sights: sights_of(gateway, log, "secret-kiln", "dead"), ..Batch::default() };
    batch.heads = vec![head(gateway, log, "130422", (7, Digest::of(b"7")), NOW - 1_000)];
    batch.turns = store.begin(&BTreeSet::from([(gateway, log)])).unwrap();
    store.commit(&batch).unwrap();
}

/// A verdict and a step of an order.
pub(crate) fn sights_of(gateway: GatewayId, log: LogId, asset: &str, state: &'static str) -> Vec<Sight> {
    let said = VerdictSaid {
        left: None,
        state,
        since_unix_ms: NOW - 3_600_000,
        violation_since_unix_ms: None,
        class: None,
        phase: None,
        last_day: LegalDay::parse("2011-12-31"),
        entry: None,
        overdue: WattHours(0),
    };
    let sight = |seq, said| Sight {
        gateway,
        log,
        seq,
        asset: AssetId::new(asset).unwrap(),
        wall_unix_ms: NOW - 1_000,
        received_unix_ms: NOW - 1_000,
        said,
    };
    let order = Said::Order { order: OrderId::new("order-9").unwrap(), rung: Rung::Verified };
    vec![sight(6, Said::Verdict(said)), sight(7, order)]
}

/// An alarm about a piece of equipment.
pub(crate) fn alarm(id: &str, gateway: &str, asset: &str) -> AlarmRow {
    AlarmRow {
        id: id.to_owned(),
        kind: words::VIOLATION,
        cause: words::VIOLATION,
        priority: words::K_SHOW,
        state: words::K_OPEN_ALARMS,
        is_open: true,
        about: format!("{gateway} / {asset}"),
        asset: GatewayId::new(gateway).zip(AssetId::new(asset)),
        level: words::K_DIVISION,
        raised_unix_ms: NOW - 60_000,
        changed_unix_ms: NOW - 60_000,
        until_unix_ms: None,
        hand: None,
        stands_for: 1,
        may: vec![Deed::Acknowledge, Deed::Shelve],
    }
}
