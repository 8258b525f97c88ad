//! Does the house still stand? The layers of the host, the size of files, and how they begin.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use flyball_tests::house::plan::{self, ROOMS, Room};
use flyball_tests::house::{self, Violation, files, layers, promises, surface};

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

#[test]
fn every_module_of_the_host_uses_only_what_lies_below_it() -> Result<()> {
    none(&layers::violations(&house::root().join("host/src"))?);
    Ok(())
}

#[test]
fn a_forbidden_use_between_any_two_rooms_is_found() -> Result<()> {
    let copy = copy_of_host()?;
    let file = |user: &Room, used: &Room| format!("{}/uses_{}.rs", user.name, used.name);
    let pairs: Vec<(&Room, &Room)> =
        ROOMS.iter().flat_map(|user| ROOMS.iter().map(move |used| (user, used))).collect();
    for (user, used) in &pairs {
        fs::create_dir_all(copy.path().join(user.name))?;
        let text = format!("//! An intruder.\nuse crate::{{{}::Anything}};\n", used.name);
        fs::write(copy.path().join(file(user, used)), text)?;
    }
    let found = layers::violations(copy.path())?;
    for (user, used) in pairs {
        let told = found.iter().filter(|violation| violation.file == Path::new(&file(user, used))).count();
        let expected = usize::from(plan::objection(*user, *used).is_some());
        assert_eq!(told, expected, "{} uses {}", user.name, used.name);
    }
    Ok(())
}

#[test]
fn a_line_added_to_a_real_file_of_the_host_is_found() -> Result<()> {
    let copy = copy_of_host()?;
    let relative = |path: &Path| Ok(path.strip_prefix(copy.path())?.to_path_buf());
    let below =
        |file: &PathBuf| !plan::ROOF.iter().any(|roof| Path::new(roof) == file) && !file.starts_with("cli");
    let paths = files(copy.path(), "rs")?;
    for path in &paths {
        let before = fs::read_to_string(path)?;
        fs::write(path, format!("{before}\n#[cfg(test)]\nmod late {{ use crate::cli::Anything; }}\n"))?;
    }
    let found = layers::violations(copy.path())?;
    let real: Vec<PathBuf> = paths.iter().map(|path| relative(path)).collect::<Result<_>>()?;
    for file in real.iter().filter(|file| below(file)) {
        let told =
            found.iter().any(|violation| violation.file == *file && violation.reason.contains("uses cli"));
        assert!(told, "{} was not found", file.display());
    }
    Ok(())
}

#[test]
fn a_file_mounted_elsewhere_is_judged_by_where_it_is_mounted() -> Result<()> {
    let source = tempfile::tempdir()?;
    fs::create_dir(source.path().join("job"))?;
    fs::write(
        source.path().join("job/settle.rs"),
        "//! It.\n#[cfg(test)]\n#[path = \"settle_tests.rs\"]\nmod tests;\n",
    )?;
    let tests = source.path().join("job/settle_tests.rs");
    fs::write(&tests, "//! Tests.\nuse super::super::Sibling;\n")?;
    none(&layers::violations(source.path())?);
    fs::write(&tests, "//! Tests.\nuse super::super::super::runner::Slot;\n")?;
    assert_eq!(layers::violations(source.path())?.len(), 1);
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

/// Writes the list when asked to: `FLYBALL_TESTS_WRITE=1 cargo test --workspace --test architecture`.
#[test]
fn every_promise_has_a_test_and_the_readme_lists_both() -> Result<()> {
    let (path, says, should) = promises::readme(&house::root())?;
    if flyball_tests::ambient::switched_on("FLYBALL_TESTS_WRITE") {
        fs::write(path, should)?;
        return Ok(());
    }
    assert!(
        says == should,
        "tests/README.md is not as tests/promises.toml and the tests have it: write it anew"
    );
    Ok(())
}

#[test]
fn the_contract_of_workers_is_as_it_was_frozen() -> Result<()> {
    let said = fs::read_to_string(house::root().join("wit/worker.wit"))?;
    assert!(
        said == include_str!("contract-0.1.0.wit"),
        "wit/worker.wit differs from what was frozen as 0.1.0. It may grow by new imported functions and by new \
         interfaces, nothing else: a record, a variant, an enum or an export that changes refuses every component \
         that was built before. If it has only grown, bring the new text to tests/tests/contract-0.1.0.wit"
    );
    Ok(())
}

#[test]
fn the_sdks_of_all_languages_carry_the_contract_itself() -> Result<()> {
    let contract = fs::read_to_string(house::root().join("wit/worker.wit"))?;
    for copy in ["sdk/python/flyball_worker/wit/worker.wit", "sdk/js/wit/worker.wit"] {
        assert_eq!(fs::read_to_string(house::root().join(copy))?, contract, "{copy} is another contract");
    }
    Ok(())
}
