//! PURE file: what a running program should not keep to its log: it goes on, but somebody has to do something before its next
//! start, or before it can go on no longer. It stands until that is done.

use crate::terms::words::{self, Words};

/// What somebody has to do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worry {
    /// A reload was refused: what is written is not what is in force, and the next start will fail.
    FileRefused,
    /// The emergency reserve of the disk is spent: the next full disk stops the watch at once.
    ReserveSpent,
    /// Little room is left on the disk.
    DiskNearlyFull,
}

impl Worry {
    /// All of them, the weightiest first.
    pub const ALL: [Worry; 3] = [Worry::ReserveSpent, Worry::DiskNearlyFull, Worry::FileRefused];

    /// In a word.
    pub const fn code(self) -> &'static str {
        match self {
            Worry::FileRefused => "file_refused",
            Worry::ReserveSpent => "reserve_spent",
            Worry::DiskNearlyFull => "disk_nearly_full",
        }
    }

    /// Which task it is about.
    pub const fn task(self) -> &'static str {
        match self {
            Worry::FileRefused => "configuration",
            Worry::ReserveSpent | Worry::DiskNearlyFull => "scribe",
        }
    }

    /// In a sentence.
    pub const fn words(self) -> Words {
        match self {
            Worry::FileRefused => words::FILE_REFUSED,
            Worry::ReserveSpent => words::RESERVE_SPENT,
            Worry::DiskNearlyFull => words::DISK_NEARLY_FULL,
        }
    }
}
