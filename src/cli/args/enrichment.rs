//! The files that tell more of what stands in events, as they were typed: the same for all commands that read.

use std::path::PathBuf;

use crate::enrich::enrichment::Paths;

/// Files that tell more of addresses, names and agents.
#[derive(Debug, clap::Args)]
pub struct Enrichment {
    /// A database of places (MaxMind or IPinfo, .mmdb); may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Enrichment")]
    pub geoip: Vec<PathBuf>,

    /// A database of network operators (.mmdb); may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Enrichment")]
    pub asn: Vec<PathBuf>,

    /// Indicators: lists, CSV, STIX 2.1, MISP; may be repeated
    #[arg(long, value_name = "PATH", help_heading = "Enrichment")]
    pub intel: Vec<PathBuf>,

    /// Your own networks, with labels; may be repeated
    #[arg(long, value_name = "PATH", help_heading = "Enrichment")]
    pub known: Vec<PathBuf>,
}

impl Enrichment {
    /// All files, with a directory export.
    pub fn paths(&self, directory: Option<PathBuf>) -> Paths {
        Paths {
            directory,
            geo: [self.geoip.as_slice(), &self.asn].concat(),
            intel: self.intel.clone(),
            known: self.known.clone(),
        }
    }
}
