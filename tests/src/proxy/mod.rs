//! A proxy between Flyball and PostgreSQL that can lose what passes through it.
//!
//! It listens on loopback and knows enough of the protocol to find where messages begin and end and which statement
//! runs. It can swallow the answer to one statement (the server has done the work, the client never hears of it), hold one up, keep a
//! statement from the server, go
//! deaf without closing anything, delay, and cut. It lives on a thread of its own, so a test that blocks does not
//! stop it. It changes nothing in what it forwards, and does not understand TLS.

mod connection;
mod fault;
mod statements;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub use fault::{Hold, Pattern, Release, Swallow};

use connection::Connection;
use fault::Faults;

/// A proxy before one PostgreSQL server; it ends with its value, and cuts what still runs through it.
pub struct Proxy {
    address: SocketAddr,
    faults: Arc<Faults>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts to listen on a free loopback port, before the server at `upstream` (`host:port`).
    ///
    /// # Errors
    /// When no port or no thread is to be had.
    pub fn start(upstream: impl Into<String>) -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("bind the proxy")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let faults = Arc::new(Faults::default());
        let runtime =
            Builder::new_current_thread().enable_all().build().context("a runtime for the proxy")?;
        let (stop, stopped) = oneshot::channel();
        let (shared, upstream) = (Arc::clone(&faults), upstream.into());
        let thread = std::thread::Builder::new().name("proxy".to_owned());
        let thread = thread.spawn(move || run(&runtime, listener, upstream, &shared, stopped))?;
        Ok(Self { address, faults, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The answer of the next message that matches is swallowed: it reaches the server, whose answer is read up to
    /// the end of that work and thrown away, and then the connection is cut on both sides.
    pub fn swallow_next(&self, pattern: Pattern) -> Swallow {
        self.faults.swallow_next(pattern)
    }

    /// The answer of the next message that matches is held up, whole, until the test lets it pass. Its connection stays
    /// open, and others are not touched.
    pub fn hold_next(&self, pattern: Pattern) -> Hold {
        self.faults.hold_next(pattern)
    }

    /// The next message that matches is kept from the server, which does nothing of it, until the test lets go: then its
    /// connection is cut on both sides.
    pub fn withhold_next(&self, pattern: Pattern) -> Hold {
        self.faults.withhold_next(pattern)
    }

    /// Forgets the faults that still wait for their message.
    pub fn disarm(&self) {
        self.faults.disarm();
    }

    /// Stops forwarding, both ways, without closing anything; new connections are accepted and hear nothing.
    pub fn go_deaf(&self) {
        self.faults.go_deaf();
    }

    /// Forwards again, at once, what was held up too.
    pub fn pass(&self) {
        self.faults.pass();
    }

    /// Holds up everything by this long, each way.
    pub fn delay(&self, by: Duration) {
        self.faults.delay(by);
    }

    /// Cuts every connection that exists now, on both sides, a deaf one too. New ones may come.
    pub fn cut_all(&self) {
        self.faults.cut_all();
    }

    /// How many connections run through it.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.faults.connections()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked the test has seen its connections break.
            let _ended = thread.join();
        }
    }
}

fn run(
    runtime: &Runtime,
    listener: std::net::TcpListener,
    upstream: String,
    faults: &Arc<Faults>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        tokio::select! {
            () = accept(listener, upstream, faults) => {}
            _ = stopped => {}
        }
    });
}

async fn accept(listener: std::net::TcpListener, upstream: String, faults: &Arc<Faults>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    // Dropped with this future: every connection is cut then.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (upstream, faults) = (upstream.clone(), Arc::clone(faults));
        connections.spawn(async move {
            // A server that is down looks to the client as it would without us: the connection breaks.
            if let Ok(server) = TcpStream::connect(&upstream).await {
                // Small messages go at once; without this the proxy would add a delay of its own.
                let _as_it_is = (client.set_nodelay(true), server.set_nodelay(true));
                Connection::run(client, server, faults).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

#[cfg(test)]
mod tests;
