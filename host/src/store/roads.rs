//! The texts that one page of jobs is read by, made of one: the same conditions, led to by different indexes, and with
//! all columns or those that an order needs.

/// The roads to the jobs of a selection, each for whole rows and for the state alone.
#[derive(Clone, Copy)]
pub(super) struct Roads {
    pub(super) list: &'static str,
    pub(super) list_children: &'static str,
    pub(super) list_these: &'static str,
    pub(super) select: &'static str,
    pub(super) select_children: &'static str,
    pub(super) select_these: &'static str,
}

/// Where every road begins: between two jobs, by their ids.
const START: &str = "WHERE j.id < $1 AND j.id >= $2\n";

impl Roads {
    /// All of them. `these` is how the road to the jobs of $17 begins, as that leads by its own index on each database.
    pub(super) fn new(list: &'static str, these: &str) -> Self {
        let states = with_states_only(list);
        let children = "WHERE j.parent_id = $9 AND j.id < $1 AND j.id >= $2\n";
        Self {
            list,
            list_children: led(list, children),
            list_these: led(list, these),
            select: states,
            select_children: led(states, children),
            select_these: led(states, these),
        }
    }
}

fn led(text: &str, start: &str) -> &'static str {
    debug_assert_eq!(text.matches(START).count(), 1, "a page says where it begins");
    // Once for each process: the texts are kept.
    String::leak(text.replacen(START, start, 1))
}

fn with_states_only(text: &str) -> &'static str {
    let (head, rest) = text.split_once("SELECT\n").unwrap_or_default();
    let (_columns, tail) = rest.split_once("FROM").unwrap_or_default();
    debug_assert!(!tail.is_empty(), "a page says what it reads, and from where");
    String::leak(format!("{head}SELECT j.id, j.state\nFROM{tail}"))
}
