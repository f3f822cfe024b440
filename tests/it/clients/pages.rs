//! What `docs/CLIENTS.md` shows is what was run.

use std::{fs, path::Path};

use super::{DIRECTORIES, PROGRAMS};

/// The lines that a program marks, from `docs:<name>` to `docs:end`, are the
/// snippets below the heading that links to it, whatever their indentation.
#[test]
fn the_page_shows_what_each_program_marks() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CLIENTS.md")).unwrap();
    for directory in DIRECTORIES {
        let link = format!("](../tests/clients/{directory})");
        let section = page.split("\n## ").find(|section| section.contains(&link));
        let section = section.unwrap_or_else(|| panic!("docs/CLIENTS.md links nowhere to {directory}"));
        let fenced = section.split("```").skip(1).step_by(2);
        let mut shown: Vec<_> = fenced.map(|fenced| flush(fenced.split_once('\n').unwrap().1)).collect();
        let mut marked = Vec::new();
        collect(&Path::new(PROGRAMS).join(directory), &mut marked);
        shown.sort();
        marked.sort();
        assert_eq!(shown, marked, "docs/CLIENTS.md does not show what {directory} marks");
    }
}

fn collect(directory: &Path, marked: &mut Vec<String>) {
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, marked);
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        while lines.any(|line| line.contains("docs:")) {
            let snippet: Vec<_> = lines.by_ref().take_while(|line| !line.contains("docs:end")).collect();
            // gofmt puts an empty line before `docs:end`.
            marked.push(flush(snippet.join("\n").trim_end()));
        }
    }
}

/// The lines, without their indentation.
fn flush(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_start(), "\n"]).collect()
}
