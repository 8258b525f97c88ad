//! A server that is spoken to by TLS, and by nothing else.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::{Cluster, install};

impl Cluster {
    /// From now on those who come by TCP must speak TLS. The server's certificate is for its address, signed by a new
    /// authority, whose own certificate is the answer: a PEM file that lives as long as the cluster.
    ///
    /// # Errors
    /// When a file cannot be written, or the server does not come up again.
    pub async fn demand_tls(&self) -> Result<PathBuf> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let trusted = self.data().join("authority.crt");
        fs::write(&trusted, authority.self_signed(&key)?.pem())
            .context("write the authority's certificate")?;
        let authority = Issuer::new(authority, key);

        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(vec![self.address().ip().to_string()])?.signed_by(&key, &authority)?;
        write_privately(&self.data().join("server.crt"), &certificate.pem())?;
        write_privately(&self.data().join("server.key"), &key.serialize_pem())?;
        let doors = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
        write_privately(&self.data().join("pg_hba.conf"), doors)?;
        let settings = self.data().join("postgresql.auto.conf");
        let settled = fs::read_to_string(&settings).context("read the server's settings")?;
        fs::write(&settings, format!("{settled}ssl = on\n")).context("write the server's settings")?;
        self.stop()?;
        self.restart().await?;
        Ok(trusted)
    }
}

/// For the server's account alone, or it refuses the key.
fn write_privately(path: &Path, text: &str) -> Result<()> {
    let written = || -> std::io::Result<()> {
        fs::write(path, text)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        if let Some((user, group)) = install::account() {
            chown(path, Some(user), Some(group))?;
        }
        Ok(())
    };
    written().with_context(|| format!("write {}", path.display()))
}
