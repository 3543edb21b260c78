//! How the work is done, as it was typed: the same for all commands that read exports.

use anyhow::{Context, Result, bail};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::input::Options;

/// More threads would only wait for each other.
const MOST_THREADS: usize = 256;

/// How the work is done.
#[derive(Debug, clap::Args)]
pub struct Running {
    /// Threads; all cores if not given
    #[arg(long, value_name = "N", help_heading = "Running")]
    threads: Option<usize>,

    /// Skip records that are longer than this many bytes
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20, help_heading = "Running")]
    record_limit: usize,
}

impl Running {
    /// The threads that work, and how records are read.
    pub fn understood(&self) -> Result<(ThreadPool, Options)> {
        Ok((self.pool()?, self.options()?))
    }

    fn pool(&self) -> Result<ThreadPool> {
        match self.threads {
            Some(0) => bail!("--threads 0: at least one is needed"),
            Some(threads) if threads > MOST_THREADS => {
                bail!("--threads {threads}: more than {MOST_THREADS} only cost time")
            }
            _ => {}
        }
        ThreadPoolBuilder::new().num_threads(self.threads.unwrap_or(0)).build().context("--threads")
    }

    fn options(&self) -> Result<Options> {
        match self.record_limit {
            0 => bail!("--record-limit 0: every record would be too long"),
            record_limit => Ok(Options { record_limit }),
        }
    }
}
