//! Turns CommonMark into HTML that may be shown to others: HTML in the text comes out as text, and
//! a link leads only where a link may.

use flyball_worker::{Job, Result, worker};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The text, in CommonMark with tables, footnotes, strikethrough and task lists.
    text: String,
}

#[derive(Serialize)]
struct Rendered {
    html: String,
}

fn run(args: Args, _job: &Job) -> Result<Rendered> {
    Ok(Rendered { html: render(&args.text) })
}

fn render(text: &str) -> String {
    let extensions = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    let mut out = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut out, Parser::new_ext(text, extensions).map(harmless));
    out
}

fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: allowed(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Image { link_type, dest_url: allowed(dest_url), title, id })
        }
        other => other,
    }
}

/// The address, if it is relative or of a scheme that runs nothing; else none. Browsers skip
/// blanks and control characters in a scheme, so what holds one is not taken for relative.
fn allowed(url: CowStr<'_>) -> CowStr<'_> {
    let scheme = match url.find([':', '/', '?', '#']) {
        Some(end) if url[end..].starts_with(':') => url[..end].to_ascii_lowercase(),
        _ => return url,
    };
    match scheme.as_str() {
        "http" | "https" | "mailto" => url,
        _ => CowStr::Borrowed(""),
    }
}

worker! { run, summary: "Turns CommonMark into HTML" }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_html() {
        assert_eq!(render("# Hello\n\n*you*"), "<h1>Hello</h1>\n<p><em>you</em></p>\n");
        assert!(render("|a|\n|-|\n|b|").contains("<td>b</td>"));
    }

    #[test]
    fn html_in_the_text_comes_out_as_text() {
        let html = render("<script>alert(1)</script>\n\nand <b onclick=x>bold</b>");
        assert!(!html.contains("<script") && !html.contains("<b"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn a_link_leads_only_where_a_link_may() {
        let href = |url: &str| render(&format!("[x](<{url}>)"));
        for url in ["https://a.example/b?c=d:e", "mailto:a@b.example", "other.md#part", "/a:b", "?a:b"] {
            assert!(href(url).contains(&format!("href=\"{url}\"")), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "JAVAscript:x",
            "java\tscript:x",
            " javascript:x",
            "data:text/html,x",
            "vbscript:x",
            "&#106;avascript:x",
        ] {
            assert!(href(url).contains("href=\"\""), "{url}: {}", href(url));
        }
        assert!(render("![x](javascript:y)").contains("src=\"\""));
    }
}
