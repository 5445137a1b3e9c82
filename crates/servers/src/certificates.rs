//! Certificates made for one test by openssl: an authority, a server that it vouches for, a client
//! that it vouches for, and another authority that vouches for nobody.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::find;

/// Where the files are, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The server's certificate: for `localhost` and `127.0.0.1`.
    pub cert: PathBuf,
    /// The server's key.
    pub key: PathBuf,
    /// The client's certificate.
    pub client_cert: PathBuf,
    /// The client's key.
    pub client_key: PathBuf,
    /// The certificate of an authority that nobody here has to do with.
    pub other_ca: PathBuf,
}

impl Certificates {
    /// Makes them in that folder.
    ///
    /// # Panics
    /// If openssl is missing or refuses.
    pub fn make(folder: &Path) -> Self {
        let maker = Maker {
            openssl: find("openssl", "openssl"),
            folder,
        };
        let (ca, ca_key) = maker.authority("ca");
        let (other_ca, _) = maker.authority("other-ca");
        let server = "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n";
        let (cert, key) = maker.signed("server", server, &ca, &ca_key);
        let client = "extendedKeyUsage=clientAuth\n";
        let (client_cert, client_key) = maker.signed("client", client, &ca, &ca_key);
        Self {
            ca,
            cert,
            key,
            client_cert,
            client_key,
            other_ca,
        }
    }
}

struct Maker<'a> {
    openssl: PathBuf,
    folder: &'a Path,
}

impl Maker<'_> {
    fn authority(&self, name: &str) -> (PathBuf, PathBuf) {
        let (cert, key) = (self.file(name, "crt"), self.file(name, "key"));
        self.run(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "7",
            "-subj",
            &format!("/CN={name}"),
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout",
            text(&key),
            "-out",
            text(&cert),
        ]);
        (cert, key)
    }

    fn signed(&self, name: &str, extensions: &str, ca: &Path, ca_key: &Path) -> (PathBuf, PathBuf) {
        let (cert, key) = (self.file(name, "crt"), self.file(name, "key"));
        let (request, wanted) = (self.file(name, "csr"), self.file(name, "ext"));
        self.run(&[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            &format!("/CN={name}"),
            "-keyout",
            text(&key),
            "-out",
            text(&request),
        ]);
        fs::write(&wanted, extensions).expect("the folder can be written");
        self.run(&[
            "x509",
            "-req",
            "-in",
            text(&request),
            "-CA",
            text(ca),
            "-CAkey",
            text(ca_key),
            "-CAcreateserial",
            "-days",
            "7",
            "-extfile",
            text(&wanted),
            "-out",
            text(&cert),
        ]);
        (cert, key)
    }

    fn file(&self, name: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{name}.{ending}"))
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new(&self.openssl)
            .args(arguments)
            .output()
            .expect("openssl can be run");
        assert!(
            output.status.success(),
            "openssl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}
