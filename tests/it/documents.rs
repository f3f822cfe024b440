//! Links between the documents and to the code.

use std::{fs, path::Path, process::Command};

#[test]
fn relative_links_lead_to_files() {
    let listed = Command::new("git").args(["ls-files", "*.md"]).output().unwrap();
    let mut broken = Vec::new();
    for document in String::from_utf8(listed.stdout).unwrap().lines() {
        let text = fs::read_to_string(document).unwrap();
        let folder = Path::new(document).parent().unwrap();
        for target in link_targets(&text) {
            let path = target.split('#').next().unwrap();
            if !path.is_empty() && !folder.join(path).exists() {
                broken.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "links to nothing:\n{}", broken.join("\n"));
}

/// Targets of the links in a Markdown text that are relative to its folder.
fn link_targets(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('/') && !target.contains(char::is_whitespace))
        .collect()
}
