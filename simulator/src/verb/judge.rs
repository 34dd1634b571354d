//! `coldhearth-sim judge`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use coldhearth::{
    host::{Exit, Failure, out},
    terms::{Decimal, MilliWatts},
};
use coldhearth_sim::trace::{self, Declared};

/// What auxiliaries may draw where nobody declared it, in per cent of the rating.
const DEFAULT_ALLOWANCE_PERCENT: i64 = 5;
/// Milliwatts in a kilowatt.
const KILOWATT: i128 = 1_000_000;
/// Largest rating and allowance, in kilowatts: a hundred gigawatts.
const MAX_KW: i128 = 100_000_000;

/// The command line of the verb.
#[derive(Args)]
#[command(after_help = "\
The first line is `time,power_w` or `time,power_w,reactive_var`. Time is RFC 3339 or plain seconds, both
rounded to the nanosecond. Each row is the mean
since the row before, so the first only says where the trace begins. Steps may differ; an empty power_w is a time in
which nothing was read. Negative power flows back.

With --json: spells [{start, end, energy_wh}], shares of time per state (they sum to 1), bound_wh (most energy that can
have passed unseen: the floor while read, the rating while not), parameters (what was declared and which thresholds
and delays were applied), trace (rows, holes, energies), signs (of tampering). Exit 0 whatever the trace shows; 65 when
a row is malformed, with its line.")]
pub(crate) struct Judge {
    /// The recorded feeder, CSV; `-` for standard input
    trace: PathBuf,
    /// Rated power of the equipment, as if it had been decommissioned before the trace began
    #[arg(long, value_name = "KW", value_parser = kilowatts)]
    rated_kw: MilliWatts,
    /// What its auxiliaries may draw; 5 % of the rating unless declared
    #[arg(long, value_name = "KW", value_parser = kilowatts)]
    aux_kw: Option<MilliWatts>,
    /// A spell ends when nobody draws for so many seconds; spells closer than that are one
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    off_delay_s: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Judges a trace and prints what came of it.
///
/// # Errors
/// The first mistake in the trace, or why it cannot be read.
pub(crate) fn run(orders: &Judge) -> Result<Exit, Failure> {
    if orders.rated_kw.0 == 0 {
        return Err(Failure::new(Exit::Usage, "--rated-kw 0 rates nothing; give what the plate says"));
    }
    let default = MilliWatts(orders.rated_kw.0 / 100 * DEFAULT_ALLOWANCE_PERCENT);
    let declared = Declared {
        rated: orders.rated_kw,
        allowance: orders.aux_kw.unwrap_or(default),
        off_delay_ms: u64::from(orders.off_delay_s) * 1_000,
    };
    let is_default = orders.aux_kw.is_none();
    let (name, source) = open(&orders.trace)?;
    let report =
        trace::judge(source, &declared).map_err(|why| Failure::new(Exit::Data, format!("{name}:{why}")))?;
    let text = if orders.json { format!("{:#}\n", report.json(is_default)) } else { report.text(is_default) };
    let mut out = out::out();
    // Whoever reads only the beginning has what he wants.
    let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(Exit::Done)
}

fn open(path: &Path) -> Result<(String, Box<dyn BufRead>), Failure> {
    if path.as_os_str() == "-" {
        return Ok(("standard input".to_owned(), Box::new(BufReader::new(io::stdin()))));
    }
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => Ok((name, Box::new(BufReader::with_capacity(1 << 16, file)))),
        Err(why) => {
            let exit = if why.kind() == ErrorKind::PermissionDenied { Exit::Permission } else { Exit::Data };
            Err(Failure::new(exit, format!("{name}: {why}")))
        }
    }
}

fn kilowatts(text: &str) -> Result<MilliWatts, String> {
    Decimal::parse(text)
        .and_then(|number| number.times(KILOWATT))
        .filter(|milliwatts| (0..=MAX_KW * KILOWATT).contains(milliwatts))
        .and_then(|milliwatts| i64::try_from(milliwatts).ok())
        .map(MilliWatts)
        .ok_or_else(|| format!("`{text}` is no power; write kilowatts as 12500 or 31.5"))
}
