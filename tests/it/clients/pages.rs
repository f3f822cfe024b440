//! Sections of `docs/CLIENTS.md`, compared with the tested programs.
//!
//! `tests/clients/tools` copies the program of each section to a file, which the
//! directory's `run` checks and executes.

use std::{collections::BTreeSet, fs, path::Path};

use super::{DIRECTORIES, PROGRAMS};

/// Programs and `run` scripts mark snippets from `docs:<name>` to `docs:end`. The
/// section shows each of them, ignoring indentation.
#[test]
fn clients_page_shows_marked_snippets() {
    for directory in DIRECTORIES {
        let shown: String = fenced_blocks(&section(directory)).into_iter().map(|(_, text)| unindented(&text)).collect();
        let mut marked = Vec::new();
        collect_snippets(&Path::new(PROGRAMS).join(directory), &mut marked);
        assert!(!marked.is_empty(), "{directory} marks no snippet");
        for snippet in marked {
            assert!(shown.contains(&snippet), "docs/CLIENTS.md lacks this snippet of {directory}:\n{snippet}");
        }
    }
}

/// `export.py` compares an export, read with this call, with the pages.
#[test]
fn exporting_page_shows_tested_pandas_call() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/EXPORTING.md")).unwrap();
    let program = Path::new(PROGRAMS).join("python-openapi-python-client/export.py");
    let program = fs::read_to_string(program).unwrap();
    let call = program.split("# exporting:pandas\n").nth(1).unwrap().split("# exporting:end").next().unwrap();
    assert!(unindented(&page).contains(unindented(call).trim_end()), "docs/EXPORTING.md lacks:\n{call}");
}

/// Commands that install, generate and run, and between them the one program.
#[test]
fn clients_page_sections_have_four_blocks() {
    for directory in DIRECTORIES {
        let languages: Vec<_> = fenced_blocks(&section(directory)).into_iter().map(|(language, _)| language).collect();
        let [install, generate, program, run] = languages.as_slice() else { panic!("{directory}: {languages:?}") };
        assert_eq!([install, generate, run], ["sh"; 3], "{directory}");
        assert_ne!(program, "sh", "{directory}");
    }
}

/// Install commands pin packages as `name@version` or `name==version`.
#[test]
fn clients_page_pins_tested_versions() {
    for directory in DIRECTORIES {
        let read = |file| fs::read_to_string(Path::new(PROGRAMS).join(directory).join(file)).unwrap_or_default();
        let (package, cargo, requirements, tools) =
            (read("package.json"), read("Cargo.toml"), read("requirements.txt"), read("../tools"));
        let required: BTreeSet<_> = json_versions(&package).chain(toml_versions(&cargo)).collect();
        let generator = tools.lines().filter_map(|line| line.strip_prefix("generator="));
        let locked = requirements.lines().chain(generator).filter_map(|line| line.split_once("=="));
        let tested = locked.chain(required.iter().copied()).collect();

        let (_, commands) = fenced_blocks(&section(directory)).swap_remove(0);
        let words = commands.split_whitespace();
        let shown: BTreeSet<_> = words.filter_map(|word| word.split_once("==").or(word.rsplit_once('@'))).collect();
        assert!(!shown.is_empty(), "docs/CLIENTS.md installs nothing for {directory}");
        assert!(shown.is_subset(&tested), "{directory}: shown {shown:?}, tested {tested:?}");
        assert!(required.is_subset(&shown), "{directory}: shown {shown:?}, required {required:?}");
    }
}

/// Returns the section that links to the directory.
fn section(directory: &str) -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CLIENTS.md")).unwrap();
    let link = format!("](../tests/clients/{directory})");
    let section = page.split("\n## ").find(|section| section.contains(&link));
    section.unwrap_or_else(|| panic!("docs/CLIENTS.md does not link to {directory}")).to_owned()
}

/// Returns the languages and texts of the fenced blocks.
fn fenced_blocks(section: &str) -> Vec<(String, String)> {
    let blocks = section.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap());
    blocks.map(|(language, text)| (language.to_owned(), text.to_owned())).collect()
}

/// Returns the entries `"name": "version"`.
fn json_versions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let entries = text.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(": "));
    let entries = entries.map(|(name, value)| (name.trim_matches('"'), value.trim_matches('"')));
    entries.filter(|(_, value)| is_version(value))
}

/// Returns the entries `name = "version"` and `name = { version = "…", … }`.
fn toml_versions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let entries = text.lines().filter_map(|line| line.split_once(" = "));
    let entries = entries.filter_map(|(name, value)| Some((name, value.split('"').nth(1)?)));
    entries.filter(|(_, value)| is_version(value) && value.contains('.'))
}

fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

fn collect_snippets(directory: &Path, marked: &mut Vec<String>) {
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect_snippets(&path, marked);
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        while lines.any(|line| line.contains("docs:")) {
            let snippet: Vec<_> = lines.by_ref().take_while(|line| !line.contains("docs:end")).collect();
            // gofmt inserts an empty line before `docs:end`.
            marked.push(unindented(snippet.join("\n").trim_end()));
        }
    }
}

/// Removes the indentation of all lines.
fn unindented(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_start(), "\n"]).collect()
}
