//! Progress: a bar on standard error, by bytes of the files as they lie on disk.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar, or none.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Shows a bar over this many bytes.
    pub fn new(is_wanted: bool, bytes: u64) -> Progress {
        if !is_wanted {
            return Progress(None);
        }
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes} ({bytes_per_sec}, {eta} left)");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Progress(Some(bar))
    }

    /// More was read.
    pub fn passed(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
