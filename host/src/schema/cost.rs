//! How much work it is to put a schema to a value: an upper bound, found by walking the value with a count of how often
//! each subschema is put to each part of it. The walk itself costs no more than what it counts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::Shape;

/// The most that a check may cost: half a second at the worst, a few hundredths as a rule.
pub(super) const MOST: u64 = 2_000_000;
/// The most that finding words for a mismatch may cost.
const MOST_EXPLAINED: u64 = 5_000_000;
/// The most that may be done where others wait, words for a mismatch included: less than a millisecond.
pub(super) const AT_ONCE: u64 = 4_000;
/// The deepest that validation may call itself: threads have stacks of 2 MiB, which take several times as many.
const DEEPEST: usize = 1000;
/// Looks for the price of one subschema.
const LOOKS: u64 = 32;

/// The cost of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    units: u64,
    /// Where alternatives nest, each level is tried again to find words.
    explaining: u64,
    most: u64,
}

/// A check that would cost too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooCostly;

/// How often each subschema is put to one value, in the order of ranks.
type Counts = BTreeMap<(usize, usize), u64>;

impl Cost {
    /// Whether it costs little enough to also find words for a mismatch.
    pub(super) fn can_be_explained(self) -> bool {
        self.explaining <= MOST_EXPLAINED
    }

    /// Whether it costs so little that others may wait for it.
    pub(super) fn is_spent_at_once(self) -> bool {
        self.explaining <= AT_ONCE
    }

    fn spend(&mut self, units: u64, depth: usize) -> Result<(), TooCostly> {
        self.units = self.units.saturating_add(units);
        self.explaining = self.explaining.saturating_add(units.saturating_mul(depth as u64));
        if self.units > self.most { Err(TooCostly) } else { Ok(()) }
    }
}

impl Shape {
    /// What it costs at most to put this schema to the value, if that is no more than `most`.
    pub(super) fn cost(&self, value: &Value, most: u64) -> Result<Cost, TooCostly> {
        let mut cost = Cost { most, ..Cost::default() };
        let mut counts = Counts::new();
        self.count(&mut counts, 0, 1);
        self.walk(value, counts, 1, &mut cost)?;
        Ok(cost)
    }

    fn walk(
        &self,
        value: &Value,
        mut counts: Counts,
        level: usize,
        cost: &mut Cost,
    ) -> Result<(), TooCostly> {
        let depth = level * self.chain;
        if depth > DEEPEST {
            return Err(TooCostly);
        }
        let here = self.spread(value, &mut counts, depth, cost)?;
        match value {
            Value::Object(entries) => {
                for (name, part) in entries {
                    let mut inside = Counts::new();
                    let mut named = Counts::new();
                    for (node, count) in &here {
                        let node = &self.nodes[*node];
                        let parts = node.properties.get(name).into_iter().chain(&node.every_property);
                        parts.for_each(|part| self.count(&mut inside, *part, *count));
                        node.names.iter().for_each(|name| self.count(&mut named, *name, *count));
                    }
                    self.walk_part(part, inside, level, cost)?;
                    if !named.is_empty() {
                        self.walk_part(&Value::String(name.clone()), named, level, cost)?;
                    }
                }
            }
            Value::Array(parts) => {
                let mut inside = Counts::new();
                for (node, count) in &here {
                    self.nodes[*node].items.iter().for_each(|item| self.count(&mut inside, *item, *count));
                }
                for part in parts {
                    self.walk_part(part, inside.clone(), level, cost)?;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        Ok(())
    }

    fn walk_part(
        &self,
        part: &Value,
        counts: Counts,
        level: usize,
        cost: &mut Cost,
    ) -> Result<(), TooCostly> {
        if counts.is_empty() { Ok(()) } else { self.walk(part, counts, level + 1, cost) }
    }

    /// Follows subschemas that are put to the same value, and pays for all of them. Answers them with their counts.
    fn spread(
        &self,
        value: &Value,
        counts: &mut Counts,
        depth: usize,
        cost: &mut Cost,
    ) -> Result<Vec<(usize, u64)>, TooCostly> {
        let mut here = Vec::with_capacity(counts.len());
        // What an `unevaluated…` keyword puts to the value again: for each part, and on each level of alternatives.
        let again = parts_of(value).max(self.chain) as u64;
        while let Some(((_, index), count)) = counts.pop_first() {
            let node = &self.nodes[index];
            let count = if node.unevaluated { count.saturating_mul(2) } else { count };
            cost.spend(count.saturating_mul(1 + node.weight.looks(value) / LOOKS), depth)?;
            let times = if node.unevaluated { count.saturating_mul(again + 1) } else { count };
            node.same.iter().for_each(|next| self.count(counts, *next, times));
            here.push((index, count));
        }
        Ok(here)
    }

    fn count(&self, counts: &mut Counts, node: usize, times: u64) {
        let count = counts.entry((self.rank[node], node)).or_default();
        *count = count.saturating_add(times);
    }
}

fn parts_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(parts) => parts.len(),
        Value::Object(entries) => entries.len(),
    }
}
