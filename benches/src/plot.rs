//! A plot that needs nothing to be seen but a browser.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
const BASE: f64 = 200.0;
const TOP: f64 = 40.0;

/// Bars of values under their names, as SVG.
pub(crate) fn bars(title: &str, unit: &str, values: &[(String, f64)]) -> String {
    let most = values.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let count = u16::try_from(values.len().max(1)).map_or(1.0, f64::from);
    let step = (WIDTH - 40.0) / count;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\" text-anchor=\"middle\">\n<title>{title}</title>\n\
         <text x=\"{}\" y=\"20\" font-size=\"14\">{title}</text>\n",
        WIDTH / 2.0,
    );
    let mut left = 20.0;
    for (name, value) in values {
        let height = (value / most * (BASE - TOP)).max(0.0);
        let (y, middle) = (BASE - height, left + step / 2.0);
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#3b6ea5\"/>\n\
             <text x=\"{middle:.1}\" y=\"{:.1}\">{value:.2} {unit}</text>\n\
             <text x=\"{middle:.1}\" y=\"{:.1}\">{name}</text>",
            left + step * 0.15,
            step * 0.7,
            y - 4.0,
            BASE + 16.0,
        );
        left += step;
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_fills_the_plot() {
        let plot = bars("cost", "µs", &[("10,000/s".into(), 1.0), ("50,000/s".into(), 2.0)]);
        assert!(plot.contains("height=\"80.0\"") && plot.contains("height=\"160.0\""), "{plot}");
        assert!(plot.contains(">2.00 µs<") && plot.contains(">50,000/s<"), "{plot}");
        assert!(bars("nothing", "", &[]).ends_with("</svg>\n"));
    }
}
