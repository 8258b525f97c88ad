//! What is held, and what is no more: ids, drops, and asks that come before their attempt.

use super::*;
use crate::job::{ExecutorClass, JobId, Json, Kind, Lineage, Overrides, Queue, Timestamp, Tries};

fn claim(run: RunId) -> Claim {
    let at = Timestamp::EPOCH;
    Claim {
        run,
        job: JobId::mint(at),
        kind: Kind::new("work").expect("valid"),
        queue: Queue::default(),
        executor_class: ExecutorClass::default(),
        args: Json::empty_object(),
        priority: 100,
        tries: Tries::default(),
        last_chance: false,
        on_discard: false,
        limited: false,
        checkpoint: false,
        overrides: Overrides::default(),
        lineage: Lineage::default(),
        created_at: at,
        scheduled_at: at,
        deadline_at: at,
        tags: Vec::new(),
        metadata: Json::empty_object(),
    }
}

#[test]
fn run_ids_grow_whatever_the_clock_does_and_a_snapshot_parts_them() {
    let clock = Clock::anchored();
    let held = Held::new(clock.clone());
    clock.anchor(Timestamp::from_micros(2_000_000_000_000_000), clock.boot());
    let before = held.begin_claim(1000);
    let snapshot = held.snapshot();
    // The database's clock was stepped back by years.
    clock.anchor(Timestamp::from_micros(1_000_000_000_000_000), clock.boot());
    let after = held.begin_claim(1000);
    assert!(before.runs().is_sorted() && before.runs().iter().all(|run| *run < snapshot.watermark));
    assert!(after.runs().is_sorted() && after.runs().iter().all(|run| *run > snapshot.watermark));
}

#[test]
fn a_claim_that_was_given_up_is_neither_pending_nor_held() {
    let held = Held::new(Clock::manual(Timestamp::EPOCH));
    let asked = held.begin_claim(3);
    assert_eq!(held.snapshot().pending.len(), 3);
    drop(asked);
    assert!(held.is_nothing());
}

#[test]
fn what_a_claim_brought_is_held_until_its_grip_is_dropped() {
    let held = Held::new(Clock::manual(Timestamp::EPOCH));
    let asked = held.begin_claim(3);
    let (first, second) = (asked.runs()[0], asked.runs()[1]);
    assert!(held.is_pending(first) && !held.ask(first, StopCause::Cancel, Duration::ZERO));
    let mut grips = asked.answered(&[claim(first), claim(second)]);
    let snapshot = held.snapshot();
    assert_eq!((snapshot.held.len(), snapshot.unwritten.len(), snapshot.pending.len()), (2, 0, 0));
    assert!(held.ask(first, StopCause::Cancel, Duration::ZERO));
    grips[0].decided();
    assert_eq!(held.snapshot().unwritten, [first]);
    assert!(!held.ask(first, StopCause::Cancel, Duration::ZERO), "it is past asking");
    drop(grips.remove(0));
    assert_eq!(held.snapshot().held, [second]);
    drop(grips);
    assert!(held.is_nothing());
}

#[test]
fn an_attempt_that_is_claimed_during_a_drain_is_asked_to_stop_like_all_others() {
    let clock = Clock::manual(Timestamp::EPOCH);
    let held = Held::new(clock.clone());
    let asked = held.begin_claim(1);
    held.ask_for_good(StopCause::Drain, Duration::from_secs(30));
    clock.advance(Duration::from_secs(20));
    let claims = [claim(asked.runs()[0])];
    let late = asked.answered(&claims);
    let stop = late[0].stop();
    assert_eq!((stop.asked(), stop.due()), (Some(StopCause::Drain), None));
    clock.advance(Duration::from_secs(10));
    assert_eq!(stop.due(), Some(StopCause::Drain), "at the same moment as the others");
}
