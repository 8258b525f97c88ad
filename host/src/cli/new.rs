//! `flyball new`: a worker that builds, in Rust, Python or JavaScript.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::exit::Exit;
use crate::job::Kind;

/// Begins a worker.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct New {
    /// The kind whose jobs it is to run.
    kind: Kind,
    /// Where to [default: a new folder named after the kind]
    dir: Option<PathBuf>,
    /// The language to write it in
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
    /// The folder of the SDK of that language [default: that of the source that this program was built from, which must
    /// still be there]
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

/// A language that workers are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Lang {
    #[default]
    Rust,
    Python,
    Js,
}

/// Where the SDKs lay when this program was built.
const SDK_OF_CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk");

/// The manifest, which is named after the kind and the same in all languages.
const MANIFEST: (&str, &str) = ("{{kind}}.toml", include_str!("../../assets/new/manifest.toml.txt"));

/// The files of a new worker in Rust.
const RUST: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../../assets/new/cargo.toml.txt")),
    (".cargo/config.toml", include_str!("../../assets/new/cargo-config.toml.txt")),
    ("src/lib.rs", include_str!("../../assets/new/lib.rs.txt")),
    ("README.md", include_str!("../../assets/new/readme.md.txt")),
    MANIFEST,
];

/// The files of a new worker in Python.
const PYTHON: &[(&str, &str)] = &[
    ("pyproject.toml", include_str!("../../assets/new/python/pyproject.toml.txt")),
    ("requirements.txt", include_str!("../../assets/new/python/requirements.txt.txt")),
    ("src/worker.py", include_str!("../../assets/new/python/worker.py.txt")),
    (".gitignore", include_str!("../../assets/new/python/gitignore.txt")),
    ("README.md", include_str!("../../assets/new/python/readme.md.txt")),
    MANIFEST,
];

/// The files of a new worker in JavaScript.
const JS: &[(&str, &str)] = &[
    ("package.json", include_str!("../../assets/new/js/package.json.txt")),
    (".npmrc", include_str!("../../assets/new/js/npmrc.txt")),
    ("worker.js", include_str!("../../assets/new/js/worker.js.txt")),
    (".gitignore", include_str!("../../assets/new/js/gitignore.txt")),
    ("README.md", include_str!("../../assets/new/js/readme.md.txt")),
    MANIFEST,
];

impl Lang {
    const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Rust => RUST,
            Self::Python => PYTHON,
            Self::Js => JS,
        }
    }

    /// The folder of its SDK in a checkout, below that of all, and a file by which it is known.
    const fn sdk(self) -> (&'static str, &'static str) {
        match self {
            Self::Rust => ("", "Cargo.toml"),
            Self::Python => ("python", "pyproject.toml"),
            Self::Js => ("js", "package.json"),
        }
    }

    /// Where its SDK is in a copy of the source.
    const fn place(self) -> &'static str {
        match self {
            Self::Rust => "PATH/TO/flyball/sdk",
            Self::Python => "PATH/TO/flyball/sdk/python",
            Self::Js => "PATH/TO/flyball/sdk/js",
        }
    }

    /// What asks for the SDK in this folder, as the files of a worker say it.
    fn asking_for(self, path: &str) -> String {
        match self {
            Self::Rust => format!("{{ path = {} }}", toml::Value::from(path)),
            Self::Python => path.replace(' ', "\\ "),
            Self::Js => json_text(&format!("file:{path}")),
        }
    }
}

/// A text as it stands between the quotes of JSON.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string().trim_matches('"').to_owned()
}

impl New {
    /// Writes the worker, into a folder that is new or empty.
    ///
    /// # Errors
    /// When there is something already, or writing fails.
    pub(super) async fn run(self) -> Result<Exit> {
        let dir = self.dir.clone().unwrap_or_else(|| self.kind.as_str().into());
        let sdk = self.sdk_dependency(Path::new(SDK_OF_CHECKOUT))?;
        make_empty(&dir)?;
        for (name, text) in self.lang.files() {
            let fill = |text: &str| text.replace("{{kind}}", self.kind.as_str()).replace("{{sdk}}", &sdk);
            let path = dir.join(fill(name));
            write_new(&path, &fill(text)).with_context(|| format!("writing {}", path.display()))?;
        }
        let (kind, shown) = (&self.kind, dir.display());
        writeln!(
            io::stdout(),
            "made a worker for jobs of the kind {kind} in {shown}; next: flyball build {shown}"
        )?;
        Ok(Exit::Done)
    }

    /// What stands behind the name of the SDK.
    ///
    /// # Errors
    /// When it is not where it should be: the registries of packages have none, and a worker that names one of theirs
    /// would not build, or be built with what a stranger put there.
    fn sdk_dependency(&self, checkout: &Path) -> Result<String> {
        let (folder, sign) = self.lang.sdk();
        let checkout = checkout.join(folder);
        let path = match &self.sdk {
            Some(sdk) if sdk.join(sign).is_file() => sdk,
            Some(sdk) => bail!(
                "{} has no {sign}: --sdk wants the folder of flyball-worker for that language",
                sdk.display()
            ),
            None if checkout.join(sign).is_file() => &checkout,
            None => bail!(
                "the source that this program was built from is no longer there, and no SDK has been published: say \
                 where the SDK is, with --sdk {}",
                self.lang.place()
            ),
        };
        let path = path.canonicalize().with_context(|| format!("finding {}", path.display()))?;
        let path = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
        Ok(self.lang.asking_for(path))
    }
}

fn make_empty(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let mut entries = fs::read_dir(dir).with_context(|| format!("looking into {}", dir.display()))?;
    if entries.next().is_some() {
        bail!("{} is not empty: choose another folder, nothing is overwritten", dir.display());
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::File::create_new(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(lang: Lang, sdk: Option<PathBuf>) -> Result<New> {
        Ok(New { kind: Kind::new("greet")?, dir: None, lang, sdk })
    }

    #[test]
    fn away_from_the_source_a_worker_in_no_language_is_begun_without_its_sdk() -> Result<()> {
        let nothing = tempfile::tempdir()?;
        for (lang, place) in [(Lang::Rust, "sdk"), (Lang::Python, "sdk/python"), (Lang::Js, "sdk/js")] {
            let Err(refusal) = new(lang, None)?.sdk_dependency(nothing.path()) else { bail!("{lang:?}") };
            assert!(refusal.to_string().ends_with(&format!("--sdk PATH/TO/flyball/{place}")), "{refusal}");
            let sdk = Path::new(SDK_OF_CHECKOUT).join(lang.sdk().0);
            let named = new(lang, Some(sdk.clone()))?.sdk_dependency(nothing.path())?;
            assert!(named.contains(sdk.canonicalize()?.to_str().context("UTF-8")?), "{named}");
        }
        Ok(())
    }
}
