//! One owner task per bus: [`Schedule`] decides, tokio-modbus carries. Reads only.

use std::{future::Future, io, net::ToSocketAddrs as _, pin::Pin, time::Duration};

use tokio::sync::mpsc;
use tokio_modbus::{
    client::{Client, Context, Reader as _, tcp},
    prelude::{ExceptionCode, ReadCode, Request, Response, Slave, SlaveContext as _},
};

use super::run::Inbox;
use crate::{
    host::Clock,
    metering::{Ask, Block, DeviceIdPart, Fault, Function, Next, Question, Reply, Schedule, ask::read_code},
};

/// A future connection.
pub type Dialling<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Client>>> + Send + 'a>>;

/// Opens one bus; tests return a `Client` of their own. The library's own seam: no bus trait of ours.
pub trait Dial: Send + Sync {
    /// Connects anew.
    fn dial(&self) -> Dialling<'_>;
}

/// A Modbus TCP endpoint.
#[derive(Clone, Debug)]
pub struct Tcp {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Dial for Tcp {
    fn dial(&self) -> Dialling<'_> {
        Box::pin(async {
            let mut last = io::Error::from(io::ErrorKind::NotFound);
            // An address needs no look-up; a name is looked up off this thread, so that no other bus waits for it.
            let (host, port) = (self.host.clone(), self.port);
            let addresses =
                tokio::task::spawn_blocking(move || (host.as_str(), port).to_socket_addrs()).await??;
            for address in addresses {
                match tokio::net::TcpStream::connect(address).await {
                    Ok(stream) => {
                        stream.set_nodelay(true)?;
                        let client: Box<dyn Client> = tcp::attach(stream).into();
                        return Ok(client);
                    }
                    Err(e) => last = e,
                }
            }
            Err(last)
        })
    }
}

/// Polls one bus until the site's loop ends.
pub async fn run(clock: &dyn Clock, dial: &dyn Dial, mut schedule: Schedule, out: mpsc::Sender<Inbox>) {
    let mut link: Option<Context> = None;
    loop {
        match schedule.next(clock.now().uptime_ms) {
            Next::WaitUntil(uptime_ms) => {
                tokio::select! {
                    () = clock.sleep_until(uptime_ms) => {}
                    () = out.closed() => return,
                }
            }
            Next::Ask(ask) => {
                if ask.gap_ms > 0 {
                    clock.sleep_until(clock.now().uptime_ms + u64::from(ask.gap_ms)).await;
                }
                let answer = put(dial, &mut link, &ask).await;
                if answer.as_ref().is_err_and(|fault| fault.ends_link()) {
                    link = None;
                }
                let answer = answer.as_ref().map(Got::reply).map_err(|fault| *fault);
                for sample in schedule.on_answer(&clock.now(), answer) {
                    if out.send(Inbox::Sample(sample)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// An answer as it came.
enum Got {
    Words(Vec<u16>),
    DeviceId(DeviceIdPart),
    ServerId(Vec<u8>),
}

impl Got {
    fn reply(&self) -> Reply<'_> {
        match self {
            Got::Words(words) => Reply::Words(words),
            Got::DeviceId(part) => Reply::DeviceId(part),
            Got::ServerId(bytes) => Reply::ServerId(bytes),
        }
    }
}

/// Puts one question, connecting first where needed. One deadline covers it all, however slowly bytes drip.
async fn put(dial: &dyn Dial, link: &mut Option<Context>, ask: &Ask) -> Result<Got, Fault> {
    let exchange = async {
        let context = match link {
            Some(context) => context,
            None => link.insert(dial.dial().await.map_err(|_| Fault::Refused)?.into()),
        };
        context.set_slave(Slave(ask.unit));
        match ask.question {
            Question::Registers(block) => registers(context, block).await.map(Got::Words),
            Question::DeviceId { object } => device_id(context, object).await.map(Got::DeviceId),
            Question::ServerId => server_id(context).await.map(Got::ServerId),
        }
    };
    let deadline = Duration::from_millis(u64::from(ask.deadline_ms));
    tokio::time::timeout(deadline, exchange).await.unwrap_or(Err(Fault::Timeout))
}

async fn registers(context: &mut Context, block: Block) -> Result<Vec<u16>, Fault> {
    let (at, count) = (block.at, block.count);
    let answer = match block.function {
        Function::Holding => context.read_holding_registers(at, count).await,
        Function::Input => context.read_input_registers(at, count).await,
    };
    let words = settled(answer)?;
    // The library checks the count in debug builds only.
    if words.len() == usize::from(count) { Ok(words) } else { Err(Fault::WrongLength) }
}

async fn device_id(context: &mut Context, object: u8) -> Result<DeviceIdPart, Fault> {
    let code = match read_code(object) {
        1 => ReadCode::Basic,
        2 => ReadCode::Regular,
        _ => ReadCode::Extended,
    };
    let told = settled(context.read_device_identification(code, object).await)?;
    let next = told.more_follows.then_some(told.next_object_id);
    let mut part = DeviceIdPart::new(told.conformity_level.value(), next);
    let fits = told.device_id_objects.iter().all(|object| part.push(object.id, &object.value));
    if fits { Ok(part) } else { Err(Fault::WrongLength) }
}

async fn server_id(context: &mut Context) -> Result<Vec<u8>, Fault> {
    match settled(context.call(Request::ReportServerId).await)? {
        Response::ReportServerId(id, running, data) => {
            Ok([id, if running { 0xFF } else { 0 }].into_iter().chain(data).collect())
        }
        _ => Err(Fault::Mismatch),
    }
}

fn settled<T>(answer: tokio_modbus::Result<T>) -> Result<T, Fault> {
    match answer {
        Ok(Ok(told)) => Ok(told),
        Ok(Err(exception)) => Err(Fault::Exception(code(exception))),
        Err(error) => Err(fault(&error)),
    }
}

fn code(exception: ExceptionCode) -> u8 {
    u8::from(exception)
}

fn fault(error: &tokio_modbus::Error) -> Fault {
    match error {
        tokio_modbus::Error::Protocol(_) => Fault::Mismatch,
        // The library reports an ended stream with whatever errno stood last; only the kind it sets itself means bytes.
        tokio_modbus::Error::Transport(e) if e.kind() == io::ErrorKind::InvalidData => Fault::Garbage,
        tokio_modbus::Error::Transport(e) if e.kind() == io::ErrorKind::InvalidInput => Fault::Garbage,
        tokio_modbus::Error::Transport(_) => Fault::Closed,
    }
}
