//! The `jcdetect` command: parse, call, map to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    jcdetect::cli::run()
}
