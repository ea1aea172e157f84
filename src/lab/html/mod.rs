//! Pages for people: one frame and one style for all of them, tables, and text.
//!
//! A page is one file that needs no other and asks for nothing: what it may do is in its policy, styles and scripts are in it. It is XML as
//! well as HTML. It follows the reader's system in colours, and can be read on paper, on a narrow screen, by keyboard and by a reader of
//! screens. What is drawn on a page is made where it is known.

mod table;
mod text;

pub use table::{Entry, table};
pub use text::{escaped, paragraph, put};

const CSS: &str = include_str!("page.css");

/// What is around the body of a page.
pub struct Page<'a> {
    /// Its title, which is its first heading as well.
    pub title: &'a str,
    /// Styles beside those of every page.
    pub styles: &'a [&'a str],
    /// A script, without which everything can be read all the same.
    pub script: Option<&'a str>,
}

impl Page<'_> {
    /// The page with this body.
    pub fn around(&self, body: &str) -> String {
        let title = escaped(self.title);
        let (policy, script) = match self.script {
            None => ("", String::new()),
            // Scripts and XML do not agree on what a less-than sign is.
            Some(script) => (
                "; script-src 'unsafe-inline'",
                format!("<script>\n/*<![CDATA[*/\n{script}/*]]>*/\n</script>\n"),
            ),
        };
        let styles = self.styles.concat();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'{policy}\"/>\n\
             <title>{title}</title>\n<style>\n{CSS}{styles}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">To the text</a>\n<main id=\"main\">\n<h1>{title}</h1>\n{body}</main>\n{script}</body>\n</html>\n"
        )
    }
}
