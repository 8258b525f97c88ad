//! The harness keeps its word about processes, shown with a shell.

use std::os::unix::process::ExitStatusExt as _;

use super::*;
use crate::{GENEROUS, eventually};

fn shell(script: &str) -> Result<Process> {
    let mut begun = command("sh");
    begun.args(["-c", script]);
    Process::spawn(begun, Lines::default(), Lines::default(), None)
}

fn state_of(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[tokio::test]
async fn what_it_says_is_kept_and_its_end_told() {
    let mut process = shell("echo one; echo two >&2; printf three; exit 7").unwrap();
    let exit = process.wait(GENEROUS).await.unwrap();
    assert_eq!(exit.status.code(), Some(7));
    assert_eq!(process.stdout().bytes(), b"one\nthree");
    assert_eq!(&*process.stderr().all()[0].text, "two");
}

#[tokio::test]
async fn its_end_does_not_wait_for_what_it_left_behind() {
    let mut process = shell("sleep 60 & echo left $! >&2; printf last >&2; exit 3").unwrap();
    let exit = process.wait(GENEROUS / 3).await.unwrap();
    let said = process.stderr().all();
    assert_eq!((exit.status.code(), said.len(), &*said[1].text), (Some(3), 2, "last"));
    let left = said[0].text.strip_prefix("left ").and_then(|pid| Pid::from_raw(pid.parse().ok()?));
    rustix::process::kill_process(left.unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn nothing_of_its_last_words_is_lost_however_soon_it_ends() {
    for _ in 0..100 {
        let mut process = shell("echo one >&2; echo two; echo last >&2").unwrap();
        process.wait(GENEROUS).await.unwrap();
        assert_eq!((process.stderr().count(), process.stdout().count()), (2, 1));
    }
}

#[tokio::test]
async fn it_is_killed_stopped_and_continued() {
    let mut process = shell("echo ready >&2; while :; do sleep 0.01; done").unwrap();
    let ready = |line: &Line| (&*line.text == "ready").then_some(());
    process.stderr().wait_for(GENEROUS, "ready", ready).await.unwrap();
    let handle = process.handle().clone();
    handle.signal(Signal::STOP).unwrap();
    eventually(GENEROUS, "the stop", async || state_of(handle.pid()) == Some('T')).await.unwrap();
    handle.signal(Signal::CONT).unwrap();
    eventually(GENEROUS, "going on", async || state_of(handle.pid()) != Some('T')).await.unwrap();
    let exit = process.kill().await.unwrap();
    assert_eq!(exit.status.signal(), Some(9));
    handle.signal(Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_dropped_process_is_gone_even_when_it_was_stopped() {
    let process = shell("exec sleep 1000").unwrap();
    let handle = process.handle().clone();
    handle.signal(Signal::STOP).unwrap();
    drop(process);
    eventually(GENEROUS, "its end", async || handle.exit()).await.unwrap();
}

#[tokio::test]
async fn a_hook_kills_at_the_very_line() {
    let mut begun = command("sh");
    begun.args(["-c", "echo one >&2; echo poison >&2; exec sleep 1000"]);
    let hook: Hook = Box::new(|line, process| {
        if line.text.contains("poison") {
            process.signal(Signal::KILL).expect("a signal to our own process");
        }
    });
    let mut process = Process::spawn(begun, Lines::default(), Lines::default(), Some(hook)).unwrap();
    assert_eq!(process.wait(GENEROUS).await.unwrap().status.signal(), Some(9));
}

#[tokio::test]
async fn a_process_dies_with_a_test_process_that_was_killed() {
    if is_victim() {
        let process = shell("exec sleep 1000").unwrap();
        println!("pid {}", process.handle().pid());
        return eventually(GENEROUS, "being killed", async || false).await.unwrap();
    }
    let begun = victim("process::tests::a_process_dies_with_a_test_process_that_was_killed").unwrap();
    let mut victim = Process::spawn(begun, Lines::default(), Lines::default(), None).unwrap();
    let pid = |line: &Line| line.text.strip_prefix("pid ").and_then(|pid| pid.parse::<u32>().ok());
    let pid = victim.stdout().wait_for(GENEROUS, "the number of the child", pid).await.unwrap();
    assert!(state_of(pid).is_some());
    victim.handle().signal(Signal::KILL).unwrap();
    let gone = async || state_of(pid).is_none_or(|state| state == 'Z');
    eventually(GENEROUS, "the child's death", gone).await.unwrap();
    // Its outputs are at an end only now: the child had inherited nothing of them that outlives it.
    victim.wait(GENEROUS).await.unwrap();
}
