//! A listener with a certificate of its own. Whoever takes long over the greeting keeps nobody else from it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::Listener;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

/// Greetings at once; whoever comes then waits.
const GREETINGS_AT_ONCE: usize = 64;
/// How long a greeting may take, in seconds.
const GREETING_S: u64 = 10;
/// Lines that may wait to be served.
const MOST_ARRIVED: usize = 64;

type Arrival = (TlsStream<TcpStream>, SocketAddr);

/// Lines that have been greeted.
pub struct Encrypted {
    arrived: mpsc::Receiver<Arrival>,
    local: SocketAddr,
}

impl Encrypted {
    pub(super) fn over(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<Encrypted> {
        let local = listener.local_addr()?;
        let (tell, arrived) = mpsc::channel(MOST_ARRIVED);
        tokio::spawn(greet_all(listener, TlsAcceptor::from(config), tell));
        Ok(Encrypted { arrived, local })
    }
}

async fn greet_all(mut listener: TcpListener, acceptor: TlsAcceptor, tell: mpsc::Sender<Arrival>) {
    let at_once = Arc::new(Semaphore::new(GREETINGS_AT_ONCE));
    while let Ok(permit) = at_once.clone().acquire_owned().await {
        let (line, from) = tokio::select! {
            arrival = Listener::accept(&mut listener) => arrival,
            // Nobody is served any longer: the address is free.
            () = tell.closed() => return,
        };
        let (acceptor, tell) = (acceptor.clone(), tell.clone());
        tokio::spawn(async move {
            let greeted = tokio::time::timeout(Duration::from_secs(GREETING_S), acceptor.accept(line)).await;
            // Whoever does not greet as agreed is no concern of ours.
            if let Ok(Ok(line)) = greeted {
                let _gone = tell.send((line, from)).await;
            }
            drop(permit);
        });
    }
}

impl Listener for Encrypted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Arrival {
        match self.arrived.recv().await {
            Some(arrival) => arrival,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}
