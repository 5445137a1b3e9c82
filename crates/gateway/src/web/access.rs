//! Who may use the web: everybody on this machine, or whoever has the token.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Who may ask, and under which names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    token: Option<Token>,
    /// Names of this machine besides `localhost` that a browser may call it by.
    hosts: Vec<String>,
    prefix: String,
}

/// A secret that whoever asks has to know.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why the web cannot be opened like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It could be guessed.
    #[error(
        "the token has {found} characters, expected at least {}",
        Token::SHORTEST
    )]
    TooShort {
        /// How long it is.
        found: usize,
    },
    /// A header could not carry it.
    #[error("the token has characters other than letters, digits and punctuation of ASCII")]
    NotPlain,
    /// Others could reach the web without one.
    #[error("{listen} can be reached from other machines, and no token is set")]
    Missing {
        /// Where it would listen.
        listen: SocketAddr,
    },
}

impl Access {
    /// Everybody who can reach this machine's loopback interface.
    pub fn open() -> Self {
        Self::default()
    }

    /// Whoever has the token.
    pub fn with_token(token: Token) -> Self {
        Self {
            token: Some(token),
            ..Self::default()
        }
    }

    /// Other names that this machine is called by.
    #[must_use]
    pub fn hosts(mut self, hosts: Vec<String>) -> Self {
        self.hosts = hosts;
        self
    }

    /// The path below which a proxy shows the web, where it does not cut it off itself.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        self.prefix = if prefix.is_empty() {
            String::new()
        } else {
            format!("/{prefix}")
        };
        self
    }

    /// Whether it is safe to listen here.
    ///
    /// # Errors
    ///
    /// Other machines could reach it, and there is no token.
    pub fn may_listen(&self, listen: SocketAddr) -> Result<(), TokenError> {
        if listen.ip().to_canonical().is_loopback() || self.token.is_some() {
            return Ok(());
        }
        Err(TokenError::Missing { listen })
    }

    pub(super) fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether a browser may call us by this name (`Host`).
    ///
    /// A page from elsewhere can have its own name lead to this machine and then ask as if it were
    /// ours (DNS rebinding). An address cannot be led anywhere. With a token every name is fine: the
    /// cookie belongs to the name it was given under.
    pub(super) fn knows_host(&self, host: &str) -> bool {
        if self.token.is_some() {
            return true;
        }
        let name = name_of(host);
        let is_address = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok();
        is_address
            || name.eq_ignore_ascii_case("localhost")
            || self
                .hosts
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
    }
}

impl Token {
    /// Fewer characters than this can be guessed.
    pub const SHORTEST: usize = 16;

    /// A token, as it stands in its file: white space around it does not count.
    ///
    /// # Errors
    ///
    /// It is too short, or cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::NotPlain);
        }
        if text.len() < Self::SHORTEST {
            return Err(TokenError::TooShort { found: text.len() });
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether this is it; takes as long whatever is wrong with it.
    pub(super) fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }

    /// What the cookie holds: proves that its owner knew the token, and does not tell it.
    pub(super) fn cookie(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"heatmeter web cookie\0");
        hash.update(self.0.as_bytes());
        hex(&hash.finalize())
    }

    pub(super) fn is_cookie(&self, other: &str) -> bool {
        self.cookie().as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The host of `host:port`, brackets of an IPv6 address included.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;

    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_not_ours() {
        let access = Access::open().hosts(vec!["meter.lan".to_owned()]);
        for ours in [
            "localhost",
            "LOCALHOST:8403",
            "127.0.0.1:8403",
            "192.168.1.4",
            "[::1]:8403",
            "[::1]",
            "meter.lan:80",
        ] {
            assert!(access.knows_host(ours), "{ours}");
        }
        for others in [
            "evil.example:8403",
            "localhost.evil.example",
            "",
            "::1.evil",
        ] {
            assert!(!access.knows_host(others), "{others}");
        }
    }

    #[test]
    fn only_loopback_is_open_without_a_token() {
        let everywhere: SocketAddr = "0.0.0.0:8403".parse().unwrap();
        let here: SocketAddr = "[::1]:8403".parse().unwrap();
        assert!(Access::open().may_listen(here).is_ok());
        assert_eq!(
            Access::open().may_listen(everywhere),
            Err(TokenError::Missing { listen: everywhere })
        );
        let token = Token::new("a secret of some length".replace(' ', "-").as_str()).unwrap();
        assert!(Access::with_token(token).may_listen(everywhere).is_ok());
    }

    #[test]
    fn a_token_that_can_be_guessed_is_refused_and_none_is_ever_shown() {
        assert!(matches!(
            Token::new("1234\n"),
            Err(TokenError::TooShort { found: 4 })
        ));
        let token = Token::new("0123456789abcdef\n").unwrap();
        assert!(token.is("0123456789abcdef"));
        assert!(!token.is("0123456789abcdeF"));
        assert!(token.is_cookie(&token.cookie()));
        assert!(!format!("{token:?}").contains("0123"));
        assert!(!token.cookie().contains("0123456789abcdef"));
    }
}
