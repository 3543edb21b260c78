//! The README says what is true.

use std::fs;
use std::path::Path;

use super::scan;

#[test]
fn its_output_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let block = readme.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let (command, shown) = block.split_once('\n').unwrap();
    let folder = command.strip_prefix("$ jcdetect scan ").unwrap();
    let real = scan(&[root.join(folder).to_str().unwrap()]);
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(shown), lines(&real), "put the real output of `jcdetect scan {folder}` into the README");
}

#[test]
fn it_fits_a_screen_and_names_the_test_command_of_ci() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.lines().count() <= 90, "{}", readme.lines().count());
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    assert!(readme.contains("cargo test --locked") && ci.contains("\ncargo test --locked\n"));
}
