//! TLS as all destinations use it: rustls on ring, the machine's authorities or one's own.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::DeliveryError;

/// A client that believes the authorities in a file, or else those that the machine believes, and
/// shows a certificate if it has one.
pub(crate) fn client_config(
    ca_file: Option<&Path>,
    identity: Option<(&Path, &Path)>,
) -> Result<Arc<ClientConfig>, DeliveryError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| DeliveryError::trouble(format!("TLS cannot be used: {error}"), ""))?
        .with_root_certificates(authorities(ca_file)?);
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
