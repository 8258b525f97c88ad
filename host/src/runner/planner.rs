//! What to claim next: a pure state machine. It knows nothing of time but what it is told, and does no IO.

use std::time::Duration;

use super::Shares;
use crate::clock::Boot;
use crate::job::Queue;
use crate::store::{QueueShare, Queues, Turn};

/// How long a node waits for its slots to empty before it takes fresh work again: at first, and twice as long after
/// each time in vain. So it grows past the longest job that there is, and no last chance waits for ever.
const PATIENCE: Duration = Duration::from_secs(30);
/// How soon a claim is made again that brought nothing because others were claiming; twice as long each time in a row.
const CROWDED: Duration = Duration::from_millis(20);

/// How things stand when a plan is made.
#[derive(Clone, Debug)]
pub struct View {
    /// Monotonic time.
    pub now: Boot,
    /// Slots taken, of all runners of the node.
    pub busy: u32,
    /// Slots free, of this runner.
    pub free: u32,
    /// The queues that the node takes from, each with the room that it has now.
    pub queues: Queues,
    /// Whether the node may start work at all: its lease is held, it has kinds, and memory to spare.
    pub may_start: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Ask for up to `most` jobs.
    Claim {
        /// At least 1.
        most: u32,
        /// What sort.
        turn: Turn,
    },
    /// Ask for no job, only whether a last chance waits still.
    Look,
    /// Wait for a ring, a freed slot, or this point in time.
    Wait {
        /// There always is one: the next poll, if nothing else.
        until: Boot,
    },
}

/// What a claim for fresh work brought.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Jobs that it asked for at most.
    pub asked: u32,
    /// The queues that it asked, each with its room.
    pub queues: Queues,
    /// The queue of each job that came.
    pub got: Vec<Queue>,
    /// Others were claiming the same jobs, so there may be more.
    pub more: bool,
    /// A last chance waits.
    pub last_chances: bool,
}

/// Takes fresh work while there is, and last chances in between: each of those runs alone, once the slots have
/// emptied, and fresh work has at least every second turn.
#[derive(Debug)]
pub struct Planner {
    poll: Duration,
    /// A point in time, not a span: however often slots are freed, it comes nearer.
    next_poll: Boot,
    appetite: Appetite,
    shares: Shares,
    line_is_long: bool,
    /// The most jobs of one claim: fewer after an answer that was too long in coming.
    most: u32,
    /// Claims in a row that brought nothing because others were claiming.
    crowded: u32,
    phase: Phase,
    patience: Duration,
    /// No emptying of slots before this: the last one was in vain.
    no_emptying_before: Boot,
}

/// Where there may be work.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Appetite {
    /// Anywhere.
    Everything,
    /// In these queues only: they were full, or the last claim filled them.
    Full(Vec<Queue>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Taking fresh work.
    Fresh,
    /// Waiting for the slots to empty, for a last chance.
    Emptying { until: Boot, next_look: Boot },
    /// A last chance runs.
    Alone,
}

impl Planner {
    /// One that looks for work at least this often, and begins at once; its queues have these shares.
    pub fn new(poll: Duration, shares: Shares) -> Self {
        Self {
            poll,
            next_poll: Boot::default(),
            appetite: Appetite::Everything,
            shares,
            line_is_long: false,
            most: u32::MAX,
            crowded: 0,
            phase: Phase::Fresh,
            patience: PATIENCE,
            no_emptying_before: Boot::default(),
        }
    }

    /// A ring, or a changed catalog: there may be work.
    pub fn woken(&mut self) {
        self.appetite = Appetite::Everything;
    }

    /// Whether the last claim left work behind. A ring says nothing of that: it may be for one job.
    pub fn line_is_long(&self) -> bool {
        self.line_is_long
    }

    /// How the queues stand to each other, for a claim.
    pub fn shares(&self) -> Vec<QueueShare> {
        self.shares.to_claim()
    }

    /// Whether a last chance waits or runs, beside which nothing else may.
    pub fn wants_the_node(&self) -> bool {
        self.phase != Phase::Fresh
    }

    /// Decides what to do next.
    pub fn plan(&mut self, view: &View) -> Plan {
        self.advance(view);
        let until_poll = Plan::Wait { until: self.next_poll };
        if !view.may_start {
            return until_poll;
        }
        match self.phase {
            Phase::Alone => until_poll,
            Phase::Emptying { .. } if view.busy == 0 => Plan::Claim { most: 1, turn: Turn::LastChance },
            Phase::Emptying { next_look, .. } if view.now >= next_look => Plan::Look,
            Phase::Emptying { until, next_look } => Plan::Wait { until: until.min(next_look) },
            Phase::Fresh => match self.room(view) {
                0 => until_poll,
                most => Plan::Claim { most, turn: Turn::Fresh },
            },
        }
    }

    /// A claim for fresh work was answered.
    pub fn fresh_answered(&mut self, answer: &Answer, now: Boot) {
        self.next_poll = now.after(self.poll);
        self.most = self.most.saturating_mul(2);
        self.shares.claimed(&answer.got);
        self.appetite = appetite(answer);
        self.line_is_long = self.appetite != Appetite::Full(Vec::new());
        self.crowded = if answer.more && answer.got.is_empty() { self.crowded + 1 } else { 0 };
        if self.crowded > 0 {
            // There may be more, but who asks at once spins for as long as somebody else holds those jobs.
            let soon = CROWDED.saturating_mul(1 << (self.crowded - 1).min(16));
            self.next_poll = now.after(soon.min(self.poll));
        }
        if !answer.last_chances {
            self.patience = PATIENCE;
        } else if now >= self.no_emptying_before {
            self.phase = Phase::Emptying { until: now.after(self.patience), next_look: now.after(self.poll) };
        }
    }

    /// A look was answered: whether a last chance waits still.
    pub fn looked(&mut self, last_chances: bool, now: Boot) {
        if let Phase::Emptying { next_look, .. } = &mut self.phase {
            *next_look = now.after(self.poll);
            if !last_chances {
                // Another node took it.
                self.patience = PATIENCE;
                self.take_fresh();
            }
        }
    }

    /// A claim for a last chance was answered.
    pub fn last_chance_answered(&mut self, got: u32, now: Boot) {
        if got > 0 {
            self.patience = PATIENCE;
            self.phase = Phase::Alone;
        } else {
            // It went to another node, or somebody holds its row: to ask again at once would be to spin.
            self.give_up_emptying(now);
        }
    }

    /// A claim of so many was given up, because no answer came in time: the next asks for fewer.
    pub fn too_much(&mut self, asked: u32) {
        // A look asks for none, and says nothing of how many would have been too many.
        if asked > 0 {
            self.most = (asked / 2).max(1);
        }
    }

    fn advance(&mut self, view: &View) {
        if view.now >= self.next_poll {
            self.next_poll = view.now.after(self.poll);
            self.appetite = Appetite::Everything;
        }
        match self.phase {
            Phase::Alone if view.busy == 0 => self.take_fresh(),
            Phase::Emptying { until, .. } if view.busy > 0 && view.now >= until => {
                self.give_up_emptying(view.now);
            }
            Phase::Fresh | Phase::Alone | Phase::Emptying { .. } => {}
        }
    }

    fn give_up_emptying(&mut self, now: Boot) {
        self.no_emptying_before = now.after(self.patience);
        self.patience = self.patience.saturating_mul(2);
        self.take_fresh();
    }

    fn take_fresh(&mut self) {
        self.phase = Phase::Fresh;
        self.appetite = Appetite::Everything;
    }

    /// Jobs to ask for: none if there is no room where there may be work.
    fn room(&self, view: &View) -> u32 {
        let rooms = match &view.queues {
            Queues::Every => u32::MAX,
            Queues::Only(rooms) => rooms.iter().map(|queue| queue.room).fold(0, u32::saturating_add),
        };
        let wanted = match (&self.appetite, &view.queues) {
            (Appetite::Everything, _) => true,
            (Appetite::Full(_), Queues::Every) => false,
            (Appetite::Full(full), Queues::Only(rooms)) => {
                rooms.iter().any(|queue| queue.room > 0 && full.contains(&queue.queue))
            }
        };
        if wanted { view.free.min(rooms).min(self.most) } else { 0 }
    }
}

/// Where there may be more after an answer. A queue that gave all that it had room for says nothing of what is left
/// in it; one that gave less is empty, until a ring says otherwise.
fn appetite(answer: &Answer) -> Appetite {
    if u32::try_from(answer.got.len()).is_ok_and(|got| got < answer.asked) && !answer.more {
        let Queues::Only(rooms) = &answer.queues else { return Appetite::Full(Vec::new()) };
        let got = |queue: &Queue| answer.got.iter().filter(|got| *got == queue).count();
        let full = rooms
            .iter()
            .filter(|asked| got(&asked.queue) >= usize::try_from(asked.room).unwrap_or(usize::MAX));
        return Appetite::Full(full.map(|asked| asked.queue.clone()).collect());
    }
    if answer.got.is_empty() { Appetite::Full(Vec::new()) } else { Appetite::Everything }
}

#[cfg(test)]
#[path = "planner_tests.rs"]
mod tests;
