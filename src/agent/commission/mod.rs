//! What an electrician does at the meter, one hand on the door: scan, identify, probe, tap, tune. Reads only.
//!
//! | file | what it is |
//! |---|---|
//! | `explore`, `sheet`, `marks`, `exact`, `block`, `traffic`, `probe/report`, `tune/tuner` | pure: what an answer means, without a socket |
//! | `words` | every sentence, in both languages |
//! | `asker`, `read`, `listen`, `library`, `screen` | the world: one question at a time, a quiet ear, files, a way to speak |
//! | `scan`, `identify`, `probe`, `tap`, `tune` | the verbs |
//!
//! May not: judge, sign, write to a meter. A verb knows no clock and no socket but those handed in.

pub mod asker;
pub mod block;
pub mod exact;
pub mod explore;
pub mod identify;
pub mod library;
pub mod listen;
pub mod marks;
pub mod probe;
pub mod read;
pub mod scan;
pub mod screen;
pub mod sheet;
pub mod tap;
pub mod traffic;
pub mod tune;
pub mod words;

#[cfg(test)]
mod tests;
