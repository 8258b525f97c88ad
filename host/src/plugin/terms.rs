//! What the jobs of a kind may use and how they are retried, resolved once per load: what the manifest says, else what
//! the worker wishes, else the host's defaults, and never more than the operator's ceilings.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::job::{Backoff, Budget, MAX_DELAY, Overrides, RetryPolicy};
use crate::quantity::{Bytes, Count, Span};
use crate::sandbox::share_of;

/// What no manifest, worker or job gets past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Wall time of one attempt.
    pub timeout: Duration,
    /// Fuel of one attempt.
    pub fuel: u64,
    /// Bytes of memory of one attempt.
    pub memory_bytes: u64,
    /// Bytes of output of one attempt.
    pub output_bytes: u64,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3600),
            fuel: 1_000_000_000_000,
            memory_bytes: 1 << 30,
            output_bytes: 16 << 20,
        }
    }
}

/// The ceilings of a node, whose memory for all attempts together is bounded too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) ceilings: Ceilings,
    pub(super) guest_memory: u64,
}

impl Bounds {
    /// An attempt may have four fifths of what all attempts of the node share.
    const fn share(&self) -> u64 {
        share_of(self.guest_memory)
    }

    /// The most memory that any kind can be given.
    pub(super) const fn memory_bytes(&self) -> u64 {
        if self.share() < self.ceilings.memory_bytes { self.share() } else { self.ceilings.memory_bytes }
    }
}

/// What one layer asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) timeout: Option<Duration>,
    pub(super) fuel: Option<u64>,
    pub(super) memory_bytes: Option<u64>,
    pub(super) output_bytes: Option<u64>,
    pub(super) max_attempts: Option<u32>,
    pub(super) base: Option<Duration>,
    pub(super) cap: Option<Duration>,
    pub(super) retry_resource: Option<bool>,
}

/// A key of a manifest that a ceiling goes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Timeout,
    Fuel,
    Memory,
    Output,
}

impl Wanted {
    /// Its path in a manifest.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Timeout => "limits.timeout",
            Self::Fuel => "limits.fuel",
            Self::Memory => "limits.memory",
            Self::Output => "limits.output",
        }
    }
}

/// A manifest that asks for more than there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("asks for {asked}, more than {most}: lower it, or have the operator raise {lever} in flyball.toml")]
pub(super) struct TooMuch {
    pub(super) wanted: Wanted,
    asked: String,
    most: String,
    lever: &'static str,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// `<kind>.toml`.
    Manifest,
    /// The worker's own wish.
    Describe,
    /// Nobody asked: the host's default.
    Host,
}

/// One resolved value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term<T> {
    /// What holds.
    pub value: T,
    /// Who asked for it.
    pub origin: Origin,
    /// What was asked for, where that was cut.
    pub cut_from: Option<T>,
}

/// What a kind's jobs get if they ask for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// Wall time of one attempt.
    #[serde(serialize_with = "term_of_span")]
    pub timeout: Term<Duration>,
    /// Fuel of one attempt.
    #[serde(serialize_with = "term_of_number")]
    pub fuel: Term<u64>,
    /// Bytes of memory of one attempt.
    #[serde(serialize_with = "term_of_number")]
    pub memory: Term<u64>,
    /// Bytes of output of one attempt.
    #[serde(serialize_with = "term_of_number")]
    pub output: Term<u64>,
    /// Charged attempts before a job is discarded.
    #[serde(serialize_with = "term_of_number")]
    pub max_attempts: Term<u32>,
    /// The delay after the first failure.
    #[serde(serialize_with = "term_of_span")]
    pub base: Term<Duration>,
    /// The longest delay.
    #[serde(serialize_with = "term_of_span")]
    pub cap: Term<Duration>,
    /// Whether an attempt that needed more than its budget is tried again.
    #[serde(serialize_with = "term_of_number")]
    pub retry_resource: Term<bool>,
}

impl Terms {
    pub(super) fn resolve(manifest: &Wishes, described: &Wishes, bounds: &Bounds) -> Result<Self, TooMuch> {
        refuse_excess(manifest, bounds)?;
        let host = (Budget::default(), RetryPolicy::default());
        let most = bounds.ceilings;
        let tick = Duration::from_millis(1);
        let cap = pick(manifest.cap, described.cap, host.1.backoff.cap).cut(tick, MAX_DELAY);
        let base = pick(manifest.base, described.base, host.1.backoff.base);
        // A manifest with a cap alone lowers the base with it.
        let base = base.cut(tick, cap.value);
        Ok(Self {
            timeout: pick(manifest.timeout, described.timeout, host.0.timeout).cut(tick, most.timeout),
            fuel: pick(manifest.fuel, described.fuel, host.0.fuel).cut(1, most.fuel),
            memory: pick(manifest.memory_bytes, described.memory_bytes, host.0.memory_bytes)
                .cut(1, bounds.memory_bytes()),
            output: pick(manifest.output_bytes, described.output_bytes, host.0.output_bytes as u64)
                .cut(0, most.output_bytes),
            max_attempts: pick(manifest.max_attempts, described.max_attempts, host.1.max_attempts)
                .cut(1, i16::MAX.unsigned_abs().into()),
            base,
            cap,
            retry_resource: pick(manifest.retry_resource, described.retry_resource, host.1.retry_resource),
        })
    }

    /// What one attempt of a job gets: what the job asks for goes first, up to the ceilings.
    pub(super) fn budget(&self, job: &Overrides, ceilings: &Ceilings) -> Budget {
        Budget {
            timeout: job.timeout.unwrap_or(self.timeout.value).min(ceilings.timeout),
            fuel: job.fuel.unwrap_or(self.fuel.value).min(ceilings.fuel),
            memory_bytes: self.memory.value,
            output_bytes: usize::try_from(self.output.value).unwrap_or(usize::MAX),
        }
    }

    /// How a job's failures are treated.
    pub(super) fn retry(&self, job: &Overrides) -> RetryPolicy {
        let backoff = Backoff { base: self.base.value, cap: self.cap.value };
        RetryPolicy {
            max_attempts: job.max_attempts.unwrap_or(self.max_attempts.value),
            backoff: job.backoff.unwrap_or(backoff),
            retry_resource: self.retry_resource.value,
        }
    }
}

fn pick<T>(manifest: Option<T>, described: Option<T>, host: T) -> Term<T> {
    let (value, origin) = match (manifest, described) {
        (Some(value), _) => (value, Origin::Manifest),
        (None, Some(value)) => (value, Origin::Describe),
        (None, None) => (host, Origin::Host),
    };
    Term { value, origin, cut_from: None }
}

impl<T: Ord + Copy> Term<T> {
    fn cut(self, least: T, most: T) -> Self {
        let value = self.value.max(least).min(most);
        Self { value, cut_from: (value != self.value).then_some(self.value), ..self }
    }
}

fn refuse_excess(manifest: &Wishes, bounds: &Bounds) -> Result<(), TooMuch> {
    let Bounds { ceilings, guest_memory } = bounds;
    let too_much = |wanted, asked: String, most: String, lever| {
        Err(TooMuch { wanted, asked, most: format!("the {most}"), lever })
    };
    if let Some(asked) = manifest.timeout.filter(|asked| *asked > ceilings.timeout) {
        let most = format!("ceiling of {}", Span(ceilings.timeout));
        return too_much(Wanted::Timeout, Span(asked).to_string(), most, "`timeout` under [ceilings]");
    }
    if let Some(asked) = manifest.fuel.filter(|asked| *asked > ceilings.fuel) {
        let most = format!("ceiling of {}", Count(ceilings.fuel));
        return too_much(Wanted::Fuel, Count(asked).to_string(), most, "`fuel` under [ceilings]");
    }
    if let Some(asked) = manifest.memory_bytes.filter(|asked| *asked > ceilings.memory_bytes) {
        let most = format!("ceiling of {}", Bytes(ceilings.memory_bytes));
        return too_much(Wanted::Memory, Bytes(asked).to_string(), most, "`memory` under [ceilings]");
    }
    if let Some(asked) = manifest.memory_bytes.filter(|asked| *asked > bounds.share()) {
        let most = format!("80 % of the {} that all attempts of this node share", Bytes(*guest_memory));
        return too_much(Wanted::Memory, Bytes(asked).to_string(), most, "`guest_memory` under [node]");
    }
    if let Some(asked) = manifest.output_bytes.filter(|asked| *asked > ceilings.output_bytes) {
        let most = format!("ceiling of {}", Bytes(ceilings.output_bytes));
        return too_much(Wanted::Output, Bytes(asked).to_string(), most, "`output` under [ceilings]");
    }
    Ok(())
}

#[derive(Serialize)]
struct ShownTerm<T> {
    value: T,
    origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_from: Option<T>,
}

fn term_of_span<S: Serializer>(term: &Term<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    let shown = |duration| Span(duration).to_string();
    let cut_from = term.cut_from.map(shown);
    ShownTerm { value: shown(term.value), origin: term.origin, cut_from }.serialize(serializer)
}

fn term_of_number<T: Serialize + Copy, S: Serializer>(
    term: &Term<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let Term { value, origin, cut_from } = *term;
    ShownTerm { value, origin, cut_from }.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn bounds() -> Bounds {
        Bounds { ceilings: Ceilings::default(), guest_memory: 4 * GIB }
    }

    fn resolve(manifest: Wishes, described: Wishes) -> Terms {
        Terms::resolve(&manifest, &described, &bounds()).expect("within the ceilings")
    }

    #[test]
    fn each_value_comes_from_the_first_that_says_anything() {
        let fuel = |fuel| Wishes { fuel, ..Wishes::default() };
        let cases = [
            (Some(1), Some(2), Some(3), 1, Origin::Manifest),
            (None, Some(2), Some(3), 2, Origin::Manifest),
            (None, None, Some(3), 3, Origin::Describe),
            (None, None, None, 20_000_000_000, Origin::Host),
        ];
        for (job, manifest, described, expected, origin) in cases {
            let terms = resolve(fuel(manifest), fuel(described));
            let budget = terms.budget(&Overrides { fuel: job, ..Overrides::default() }, &Ceilings::default());
            assert_eq!(
                (budget.fuel, terms.fuel.origin),
                (expected, origin),
                "{job:?} {manifest:?} {described:?}"
            );
        }
        let host = resolve(Wishes::default(), Wishes::default());
        assert_eq!(host.budget(&Overrides::default(), &Ceilings::default()), Budget::default());
        assert_eq!(host.retry(&Overrides::default()), RetryPolicy::default());
    }

    #[test]
    fn a_worker_or_a_job_that_asks_for_more_than_the_ceilings_is_cut() {
        let greedy = Wishes {
            timeout: Some(Duration::from_secs(7200)),
            memory_bytes: Some(8 * GIB),
            max_attempts: Some(0),
            base: Some(Duration::from_secs(90)),
            ..Wishes::default()
        };
        let terms = resolve(Wishes::default(), greedy);
        assert_eq!(
            (terms.timeout.value, terms.timeout.cut_from),
            (Duration::from_secs(3600), greedy.timeout)
        );
        assert_eq!((terms.memory.value, terms.memory.cut_from), (GIB, greedy.memory_bytes));
        assert_eq!((terms.max_attempts.value, terms.base.value), (1, Duration::from_secs(60)));
        let job = Overrides { timeout: greedy.timeout, fuel: Some(u64::MAX), ..Overrides::default() };
        let budget = terms.budget(&job, &Ceilings::default());
        assert_eq!((budget.timeout, budget.fuel), (Duration::from_secs(3600), 1_000_000_000_000));
    }

    #[test]
    fn the_hosts_own_defaults_are_cut_too() {
        let ceilings = Ceilings { timeout: Duration::from_secs(10), ..Ceilings::default() };
        let bounds = Bounds { ceilings, guest_memory: 100 << 20 };
        let terms = Terms::resolve(&Wishes::default(), &Wishes::default(), &bounds).expect("no wishes");
        assert_eq!((terms.timeout.value, terms.memory.value), (Duration::from_secs(10), 80 << 20));
    }

    #[test]
    fn a_manifest_that_asks_for_too_much_is_refused_and_told_who_can_raise_it() {
        let refused = |wishes: Wishes, guest_memory| {
            let bounds = Bounds { guest_memory, ..bounds() };
            Terms::resolve(&wishes, &Wishes::default(), &bounds).expect_err("too much").to_string()
        };
        let timeout = Wishes { timeout: Some(Duration::from_secs(7200)), ..Wishes::default() };
        insta::assert_snapshot!(refused(timeout, 4 * GIB), @"asks for 2h, more than the ceiling of 1h: lower it, or have the operator raise `timeout` under [ceilings] in flyball.toml");
        let memory = Wishes { memory_bytes: Some(GIB), ..Wishes::default() };
        insta::assert_snapshot!(refused(memory, GIB), @"asks for 1GiB, more than the 80 % of the 1GiB that all attempts of this node share: lower it, or have the operator raise `guest_memory` under [node] in flyball.toml");
        let memory = Wishes { memory_bytes: Some(2 * GIB), ..Wishes::default() };
        insta::assert_snapshot!(refused(memory, GIB), @"asks for 2GiB, more than the ceiling of 1GiB: lower it, or have the operator raise `memory` under [ceilings] in flyball.toml");
    }

    #[test]
    fn a_job_with_a_backoff_of_its_own_has_it() {
        let terms = resolve(Wishes { max_attempts: Some(5), ..Wishes::default() }, Wishes::default());
        let backoff = Backoff { base: Duration::from_secs(3), cap: Duration::from_secs(4) };
        let job = Overrides { backoff: Some(backoff), ..Overrides::default() };
        assert_eq!(terms.retry(&job), RetryPolicy { max_attempts: 5, backoff, retry_resource: false });
    }
}
