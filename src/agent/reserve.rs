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

/// A file of nothing that is given up when the disk is full.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    is_out: Arc<AtomicBool>,
}

impl Reserve {
    /// The reserve of a state directory, to be set aside by [`Reserve::restore`].
    pub fn in_folder(state: &Path) -> Reserve {
        Reserve { path: state.join(RESERVE_FILE), is_out: Arc::default() }
    }

    /// Whether it is given up at the moment, for whoever looks on: the disk takes nothing.
    pub fn is_out(&self) -> Arc<AtomicBool> {
        self.is_out.clone()
    }

    /// Gives it up.
    pub fn release(&self) {
        self.is_out.store(true, Ordering::Relaxed);
        // Gone already is as good.
        let _gone = fs::remove_file(&self.path);
    }

    /// Sets it aside, if there is room. Written out, since a hole in a file reserves nothing.
    pub fn restore(&self) {
        self.is_out.store(false, Ordering::Relaxed);
        if fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() == RESERVE_BYTES as u64) {
            return;
        }
        let written = fs::File::create(&self.path).and_then(|mut file| {
            // Piece by piece: as one buffer it would be the most memory that the witness ever takes.
            io::copy(&mut io::repeat(0x5a).take(RESERVE_BYTES as u64), &mut file)?;
            file.sync_all()
        });
        if written.is_err() {
            // Too little room for a reserve is room enough for records.
            let _gone = fs::remove_file(&self.path);
        }
    }
}
