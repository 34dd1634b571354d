//! `coldhearth-sim serve`.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use coldhearth::{
    agent::endpoint::{Endpoint, SerialLine},
    host::{Exit, Failure},
    terms::words::Language,
};
use coldhearth_sim::{
    open::{self, Begin, FaultOrder, MAX_SPEED, OpenOrders},
    scenario::shipped,
};

/// The command line of the verb.
#[derive(Args)]
#[command(after_help = "\
Any Modbus master may read: functions 3 and 4, device identification (43, type 14), report of the unit (17). All units
answer at every address that is listened on. An agent that lives by this machine's clock wants --speed 1: to it, a
faster plant's registers run away from its powers.")]
pub(crate) struct Serve {
    /// A shipped scenario, or the path of one
    scenario: String,
    /// The same seed is the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Times life
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_SPEED))]
    speed: u64,
    /// Where in the time line: a plant time as `22:00` or `1d 03:00`, no later than the scenario ends, or `onset` for a
    /// minute before the cheat; by default where the scenario's gateway is switched on
    #[arg(long, value_name = "TIME", value_parser = begin)]
    from: Option<Begin>,
    /// Address and port of the first bus, Modbus TCP; each further bus has the next port. Port 0: free ones
    #[arg(long, value_name = "ADDR", required_unless_present = "serial")]
    listen: Option<SocketAddr>,
    /// A serial line, Modbus RTU: /dev/ttyUSB0, or /dev/ttyUSB0?baud=19200&parity=N&stop=2
    #[arg(long, value_name = "TTY", value_parser = serial)]
    serial: Option<SerialLine>,
    /// What happens to the answers of a unit: 3=silent, 3=late:1500@22:00..23:00, 3=busy@+90s..+2m. May be given
    /// several times
    #[arg(long = "fault", value_name = "UNIT=NAME[:ARG][@FROM..TO]", value_parser = FaultOrder::parse)]
    faults: Vec<FaultOrder>,
    /// Write the configuration of an agent that watches this plant, and its profiles into a folder `meters` beside it
    #[arg(long, value_name = "FILE", requires = "listen")]
    agent_config: Option<PathBuf>,
    /// Write that configuration over files that are there already
    #[arg(long, requires = "agent_config")]
    force: bool,
    /// Write the truth as `truth` does, JSON Lines, as it comes true: each change and each minute of plant time
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// End by itself after this time of the wall (60s, 2m); until Ctrl-C without
    #[arg(long = "for", value_name = "TIME", value_parser = milliseconds)]
    duration: Option<u64>,
}

/// Runs it.
///
/// # Errors
/// There is no such scenario, or it has mistakes; a configuration would be overwritten; an address, a line or a file cannot be used.
pub(crate) fn run(orders: Serve) -> Result<Exit, Failure> {
    let scenario = shipped::named(&orders.scenario)?;
    let wanted = orders.agent_config.as_ref().filter(|_| !orders.force);
    if let Some(there) = wanted.and_then(|path| open::overwritten(&scenario, path)) {
        let there = there.display();
        let told =
            format!("--agent-config: {there} is there already; name another file, or overwrite with --force");
        return Err(Failure::new(Exit::Usage, told));
    }
    open::open(&OpenOrders {
        scenario,
        seed: orders.seed,
        begin: orders.from.unwrap_or_default(),
        speed: orders.speed,
        listen: orders.listen,
        serial: orders.serial,
        faults: orders.faults,
        agent_config: orders.agent_config,
        truth: orders.truth,
        for_ms: orders.duration,
        language: Language::of_locale(&std::env::var("LANG").unwrap_or_default()),
    })
}

fn begin(text: &str) -> Result<Begin, String> {
    Begin::parse(text).ok_or_else(|| format!("`{text}` is no plant time; write 22:00, 1d 03:00 or onset"))
}

fn serial(text: &str) -> Result<SerialLine, String> {
    let text = if text.starts_with("rtu://") { text.to_owned() } else { format!("rtu://{text}") };
    match Endpoint::parse(&text) {
        Ok(Endpoint::Rtu(line)) => Ok(line),
        Ok(Endpoint::Tcp(_) | Endpoint::RtuTcp(_) | Endpoint::Tls(_)) => {
            Err("this is no serial line".to_owned())
        }
        Err(wrong) => Err(format!("{}; {}", wrong.wrong, wrong.right)),
    }
}

fn milliseconds(text: &str) -> Result<u64, String> {
    coldhearth::terms::time::milliseconds(text)
        .ok_or_else(|| format!("`{text}` is no duration; write 60s or 2m"))
}
