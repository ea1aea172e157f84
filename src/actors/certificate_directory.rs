//! The certificates that the KDC publishes.

use crate::keys::{CertifiedPrincipal, TrustStore};
use crate::wire::{Certificate, Name, Time};
use bemr_spec::{Refusal, Rules};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Verified certificates by the names of their subjects. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct CertificateDirectory {
    principals: Arc<BTreeMap<Name, Arc<CertifiedPrincipal>>>,
}

impl CertificateDirectory {
    /// The principals of these certificates.
    ///
    /// # Errors
    /// Those of [`TrustStore::verify`], for the first certificate that does not hold.
    pub fn verified<'a>(
        rules: &Rules,
        trust: &mut TrustStore,
        now: Time,
        certificates: impl IntoIterator<Item = &'a Certificate>,
    ) -> Result<CertificateDirectory, Refusal> {
        let mut principals = BTreeMap::new();
        for certificate in certificates {
            let principal = trust.verify(rules, now, certificate)?;
            principals.insert(principal.name().clone(), principal);
        }
        Ok(CertificateDirectory { principals: Arc::new(principals) })
    }

    /// The principal of this name.
    pub fn get(&self, name: &Name) -> Option<&Arc<CertifiedPrincipal>> {
        self.principals.get(name)
    }

    /// Every principal, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<CertifiedPrincipal>> {
        self.principals.values()
    }
}
