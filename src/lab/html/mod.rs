//! HTML pages: frame, style, tables and text.
//!
//! A page is one self-contained file with a content security policy, XML as well as HTML. It follows the colour scheme of the system,
//! and is readable on paper, on a narrow screen, by keyboard and by a screen reader. The modules with the data draw its figures.

mod table;
mod text;

pub use table::{Entry, table};
pub use text::{escaped, paragraph, put};

const CSS: &str = include_str!("page.css");

/// The frame of a page.
pub struct Page<'a> {
    /// Its title and first heading.
    pub title: &'a str,
    /// Additional styles.
    pub styles: &'a [&'a str],
    /// A script; the page is readable without it.
    pub script: Option<&'a str>,
}

impl Page<'_> {
    /// The page with this body.
    pub fn around(&self, body: &str) -> String {
        let title = escaped(self.title);
        let (policy, script) = match self.script {
            None => ("", String::new()),
            // In XML a less-than sign of a script has to be in a CDATA section.
            Some(script) => (
                "; script-src 'unsafe-inline'",
                format!("<script>\n/*<![CDATA[*/\n{script}/*]]>*/\n</script>\n"),
            ),
        };
        let styles = self.styles.concat();
        let contents = contents(body);
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'{policy}\"/>\n\
             <title>{title}</title>\n<style>\n{CSS}{styles}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">Skip to content</a>\n<main id=\"main\">\n<h1>{title}</h1>\n{contents}{body}</main>\n{script}</body>\n</html>\n"
        )
    }
}

/// The fewest parts of a page that has a table of contents.
const PARTS: usize = 3;

/// Links to the parts of a page, by the ids of their headings; nothing for a page with few.
fn contents(body: &str) -> String {
    let headings = body.split("<h2 id=\"").skip(1).filter_map(|rest| {
        let (id, rest) = rest.split_once("\">")?;
        let (heading, _) = rest.split_once("</h2>")?;
        Some(format!("<li><a href=\"#{id}\">{heading}</a></li>\n"))
    });
    let links: Vec<String> = headings.collect();
    if links.len() < PARTS {
        return String::new();
    }
    format!("<nav class=\"contents\" aria-label=\"Contents\">\n<ul>\n{}</ul>\n</nav>\n", links.concat())
}

#[cfg(test)]
mod tests {
    use super::contents;

    #[test]
    fn a_page_with_several_parts_links_to_each_of_them() {
        let body = "<h2 id=\"a\">A &amp; B</h2><p/><h2 id=\"b\">B</h2><h2 id=\"c\">C</h2>";
        let links = contents(body);
        for link in ["<a href=\"#a\">A &amp; B</a>", "<a href=\"#b\">B</a>", "<a href=\"#c\">C</a>"] {
            assert!(links.contains(link), "{links}");
        }
        assert_eq!(contents("<h2 id=\"a\">A</h2>"), "");
    }
}
