//! The parts that jobs of the stream play, and what may become of each.

use std::time::Duration;

use anyhow::Result;
use flyball::job::{Backoff, InsertOpts, Key, Kind, OnDiscard, Outcome, Overrides, Queue, When};
use serde_json::{Value, json};

use super::dice::Dice;

/// The queue that operators pause and resume.
pub(crate) const SIDE: &str = "side";
/// Attempts of a job that fails every time.
pub(crate) const SPENT_AFTER: u32 = 2;
/// Bytes of what a bulky job carries.
const BULK: usize = 20_000;

/// What a job of the stream is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Takes its time, and completes.
    Plain,
    /// The same, in the queue that is paused now and then.
    Aside,
    /// Is due later.
    Late,
    /// Fails so many times, then completes.
    Failing(u32),
    /// Fails for good, and something is enqueued for that.
    Refused,
    /// Fails whenever it runs, until its attempts are spent.
    Spent,
    /// Asks for so many follow-ups, and for one more when they have ended.
    Family(u32),
    /// Snoozes until an operator cancels it.
    Snoozer,
    /// Takes long, and is cancelled by an operator wherever it stands.
    Cancelled,
    /// Its key is taken by the first of several.
    Keyed,
    /// Its key is free again when the one before has ended.
    Active,
}

impl Part {
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        let failing = 1 + u32::from(dice.below(2) == 0);
        let children = 2 + u32::from(dice.below(2) == 0);
        let parts = [
            (58, Self::Plain),
            (6, Self::Aside),
            (6, Self::Late),
            (6, Self::Failing(failing)),
            (2, Self::Refused),
            (2, Self::Spent),
            (4, Self::Family(children)),
            (3, Self::Snoozer),
            (6, Self::Cancelled),
            (4, Self::Keyed),
            (3, Self::Active),
        ];
        dice.weighted(&parts).unwrap_or(Self::Plain)
    }

    /// How it is enqueued.
    pub(crate) fn opts(self, dice: &mut Dice) -> Result<InsertOpts> {
        let opts = InsertOpts { priority: self.priority(dice), ..echo(&self.args(dice))? };
        Ok(match self {
            Self::Plain | Self::Failing(_) | Self::Family(_) | Self::Snoozer | Self::Cancelled => opts,
            Self::Aside => InsertOpts { queue: Queue::new(SIDE)?, ..opts },
            Self::Late => {
                InsertOpts { when: When::In(Duration::from_millis(dice.millis(500..15_000))), ..opts }
            }
            Self::Refused => {
                let on_discard =
                    OnDiscard { kind: Kind::new("echo")?, args: json!({ "sleep_ms": 50 }).to_string() };
                InsertOpts { on_discard: Some(on_discard), ..opts }
            }
            Self::Spent => {
                let overrides = Overrides { max_attempts: Some(SPENT_AFTER), ..opts.overrides };
                InsertOpts { overrides, ..opts }
            }
            Self::Keyed => {
                InsertOpts { unique_key: Some(Key::new(&format!("key-{}", dice.below(400)))?), ..opts }
            }
            Self::Active => InsertOpts {
                unique_active_key: Some(Key::new(&format!("active-{}", dice.below(40)))?),
                ..opts
            },
        })
    }

    /// Plain jobs that take much space: what they carry can't be compressed, and they do not give it back.
    pub(crate) fn bulky(dice: &mut Dice) -> Result<InsertOpts> {
        let pad: String =
            (0..BULK).map(|_| char::from(b'!' + u8::try_from(dice.below(90)).unwrap_or(0))).collect();
        echo(&json!({ "sleep_ms": dice.millis(100..1000), "output": "big", "pad": pad }))
    }

    fn args(self, dice: &mut Dice) -> Value {
        let sleep_ms = dice.millis(1500..7500);
        let short = dice.millis(100..1000);
        match self {
            Self::Plain | Self::Aside | Self::Late | Self::Keyed | Self::Active => {
                json!({ "sleep_ms": sleep_ms })
            }
            Self::Failing(times) => {
                json!({ "sleep_ms": short, "fail": { "message": "not yet", "times": times } })
            }
            Self::Refused => json!({ "sleep_ms": short, "fail": { "class": "permanent", "message": "no" } }),
            Self::Spent => json!({ "sleep_ms": short, "fail": { "message": "never" } }),
            Self::Family(children) => json!({
                "sleep_ms": short,
                "follow_ups": [{ "kind": "echo", "args": { "sleep_ms": short }, "times": children }],
                "barrier": { "kind": "echo", "args": { "children": true } },
            }),
            Self::Snoozer => json!({ "sleep_ms": short, "snooze_ms": 1000 }),
            Self::Cancelled => json!({ "sleep_ms": 20_000 }),
        }
    }

    /// What operators cancel is to be found running as well as waiting: some of it comes first.
    fn priority(self, dice: &mut Dice) -> u16 {
        match (self, dice.below(4)) {
            (Self::Snoozer, _) | (Self::Cancelled, 0 | 1) => 10,
            (_, 0) => 90,
            (_, 1) => 110,
            (_, _) => 100,
        }
    }

    /// How often it is charged before it ends.
    pub(crate) const fn failures(self) -> u32 {
        match self {
            Self::Failing(times) => times,
            Self::Refused => 1,
            Self::Spent => SPENT_AFTER,
            Self::Plain
            | Self::Aside
            | Self::Late
            | Self::Family(_)
            | Self::Snoozer
            | Self::Cancelled
            | Self::Keyed
            | Self::Active => 0,
        }
    }

    /// Whether an attempt at it may end so, whatever goes wrong with nodes.
    pub(crate) fn may_come_to(self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Crashed | Outcome::Released => true,
            Outcome::Success => !matches!(self, Self::Refused | Self::Spent | Self::Snoozer),
            Outcome::Error => self.failures() > 0,
            Outcome::Snooze => self == Self::Snoozer,
            Outcome::Cancelled => self.is_cancelled(),
            Outcome::Timeout | Outcome::Started => false,
        }
    }

    /// Whether an operator cancels it.
    pub(crate) const fn is_cancelled(self) -> bool {
        matches!(self, Self::Snoozer | Self::Cancelled)
    }
}

/// Jobs of the worker that does what its args say; failures are tried again soon.
fn echo(args: &Value) -> Result<InsertOpts> {
    let second = Duration::from_secs(1);
    let overrides =
        Overrides { backoff: Some(Backoff { base: second, cap: second }), ..Overrides::default() };
    Ok(InsertOpts { overrides, ..InsertOpts::new(Kind::new("echo")?, args.to_string()) })
}
