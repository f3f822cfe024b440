//! Progress bar of an export.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Creates a bar that starts at `rows`. Draws nothing if standard error is not a
/// terminal.
pub(super) fn bar(total: Option<u64>, rows: u64) -> ProgressBar {
    let target = ProgressDrawTarget::stderr();
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::with_draw_target(Some(total), target),
            "{bar:40} {human_pos} of {human_len} rows, {eta} remaining",
        ),
        None => (ProgressBar::with_draw_target(None, target), "{spinner} {human_pos} rows"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_position(rows);
    bar
}
