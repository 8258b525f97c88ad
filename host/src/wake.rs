//! Who waits for work. A ring says that something may have changed; whoever hears it looks for itself, so a ring
//! too many costs a look and a ring that was lost is made up for by polling.

use tokio::sync::watch;

/// What a ring is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// Jobs became available.
    Work,
    /// Somebody asked to cancel a running job.
    Cancel,
    /// A job became due earlier than any before.
    Due,
    /// A schedule was added or changed.
    Schedule,
}

impl Line {
    /// Every line.
    pub const ALL: [Self; 4] = [Self::Work, Self::Cancel, Self::Due, Self::Schedule];
}

/// The bell that a process shares. Cheap to clone. Rings coalesce: a listener that was away hears one.
#[derive(Clone, Debug)]
pub struct Bell {
    lines: [watch::Sender<u64>; 4],
}

impl Default for Bell {
    fn default() -> Self {
        Self { lines: std::array::from_fn(|_| watch::Sender::new(0)) }
    }
}

impl Bell {
    /// Rings a line. Never blocks.
    pub fn ring(&self, line: Line) {
        self.lines[line as usize].send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// Begins to listen: hears every ring from now on.
    pub fn listen(&self, line: Line) -> Listener {
        Listener(self.lines[line as usize].subscribe())
    }
}

/// One who listens on a line.
#[derive(Clone, Debug)]
pub struct Listener(watch::Receiver<u64>);

impl Listener {
    /// Waits for a ring; returns at once if one came since the last time. For ever if the bell is gone.
    pub async fn heard(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rings_coalesce_and_none_is_lost() {
        let bell = Bell::default();
        let mut work = bell.listen(Line::Work);
        bell.ring(Line::Work);
        bell.ring(Line::Work);
        bell.ring(Line::Cancel);
        work.heard().await;
        let second = tokio::time::timeout(std::time::Duration::from_millis(5), work.heard());
        assert!(second.await.is_err(), "two rings are heard as one");
    }
}
