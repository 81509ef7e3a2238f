//! The sites of Caddy's configuration: which hosts the environment serves.
//!
//! Caddy stays the router of an instance. What it answers is read from its own file instead of
//! being worked out a second time from plugins and settings. Only the outer structure matters here:
//! what stands before the block of each site. The grammar is Caddy's own:
//! <https://caddyserver.com/docs/caddyfile/concepts>.

use crate::{Error, names, object::Objects};

/// What Tutor puts behind every host; the container's environment makes it `:80`.
pub(crate) const PORT: &str = "{$default_site_port}";

/// The generated `ConfigMap` with Caddy's configuration, and the key in it.
pub(crate) const CONFIG: &str = "caddy-config";
const FILE: &str = "Caddyfile";

/// One site: the names in front of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// Host names in lower case; empty for a site that answers whatever no other one does.
    pub(crate) hosts: Vec<String>,
    /// Where its list of addresses ends, in bytes from the start of the file.
    pub(crate) end: usize,
    /// Where its block begins, behind the brace.
    pub(crate) open: usize,
}

/// Caddy's configuration among `objects`.
pub(crate) fn text(objects: &Objects) -> Result<&str, Error> {
    objects
        .get("", "ConfigMap", CONFIG)
        .and_then(|map| map.value().get("data")?.get(FILE)?.as_str())
        .ok_or_else(|| no_router(&format!("ConfigMap/{CONFIG} with a {FILE}")))
}

/// Replaces Caddy's configuration.
pub(crate) fn set_text(objects: &mut Objects, text: String) {
    let file = objects
        .get_mut("", "ConfigMap", CONFIG)
        .and_then(|map| map.value_mut().get_mut("data")?.get_mut(FILE));
    if let Some(file) = file {
        *file = text.into();
    }
}

/// The sites of a Caddyfile, in its order.
pub(crate) fn sites(text: &str) -> Result<Vec<Site>, Error> {
    let mut sites: Vec<Site> = Vec::new();
    let mut header: Vec<Token<'_>> = Vec::new();
    let mut depth = 0_usize;
    let mut last_line = 1;
    for token in tokens(text)? {
        last_line = token.line;
        match (depth, token.text, token.quoted) {
            (0, "{", false) => {
                if let Some(site) = site(&header, token.end, &sites)? {
                    sites.push(site);
                }
                header.clear();
                depth = 1;
            }
            (0, "}", false) => return Err(problem(token.line, "a block ends that never began")),
            (0, ..) => {
                // A list of addresses goes on in the next line behind a comma only.
                if let Some(previous) = header.last()
                    && previous.line != token.line
                    && !previous.text.ends_with(',')
                {
                    return Err(problem(previous.line, NOT_A_SITE));
                }
                header.push(token);
            }
            (_, "{", false) => depth += 1,
            (_, "}", false) => depth -= 1,
            _ => {}
        }
    }
    if depth > 0 {
        return Err(problem(last_line, "a block does not end"));
    }
    match header.first() {
        Some(token) => Err(problem(token.line, NOT_A_SITE)),
        None => Ok(sites),
    }
}

const NOT_A_SITE: &str = "only sites, snippets and global options are understood outside of blocks";

fn problem(line: usize, reason: &str) -> Error {
    Error::new(
        format!("line {line} of Caddy's configuration: {reason}"),
        "sites in the patch `caddyfile` look like `host{$default_site_port} {`",
    )
}

/// Reads what stands before a block: nothing for global options, snippets and named routes.
fn site(header: &[Token<'_>], open: usize, others: &[Site]) -> Result<Option<Site>, Error> {
    let Some((first, last)) = header.first().zip(header.last()) else {
        return Ok(None);
    };
    if first.text.starts_with('(') || first.text.starts_with("&(") {
        return Ok(None);
    }
    let mut hosts: Vec<String> = Vec::new();
    for token in header {
        let address = token.text.strip_suffix(',').unwrap_or(token.text);
        let host = host(address).map_err(|reason| problem(token.line, &reason))?;
        let Some(host) = host else { continue };
        let known = others.iter().flat_map(|site| &site.hosts).chain(&hosts);
        if known.into_iter().any(|other| *other == host) {
            return Err(problem(token.line, &format!("{host} is served twice")));
        }
        hosts.push(host);
    }
    Ok(Some(Site {
        hosts,
        end: last.end,
        open,
    }))
}

/// The host of an address; none for a site that answers every host.
fn host(address: &str) -> Result<Option<String>, String> {
    let (plain, rest) = match address.strip_prefix("http://") {
        Some(rest) => (true, rest),
        None => (false, address),
    };
    let host = match rest.strip_suffix(PORT).or_else(|| rest.strip_suffix(":80")) {
        Some(host) => host,
        None if plain && !rest.contains(':') => rest,
        None => {
            return Err(format!(
                "{address:?} is not an address on port 80, the one that Caddy gets requests on"
            ));
        }
    };
    let host = host.to_ascii_lowercase();
    if host.is_empty() {
        return Ok(None);
    }
    if names::is_subdomain(&host) {
        Ok(Some(host))
    } else {
        Err(format!("{host:?} is not a host name"))
    }
}

/// A word of a Caddyfile.
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    text: &'a str,
    /// Where it ends, in bytes.
    end: usize,
    /// The line that it starts in, from 1.
    line: usize,
    /// Whether it stood in quotes, where braces mean nothing.
    quoted: bool,
}

/// Splits a Caddyfile into words, without comments.
fn tokens(text: &str) -> Result<Vec<Token<'_>>, Error> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while let Some(rest) = text.get(at..)
        && let Some(first) = rest.chars().next()
    {
        let (start, quoted, length) = match first {
            '\n' => {
                line += 1;
                at += 1;
                continue;
            }
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '\\' if rest.starts_with("\\\n") => {
                line += 1;
                at += 2;
                continue;
            }
            '"' | '`' => {
                let inner = rest.get(1..).unwrap_or_default();
                let length = quoted_length(inner, first)
                    .ok_or_else(|| problem(line, "a quotation does not end"))?;
                (1, true, length)
            }
            '<' if rest.starts_with("<<") && heredoc_marker(rest).is_some() => {
                let length =
                    heredoc_length(rest).ok_or_else(|| problem(line, "a heredoc does not end"))?;
                (0, true, length)
            }
            _ => (
                0,
                false,
                rest.find(char::is_whitespace).unwrap_or(rest.len()),
            ),
        };
        let word = rest.get(start..start + length).unwrap_or_default();
        // Behind a quotation stands its closing mark.
        at += length + 2 * start;
        tokens.push(Token {
            text: word,
            end: at,
            line,
            quoted,
        });
        line += word.matches('\n').count();
    }
    Ok(tokens)
}

/// The length of a quotation without its marks; only double quotes know an escape.
fn quoted_length(inner: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in inner.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if mark == '"' => escaped = true,
            _ if character == mark => return Some(at),
            _ => {}
        }
    }
    None
}

fn heredoc_marker(rest: &str) -> Option<&str> {
    let marker = rest.get(2..)?.lines().next()?;
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (!marker.is_empty() && marker.bytes().all(word)).then_some(marker)
}

/// The length of a heredoc, up to and with its closing marker.
fn heredoc_length(rest: &str) -> Option<usize> {
    let marker = heredoc_marker(rest)?;
    let mut at = 0;
    for (number, line) in rest.split_inclusive('\n').enumerate() {
        let indent = line.len() - line.trim_start().len();
        if number > 0
            && let Some(behind) = line.trim_start().strip_prefix(marker)
            && behind.chars().next().is_none_or(char::is_whitespace)
        {
            return Some(at + indent + marker.len());
        }
        at += line.len();
    }
    None
}

/// The error where there is no Caddy to send requests to; `missing` is what was looked for.
pub(crate) fn no_router(missing: &str) -> Error {
    Error::new(
        format!("{missing} is not in the environment, and Caddy is what every host is served by"),
        "leave Tutor's Caddy in place",
    )
}

/// The error for a host of a service, a key of `hosts`, that no site answers.
pub(crate) fn not_served(service: &str, host: &str) -> Error {
    Error::new(
        format!("nothing in the environment serves {host}, which `hosts` gives to {service}"),
        "remove it, or turn on the plugin that serves it (keys of `hosts` are services)",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::sites;

    fn hosts(text: &str) -> Vec<Vec<String>> {
        sites(text)
            .unwrap()
            .into_iter()
            .map(|site| site.hosts)
            .collect()
    }

    fn refusal(text: &str) -> String {
        sites(text).unwrap_err().to_string()
    }

    #[test]
    fn sites_are_what_stands_before_blocks() {
        let text = "
# a comment { with a brace
{
    servers {
        trusted_proxies static 0.0.0.0/0
    }
}
(proxy) {
    reverse_proxy {args.0} {
        header_up X \"}\"
    }
}
Learn.uni.example{$default_site_port} {
    handle_path /* {
        respond `}` 200
    }
    respond <<TEXT
        } not a brace
        TEXT 200
}
a.example{$default_site_port}, http://b.example,
c.example:80 {
}
:80 {
}
";
        assert_eq!(
            hosts(text),
            [
                vec!["learn.uni.example"],
                vec!["a.example", "b.example", "c.example"],
                vec![]
            ]
        );
    }

    #[test]
    fn the_end_of_the_addresses_is_where_another_one_goes() {
        let text = "a.example{$default_site_port} {\n}\n";
        let site = &sites(text).unwrap()[0];
        assert_eq!(&text[..site.end], "a.example{$default_site_port}");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let cases = [
            ("import sites/*\n", "line 1"),
            (
                "a.example {\n}\n",
                "\"a.example\" is not an address on port 80",
            ),
            ("x\n", "line 1"),
            ("\na.example:8080 {\n}\n", "line 2"),
            ("https://a.example:80 {\n}\n", "not a host name"),
            ("*.example:80 {\n}\n", "not a host name"),
            ("{$SITE}:80 {\n}\n", "not a host name"),
            ("a.example:80 {\n", "does not end"),
            ("}\n", "never began"),
            ("a.example:80 {\n}\na.example:80 {\n}\n", "served twice"),
            ("a.example:80 {\n \"x\n", "quotation"),
            ("a.example:80 {\n <<X\n }\n", "heredoc"),
        ];
        for (text, expected) in cases {
            let message = refusal(text);
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }

    proptest! {
        #[test]
        fn odd_text_never_panics(text in "([a-z{}\"`#,<:\\\\ \n]|é|<<A\n|[{][$]default_site_port[}] [{]\n){0,80}") {
            if let Ok(sites) = sites(&text) {
                for site in sites {
                    prop_assert!(text.is_char_boundary(site.end));
                }
            }
        }
    }
}
