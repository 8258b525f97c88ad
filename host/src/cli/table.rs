//! Columns for people. Machines get `--json`.

use std::time::Duration;

/// A time as people read it, without more digits than they want.
pub(super) fn age(age: Duration) -> String {
    let shown = if age < Duration::from_secs(10) {
        Duration::from_millis(age.as_millis().try_into().unwrap_or(0))
    } else {
        Duration::from_secs(age.as_secs())
    };
    crate::quantity::Span(shown).to_string()
}

/// Rows under a header, each column as wide as its widest cell.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<const N: usize>(header: [&str; N]) -> Self {
        Self { rows: vec![header.iter().map(|cell| cell.to_uppercase()).collect()] }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        // What a guest or a user wrote stays on its line.
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| crate::job::visible(&cell.replace('\n', " ")).into_owned())
                .collect(),
        );
    }

    pub(super) fn print(&self) {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            say!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
    }
}
