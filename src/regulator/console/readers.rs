//! The threads that ask the database for the console, each with a store of its own, so that no page waits for the collector's
//! batches nor they for it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::{
    evidence::{PublicKey, Signer},
    host::exit::{Exit, Failure},
    regulator::store::{Answered, Store, StoreFault},
};

/// Threads that ask.
pub const READERS: usize = 2;
/// Questions that may wait for a thread; whoever comes then waits before asking.
pub(super) const MOST_WAITING: usize = 64;

/// What one thread has: a store, and the authority's hand for certificates.
pub struct Books {
    /// The store.
    pub store: Box<dyn Store>,
    /// The authority's signer.
    pub signer: Box<dyn Signer>,
    /// The authority's keys.
    pub trusted: Vec<PublicKey>,
}

type Question = Box<dyn FnOnce(&mut Books) + Send>;

/// The end towards the threads.
#[derive(Clone)]
pub(super) struct Readers {
    ask: mpsc::Sender<Question>,
}

impl Readers {
    /// Hires a thread for each of these.
    pub(super) fn hire(all: Vec<Books>) -> Result<Readers, Failure> {
        let (ask, asked) = mpsc::channel::<Question>(MOST_WAITING);
        let asked = Arc::new(Mutex::new(asked));
        for books in all {
            let asked = asked.clone();
            std::thread::Builder::new()
                .name("console".into())
                .spawn(move || answer(&asked, books))
                .map_err(|e| Failure::new(Exit::Bug, format!("no thread for the console: {e}")))?;
        }
        Ok(Readers { ask })
    }

    /// Asks one of them.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Books) -> Answered<T> + Send + 'static,
    ) -> Answered<T> {
        let (tell, told) = oneshot::channel();
        let question: Question = Box::new(move |books: &mut Books| {
            // Whoever asked may have gone meanwhile.
            let _gone = tell.send(question(books));
        });
        let gone = || StoreFault::Failed(Failure::new(Exit::Bug, "the console's threads have ended"));
        self.ask.send(question).await.map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

fn answer(asked: &Mutex<mpsc::Receiver<Question>>, mut books: Books) {
    loop {
        let question = asked.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(question) = question else { return };
        question(&mut books);
    }
}
