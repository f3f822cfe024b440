//! Snippets in `docs/CLIENTS.md`, compared with the tested programs.

use std::{fs, path::Path};

use super::{DIRECTORIES, PROGRAMS};

/// Programs mark snippets from `docs:<name>` to `docs:end`. The section that
/// links to a program shows exactly these snippets, ignoring indentation.
#[test]
fn clients_page_shows_marked_snippets() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CLIENTS.md")).unwrap();
    for directory in DIRECTORIES {
        let link = format!("](../tests/clients/{directory})");
        let section = page.split("\n## ").find(|section| section.contains(&link));
        let section = section.unwrap_or_else(|| panic!("docs/CLIENTS.md does not link to {directory}"));
        let fenced = section.split("```").skip(1).step_by(2);
        let mut shown: Vec<_> = fenced.map(|fenced| without_indentation(fenced.split_once('\n').unwrap().1)).collect();
        let mut marked = Vec::new();
        collect_snippets(&Path::new(PROGRAMS).join(directory), &mut marked);
        shown.sort();
        marked.sort();
        assert_eq!(shown, marked, "docs/CLIENTS.md differs from the snippets in {directory}");
    }
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
            marked.push(without_indentation(snippet.join("\n").trim_end()));
        }
    }
}

/// Removes the indentation of all lines.
fn without_indentation(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_start(), "\n"]).collect()
}
