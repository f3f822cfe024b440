//! Imports go one way: a module imports only modules that stand below it in
//! `LAYERS`. `docs/ARCHITECTURE.md` shows the same list.

use std::{collections::BTreeSet, fs, path::Path};

use syn::{ItemUse, UseTree, visit::Visit};

/// Modules from top to bottom. Modules of one line may not import each other.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["app"],
    &["fuzzing"],
    &["api"],
    &["web"],
    &["config"],
    &["sync"],
    &["directory"],
    &["callers"],
    &["cache"],
    &["identity"],
    &["upstream"],
    &["vendors"],
    &["copies"],
    &["shared"],
    &["telemetry"],
    &["http_client", "rate"],
    &["domain", "server"],
    &["clock", "files", "sandbox"],
];

/// Modules within `api`, from top to bottom.
const API_LAYERS: &[&[&str]] = &[
    &["router"],
    &["routes", "response_cache"],
    &["body"],
    &["openapi"],
    &["parameters"],
    &["auth", "errors"],
    &["state"],
];

#[test]
fn imports_go_down() {
    let violations = violations(Path::new("src"), "crate", LAYERS);
    assert!(violations.is_empty(), "imports that go up:\n{}", violations.join("\n"));
}

#[test]
fn api_imports_go_down() {
    let violations = violations(Path::new("src/api"), "crate::api", API_LAYERS);
    assert!(violations.is_empty(), "imports that go up:\n{}", violations.join("\n"));
}

#[test]
fn every_module_has_a_layer() {
    for (folder, layers) in [("src", LAYERS), ("src/api", API_LAYERS)] {
        let modules: BTreeSet<_> =
            fs::read_dir(folder).unwrap().map(|entry| module_name(&entry.unwrap().path())).collect();
        let listed: BTreeSet<_> = layers.iter().flat_map(|layer| layer.iter().map(ToString::to_string)).collect();
        let unlisted: Vec<_> =
            modules.difference(&listed).filter(|name| !["lib", "mod"].contains(&name.as_str())).collect();
        assert!(unlisted.is_empty(), "{folder} has modules without a layer: {unlisted:?}");
    }
}

#[test]
fn upward_import_is_reported() {
    let text = "use crate::{cache::Key, web::problem};\nuse super::super::cli::run;\nfn f() { crate::api::router(); }";
    let module = ["directory", "walk"].map(str::to_owned);
    assert_eq!(imports(text, &module, "crate"), ["api", "cache", "cli", "web"].map(str::to_owned).into());
}

/// Lists the imports of the files below `folder` that go up in `layers`.
fn violations(folder: &Path, root: &str, layers: &[&[&str]]) -> Vec<String> {
    let rank = |name: &str| layers.iter().position(|layer| layer.contains(&name));
    let mut violations = Vec::new();
    for file in files(folder) {
        let relative = file.strip_prefix(folder).unwrap();
        let module = module_name(Path::new(relative.iter().next().unwrap()));
        let Some(own) = rank(&module) else { continue };
        let path = module_path(file.strip_prefix("src").unwrap());
        for imported in imports(&fs::read_to_string(&file).unwrap(), &path, root) {
            if rank(&imported).is_some_and(|other| other <= own && imported != module) {
                violations.push(format!("{} imports {root}::{imported}", file.display()));
            }
        }
    }
    violations
}

/// Names of the modules directly below `root` that the source text of the module
/// at `path` refers to.
fn imports(text: &str, path: &[String], root: &str) -> BTreeSet<String> {
    let mut paths = Paths::default();
    paths.visit_file(&syn::parse_file(text).unwrap());
    let prefix = format!("{root}::");
    let below = |found: &String| Some(absolute(found, path).strip_prefix(&prefix)?.split("::").next()?.to_owned());
    paths.found.iter().filter_map(below).collect()
}

/// Collects the paths of a file's imports and expressions.
#[derive(Default)]
struct Paths {
    found: Vec<String>,
}

impl Visit<'_> for Paths {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        // Unit tests may use anything.
        let is_test = item.attrs.iter().any(|attribute| attribute.meta.path().is_ident("cfg"));
        if !is_test {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.add(String::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.found.push(segments.join("::"));
        syn::visit::visit_path(self, path);
    }
}

impl Paths {
    fn add(&mut self, prefix: String, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.add(format!("{prefix}{}::", path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.add(prefix.clone(), item)),
            UseTree::Name(name) => self.found.push(format!("{prefix}{}", name.ident)),
            UseTree::Rename(rename) => self.found.push(format!("{prefix}{}", rename.ident)),
            UseTree::Glob(_) => self.found.push(prefix),
        }
    }
}

/// Resolves the `super` segments of a path that stands in the module at `module`.
fn absolute(path: &str, module: &[String]) -> String {
    let segments: Vec<_> = path.split("::").collect();
    let parents = segments.iter().take_while(|segment| **segment == "super").count();
    if parents == 0 || parents > module.len() {
        return path.to_owned();
    }
    let module = module[..module.len() - parents].iter().map(String::as_str);
    ["crate"].into_iter().chain(module).chain(segments[parents..].iter().copied()).collect::<Vec<_>>().join("::")
}

/// Segments of the module that a file holds.
fn module_path(file: &Path) -> Vec<String> {
    let segments = file.with_extension("");
    let segments = segments.iter().map(|segment| segment.to_str().unwrap().to_owned());
    segments.filter(|segment| segment != "mod" && segment != "lib").collect()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn module_name(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}
