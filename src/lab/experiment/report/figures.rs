//! Lines and bands over the attacker's share, drawn with plotters. A drawing has no colours of its own: the page gives it
//! those of the reader's system.

use crate::html::escaped;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{ShapeStyle, TextStyle};

/// A line with a band.
pub(super) struct Series {
    /// What it is.
    pub(super) name: String,
    /// Its place among the colours of the page, from 0 to 5.
    pub(super) colour: usize,
    /// Dashed, for what is computed and not measured.
    pub(super) dashed: bool,
    /// Share, value, and the ends of its interval.
    pub(super) points: Vec<(f64, f64, f64, f64)>,
}

/// A figure.
pub(super) struct Figure {
    /// Its name on the page, without spaces.
    pub(super) id: &'static str,
    /// What it shows, in a line.
    pub(super) title: String,
    /// What there is to see, in words.
    pub(super) description: String,
    /// What the upright axis counts.
    pub(super) unit: &'static str,
    /// The upright axis.
    pub(super) top: f64,
    /// Its lines.
    pub(super) series: Vec<Series>,
}

const WIDTH: u32 = 640;
const HEIGHT: u32 = 380;

/// Colours that stand for those of the page.
const INKS: [RGBColor; 6] = [
    RGBColor(1, 0, 1),
    RGBColor(1, 0, 2),
    RGBColor(1, 0, 3),
    RGBColor(1, 0, 4),
    RGBColor(1, 0, 5),
    RGBColor(1, 0, 6),
];
const INK: RGBColor = RGBColor(1, 0, 7);
const LINE: RGBColor = RGBColor(1, 0, 8);

/// The mark of each colour, so that lines can be told apart without it.
pub(super) const MARKS: [&str; 6] = ["●", "▲", "■", "✚", "◆", "○"];

impl Figure {
    /// Whether there is anything to see.
    pub(super) fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.points.is_empty())
    }

    /// As SVG, with a title and a description.
    pub(super) fn svg(&self) -> String {
        let mut drawn = String::new();
        {
            let root = SVGBackend::with_string(&mut drawn, (WIDTH, HEIGHT)).into_drawing_area();
            // A string takes whatever is drawn, and no range here is empty.
            self.draw(&root).expect("drawing into a string does not fail");
        }
        let id = self.id;
        let (title, description) = (escaped(&self.title), escaped(&self.description));
        let (_, inside) = drawn.split_once('\n').unwrap_or(("", &drawn));
        let mut inside = inside.replace("stroke-width=\"1\"", "stroke-width=\"1.5\"");
        for (place, ink) in INKS.iter().enumerate() {
            inside = inside.replace(&hex(*ink), &format!("var(--series-{place})"));
        }
        inside = inside.replace(&hex(INK), "var(--ink)").replace(&hex(LINE), "var(--line)");
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             aria-labelledby=\"{id}-title {id}-desc\">\n<title id=\"{id}-title\">{title}</title>\n\
             <desc id=\"{id}-desc\">{description}</desc>\n{inside}"
        )
    }

    fn draw(
        &self,
        root: &DrawingArea<SVGBackend<'_>, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
        let font = TextStyle::from(("sans-serif", 13).into_font()).color(&INK);
        let mut chart = ChartBuilder::on(root)
            .margin(10)
            .margin_right(24)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..0.9, 0.0..self.top)?;
        chart
            .configure_mesh()
            .x_labels(10)
            .y_labels(6)
            .x_desc("share of Byzantine validators (f)")
            .y_desc(self.unit)
            .label_style(font.clone())
            .axis_desc_style(font)
            .axis_style(INK)
            .bold_line_style(ShapeStyle { color: LINE.to_rgba(), filled: false, stroke_width: 1 })
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&|share| format!("{share:.1}"))
            .y_label_formatter(&|value| {
                if self.top > 10.0 { format!("{value:.0}") } else { format!("{value:.2}") }
            })
            .draw()?;
        for Series { colour, dashed, points, .. } in &self.series {
            let ink = INKS[*colour];
            let line: Vec<(f64, f64)> = points.iter().map(|(share, value, ..)| (*share, *value)).collect();
            if *dashed {
                chart.draw_series(DashedLineSeries::new(line, 6, 4, ink.stroke_width(2)))?;
                continue;
            }
            let up = points.iter().map(|(share, _, low, _)| (*share, *low));
            let down = points.iter().rev().map(|(share, _, _, high)| (*share, *high));
            let band: Vec<(f64, f64)> = up.chain(down).collect();
            chart.draw_series(std::iter::once(Polygon::new(band, ink.mix(0.2))))?;
            chart.draw_series(LineSeries::new(line.clone(), ink.stroke_width(2)))?;
            let mark = TextStyle::from(("sans-serif", 14).into_font()).color(&ink);
            let mark = mark.pos(plotters::style::text_anchor::Pos::new(
                plotters::style::text_anchor::HPos::Center,
                plotters::style::text_anchor::VPos::Center,
            ));
            let marks = line.into_iter().map(|at| Text::new(MARKS[*colour], at, mark.clone()));
            chart.draw_series(marks)?;
        }
        Ok(())
    }
}

fn hex(ink: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", ink.0, ink.1, ink.2)
}
