//! Man pages and completions, written from the command line itself: by a test of each program, so that none that is
//! shipped carries what writes them. `COLDHEARTH_MANUAL=FOLDER` keeps them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Command, CommandFactory};
use clap_complete::Shell;

/// Writes `man/NAME.1`, a page for each verb beside it, and `completions/`.
fn write(command: &Command, into: &Path) {
    let (pages, completions) = (into.join("man"), into.join("completions"));
    fs::create_dir_all(&pages).unwrap();
    fs::create_dir_all(&completions).unwrap();
    clap_mangen::generate_to(command.clone(), &pages).unwrap();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command.clone(), command.get_name(), &completions).unwrap();
    }
}

#[test]
fn every_verb_has_its_page_and_every_shell_its_completions() {
    let command = super::Arguments::command();
    let name = command.get_name().to_owned();
    let kept = std::env::var_os("COLDHEARTH_MANUAL").map(PathBuf::from);
    let folder = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("{name}-manual-{}", std::process::id())));
    write(&command, &folder);
    let read =
        |file: String| fs::read_to_string(folder.join(&file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    assert!(read(format!("man/{name}.1")).contains(".SH SYNOPSIS"));
    for verb in command.get_subcommands() {
        let page = read(format!("man/{name}-{}.1", verb.get_name()));
        assert!(page.contains(".SH NAME"), "{page}");
        for shell in [format!("{name}.bash"), format!("_{name}"), format!("{name}.fish")] {
            assert!(read(format!("completions/{shell}")).contains(verb.get_name()), "{shell} {verb}");
        }
    }
    if kept.is_none() {
        fs::remove_dir_all(&folder).unwrap();
    }
}
