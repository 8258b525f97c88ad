//! The desk's promises, with time and files made up.

use super::*;
use crate::plugin::folder::Stamp;

fn kind() -> Kind {
    Kind::new("x").expect("valid")
}

fn file(version: u64) -> Seen {
    Seen::File(Stamp::made_up(version))
}

fn pair(component: u64) -> Pair {
    Pair { component: file(component), manifest: None }
}

fn sees(pair: &Pair) -> Look {
    Look { pairs: [(kind(), pair.clone())].into(), ..Look::default() }
}

fn at(millis: u64) -> Boot {
    Boot::default().after(Duration::from_millis(millis))
}

fn state(desk: &Desk) -> (PluginState, Option<String>) {
    let status = desk.statuses().remove(0);
    (status.state, status.component_digest)
}

/// A desk with version 1 in service.
fn serving() -> Desk {
    let mut desk = Desk::default();
    assert_eq!(desk.look(sees(&pair(1)), at(0)), []);
    assert_eq!(desk.look(sees(&pair(1)), at(100)), [Task::Load(kind(), pair(1))]);
    assert_eq!(desk.end(&kind(), &pair(1), LoadEnd::Loaded("one".into())), Timely::Yes);
    desk
}

#[test]
fn a_file_is_taken_when_two_looks_apart_are_the_same() {
    let mut desk = Desk::default();
    assert_eq!(desk.look(sees(&pair(1)), at(0)), []);
    assert_eq!(desk.look(sees(&pair(2)), at(90)), []);
    assert_eq!(desk.look(sees(&pair(2)), at(150)), []);
    assert!(desk.is_settling());
    assert_eq!(desk.look(sees(&pair(2)), at(190)), [Task::Load(kind(), pair(2))]);
    assert_eq!(desk.look(sees(&pair(2)), at(300)), []);
    assert_eq!(state(&desk), (PluginState::Compiling, None));
}

#[test]
fn a_version_that_is_refused_leaves_the_old_one_serving() {
    let mut desk = serving();
    desk.look(sees(&pair(2)), at(200));
    assert_eq!(state(&desk), (PluginState::Settling, Some("one".into())));
    desk.look(sees(&pair(2)), at(300));
    let refused = LoadEnd::Refused("it is cut off".into(), Again::Never);
    assert_eq!(desk.end(&kind(), &pair(2), refused), Timely::Yes);
    assert_eq!(state(&desk), (PluginState::Refused, Some("one".into())));
    assert_eq!(desk.look(sees(&pair(2)), at(9000)), [], "it is not tried again until it changes");
}

#[test]
fn a_load_that_the_folder_has_overtaken_is_dropped() {
    let mut desk = serving();
    desk.look(sees(&pair(2)), at(200));
    desk.look(sees(&pair(2)), at(300));
    desk.look(sees(&pair(3)), at(350));
    assert_eq!(desk.end(&kind(), &pair(2), LoadEnd::Loaded("two".into())), Timely::No);
    assert_eq!(desk.look(sees(&pair(3)), at(450)), [Task::Load(kind(), pair(3))]);
    assert_eq!(desk.look(Look::default(), at(500)), [Task::Remove(kind())]);
    assert_eq!(desk.end(&kind(), &pair(3), LoadEnd::Loaded("three".into())), Timely::No);
}

#[test]
fn a_version_that_comes_back_while_another_loads_is_loaded_again() {
    let mut desk = serving();
    desk.look(sees(&pair(2)), at(200));
    desk.look(sees(&pair(2)), at(300));
    desk.look(sees(&pair(1)), at(350));
    assert_eq!(desk.end(&kind(), &pair(2), LoadEnd::Loaded("two".into())), Timely::No);
    assert_eq!(desk.look(sees(&pair(1)), at(450)), [Task::Load(kind(), pair(1))]);
}

#[test]
fn a_changed_manifest_is_a_new_version_and_one_that_goes_away_too() {
    let mut desk = serving();
    let with = Pair { manifest: Some(file(7)), ..pair(1) };
    desk.look(sees(&with), at(200));
    assert_eq!(desk.look(sees(&with), at(300)), [Task::Load(kind(), with.clone())]);
    desk.end(&kind(), &with, LoadEnd::Loaded("one".into()));
    desk.look(sees(&pair(1)), at(400));
    assert_eq!(desk.look(sees(&pair(1)), at(500)), [Task::Load(kind(), pair(1))]);
}

#[test]
fn what_is_no_file_is_refused_once_without_being_read() {
    let mut desk = serving();
    let fifo = Pair { component: Seen::Unfit("it is a named pipe".into()), manifest: None };
    desk.look(sees(&fifo), at(200));
    assert_eq!(desk.look(sees(&fifo), at(300)), [Task::Refuse(kind(), "it is a named pipe".into())]);
    assert_eq!(desk.look(sees(&fifo), at(400)), []);
    assert_eq!(state(&desk), (PluginState::Refused, Some("one".into())));
}

#[test]
fn a_refusal_that_may_pass_is_tried_again() {
    let mut desk = serving();
    desk.look(sees(&pair(2)), at(200));
    desk.look(sees(&pair(2)), at(300));
    desk.end(&kind(), &pair(2), LoadEnd::Refused("full".into(), Again::At(at(1300))));
    assert_eq!(desk.look(sees(&pair(2)), at(1200)), []);
    assert_eq!(desk.look(sees(&pair(2)), at(1300)), [Task::Load(kind(), pair(2))]);
    desk.end(&kind(), &pair(2), LoadEnd::Refused("a bomb".into(), Again::Freed("d".into())));
    assert_eq!(desk.quarantined(), [(kind(), "d".into())]);
    desk.retry(&kind());
    assert_eq!(desk.look(sees(&pair(2)), at(1400)), [Task::Load(kind(), pair(2))]);
    desk.forget_loads();
    assert_eq!(desk.look(sees(&pair(2)), at(1500)), [Task::Load(kind(), pair(2))]);
}

#[test]
fn while_one_version_loads_ten_newer_ones_leave_one_waiting() {
    let mut desk = serving();
    desk.look(sees(&pair(2)), at(200));
    assert_eq!(desk.look(sees(&pair(2)), at(300)), [Task::Load(kind(), pair(2))]);
    for version in 3..13 {
        let now = version * 1000;
        assert_eq!(desk.look(sees(&pair(version)), at(now)), []);
        assert_eq!(desk.look(sees(&pair(version)), at(now + 100)), [], "version {version} waits");
        assert_eq!(state(&desk), (PluginState::Compiling, Some("one".into())));
        assert!(!desk.is_settling(), "the folder need not be looked at often meanwhile");
    }
    // Not even a file that went away and came back is loaded beside it.
    assert_eq!(desk.look(Look::default(), at(20_000)), [Task::Remove(kind())]);
    desk.look(sees(&pair(12)), at(20_100));
    assert_eq!(desk.look(sees(&pair(12)), at(20_200)), []);
    assert_eq!(desk.end(&kind(), &pair(2), LoadEnd::Loaded("two".into())), Timely::No);
    assert_eq!(desk.look(sees(&pair(12)), at(20_201)), [Task::Load(kind(), pair(12))]);
    assert_eq!(desk.end(&kind(), &pair(12), LoadEnd::Loaded("twelve".into())), Timely::Yes);
}
