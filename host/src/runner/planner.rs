//! What to claim next: a pure state machine. It knows nothing of time but what it is told, and does no IO.

use std::time::Duration;

use crate::clock::Boot;
use crate::store::Turn;

/// How long a node waits for its slots to empty before it takes fresh work again.
const PATIENCE: Duration = Duration::from_secs(30);

/// How things stand when a plan is made.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Monotonic time.
    pub now: Boot,
    /// Slots taken.
    pub busy: u32,
    /// Slots there are.
    pub concurrency: u32,
    /// Whether the node may start work at all: its lease is held, it has kinds, and memory to spare.
    pub may_start: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Ask for up to `room` jobs.
    Claim {
        /// At least 1.
        room: u32,
        /// What sort.
        turn: Turn,
    },
    /// Wait for a ring, a freed slot, or this point in time.
    Wait {
        /// `None` if only the poll bounds the wait.
        until: Option<Boot>,
    },
}

/// Takes fresh work while there is, and last chances in between: each of those runs alone, once the slots have
/// emptied, and fresh work has at least every second turn.
#[derive(Debug)]
pub struct Planner {
    /// Whether there may be work.
    hungry: bool,
    phase: Phase,
    /// No emptying of slots before this: the last one was in vain.
    no_emptying_before: Boot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Taking fresh work.
    Fresh,
    /// Waiting for the slots to empty, for a last chance.
    Emptying { until: Boot },
    /// A last chance runs.
    Alone,
}

impl Default for Planner {
    fn default() -> Self {
        Self { hungry: true, phase: Phase::Fresh, no_emptying_before: Boot::default() }
    }
}

impl Planner {
    /// A ring, a poll, or a changed catalog: there may be work.
    pub fn woken(&mut self) {
        self.hungry = true;
    }

    /// Decides what to do next.
    pub fn plan(&mut self, view: View) -> Plan {
        self.advance(view);
        if !view.may_start {
            return Plan::Wait { until: None };
        }
        match self.phase {
            Phase::Alone => Plan::Wait { until: None },
            Phase::Emptying { .. } if view.busy == 0 => Plan::Claim { room: 1, turn: Turn::LastChance },
            Phase::Emptying { until } => Plan::Wait { until: Some(until) },
            Phase::Fresh => match view.concurrency.saturating_sub(view.busy) {
                room if room > 0 && self.hungry => Plan::Claim { room, turn: Turn::Fresh },
                _ => Plan::Wait { until: None },
            },
        }
    }

    /// A claim for fresh work was answered. `last_chances` says whether a last chance waits.
    pub fn fresh_answered(&mut self, asked: u32, got: u32, last_chances: bool, now: Boot) {
        self.hungry = got >= asked;
        if last_chances && now >= self.no_emptying_before {
            self.phase = Phase::Emptying { until: now.after(PATIENCE) };
        }
    }

    /// A claim for a last chance was answered.
    pub fn last_chance_answered(&mut self, got: u32) {
        self.phase = if got > 0 { Phase::Alone } else { Phase::Fresh };
        self.hungry = true;
    }

    fn advance(&mut self, view: View) {
        match self.phase {
            Phase::Alone if view.busy == 0 => self.phase = Phase::Fresh,
            Phase::Emptying { until } if view.busy > 0 && view.now >= until => {
                self.phase = Phase::Fresh;
                self.no_emptying_before = view.now.after(PATIENCE);
                self.hungry = true;
            }
            Phase::Fresh | Phase::Alone | Phase::Emptying { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH_8: Plan = Plan::Claim { room: 8, turn: Turn::Fresh };
    const LAST: Plan = Plan::Claim { room: 1, turn: Turn::LastChance };

    fn view(seconds: u64, busy: u32) -> View {
        View { now: at(seconds), busy, concurrency: 8, may_start: true }
    }

    fn at(seconds: u64) -> Boot {
        Boot::default().after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_node_asks_for_as_much_as_it_has_room_for_and_again_while_it_gets_it() {
        let mut planner = Planner::default();
        assert_eq!(planner.plan(view(0, 3)), Plan::Claim { room: 5, turn: Turn::Fresh });
        planner.fresh_answered(5, 5, false, at(0));
        assert_eq!(planner.plan(view(0, 8)), Plan::Wait { until: None });
        assert_eq!(planner.plan(view(0, 7)), Plan::Claim { room: 1, turn: Turn::Fresh });
        planner.fresh_answered(1, 0, false, at(0));
        assert_eq!(
            planner.plan(view(0, 0)),
            Plan::Wait { until: None },
            "nothing there: it waits for a ring"
        );
        planner.woken();
        assert_eq!(planner.plan(view(0, 0)), FRESH_8);
    }

    #[test]
    fn a_last_chance_waits_for_the_slots_to_empty_and_runs_alone() {
        let mut planner = Planner::default();
        planner.fresh_answered(8, 2, true, at(0));
        planner.woken();
        assert_eq!(planner.plan(view(1, 2)), Plan::Wait { until: Some(at(30)) });
        assert_eq!(planner.plan(view(2, 0)), LAST);
        planner.last_chance_answered(1);
        planner.woken();
        assert_eq!(planner.plan(view(3, 1)), Plan::Wait { until: None }, "it is alone");
    }

    #[test]
    fn fresh_work_has_at_least_every_second_turn() {
        let mut planner = Planner::default();
        for round in 0..5 {
            assert_eq!(planner.plan(view(round, 0)), FRESH_8);
            planner.fresh_answered(8, 0, true, at(round));
            assert_eq!(planner.plan(view(round, 0)), LAST);
            planner.last_chance_answered(1);
            assert_eq!(planner.plan(view(round, 1)), Plan::Wait { until: None });
        }
    }

    #[test]
    fn a_job_that_takes_hours_does_not_keep_fresh_work_out_for_a_last_chances_sake() {
        let mut planner = Planner::default();
        planner.fresh_answered(8, 1, true, at(0));
        assert_eq!(planner.plan(view(29, 1)), Plan::Wait { until: Some(at(30)) });
        assert_eq!(planner.plan(view(30, 1)), Plan::Claim { room: 7, turn: Turn::Fresh });
        planner.fresh_answered(7, 7, true, at(30));
        assert_eq!(planner.plan(view(31, 7)), Plan::Claim { room: 1, turn: Turn::Fresh });
        planner.fresh_answered(1, 0, true, at(60));
        assert_eq!(planner.plan(view(61, 1)), Plan::Wait { until: Some(at(90)) }, "then it tries again");
    }

    #[test]
    fn without_a_lease_a_kind_or_memory_nothing_is_claimed() {
        let mut planner = Planner::default();
        assert_eq!(planner.plan(View { may_start: false, ..view(0, 0) }), Plan::Wait { until: None });
        assert_eq!(planner.plan(view(0, 0)), FRESH_8, "and what was waiting is taken afterwards");
    }
}
