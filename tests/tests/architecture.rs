//! Who may know whom, read from cargo's own account of the workspace.
//!
//! `ledger` knows nobody; `contracts`, `wallet` and `api` know only the ledger; only `node`
//! knows everyone; `model` knows nobody at all. The pure crates are compiled without clocks,
//! tasks and sockets. Dev-dependencies are free: a test may know more than the code it tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What each crate may use of the others. A crate that is not listed has no place yet.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("ddt-ledger", &[]),
    ("ddt-contracts", &["ddt-ledger"]),
    ("ddt-wallet", &["ddt-ledger"]),
    ("ddt-api", &["ddt-ledger"]),
    ("ddt-core", &["ddt-ledger", "ddt-contracts"]),
    ("ddt-consensus", &["ddt-ledger", "ddt-core"]),
    ("ddt-net", &["ddt-ledger", "ddt-core"]),
    // What it told from the ledger's own code would agree with it, right or wrong.
    ("ddt-model", &[]),
    (
        "ddt-node",
        &[
            "ddt-ledger",
            "ddt-contracts",
            "ddt-wallet",
            "ddt-api",
            "ddt-core",
            "ddt-consensus",
            "ddt-net",
        ],
    ),
    (
        "ddt-tests",
        &[
            "ddt-ledger",
            "ddt-contracts",
            "ddt-wallet",
            "ddt-api",
            "ddt-core",
            "ddt-consensus",
            "ddt-net",
            "ddt-model",
        ],
    ),
    // Whatever decodes, it fuzzes.
    (
        "ddt-fuzz",
        &[
            "ddt-ledger",
            "ddt-contracts",
            "ddt-wallet",
            "ddt-api",
            "ddt-core",
            "ddt-consensus",
            "ddt-net",
            "ddt-tests",
        ],
    ),
    // Without the engine of consensus: simulations must link fast.
    ("ddt-sim", &["ddt-ledger", "ddt-contracts", "ddt-core", "ddt-tests"]),
];

/// Crates whose whole dependency tree stays free of the packages in [`IMPURE`].
const PURE: [&str; 3] = ["ddt-ledger", "ddt-contracts", "ddt-core"];

/// Packages that bring clocks, tasks or sockets.
const IMPURE: [&str; 8] =
    ["async-std", "axum", "futures-timer", "hyper", "libp2p", "mio", "quinn", "tokio"];

/// Packages the project is built on by decision: declared and used directly by somebody.
const CHOSEN: [&str; 10] = [
    "axum",
    "ed25519-dalek",
    "libp2p-gossipsub",
    "libp2p-kad",
    "merkle_light",
    "redb",
    "rust_decimal",
    "schnorrkel",
    "serde",
    "tokio",
];

/// Of [`CHOSEN`], those that come with the networking crate.
const CHOSEN_BY_NET: [&str; 2] = ["libp2p-gossipsub", "libp2p-kad"];

/// A package of the workspace.
struct Package {
    folder: PathBuf,
    dependencies: Vec<Dependency>,
    binaries: Vec<String>,
}

/// A dependency that is compiled into the package or its build script.
struct Dependency {
    name: String,
    /// The name the code knows it by.
    identifier: String,
}

type Workspace = BTreeMap<String, Package>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the root")
}

/// What cargo prints when run offline in the root.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

fn workspace() -> Workspace {
    let text = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    read_workspace(&serde_json::from_str(&text).expect("cargo prints JSON"))
}

fn read_workspace(metadata: &Value) -> Workspace {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let package = |package: &Value| {
        let compiled = |dependency: &&Value| dependency["kind"] != "dev";
        let dependency = |dependency: &Value| {
            let name = text(&dependency["name"]);
            let known_as = dependency["rename"].as_str().unwrap_or(&name).replace('-', "_");
            Dependency { identifier: known_as, name }
        };
        let targets = list(&package["targets"]);
        let is_binary = |target: &&Value| list(&target["kind"]).contains(&Value::from("bin"));
        Package {
            folder: Path::new(&text(&package["manifest_path"])).with_file_name(""),
            dependencies: list(&package["dependencies"])
                .iter()
                .filter(compiled)
                .map(dependency)
                .collect(),
            binaries: targets.iter().filter(is_binary).map(|bin| text(&bin["name"])).collect(),
        }
    };
    list(&metadata["packages"]).iter().map(|value| (text(&value["name"]), package(value))).collect()
}

/// Uses between the workspace's crates that [`MAY_USE`] does not allow.
fn forbidden_uses(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for (name, package) in workspace {
        let Some((_, allowed)) = MAY_USE.iter().find(|(user, _)| user == name) else {
            found.push(format!("{name}: say in MAY_USE what it may use"));
            continue;
        };
        let inside = |dependency: &&Dependency| workspace.contains_key(&dependency.name);
        for used in package.dependencies.iter().filter(inside) {
            if !allowed.contains(&used.name.as_str()) {
                found.push(format!("{name} uses {}: only {allowed:?} are allowed", used.name));
            }
        }
    }
    found
}

/// Impure packages in a dependency tree printed as one `name version` a line.
fn impure(tree: &str) -> BTreeSet<&str> {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| IMPURE.contains(name) || name.starts_with("libp2p-")).collect()
}

/// The packages that declare `chosen` and name it in their code.
fn users_of<'a>(
    workspace: &'a Workspace,
    chosen: &str,
    names: &dyn Fn(&Path, &str) -> bool,
) -> Vec<&'a str> {
    let uses = |package: &Package| {
        let mut declared = package.dependencies.iter().filter(|used| used.name == chosen);
        declared.any(|used| names(&package.folder.join("src"), &used.identifier))
    };
    workspace.iter().filter(|(_, package)| uses(package)).map(|(name, _)| name.as_str()).collect()
}

/// Whether the code in a folder, or below, has a path that begins with the word.
fn is_named_in(folder: &Path, word: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return is_named_in(&path, word);
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        path.extension().is_some_and(|extension| extension == "rs") && is_named(&text, word)
    })
}

/// Whether code, comments aside, has `word::…`.
fn is_named(code: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.match_indices(word).map(move |(at, _)| (line, at))).any(
        |(line, at)| {
            let (before, after) = (&line[..at], &line[at + word.len()..]);
            after.starts_with("::") && !before.ends_with(is_part)
        },
    )
}

#[test]
fn crates_know_only_whom_they_may() {
    let found = forbidden_uses(&workspace());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn pure_crates_have_no_clock_task_or_socket() {
    for name in PURE {
        let tree = cargo(&[
            "tree",
            "--package",
            name,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]);
        assert!(tree.starts_with(name), "no tree of {name}");
        assert_eq!(impure(&tree), BTreeSet::new(), "{name}; cargo tree -p {name} -i <package>");
    }
}

#[test]
fn chosen_packages_are_direct_dependencies() {
    let workspace = workspace();
    let is_due =
        |chosen: &&str| workspace.contains_key("ddt-net") || !CHOSEN_BY_NET.contains(chosen);
    let is_unused = |chosen: &&str| users_of(&workspace, chosen, &is_named_in).is_empty();
    let unused: Vec<&str> = CHOSEN.into_iter().filter(is_due).filter(is_unused).collect();
    assert!(unused.is_empty(), "no crate declares and uses: {unused:?}");
}

#[test]
fn one_binary() {
    let workspace = workspace();
    let binaries: Vec<&String> = workspace.values().flat_map(|package| &package.binaries).collect();
    assert_eq!(binaries, ["ddt"]);
}

/// A made-up workspace: `ddt-api` uses the contracts and has a binary; the ledger only
/// tests with them.
fn sample() -> Workspace {
    let dependency =
        |name: &str, kind: Value| serde_json::json!({"name": name, "rename": null, "kind": kind});
    let package = |name: &str, dependencies: &[Value], targets: Value| {
        let manifest = format!("/{name}/Cargo.toml");
        serde_json::json!({"name": name, "manifest_path": manifest, "targets": targets,
            "dependencies": dependencies})
    };
    let merkle = serde_json::json!({"name": "merkle_light", "rename": "merkle-light"});
    let nothing = Value::Array(Vec::new());
    let targets = serde_json::json!([
        {"name": "web", "kind": ["bin"]}, {"name": "ddt_api", "kind": ["lib"]}
    ]);
    let tested = dependency("ddt-contracts", "dev".into());
    let built = dependency("ddt-contracts", "build".into());
    let used = dependency("ddt-ledger", Value::Null);
    read_workspace(&serde_json::json!({"packages": [
        package("ddt-ledger", &[merkle, tested], nothing.clone()),
        package("ddt-contracts", &[used], nothing.clone()),
        package("ddt-api", &[built], targets),
        package("ddt-stranger", &[], nothing),
    ]}))
}

#[test]
fn forbidden_uses_are_found() {
    let found = forbidden_uses(&sample());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("ddt-api uses ddt-contracts"));
    assert!(found[1].starts_with("ddt-stranger: "));
}

#[test]
fn impure_packages_are_found() {
    let tree = "ddt-core v0.1.0 (x)\ntokio-util v0.7.0\ntokio v1.54.0\nlibp2p-kad v0.49.0 (*)\n";
    assert_eq!(impure(tree), BTreeSet::from(["libp2p-kad", "tokio"]));
}

#[test]
fn declared_but_unused_is_not_used() {
    let names =
        |folder: &Path, word: &str| folder.ends_with("ddt-ledger/src") && word == "merkle_light";
    assert_eq!(users_of(&sample(), "merkle_light", &names), ["ddt-ledger"]);
    assert!(users_of(&sample(), "merkle_light", &|_, _| false).is_empty());
    assert!(users_of(&sample(), "redb", &|_, _| true).is_empty());
    let folder = root().join("tests/tests");
    assert!(is_named_in(&folder, "proc_macro2"));
    assert!(!is_named_in(&folder, "rust_decimal"));
}

#[test]
fn comments_and_longer_names_do_not_use_a_package() {
    assert!(is_named("use redb::Database;", "redb"));
    assert!(!is_named("// redb::Database\nmod redb;\nuse my_redb::x;\nuse redb2::x;", "redb"));
}

#[test]
fn binaries_are_read() {
    assert_eq!(sample()["ddt-api"].binaries, ["web"]);
}
