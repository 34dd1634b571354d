//! `user add|list|remove|password`: who may come into the console, as what, and where.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, IsTerminal as _, Write as _},
};

use clap::Subcommand;
use coldhearth::{
    host::{Clock as _, Exit, Failure, SystemClock},
    regulator::{
        console::password,
        store::{
            Store,
            people::{Person, Role},
            sights::Scope,
        },
    },
    terms::{
        Name,
        place::{self, Division},
        time::LegalTime,
    },
};

use crate::{say, serve::Home};

/// Divisions that are named where none is right.
const MOST_NAMED: usize = 8;

#[derive(Subcommand)]
pub(crate) enum User {
    /// Let somebody in; the password is the first line of standard input
    Add {
        /// The name to come in by: 1 to 24 of a-z 0-9 _ -
        #[arg(value_parser = name)]
        name: Name,
        /// reader: looks; officer: acknowledges and shelves alarms, too; overseer: reads who saw what, too
        #[arg(long, default_value = "reader", value_parser = role)]
        role: Role,
        /// The division this person sees, with all below it: 13, 1304 or 130421; the nation where none is given
        #[arg(long, default_value = "", value_parser = scope, hide_default_value = true)]
        division: Scope,
        #[command(flatten)]
        home: Home,
    },
    /// List everybody who may come in
    List {
        #[command(flatten)]
        home: Home,
    },
    /// Let somebody in no longer; whoever is in is out at once
    Remove {
        #[arg(value_parser = name)]
        name: Name,
        #[command(flatten)]
        home: Home,
    },
    /// Change a password: the first line of standard input; whoever is in comes in anew
    Password {
        #[arg(value_parser = name)]
        name: Name,
        #[command(flatten)]
        home: Home,
    },
}

/// Exit 1 when there is somebody of that name, or nobody.
pub(crate) fn user(verb: User) -> Result<Exit, Failure> {
    let now = SystemClock::default().now().wall_unix_ms;
    let nobody = |name: Name| Failure::new(Exit::Negative, format!("{name}: there is nobody of that name"));
    match verb {
        User::Add { name, role, division: scope, home } => {
            let password = password::hashed(&typed()?)?;
            let person = Person { name, role, scope, password, changed_unix_ms: now };
            let mut store = home.store()?;
            if !store.add_person(&person)? {
                let why = format!("{name}: there is somebody of that name; remove that one first");
                return Err(Failure::new(Exit::Negative, why));
            }
            say(&format!("{name}: may come in as {}, {}", role.word(), told(&person.scope)));
            if let Some(warning) = nothing_there(&mut *store, &person.scope)? {
                say(&format!("warning: {warning}"));
            }
        }
        User::List { home } => {
            for Person { name, role, scope, changed_unix_ms, .. } in home.store_that_is_there()?.people()? {
                let since = LegalTime(changed_unix_ms);
                say(&format!("{name}  {}  {}  changed {since}", role.word(), told(&scope)));
            }
        }
        User::Remove { name, home } => {
            if !home.store_that_is_there()?.remove_person(name)? {
                return Err(nobody(name));
            }
            say(&format!("{name}: may come in no longer"));
        }
        User::Password { name, home } => {
            let password = password::hashed(&typed()?)?;
            if !home.store_that_is_there()?.change_password(name, &password, now)? {
                return Err(nobody(name));
            }
            say(&format!("{name}: has another password now"));
        }
    }
    Ok(Exit::Done)
}

fn told(scope: &Scope) -> String {
    if scope.as_str().is_empty() { "the nation".to_owned() } else { format!("division {scope}") }
}

/// Says that nothing lies in a division as far as is known, though something does elsewhere: a digit may be wrong, and whoever
/// sees an empty desk sees no difference.
fn nothing_there(store: &mut dyn Store, scope: &Scope) -> Result<Option<String>, Failure> {
    let known: BTreeSet<Division> = store.heads(None)?.into_iter().map(|kept| kept.division).collect();
    if known.is_empty() || known.iter().any(|division| scope.has(*division)) {
        return Ok(None);
    }
    let shared = |division: &Division| {
        let (there, here) = (division.to_string(), scope.as_str());
        there.bytes().zip(here.bytes()).take_while(|(there, here)| there == here).count()
    };
    let most = known.iter().map(shared).max().unwrap_or(0);
    let near = known.iter().filter(|division| shared(division) == most).take(MOST_NAMED);
    let near: Vec<String> = near.map(Division::to_string).collect();
    Ok(Some(format!("no plant is known yet in division {scope}; the nearest are in {}", near.join(", "))))
}

/// The first line of standard input. A command line is read by everybody on the machine.
fn typed() -> Result<String, Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let least = password::LEAST_CHARS;
        let _gone =
            writeln!(std::io::stderr(), "password, {least} characters or more (it is shown as you type):");
    }
    let mut line = String::new();
    let read = input.lock().read_line(&mut line);
    read.map_err(|e| Failure::new(Exit::Data, format!("standard input: {e}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn name(text: &str) -> Result<Name, String> {
    Name::new(text).ok_or_else(|| "1 to 24 of a-z 0-9 _ - are expected".to_owned())
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_word(text).ok_or_else(|| {
        let words: Vec<&str> = Role::ALL.into_iter().map(Role::word).collect();
        format!("one of {} is expected", words.join(", "))
    })
}

fn scope(text: &str) -> Result<Scope, String> {
    let meant = place::provinces_meant(text);
    match Scope::parse(text) {
        Some(scope) if meant.is_empty() => Ok(scope),
        Some(_) => Err(place::no_such_province(&meant)),
        None => Err("2, 4 or 6 digits of a division code are expected".to_owned()),
    }
}
