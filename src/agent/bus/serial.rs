//! A serial line of this machine, opened for us alone, raw, with the settings of the endpoint.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _};

use rustix::{
    fs::FlockOperation,
    termios::{self, ControlModes, OptionalActions, QueueSelector},
};
use tokio::{io::Join, net::unix::pipe};

use crate::{agent::endpoint::SerialLine, metering::profile::Parity};

/// An open line, closed when dropped. The runtime has no type for terminals; the ends of a pipe whose kind nobody checks
/// are what it has for any file that can be waited for.
pub type Port = Join<pipe::Receiver, pipe::Sender>;

/// Opens and sets a line.
///
/// # Errors
/// `NotFound`: no such device. `PermissionDenied`: not for us. `ResourceBusy`: another program has it.
pub fn open(line: &SerialLine) -> io::Result<Port> {
    // Without O_NONBLOCK opening would wait for a modem's carrier.
    let flags = libc::O_NOCTTY | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&line.path)?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| io::Error::from(io::ErrorKind::ResourceBusy))?;
    termios::ioctl_tiocexcl(&file)?;
    let mut settings = termios::tcgetattr(&file)?;
    settings.make_raw();
    settings.set_speed(line.baud)?;
    let modes = &mut settings.control_modes;
    modes.remove(
        ControlModes::CSIZE
            | ControlModes::PARENB
            | ControlModes::PARODD
            | ControlModes::CSTOPB
            | ControlModes::CRTSCTS,
    );
    modes.insert(ControlModes::CS8 | ControlModes::CREAD | ControlModes::CLOCAL);
    match line.parity {
        Parity::None => {}
        Parity::Even => modes.insert(ControlModes::PARENB),
        Parity::Odd => modes.insert(ControlModes::PARENB | ControlModes::PARODD),
    }
    modes.set(ControlModes::CSTOPB, line.stop_bits == 2);
    termios::tcsetattr(&file, OptionalActions::Now, &settings)?;
    termios::tcflush(&file, QueueSelector::IOFlush)?;
    let listening = pipe::Receiver::from_file_unchecked(file.try_clone()?)?;
    Ok(tokio::io::join(listening, pipe::Sender::from_file_unchecked(file)?))
}
