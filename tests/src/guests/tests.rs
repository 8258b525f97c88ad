//! The harness builds a workspace of workers and finds what it made, shown with one that does nothing.

use super::*;

fn workspace() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let package = folder.path().join("does-nothing");
    fs::create_dir_all(package.join("src"))?;
    fs::write(
        folder.path().join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"does-nothing\"]\n",
    )?;
    let manifest = "[package]\nname = \"does-nothing\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                    [lib]\ncrate-type = [\"cdylib\"]\n";
    fs::write(package.join("Cargo.toml"), manifest)?;
    fs::write(package.join("does-nothing.toml"), "[limits]\ntimeout = \"1s\"\n")?;
    fs::write(package.join("src/lib.rs"), "//! Nothing.\n")?;
    Ok(folder)
}

#[test]
fn a_workspace_is_built_once_and_its_components_are_known_by_kind() -> Result<()> {
    let folder = workspace()?;
    let target = folder.path().join("target");
    let built = build(folder.path(), &target)?;
    let [guest] = built.as_slice() else { bail!("not one guest: {built:?}") };
    assert_eq!(guest.kind, "does-nothing");
    assert!(guest.component.ends_with("does_nothing.wasm"), "{guest:?}");
    // The header of a component: the layer after the version is 1.
    assert_eq!(fs::read(&guest.component)?[..8], *b"\0asm\x0d\0\x01\0");
    let made = fs::metadata(&guest.component)?.modified()?;
    assert_eq!(build(folder.path(), &target)?, built);
    assert_eq!(fs::metadata(&guest.component)?.modified()?, made, "nothing had changed");
    Ok(())
}

#[test]
fn every_worker_of_this_repository_is_built_and_found_by_its_kind() -> Result<()> {
    for workspace in ["plugins", "tests/guests"] {
        for entry in house::root().join(workspace).read_dir()? {
            let folder = entry?.path();
            if folder.join("Cargo.toml").is_file() {
                let kind = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let guest = find(&kind)?;
                assert_eq!(guest.manifest.is_some(), folder.join(format!("{kind}.toml")).is_file(), "{kind}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_worker_is_put_into_a_plugins_folder_with_its_manifest() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (component, manifest) = (folder.path().join("x.wasm"), folder.path().join("x.toml"));
    fs::write(&component, "component")?;
    fs::write(&manifest, "manifest")?;
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins)?;
    let guest = Guest { kind: "x".to_owned(), component, manifest: Some(manifest) };
    guest.put_into(&plugins)?;
    guest.put_as("y", &plugins)?;
    let mut names: Vec<_> = plugins.read_dir()?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    names.sort();
    assert_eq!(names, ["x.toml", "x.wasm", "y.toml", "y.wasm"]);
    assert_eq!(fs::read_to_string(plugins.join("y.wasm"))?, "component");
    Ok(())
}

#[test]
fn a_worker_that_nobody_wrote_is_an_error_that_names_it() {
    let error = find("nobody-wrote-this").unwrap_err().to_string();
    assert!(error.contains("nobody-wrote-this"), "{error}");
}
