//! What the demo works on: the Markdown, text and pictures of a folder, within bounds.
//!
//! Links are not followed, so nothing outside the folder is read; hidden and built things are passed over.

use std::fs::{self, DirEntry, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::job::MAX_ARGS_BYTES;
use crate::quantity::Bytes;

/// The most files that are worked on, and the most names that are looked at to find them.
const MAX_FILES: usize = 200;
const MAX_NAMES: usize = 20_000;
/// Folders that hold what was built or fetched, not what somebody wrote.
const PASSED_OVER: [&str; 2] = ["target", "node_modules"];

/// The files of a folder that there are workers for.
#[derive(Debug, Default)]
pub(super) struct Material {
    pub(super) files: Vec<Piece>,
    /// What was left out, and why.
    pub(super) skipped: Vec<String>,
}

/// One file, read.
#[derive(Debug)]
pub(super) struct Piece {
    /// Its path within the folder.
    pub(super) name: String,
    pub(super) content: Content,
}

/// What is in a file, as far as there is a worker for it.
#[derive(Debug)]
pub(super) enum Content {
    Markdown(String),
    Text(String),
    /// A PNG or JPEG.
    Picture(Vec<u8>),
}

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Markdown,
    Text,
    Picture,
}

impl Material {
    /// Reads what is in the folder, in the order of its names.
    pub(super) fn gather(folder: &Path) -> anyhow::Result<Self> {
        if !folder.is_dir() {
            bail!("{} is not a folder: name one with Markdown, text or pictures in it", folder.display());
        }
        let mut material = Self::default();
        for path in material.walk(folder)? {
            let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            if material.files.len() == MAX_FILES {
                material
                    .skipped
                    .push(format!("{name} and what comes after it: {MAX_FILES} files are enough"));
                break;
            }
            match sort(&path).map(|sort| read(&path, sort)) {
                Some(Ok(content)) => material.files.push(Piece { name, content }),
                Some(Err(reason)) => material.skipped.push(format!("{name}: {reason:#}")),
                None => {}
            }
        }
        Ok(material)
    }

    /// Every regular file below the folder.
    fn walk(&mut self, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        let mut names = 0;
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if found.is_empty() && folders.is_empty() => {
                    return Err(error).with_context(|| format!("looking into {}", folder.display()));
                }
                Err(error) => {
                    self.skipped.push(format!("{}: looking into it failed: {error}", folder.display()));
                    continue;
                }
            };
            for entry in entries.filter_map(Result::ok).filter(is_written) {
                names += 1;
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    Ok(kind) if kind.is_file() => found.push(entry.path()),
                    _ => {}
                }
            }
            if names > MAX_NAMES {
                self.skipped
                    .push(format!("what is not among the first {MAX_NAMES} names: name a smaller folder"));
                break;
            }
        }
        found.sort();
        Ok(found)
    }
}

fn is_written(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    !name.starts_with('.') && !PASSED_OVER.contains(&name.as_ref())
}

fn sort(path: &Path) -> Option<Sort> {
    let Some(extension) = path.extension() else {
        // LICENSE, NOTICE and the like; whether it is text is seen when it is read.
        let name = path.file_name()?.to_str()?;
        return name.starts_with(|c: char| c.is_ascii_uppercase()).then_some(Sort::Text);
    };
    match extension.to_str()?.to_ascii_lowercase().as_str() {
        "md" | "markdown" => Some(Sort::Markdown),
        "txt" | "text" | "rst" | "adoc" => Some(Sort::Text),
        "png" | "jpg" | "jpeg" => Some(Sort::Picture),
        _ => None,
    }
}

fn read(path: &Path, sort: Sort) -> anyhow::Result<Content> {
    let most = match sort {
        Sort::Text => MAX_ARGS_BYTES,
        // The HTML is longer than the Markdown, and an output is bounded as args are.
        Sort::Markdown => MAX_ARGS_BYTES / 2,
        // Base64 makes four bytes of three, and something goes around it.
        Sort::Picture => MAX_ARGS_BYTES / 4 * 3 - 1024,
    };
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        bail!("it is larger than {}, the most that fits into the args of a job", Bytes(most));
    }
    let text = |bytes| {
        String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).context("it is not UTF-8 text")
    };
    Ok(match sort {
        Sort::Markdown => Content::Markdown(text(bytes)?),
        Sort::Text => Content::Text(text(bytes)?),
        Sort::Picture if is_picture(&bytes) => Content::Picture(bytes),
        Sort::Picture => bail!("it is named like a PNG or JPEG, but is none"),
    })
}

fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.starts_with(&[0xff, 0xd8, 0xff])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            fs::write(path, bytes).expect("written");
        }
        folder
    }

    fn names(material: &Material) -> Vec<&str> {
        material.files.iter().map(|piece| piece.name.as_str()).collect()
    }

    #[test]
    fn what_somebody_wrote_is_found_and_the_rest_passed_over() {
        let folder = folder(&[
            ("b.md", b"# B"),
            ("a/c.txt", b"c"),
            ("LICENSE-MIT", b"free"),
            ("p.png", b"\x89PNG\r\n\x1a\n..."),
            ("target/d.md", b"built"),
            (".git/e.md", b"hidden"),
            ("f.rs", b"code"),
        ]);
        let material = Material::gather(folder.path()).expect("gathered");
        assert_eq!(names(&material), ["LICENSE-MIT", "a/c.txt", "b.md", "p.png"]);
        assert!(material.skipped.is_empty(), "{:?}", material.skipped);
    }

    #[test]
    fn what_is_too_large_or_is_not_what_its_name_says_is_left_out_with_a_word() {
        let large = vec![b'x'; MAX_ARGS_BYTES + 1];
        let folder =
            folder(&[("a.txt", &large), ("b.md", b"\xff\xfe"), ("c.png", b"GIF89a"), ("d.txt", b"d")]);
        let material = Material::gather(folder.path()).expect("gathered");
        assert_eq!(names(&material), ["d.txt"]);
        insta::assert_snapshot!(material.skipped.join("\n"), @r"
        a.txt: it is larger than 1MiB, the most that fits into the args of a job
        b.md: it is not UTF-8 text
        c.png: it is named like a PNG or JPEG, but is none
        ");
    }

    #[test]
    fn no_link_leads_out_of_the_folder_and_there_is_an_end_to_the_files() {
        let outside = folder(&[("secret.md", b"# Secret")]);
        let inside = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(outside.path(), inside.path().join("folder")).expect("linked");
        std::os::unix::fs::symlink(outside.path().join("secret.md"), inside.path().join("a.md"))
            .expect("linked");
        for n in 0..=MAX_FILES {
            fs::write(inside.path().join(format!("{n:03}.txt")), "n").expect("written");
        }
        let material = Material::gather(inside.path()).expect("gathered");
        assert_eq!(material.files.len(), MAX_FILES);
        insta::assert_snapshot!(material.skipped.join("\n"), @"200.txt and what comes after it: 200 files are enough");
        assert!(Material::gather(&inside.path().join("000.txt")).is_err());
    }
}
