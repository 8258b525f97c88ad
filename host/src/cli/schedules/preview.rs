//! `flyball schedules preview`.

use chrono::SecondsFormat;

use crate::cli::Exit;
use crate::clock::Clock;
use crate::job::Timestamp;
use crate::quantity::Moment;
use crate::timing::{Timing, zone};

/// Which expression, and what of it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Preview {
    /// Five fields as cron has them, six with seconds first, `@daily`, or `@every 5m`.
    #[arg(value_name = "EXPR")]
    timing: Timing,
    /// Where the clock hangs that the expression means, such as `Europe/Berlin`.
    #[arg(long, value_name = "TZ", default_value = "UTC")]
    timezone: String,
    /// After this moment: RFC 3339, or from now as `5m` or `2d` [default: now].
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Preview {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let zone = zone(&self.timezone)?;
        let now = Clock::system().now();
        let from = self.from.map_or(now, |from| from.ahead_of(now));
        let first = self.timing.first_after(from, zone);
        let next = |last: &Timestamp| self.timing.next_after(*last, *last, zone);
        let times: Vec<Timestamp> =
            std::iter::successors(first, next).take(usize::try_from(self.count)?).collect();
        if self.json {
            say!("{}", serde_json::to_string(&times)?);
            return Ok(Exit::Done);
        }
        for at in times {
            let local = at.datetime().with_timezone(&zone);
            say!("{}", local.to_rfc3339_opts(SecondsFormat::Secs, true));
        }
        Ok(Exit::Done)
    }
}
