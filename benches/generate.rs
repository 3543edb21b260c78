//! Writes honest weeks of an organization to standard output:
//! `generate --seed N --people N --days N [--bytes N]`. With `--bytes`, the days go on until about that many bytes
//! are written.

use std::io::{self, BufWriter};
use std::process::ExitCode;

use world::World;

#[path = "world/mod.rs"]
mod world;

/// Monday, 2024-01-01, 00:00 UTC.
const START: i64 = 1_704_067_200;

fn main() -> ExitCode {
    let (world, bytes) = match parse(std::env::args().skip(1)) {
        Ok(parsed) => parsed,
        Err(message) => {
            eprintln!("generate: {message}\nusage: generate [--seed N] [--people N] [--days N] [--bytes N]");
            return ExitCode::from(2);
        }
    };
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let written = match bytes {
        None => world.write(&mut out),
        Some(_) => world.write_until(&mut out, bytes),
    };
    match written {
        Ok(events) => {
            eprintln!("{events} events");
            ExitCode::SUCCESS
        }
        // Whoever reads may have seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<(World, Option<u64>), String> {
    let mut bytes = None;
    let organization = "5dc058bc3f53f95e3972f03f".to_owned();
    let mut world = World { seed: 1, people: 120, days: 14, start: START, organization };
    while let Some(flag) = args.next() {
        // `cargo bench` adds this to everything it runs.
        if flag == "--bench" {
            continue;
        }
        let value = args.next().ok_or_else(|| format!("{flag} needs a number"))?;
        let number: u64 = value.parse().map_err(|_| format!("{flag}: `{value}` is not a number"))?;
        let small = || u32::try_from(number).map_err(|_| format!("{flag}: {number} is too large"));
        match flag.as_str() {
            "--seed" => world.seed = number,
            "--people" => world.people = small()?,
            "--days" => world.days = small()?,
            "--bytes" => bytes = Some(number),
            _ => return Err(format!("unknown argument `{flag}`")),
        }
    }
    Ok((world, bytes))
}
