//! `flyball new`: a worker crate that builds.

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
    /// The folder of the Rust SDK [default: that of the source that this program was built from, if it is still there,
    /// else the published one]
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

/// Where the SDK lay when this program was built.
const SDK_OF_CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk");

/// The files of a new worker; the manifest is named after the kind.
const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("../../assets/new/cargo.toml.txt")),
    (".cargo/config.toml", include_str!("../../assets/new/cargo-config.toml.txt")),
    ("src/lib.rs", include_str!("../../assets/new/lib.rs.txt")),
    ("{{kind}}.toml", include_str!("../../assets/new/manifest.toml.txt")),
    ("README.md", include_str!("../../assets/new/readme.md.txt")),
];

impl New {
    /// Writes the crate, into a folder that is new or empty.
    ///
    /// # Errors
    /// When there is something already, or writing fails.
    pub(super) async fn run(self) -> Result<Exit> {
        let dir = self.dir.clone().unwrap_or_else(|| self.kind.as_str().into());
        let sdk = self.sdk_dependency()?;
        make_empty(&dir)?;
        for (name, text) in FILES {
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

    /// What stands behind `flyball-worker =`.
    fn sdk_dependency(&self) -> Result<String> {
        let checkout = Path::new(SDK_OF_CHECKOUT);
        let path = match &self.sdk {
            Some(sdk) if sdk.join("Cargo.toml").is_file() => sdk,
            Some(sdk) => bail!("{} is no crate: --sdk wants the folder of flyball-worker", sdk.display()),
            None if checkout.join("Cargo.toml").is_file() => checkout,
            None => return Ok(format!("{:?}", env!("CARGO_PKG_VERSION"))),
        };
        let path = path.canonicalize().with_context(|| format!("finding {}", path.display()))?;
        let path = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
        Ok(format!("{{ path = {} }}", toml::Value::from(path)))
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
