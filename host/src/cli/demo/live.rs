//! The demo as it happens: a line for each attempt that ends, and on a terminal a bar beneath.

use std::collections::{BTreeMap, HashMap};
use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};

use super::local::Ground;
use crate::event::{Consumer, Event, Finished, JobRef};
use crate::job::{JobId, Kind, visible};

/// How often the database is asked whether all has ended: that, and not what was heard, decides.
const LOOK: Duration = Duration::from_millis(250);
/// The demo is over after so long, whatever still waits.
const ENDS_WITHIN: Duration = Duration::from_secs(300);

/// What is shown while jobs run.
pub(super) struct Live {
    labels: HashMap<JobId, String>,
    running: BTreeMap<Kind, u32>,
    screen: Screen,
}

enum Screen {
    /// A bar below the lines.
    Terminal(ProgressBar),
    /// Lines only.
    Plain,
}

impl Live {
    /// For jobs with these names.
    pub(super) fn new(labels: HashMap<JobId, String>) -> anyhow::Result<Self> {
        let screen = if std::io::stderr().is_terminal() {
            let style =
                ProgressStyle::with_template("{spinner:.cyan} {bar:32.cyan/dim} {pos}/{len} {wide_msg}")?;
            let bar = ProgressBar::new(u64::try_from(labels.len())?).with_style(style);
            bar.enable_steady_tick(Duration::from_millis(100));
            Screen::Terminal(bar)
        } else {
            Screen::Plain
        };
        Ok(Self { labels, running: BTreeMap::new(), screen })
    }

    /// Shows what happens until every job of the database has ended.
    pub(super) async fn watch(mut self, ground: &Ground, events: &mut Consumer) -> anyhow::Result<()> {
        let give_up = ground.clock.boot().after(ENDS_WITHIN);
        loop {
            tokio::select! {
                biased;
                Some(event) = events.next() => self.hear(&event),
                () = ground.clock.sleep(LOOK) => {
                    let states = ground.client.overview().await?.states;
                    let unfinished: u64 = states.iter().filter(|(state, _)| !state.is_terminal()).map(|(_, jobs)| jobs).sum();
                    if unfinished == 0 {
                        break;
                    }
                    if ground.clock.boot() > give_up {
                        bail!("{unfinished} jobs have not ended within {ENDS_WITHIN:?}");
                    }
                }
            }
        }
        // What the store said before it said that all had ended is queued by now.
        while let Some(event) = events.waiting() {
            self.hear(&event);
        }
        if let Screen::Terminal(bar) = &self.screen {
            bar.finish_and_clear();
        }
        Ok(())
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::JobStarted { job, .. } => *self.running.entry(job.kind.clone()).or_default() += 1,
            Event::JobFinished(finished) => self.finished(finished),
            Event::GrantDenied { kind, grant, .. } => self.say(&format!("  denied      {kind:<11} {grant}")),
            Event::PluginRefused { kind, reason } => self.say(&format!("  refused     {kind:<11} {reason}")),
            Event::JobEnqueued { .. }
            | Event::JobSuperseded { .. }
            | Event::JobReclaimed { .. }
            | Event::JobsPromoted { .. }
            | Event::PluginLoaded { .. }
            | Event::PluginRemoved { .. }
            | Event::NodeLost { .. }
            | Event::LeaseLost { .. }
            | Event::ScheduleFired { .. }
            | Event::ScheduleBroken { .. }
            | Event::JobsPruned { .. }
            | Event::ServiceRestarted { .. } => {}
        }
        self.draw();
    }

    fn finished(&mut self, finished: &Finished) {
        let Finished {
            job: JobRef { job, kind, attempt, .. }, state, outcome, error_message, duration, ..
        } = finished;
        if let Some(count) = self.running.get_mut(kind) {
            *count = count.saturating_sub(1);
        }
        // A job that was not enqueued here was asked for by another.
        let label = self.labels.entry(*job).or_insert_with(|| "follow-up".into()).clone();
        let mut line =
            format!("  {state:<11} {kind:<11} {label}, attempt {attempt}: {outcome} after {duration:.1?}");
        if let Some(message) = error_message {
            line.push_str(&format!(", {message}"));
        }
        self.say(&line);
        if let (Screen::Terminal(bar), true) = (&self.screen, state.is_terminal()) {
            bar.inc(1);
        }
    }

    fn say(&self, line: &str) {
        let line = visible(&line.replace('\n', " ")).into_owned();
        match &self.screen {
            Screen::Terminal(bar) => bar.println(line),
            Screen::Plain => eprintln!("{line}"),
        }
    }

    fn draw(&self) {
        let Screen::Terminal(bar) = &self.screen else { return };
        let running = self.running.iter().filter(|(_, count)| **count > 0);
        let running: Vec<_> = running.map(|(kind, count)| format!("{count} {kind}")).collect();
        bar.set_length(u64::try_from(self.labels.len()).unwrap_or(u64::MAX));
        bar.set_message(running.join(", "));
    }
}
