//! A QR code on a terminal: two rows of squares in one line of half blocks.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// The code of a text, or `None` where it is too long for one.
///
/// Light squares are drawn, dark ones left empty: right on a dark terminal, and readers take
/// the inverse too.
pub fn code(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let drawn = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .quiet_zone(true)
        .build();
    Some(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Broken by: a code without its quiet zone, or whose squares are not square.
    #[test]
    fn a_code_is_as_wide_as_it_is_high() {
        let drawn = code(&format!("ddt:{}", "a".repeat(150))).unwrap();
        let widths: Vec<usize> = drawn.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]));
        assert_eq!(widths.len(), widths[0].div_ceil(2));
        let first: String = drawn.lines().next().unwrap().chars().collect();
        assert!(first.chars().all(|square| square == '█'), "{first}");
        assert_eq!(code(&"a".repeat(5_000)), None);
    }
}
