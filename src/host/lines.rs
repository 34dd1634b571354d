//! A file of lines: how bundles are written.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use super::exit::{Exit, Failure};
use crate::terms::{Digest, digest::Hasher};

/// A file of lines, hashed as it is written.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Hasher,
    lines: u64,
    failed: Option<io::Error>,
}

impl Lines {
    /// Makes it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> Result<Lines, Failure> {
        let file = File::create(path)
            .map_err(|e| Failure::new(Exit::Permission, format!("{}: {e}", path.display())))?;
        let (path, hash) = (path.to_owned(), Hasher::default());
        Ok(Lines { path, file: BufWriter::new(file), hash, lines: 0, failed: None })
    }

    /// Writes a line; false once that failed.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        let written = self.file.write_all(bytes).and_then(|()| self.file.write_all(b"\n"));
        self.hash.update(bytes);
        self.hash.update(b"\n");
        self.lines += 1;
        self.failed = self.failed.take().or(written.err());
        self.failed.is_none()
    }

    /// Makes it durable. Tells how many lines it has, and the hash over all of it.
    ///
    /// # Errors
    /// A line could not be written.
    pub fn finish(mut self) -> Result<(u64, Digest), Failure> {
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        match self.failed.take().map_or(flushed, Err) {
            Ok(()) => Ok((self.lines, self.hash.digest())),
            Err(e) => Err(Failure::new(Exit::Permission, format!("{}: {e}", self.path.display()))),
        }
    }
}
