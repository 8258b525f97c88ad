//! What goes wrong, and in which order: decided by the seed before anything runs.

use std::time::Duration;

use flyball::store::Database;
use flyball_tests::wall::Offset;

use super::dice::Dice;
use super::world::{CLOCKED, LONG_LIVED, PROXIED, SLOTS};

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL of the node in a slot, at any moment; another takes its place.
    Kill(usize),
    /// SIGKILL at a moment of the finalize.
    KillAt(usize, Moment),
    /// SIGKILL of the postmaster, and its start after a while.
    Postmaster { down: Duration },
    /// SIGSTOP, on PostgreSQL past the lease, and SIGCONT.
    Freeze(usize),
    /// A node's connections stay open and carry nothing; then they go on, or are cut.
    Deaf { slot: usize, lasts: Duration, then: Then },
    /// The server does the work, and the node never hears of it.
    Swallow { slot: usize, marker: &'static str },
    /// Nothing more fits on the disk of the database.
    DiskFull { lasts: Duration },
    /// The wall clock of one node is set.
    Step(usize, Offset),
}

/// Where a finalize stands when its node is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The outcome was decided, and the database has not heard of it.
    Before,
    /// The database has it or is about to, and the node has not heard of that.
    Within(&'static str),
    /// The node has heard of it.
    After,
}

/// How silence ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Pass,
    Cut,
}

/// Begins the statement that ends attempts.
pub(crate) const FINALIZE: &str = "Moves running jobs on and ends their run";
const COMMIT: &str = "COMMIT";
const SWALLOWED: [&str; 6] = [
    "Claims due jobs for a node",
    FINALIZE,
    COMMIT,
    "Renews a node's lease",
    "Makes due jobs available",
    "Takes or renews the lease of an activity",
];

/// Sorts of faults, before the dice say how and where.
#[derive(Clone, Copy)]
enum Sort {
    Kill,
    KillBefore,
    KillWithin,
    KillAfter,
    Postmaster,
    Freeze,
    ShortSilence,
    LongSilence,
    Swallow,
    DiskFull,
    Step,
}

const ON_SQLITE: [(usize, Sort); 7] = [
    (60, Sort::Kill),
    (12, Sort::KillBefore),
    (12, Sort::KillWithin),
    (12, Sort::KillAfter),
    (2, Sort::Freeze),
    (2, Sort::DiskFull),
    (3, Sort::Step),
];

const ON_POSTGRES: [(usize, Sort); 11] = [
    (100, Sort::Kill),
    (12, Sort::KillBefore),
    (12, Sort::KillWithin),
    (12, Sort::KillAfter),
    (6, Sort::Postmaster),
    (3, Sort::Freeze),
    (3, Sort::ShortSilence),
    (2, Sort::LongSilence),
    (8, Sort::Swallow),
    (2, Sort::DiskFull),
    (4, Sort::Step),
];

impl Fault {
    /// Does a process die of it?
    pub(crate) const fn kills(self) -> bool {
        match self {
            Self::Kill(_) | Self::KillAt(..) | Self::Postmaster { .. } => true,
            Self::Freeze(_)
            | Self::Deaf { .. }
            | Self::Swallow { .. }
            | Self::DiskFull { .. }
            | Self::Step(..) => false,
        }
    }
}

/// How many sorts of fault there are.
pub(crate) const fn sorts(database: Database) -> usize {
    match database {
        Database::Sqlite => ON_SQLITE.len(),
        Database::Postgres => ON_POSTGRES.len(),
    }
}

/// Every sort of fault once, then whatever makes so many kills.
pub(crate) fn schedule(seed: u64, kills: usize, database: Database, lease: Duration) -> Vec<Fault> {
    let sorts: &[(usize, Sort)] = match database {
        Database::Sqlite => &ON_SQLITE,
        Database::Postgres => &ON_POSTGRES,
    };
    let mut dice = Dice::new(seed, "faults");
    let mut faults: Vec<Fault> =
        sorts.iter().map(|(_, sort)| fault(*sort, database, lease, &mut dice)).collect();
    let few = [(1, Sort::Kill), (1, Sort::KillBefore), (1, Sort::KillWithin), (1, Sort::KillAfter)];
    // A short storm has each of the slow ones once.
    let rest = if kills < 100 { &few[..] } else { sorts };
    while faults.iter().filter(|fault| fault.kills()).count() < kills {
        let Some(sort) = dice.weighted(rest) else { break };
        faults.push(fault(sort, database, lease, &mut dice));
    }
    let (once, rest) = faults.split_at_mut(sorts.len());
    dice.shuffle(once);
    dice.shuffle(rest);
    faults
}

fn fault(sort: Sort, database: Database, lease: Duration, dice: &mut Dice) -> Fault {
    let any = any_slot(database, dice);
    let proxied = match database {
        Database::Sqlite => 0,
        Database::Postgres => PROXIED[dice.below(PROXIED.len())],
    };
    let between = |from: u64, to: u64, dice: &mut Dice| Duration::from_millis(dice.millis(from..to));
    let then = if dice.below(2) == 0 { Then::Pass } else { Then::Cut };
    match sort {
        Sort::Kill => Fault::Kill(any),
        Sort::KillBefore => Fault::KillAt(proxied, Moment::Before),
        Sort::KillWithin => {
            Fault::KillAt(proxied, Moment::Within(if dice.below(3) == 0 { COMMIT } else { FINALIZE }))
        }
        Sort::KillAfter => Fault::KillAt(any, Moment::After),
        Sort::Postmaster => Fault::Postmaster { down: between(0, 2500, dice) },
        Sort::Freeze => Fault::Freeze(any),
        Sort::ShortSilence => Fault::Deaf { slot: proxied, lasts: lease / 2, then },
        Sort::LongSilence => Fault::Deaf { slot: proxied, lasts: lease * 2, then },
        Sort::Swallow => Fault::Swallow { slot: proxied, marker: SWALLOWED[dice.below(SWALLOWED.len())] },
        Sort::DiskFull => Fault::DiskFull { lasts: between(500, 4000, dice) },
        Sort::Step => {
            let offset = if dice.below(2) == 0 { Offset::Ahead(1) } else { Offset::Behind(1) };
            Fault::Step(clocked(database), offset)
        }
    }
}

fn clocked(database: Database) -> usize {
    match database {
        Database::Sqlite => 0,
        Database::Postgres => CLOCKED,
    }
}

/// One node lives ten times as long as the others: a sweep asks for a node that has been there for a lease, and where all
/// die sooner than that nobody is ever taken for dead.
fn any_slot(database: Database, dice: &mut Dice) -> usize {
    match database {
        Database::Sqlite => 0,
        Database::Postgres => {
            let weights: Vec<(usize, usize)> =
                (0..SLOTS).map(|slot| (if slot == LONG_LIVED { 1 } else { 10 }, slot)).collect();
            dice.weighted(&weights).unwrap_or(0)
        }
    }
}
