//! Does the house still stand? The layers of the host, the size of files, and how they begin.

use std::fs;
use std::path::Path;

use anyhow::Result;
use flyball_tests::house::plan::{self, ROOMS, Room};
use flyball_tests::house::{self, Violation, files, layers, surface};

fn none(violations: &[Violation]) {
    let list: Vec<String> = violations.iter().map(|violation| format!("  {violation}")).collect();
    assert!(violations.is_empty(), "{} against the plan:\n{}", violations.len(), list.join("\n"));
}

fn copy_of_host() -> Result<tempfile::TempDir> {
    let source = house::root().join("host/src");
    let copy = tempfile::tempdir()?;
    for path in files(&source, "rs")? {
        let target = copy.path().join(path.strip_prefix(&source)?);
        fs::create_dir_all(target.parent().unwrap_or(copy.path()))?;
        fs::copy(&path, target)?;
    }
    Ok(copy)
}

/// Puts a file that uses `used` into the room `user`, inspects, and takes it away again.
fn intrude(source: &Path, user: Room, used: Room) -> Result<Vec<Violation>> {
    let intruder = source.join(user.name).join("intruder.rs");
    fs::create_dir_all(source.join(user.name))?;
    fs::write(&intruder, format!("//! An intruder.\nuse crate::{{{}::Anything}};\n", used.name))?;
    let mut found = layers::violations(source)?;
    fs::remove_file(intruder)?;
    found.retain(|violation| violation.file.ends_with("intruder.rs"));
    Ok(found)
}

#[test]
fn every_module_of_the_host_uses_only_what_lies_below_it() -> Result<()> {
    none(&layers::violations(&house::root().join("host/src"))?);
    Ok(())
}

#[test]
fn a_forbidden_use_between_any_two_rooms_is_found() -> Result<()> {
    let copy = copy_of_host()?;
    for user in ROOMS {
        for used in ROOMS {
            let found = intrude(copy.path(), *user, *used)?;
            let expected = usize::from(plan::objection(*user, *used).is_some());
            assert_eq!(found.len(), expected, "{} uses {}: {found:?}", user.name, used.name);
        }
    }
    Ok(())
}

#[test]
fn a_line_added_to_a_real_file_of_the_host_is_found() -> Result<()> {
    let copy = copy_of_host()?;
    for path in files(copy.path(), "rs")? {
        let file = path.strip_prefix(copy.path())?.to_path_buf();
        if plan::ROOF.iter().any(|roof| Path::new(roof) == file) || file.starts_with("cli") {
            continue;
        }
        let before = fs::read_to_string(&path)?;
        fs::write(&path, format!("{before}\n#[cfg(test)]\nmod late {{ use crate::cli::Command; }}\n"))?;
        let found = layers::violations(copy.path())?;
        fs::write(&path, before)?;
        assert!(found.iter().any(|violation| violation.file == file), "{} was not found", file.display());
    }
    Ok(())
}

#[test]
fn the_plan_refuses_a_climb_a_stranger_a_short_cut_and_an_unknown_room() -> Result<()> {
    let cases = [
        ("store/insert.rs", "use crate::runner::Slot;", "stands above"),
        ("store/insert.rs", "fn f() { super::super::cli::main() }", "stands above"),
        ("clock.rs", "use super::wake::Bell;", "stands above"),
        ("wake.rs", "use crate::event::Event;", "strangers"),
        ("scheduler/mod.rs", "use crate::runner::Slot;", "strangers"),
        ("http/mod.rs", "use crate::runner::Slot;", "never knows the runner"),
        ("config/mod.rs", "use crate::Client;", "names no room"),
        ("config/mod.rs", "use crate::*;", "names no room"),
        ("job/mod.rs", "use sqlx::Row;", "no place there"),
        ("helpers.rs", "", "the plan has no room"),
    ];
    for (file, line, reason) in cases {
        let source = tempfile::tempdir()?;
        let path = source.path().join(file);
        fs::create_dir_all(path.parent().unwrap_or(source.path()))?;
        fs::write(&path, format!("//! A file.\n{line}\n"))?;
        let found = layers::violations(source.path())?;
        assert!(found.len() == 1 && found[0].reason.contains(reason), "{file}, {line}: {found:?}");
    }
    Ok(())
}

#[test]
fn no_file_is_too_long_and_each_says_what_it_does() -> Result<()> {
    let root = house::root();
    for folder in ["host/src", "sdk/src", "tests"] {
        none(&surface::of_code(&root.join(folder))?);
    }
    Ok(())
}

#[test]
fn every_sql_file_says_what_it_does() -> Result<()> {
    none(&surface::of_statements(&house::root())?);
    Ok(())
}

#[test]
fn a_file_that_is_too_long_or_says_nothing_is_found() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("long.rs"), format!("//! Long.\n{}", "\n".repeat(surface::LONGEST)))?;
    fs::write(folder.path().join("mute.rs"), "fn f() {}\n")?;
    fs::write(folder.path().join("page.rs"), "#![doc = include_str!(\"README.md\")]\n")?;
    fs::write(folder.path().join("mute.sql"), "select 1")?;
    assert_eq!(surface::of_code(folder.path())?.len(), 2);
    assert_eq!(surface::of_statements(folder.path())?.len(), 1);
    Ok(())
}
