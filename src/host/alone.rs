//! One program alone on a folder: two that sign from one would fork its log, or use one name at the broker.

use std::{fs::File, path::Path};

use super::exit::{Exit, Failure};

/// The name of the file that is locked, unless a program has its own.
pub const LOCK_FILE: &str = "lock";

/// Keeps others out of a folder, which is made where it is missing, for as long as the file lives: whoever else asks for the
/// same name in it is refused.
///
/// # Errors
/// `who` is there already, or the folder cannot be written.
pub fn alone(state: &Path, name: &str, who: &str) -> Result<File, Failure> {
    let failed = |e: &dyn std::fmt::Display| {
        let what = format!("{}: {e}; name a folder that this user may write", state.display());
        Failure::new(Exit::Permission, what)
    };
    std::fs::create_dir_all(state).map_err(|e| failed(&e))?;
    let lock = File::create(state.join(name)).map_err(|e| failed(&e))?;
    lock.try_lock().map_err(|_| {
        let what =
            format!("{}: another {who} is running on this state directory; stop it first", state.display());
        Failure::new(Exit::Permission, what)
    })?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_on_a_folder_is_refused_until_the_first_is_gone() {
        let folder = std::env::temp_dir().join(format!("coldhearth-alone-{}", std::process::id()));
        let first = alone(&folder, LOCK_FILE, "agent").unwrap();
        let refused = alone(&folder, LOCK_FILE, "agent").unwrap_err();
        assert!(refused.message.contains("another agent is running"), "{refused}");
        assert!(alone(&folder, "lock-2", "collector").is_ok(), "another place of its own");
        drop(first);
        assert!(alone(&folder, LOCK_FILE, "agent").is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
