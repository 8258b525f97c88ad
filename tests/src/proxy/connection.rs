//! One connection through the proxy: two streams of whole messages, and where the answer to a message ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{oneshot, watch};

use super::fault::{Faults, Mode, Struck, Then};
use super::statements::{Session, ends_a_turn};
use super::wire::{Framing, Gatherer, Message};

const CHUNK: usize = 16 * 1024;

/// What both directions of a connection know.
#[derive(Default)]
struct Turns {
    /// Turns that the client has ended: each is answered by one "ready for query".
    asked: u64,
    /// "Ready for query" seen, the one after the log-in not counted.
    answered: u64,
    logged_in: bool,
    negotiating: bool,
    /// The turn whose answer a fault strikes.
    struck: Option<(u64, Struck)>,
}

/// Whom to tell that a question is kept from the server, and until when it is.
type Withheld = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// What to do with a message.
enum Fate {
    Forward,
    Discard,
    /// Part of an answer that is held up.
    Keep,
    /// The end of an answer that a fault strikes.
    Strike(Struck),
}

pub(super) struct Connection {
    faults: Arc<Faults>,
    turns: Mutex<Turns>,
}

impl Connection {
    /// Forwards until one side ends, a fault cuts it, or all are cut.
    pub(super) async fn run(client: TcpStream, server: TcpStream, faults: Arc<Faults>) {
        let mut cuts = faults.cuts();
        let connection = Self { faults, turns: Mutex::default() };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::select! {
            () = connection.upward(from_client, to_server) => {}
            () = connection.downward(from_server, to_client) => {}
            _ = cuts.changed() => {}
        }
    }

    async fn upward(&self, mut from: OwnedReadHalf, to: OwnedWriteHalf) {
        let mut road = Road::new(to, &self.faults);
        let (mut gatherer, mut session) = (Gatherer::default(), Session::default());
        let mut framing = Framing::Untagged;
        while let Some(chunk) = read(&mut from).await {
            gatherer.add(&chunk);
            let mut whole = Vec::new();
            while let Some(message) = gatherer.next(framing) {
                if framing == Framing::Untagged && !message.is_negotiation() {
                    framing = Framing::Tagged;
                }
                if let Some((tell, released)) = self.note_question(&message, &mut session) {
                    road.forward(&whole).await;
                    // Nobody listens when the test asked for the fault and not for its news.
                    let _unheard = tell.send(());
                    // It is never told anything: it ends when the other side is dropped.
                    let _dropped = released.await;
                    return;
                }
                whole.extend(message.bytes);
            }
            if !road.forward(&whole).await {
                return;
            }
        }
        road.end().await;
    }

    async fn downward(&self, mut from: OwnedReadHalf, to: OwnedWriteHalf) {
        let mut road = Road::new(to, &self.faults);
        let (mut gatherer, mut kept) = (Gatherer::default(), Vec::new());
        while let Some(chunk) = read(&mut from).await {
            gatherer.add(&chunk);
            let mut whole = Vec::new();
            while let Some(message) = gatherer.next(self.framing_of_answer()) {
                match self.fate_of_answer(&message) {
                    Fate::Forward => whole.extend(message.bytes),
                    Fate::Discard => {}
                    Fate::Keep => kept.extend(message.bytes),
                    Fate::Strike(Struck { tell, then }) => {
                        let forwarded = road.forward(&std::mem::take(&mut whole)).await;
                        // Nobody listens when the test asked for the fault and not for its news.
                        let _unheard = tell.send(());
                        let (Then::Pass(released) | Then::Withhold(released)) = then else { return };
                        // It is never told anything: it ends when the other side is dropped.
                        let _dropped = released.await;
                        kept.extend(message.bytes);
                        whole = std::mem::take(&mut kept);
                        if !forwarded {
                            return;
                        }
                    }
                }
            }
            if !road.forward(&whole).await {
                return;
            }
        }
        road.end().await;
    }

    /// Answers a fault that keeps this very message from the server.
    fn note_question(&self, message: &Message, session: &mut Session) -> Option<Withheld> {
        let mut turns = self.turns();
        if message.tag == 0 {
            turns.negotiating = message.is_negotiation();
            return None;
        }
        let meaning = session.note(message);
        if turns.logged_in && turns.struck.is_none() {
            let turn = turns.asked;
            match self.faults.set_off_by(message, &meaning) {
                Some(Struck { tell, then: Then::Withhold(released) }) => return Some((tell, released)),
                struck => turns.struck = struck.map(|struck| (turn, struck)),
            }
        }
        if ends_a_turn(message) {
            turns.asked += 1;
        }
        None
    }

    fn framing_of_answer(&self) -> Framing {
        if self.turns().negotiating { Framing::Byte } else { Framing::Tagged }
    }

    fn fate_of_answer(&self, message: &Message) -> Fate {
        let mut turns = self.turns();
        if turns.negotiating {
            turns.negotiating = false;
            return Fate::Forward;
        }
        let ready = message.tag == b'Z';
        if ready && !turns.logged_in {
            turns.logged_in = true;
            return Fate::Forward;
        }
        let turn = turns.answered;
        turns.answered += u64::from(ready);
        match turns.struck.take_if(|(struck, _)| *struck == turn && ready) {
            Some((_, struck)) => Fate::Strike(struck),
            None => match &turns.struck {
                Some((at, struck)) if *at == turn => match struck.then {
                    Then::Cut => Fate::Discard,
                    Then::Pass(_) | Then::Withhold(_) => Fate::Keep,
                },
                Some(_) | None => Fate::Forward,
            },
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One direction: forwards as the mode of the moment says.
struct Road {
    to: OwnedWriteHalf,
    mode: watch::Receiver<Mode>,
}

impl Road {
    fn new(to: OwnedWriteHalf, faults: &Faults) -> Self {
        Self { to, mode: faults.mode() }
    }

    /// Answers whether the road goes on.
    async fn forward(&mut self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return true;
        }
        match self.open().await {
            Mode::Pass(Duration::ZERO) => {}
            Mode::Pass(delay) => tokio::time::sleep(delay).await,
            Mode::Deaf => return false,
        }
        self.to.write_all(bytes).await.is_ok()
    }

    /// A side that ends while the proxy is deaf is not heard to end either.
    async fn end(&mut self) {
        self.open().await;
    }

    /// Waits until the road is open; deaf for ever when the proxy is gone.
    async fn open(&mut self) -> Mode {
        let open = self.mode.wait_for(|mode| *mode != Mode::Deaf).await;
        open.map_or(Mode::Deaf, |mode| *mode)
    }
}

async fn read(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut chunk = vec![0; CHUNK];
    let length = from.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
    chunk.truncate(length);
    Some(chunk)
}
