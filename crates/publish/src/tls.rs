//! TLS as all destinations use it: rustls on ring, the machine's authorities or one's own.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use crate::DeliveryError;

/// A client that believes the authorities in a file, or else those that the machine believes, and
/// shows a certificate if it has one.
pub(crate) fn client_config(
    ca_file: Option<&Path>,
    identity: Option<(&Path, &Path)>,
) -> Result<Arc<ClientConfig>, DeliveryError> {
    let config = builder()?.with_root_certificates(authorities(ca_file)?);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some((cert, key)) => {
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                DeliveryError::trouble(
                    format!("there is no usable key in {}: {error}", key.display()),
                    "The file must hold the private key as PEM, without a passphrase, and be readable.",
                )
            })?;
            config
                .with_client_auth_cert(certificates(cert)?, private)
                .map_err(|error| {
                    DeliveryError::trouble(
                        format!(
                            "the certificate in {} and the key in {} cannot be used: {error}",
                            cert.display(),
                            key.display()
                        ),
                        "They must belong together.",
                    )
                })?
        }
    };
    Ok(Arc::new(config))
}

/// A client that believes nobody, for where TLS is not spoken: the machine's authorities take time
/// and memory.
pub(crate) fn distrustful() -> Result<Arc<ClientConfig>, DeliveryError> {
    let config = builder()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What rustls has against the other side, if that is what an error comes of.
pub(crate) fn complaint(error: &(dyn Error + 'static)) -> Option<DeliveryError> {
    let error = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>())?;
    let trouble = match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            CertificateError::UnknownIssuer => DeliveryError::trouble(
                "the server's certificate is not signed by anybody who is trusted here",
                "Name the authority that signed it with `ca_file`.",
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                DeliveryError::trouble(
                    "the server's certificate has expired",
                    "Renew the certificate on the server. If it is valid, see that the clock of this \
                     machine is right.",
                )
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                DeliveryError::trouble(
                    "the server's certificate is not valid yet",
                    "See that the clock of this machine is right.",
                )
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                DeliveryError::trouble(
                    "the server's certificate is for another name",
                    "Write the host as the certificate names it.",
                )
            }
            problem => DeliveryError::trouble(
                format!("the server's certificate is not accepted: {problem}"),
                "Look at the certificate on the server.",
            ),
        },
        rustls::Error::InvalidMessage(_) => DeliveryError::trouble(
            "the server does not speak TLS on this port",
            "See that the port is the one for TLS, or connect without TLS.",
        ),
        error => {
            DeliveryError::trouble(format!("TLS failed: {error}"), "Look at the server's log.")
        }
    };
    Some(trouble)
}

/// An error and what it comes of. What `io::Error` wraps counts as its cause.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn cause<'a>(error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        let error = *error;
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    }
    std::iter::successors(Some(error), cause)
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, DeliveryError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| DeliveryError::trouble(format!("TLS cannot be used: {error}"), ""))
}

fn authorities(ca_file: Option<&Path>) -> Result<RootCertStore, DeliveryError> {
    let mut store = RootCertStore::empty();
    let Some(file) = ca_file else {
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            return Err(DeliveryError::trouble(
                "this machine has no certificates of authorities".to_owned(),
                "Install the package ca-certificates, or name the authority's certificate in ca_file.",
            ));
        }
        return Ok(store);
    };
    store.add_parsable_certificates(certificates(file)?);
    if store.is_empty() {
        return Err(no_certificate(file, "nothing that is one"));
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, DeliveryError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| no_certificate(file, &error.to_string()));
    let found = found?;
    if found.is_empty() {
        return Err(no_certificate(file, "nothing that is one"));
    }
    Ok(found)
}

fn no_certificate(file: &Path, found: &str) -> DeliveryError {
    DeliveryError::trouble(
        format!("there is no certificate in {}: {found}", file.display()),
        "The file must hold certificates as PEM and be readable.",
    )
}
