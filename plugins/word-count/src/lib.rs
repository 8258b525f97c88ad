//! Counts the lines, words and bytes of a text, and tells its most frequent words.

use std::collections::HashMap;

use flyball_worker::{Job, Result, worker};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The text to count.
    text: String,
    /// How many of the most frequent words to tell.
    #[serde(default = "five")]
    top: usize,
}

fn five() -> usize {
    5
}

#[derive(Debug, PartialEq, Serialize)]
struct Counted {
    lines: usize,
    words: usize,
    bytes: usize,
    top: Vec<(String, usize)>,
}

fn run(args: Args, _job: &Job) -> Result<Counted> {
    Ok(Counted {
        lines: args.text.lines().count(),
        words: args.text.split_whitespace().count(),
        bytes: args.text.len(),
        top: most_frequent(&args.text, args.top),
    })
}

/// Words without the punctuation around them, in lower case; the alphabet breaks ties.
fn most_frequent(text: &str, top: usize) -> Vec<(String, usize)> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let bare = |word: &'_ str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    for word in text.split_whitespace().map(bare).filter(|word| !word.is_empty()) {
        *counts.entry(word).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(top);
    counts
}

worker! { run, summary: "Counts the lines, words and bytes of a text" }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_words_come_first_and_ties_are_in_order() {
        let top = most_frequent("The cat, the dog — and THE \"cat\"; a dog!", 3);
        let expected = [("the", 3), ("cat", 2), ("dog", 2)];
        assert_eq!(top, expected.map(|(word, count)| (word.to_string(), count)));
    }

    #[test]
    fn an_empty_text_has_no_words() {
        assert!(most_frequent(" \n — ", 5).is_empty());
    }
}
