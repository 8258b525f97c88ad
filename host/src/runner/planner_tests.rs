//! The rules of claiming, one by one, and a node that lives by them for hours.

use super::*;
use crate::store::QueueRoom;

const POLL: Duration = Duration::from_secs(1);
const LAST: Plan = Plan::Claim { most: 1, turn: Turn::LastChance };

fn fresh(most: u32) -> Plan {
    Plan::Claim { most, turn: Turn::Fresh }
}

fn at(seconds: u64) -> Boot {
    Boot::default().after(Duration::from_secs(seconds))
}

fn wait(seconds: u64) -> Plan {
    Plan::Wait { until: at(seconds) }
}

/// Of eight slots so many are taken.
fn view(seconds: u64, busy: u32) -> View {
    View { now: at(seconds), busy, free: 8 - busy, queues: Queues::Every, may_start: true }
}

fn rooms(rooms: &[(&str, u32)]) -> Queues {
    let room = |(name, room): &(&str, u32)| QueueRoom { queue: queue(name), room: *room };
    Queues::Only(rooms.iter().map(room).collect())
}

fn queue(name: &str) -> Queue {
    Queue::new(name).expect("valid")
}

fn answer(asked: u32, got: usize) -> Answer {
    let got = vec![Queue::default(); got];
    Answer { asked, queues: Queues::Every, got, more: false, last_chances: false }
}

fn waiting(asked: u32, got: usize) -> Answer {
    Answer { last_chances: true, ..answer(asked, got) }
}

fn planner() -> Planner {
    Planner::new(POLL, Shares::default())
}

#[test]
fn a_node_asks_for_as_much_as_it_has_room_for_and_again_while_it_gets_it() {
    let mut planner = planner();
    assert_eq!(planner.plan(&view(0, 3)), fresh(5));
    planner.fresh_answered(&answer(5, 5), at(0));
    assert_eq!(planner.plan(&view(0, 8)), wait(1));
    assert_eq!(planner.plan(&view(0, 7)), fresh(1));
    planner.fresh_answered(&answer(1, 0), at(0));
    assert_eq!(planner.plan(&view(0, 0)), wait(1), "nothing there: it waits for a ring");
    planner.woken();
    assert_eq!(planner.plan(&view(0, 0)), fresh(8));
}

#[test]
fn a_queue_that_is_full_bounds_what_is_asked_for_and_is_asked_again_when_it_has_room() {
    let mut planner = planner();
    let with = |busy, room| View { queues: rooms(&[("default", room)]), ..view(0, busy) };
    assert_eq!(planner.plan(&with(0, 4)), fresh(4), "not for eight, of which four could never come");
    let four = Answer { queues: rooms(&[("default", 4)]), ..answer(4, 4) };
    planner.fresh_answered(&four, at(0));
    assert_eq!(planner.plan(&with(4, 0)), wait(1));
    assert_eq!(planner.plan(&with(3, 1)), fresh(1), "a freed slot is filled at once");
}

#[test]
fn a_queue_that_gave_all_it_had_room_for_is_asked_again_beside_one_that_is_empty() {
    let mut planner = planner();
    let both = |default, mail| rooms(&[("default", default), ("mail", mail)]);
    let with = |busy, default, mail| View { queues: both(default, mail), ..view(0, busy) };
    assert_eq!(planner.plan(&with(0, 4, 4)), fresh(8));
    planner.fresh_answered(&Answer { queues: both(4, 4), ..answer(8, 4) }, at(0));
    assert_eq!(planner.plan(&with(4, 0, 4)), wait(1), "mail was empty, and default has no room");
    assert_eq!(planner.plan(&with(3, 1, 4)), fresh(5));
    planner.fresh_answered(&Answer { queues: both(1, 4), ..answer(5, 0) }, at(0));
    assert_eq!(planner.plan(&with(2, 2, 4)), wait(1), "now both are empty");
}

#[test]
fn a_claim_that_met_others_is_made_again_at_once_if_it_brought_something_and_soon_if_not() {
    let mut planner = planner();
    let met = |got| Answer { more: true, ..answer(8, got) };
    planner.fresh_answered(&met(3), at(0));
    assert_eq!(planner.plan(&view(0, 3)), fresh(5));
    let millis = |millis| at(0).after(Duration::from_millis(millis));
    for expected in [20, 40, 80, 160, 320, 640, 1000, 1000] {
        planner.fresh_answered(&met(0), at(0));
        assert_eq!(planner.plan(&view(0, 0)), Plan::Wait { until: millis(expected) });
    }
    planner.fresh_answered(&answer(8, 8), at(1));
    planner.fresh_answered(&met(0), at(1));
    assert_eq!(planner.plan(&view(1, 0)), Plan::Wait { until: at(1).after(CROWDED) });
}

#[test]
fn the_poll_is_a_point_in_time_that_freed_slots_do_not_put_off() {
    let mut planner = planner();
    planner.fresh_answered(&answer(8, 2), at(0));
    for tenth in 1..10 {
        let now = at(0).after(Duration::from_millis(tenth * 100));
        assert_eq!(planner.plan(&View { now, ..view(0, 1) }), wait(1));
    }
    assert_eq!(planner.plan(&view(1, 1)), fresh(7));
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_in_smaller_pieces_until_one_does() {
    let mut planner = planner();
    for expected in [8, 4, 2, 1, 1] {
        assert_eq!(planner.plan(&view(0, 0)), fresh(expected));
        planner.too_much(expected);
    }
    for expected in [1, 2, 4, 8, 8] {
        assert_eq!(planner.plan(&view(0, 0)), fresh(expected));
        planner.fresh_answered(&answer(expected, expected as usize), at(0));
    }
}

#[test]
fn a_last_chance_waits_for_the_slots_to_empty_and_runs_alone() {
    let mut planner = planner();
    planner.fresh_answered(&waiting(8, 2), at(0));
    planner.woken();
    assert_eq!(planner.plan(&view(0, 2)), wait(1));
    assert_eq!(planner.plan(&view(1, 2)), Plan::Look);
    planner.looked(true, at(1));
    assert_eq!(planner.plan(&view(1, 2)), wait(2));
    assert_eq!(planner.plan(&view(2, 0)), LAST);
    planner.last_chance_answered(1, at(2));
    planner.woken();
    assert_eq!(planner.plan(&view(3, 1)), wait(4), "it is alone");
}

#[test]
fn a_last_chance_that_went_elsewhere_is_not_waited_for() {
    let mut planner = planner();
    planner.fresh_answered(&waiting(8, 2), at(0));
    assert_eq!(planner.plan(&view(1, 2)), Plan::Look);
    planner.looked(false, at(1));
    assert_eq!(planner.plan(&view(1, 2)), fresh(6));
}

#[test]
fn fresh_work_has_at_least_every_second_turn() {
    let mut planner = planner();
    for round in 0..5 {
        assert_eq!(planner.plan(&view(round, 0)), fresh(8));
        planner.fresh_answered(&waiting(8, 0), at(round));
        assert_eq!(planner.plan(&view(round, 0)), LAST);
        planner.last_chance_answered(1, at(round));
        assert!(matches!(planner.plan(&view(round, 1)), Plan::Wait { .. }));
    }
}

#[test]
fn a_last_chance_that_somebody_else_holds_is_left_alone_for_a_while() {
    let mut planner = planner();
    planner.fresh_answered(&waiting(8, 0), at(0));
    assert_eq!(planner.plan(&view(0, 0)), LAST);
    planner.last_chance_answered(0, at(0));
    assert_eq!(planner.plan(&view(0, 0)), fresh(8));
    planner.fresh_answered(&waiting(8, 0), at(0));
    assert_eq!(planner.plan(&view(0, 0)), wait(1), "not at once again");
    planner.fresh_answered(&waiting(8, 0), at(30));
    assert_eq!(planner.plan(&view(30, 0)), LAST);
}

#[test]
fn a_job_that_takes_hours_does_not_keep_fresh_work_out_for_a_last_chances_sake() {
    let mut planner = planner();
    planner.fresh_answered(&waiting(8, 1), at(0));
    planner.looked(true, at(29));
    assert_eq!(planner.plan(&view(29, 1)), wait(30));
    assert_eq!(planner.plan(&view(30, 1)), fresh(7));
    planner.fresh_answered(&waiting(7, 7), at(30));
    assert_eq!(planner.plan(&view(31, 7)), fresh(1));
    planner.fresh_answered(&waiting(1, 0), at(60));
    planner.looked(true, at(119));
    assert_eq!(planner.plan(&view(119, 1)), wait(120), "then it tries again, for twice as long");
}

/// Eight slots, a line of jobs that never ends, each of `length` seconds, and one last chance that waits: when the
/// last chance starts, and how many of the seconds before were for fresh work.
fn hours(length: u64) -> (u64, u64) {
    let mut planner = planner();
    let mut ends: Vec<u64> = Vec::new();
    let mut fresh_for = 0;
    for now in 0.. {
        ends.retain(|end| *end > now);
        loop {
            let busy = u32::try_from(ends.len()).expect("eight at most");
            match planner.plan(&view(now, busy)) {
                Plan::Claim { turn: Turn::LastChance, .. } => return (now, fresh_for),
                Plan::Claim { most, turn: Turn::Fresh } => {
                    // One ends after the other, as on a node that has run for a while.
                    let spread = (0..u64::from(most)).map(|at| now + length - at * length / 8);
                    ends.extend(spread);
                    planner.fresh_answered(&waiting(most, most as usize), at(now));
                }
                Plan::Look => planner.looked(true, at(now)),
                Plan::Wait { until } => {
                    assert!(until > at(now), "it would spin");
                    break;
                }
            }
        }
        fresh_for += u64::from(planner.phase == Phase::Fresh);
    }
    unreachable!("time never ends")
}

#[test]
fn under_steady_long_jobs_a_last_chance_starts_within_a_bound_and_fresh_work_has_its_turns() {
    for (length, bound) in [(10, 30), (60, 300), (600, 3000), (3600, 18_000)] {
        let (started, fresh) = hours(length);
        println!(
            "jobs of {length} s: the last chance starts after {started} s, {fresh} s of them for fresh work"
        );
        assert!(started <= bound, "{started} s");
        assert!(started <= 30 || fresh * 4 >= started, "{fresh} s of {started} s");
    }
}

#[test]
fn without_a_lease_a_kind_or_memory_nothing_is_claimed() {
    let mut planner = planner();
    assert_eq!(planner.plan(&View { may_start: false, ..view(0, 0) }), wait(1));
    assert_eq!(planner.plan(&view(0, 0)), fresh(8), "and what was waiting is taken afterwards");
}
