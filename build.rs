//! Build script: the version and the commit of the build.
//!
//! A script of our own: a crate for this (`vergen`) would be larger than the one
//! command that it would replace.

use std::{env, path::Path, process::Command};

/// Length of an abbreviated commit in characters.
const COMMIT_LENGTH: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=GATEWAY_COMMIT");
    let given = env::var("GATEWAY_COMMIT").ok().filter(|commit| !commit.is_empty() && commit != "unknown");
    let commit = given.or_else(commit_of_checkout).map(|commit| commit.chars().take(COMMIT_LENGTH).collect::<String>());
    let version = env!("CARGO_PKG_VERSION");
    match &commit {
        Some(commit) => println!("cargo::rustc-env=GATEWAY_VERSION={version} ({commit})"),
        None => println!("cargo::rustc-env=GATEWAY_VERSION={version}"),
    }
    println!("cargo::rustc-env=GATEWAY_BUILD_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
}

/// Returns the commit of the checkout. None without git, or if this package is not
/// at the top of the checkout: the commit would be of another project.
fn commit_of_checkout() -> Option<String> {
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    let commit = git(&["rev-parse", "HEAD"])?;
    // The log of HEAD grows with each commit and each checkout.
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        // An absent file would rerun the script in each build.
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    Some(commit)
}

/// Returns the output of a git command. None if it fails or git is not installed.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
