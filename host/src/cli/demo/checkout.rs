//! The repository that the sample workers are built from.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::build;
use crate::job::Kind;

/// A checkout of this repository.
#[derive(Debug)]
pub(in crate::cli) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The checkout around the working directory, else the one around this program.
    pub(in crate::cli) fn find() -> anyhow::Result<Self> {
        let places =
            [std::env::current_dir(), std::env::current_exe().and_then(|program| program.canonicalize())];
        let around = |place: &PathBuf| place.ancestors().find(|folder| is_ours(folder)).map(Path::to_owned);
        let root = places.iter().filter_map(|place| place.as_ref().ok()).find_map(around);
        let root = root.context(
            "the sample workers are built from Flyball's repository, and neither the working directory nor this \
             program is in a checkout of it: clone it, change into it, and run the command there",
        )?;
        Ok(Self { root })
    }

    /// Its top folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Builds the sample workers as far as that is needed and puts them into a plugins folder.
    pub(in crate::cli) async fn build_workers(&self, plugins: &Path) -> anyhow::Result<Vec<Kind>> {
        let source = self.root.join("plugins");
        eprintln!(
            "building the sample workers in {} (the first time takes a minute or two)",
            source.display()
        );
        build::install_target(&source).await?;
        build::build_workspace(&source, plugins).await
    }
}

/// Whether a folder is the top of a checkout: it has the samples and the contract that they are built against.
fn is_ours(folder: &Path) -> bool {
    folder.join("plugins/word-count/Cargo.toml").is_file() && folder.join("wit/worker.wit").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_run_in_a_checkout_and_its_parent_is_none() {
        let checkout = Checkout::find().expect("the tests run in one");
        assert!(checkout.root().join("host/assets/demo").is_dir());
        assert!(!is_ours(checkout.root().parent().expect("it has one")));
    }
}
