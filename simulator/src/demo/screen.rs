//! What the demo prints: who says what, in columns, coloured only on a terminal.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use coldhearth::host::out::{self, Out};

/// Standard output, shared by everybody who speaks.
pub(super) struct Screen {
    /// Whether lines may be coloured.
    pub colour: bool,
    out: Mutex<Out>,
}

impl Screen {
    /// A screen on standard output.
    pub(super) fn new(colour: bool) -> Screen {
        Screen { colour, out: Mutex::new(out::out()) }
    }

    /// A line nobody in the story says.
    pub(super) fn plain(&self, line: &str) {
        self.write(line);
    }

    /// A line of the plant: what really happens there.
    pub(super) fn plant(&self, line: &str) {
        self.write(&self.column("plant", "\x1b[36m", line));
    }

    /// A line of the subscriber.
    pub(super) fn subscriber(&self, line: &str) {
        self.write(&self.column("subscriber", "\x1b[35m", line));
    }

    /// A line of the summary.
    pub(super) fn summary(&self, line: &str) {
        self.write(&self.column("summary", "\x1b[1m", line));
    }

    /// What the regulator writes.
    pub(super) fn regulator(&self) -> Regulator<'_> {
        Regulator { screen: self, line: Vec::new() }
    }

    /// Nothing more will be said.
    pub(super) fn end(&self) {
        let _gone = self.out.lock().unwrap_or_else(PoisonError::into_inner).flush();
    }

    fn column(&self, who: &str, colour: &str, line: &str) -> String {
        if self.colour { format!("{colour}{who:>10}\x1b[0m | {line}") } else { format!("{who:>10} | {line}") }
    }

    fn write(&self, line: &str) {
        super::write_line(&mut *self.out.lock().unwrap_or_else(PoisonError::into_inner), line);
    }
}

/// The regulator's lines, each with its column.
pub(super) struct Regulator<'a> {
    screen: &'a Screen,
    line: Vec<u8>,
}

impl Write for Regulator<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if *byte == b'\n' {
                let line = String::from_utf8_lossy(&self.line).into_owned();
                self.screen.write(&self.screen.column("regulator", "\x1b[34m", &line));
                self.line.clear();
            } else {
                self.line.push(*byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
