//! Room on the disk kept for the moment it is full: what may be dropped can be dropped only by writing.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Size of the reserve, in bytes.
pub const RESERVE_BYTES: usize = 4 * 1024 * 1024;
/// File name of the reserve in the state directory.
pub const RESERVE_FILE: &str = "reserve";
/// A disk with less room than this is nearly full, in bytes.
pub const NEARLY_FULL_BYTES: u64 = 16 * 1024 * 1024;

/// Room left for this user on the disk of a folder, in bytes.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether the reserve of a state directory is all there.
pub fn is_whole(state: &Path) -> bool {
    fs::metadata(state.join(RESERVE_FILE)).is_ok_and(|metadata| metadata.len() == RESERVE_BYTES as u64)
}

/// A file of nothing that is given up when the disk is full.
#[derive(Debug)]
pub struct Reserve {
    state: PathBuf,
    is_out: Arc<AtomicBool>,
}

impl Reserve {
    /// The reserve of a state directory, to be set aside by [`Reserve::restore`].
    pub fn in_folder(state: &Path) -> Reserve {
        Reserve { state: state.to_owned(), is_out: Arc::default() }
    }

    /// Whether it is given up at the moment, for whoever looks on: the disk takes nothing.
    pub fn is_out(&self) -> Arc<AtomicBool> {
        self.is_out.clone()
    }

    /// Gives it up.
    pub fn release(&self) {
        self.is_out.store(true, Ordering::Relaxed);
        // Gone already is as good.
        let _gone = fs::remove_file(self.path());
    }

    /// The disk takes records. Sets the reserve aside, if there is room; tells whether it is whole. Written out, since a
    /// hole in a file reserves nothing.
    pub fn restore(&self) -> bool {
        self.is_out.store(false, Ordering::Relaxed);
        if is_whole(&self.state) {
            return true;
        }
        if free_bytes(&self.state).is_some_and(|free| free < RESERVE_BYTES as u64) {
            return false;
        }
        let path = self.path();
        let written = fs::File::create(&path).and_then(|mut file| {
            // Piece by piece: as one buffer it would be the most memory that the witness ever takes.
            io::copy(&mut io::repeat(0x5a).take(RESERVE_BYTES as u64), &mut file)?;
            file.sync_all()
        });
        if written.is_err() {
            // Too little room for a reserve is room enough for records.
            let _gone = fs::remove_file(&path);
        }
        written.is_ok()
    }

    fn path(&self) -> PathBuf {
        self.state.join(RESERVE_FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_shows_until_it_is_set_aside_again() {
        let state = std::env::temp_dir().join(format!("coldhearth-reserve-{}", std::process::id()));
        fs::create_dir_all(&state).unwrap();
        assert!(!is_whole(&state));
        let reserve = Reserve::in_folder(&state);
        let is_out = reserve.is_out();
        assert!(reserve.restore() && is_whole(&state) && free_bytes(&state).unwrap() > 0);
        reserve.release();
        assert!(!is_whole(&state) && is_out.load(Ordering::Relaxed));
        fs::write(state.join(RESERVE_FILE), b"half").unwrap();
        assert!(!is_whole(&state), "half of it is none");
        assert!(reserve.restore() && is_whole(&state) && !is_out.load(Ordering::Relaxed));
        fs::remove_dir_all(&state).unwrap();
    }
}
